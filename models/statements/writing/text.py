"""Text with what it claims, and the grammar of English that writing needs: articles, lists, counts, verbs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.statements.claims import Claim

MANY = 30
"""From which things are numerous; fewer, beyond those that have a word, are multiple."""
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_AN = ("mr", "x-ray", "hour", "fdg", "mlo")
_MARKS = re.compile(r"\s*,?\s*([,;:])")
"""A mark of punctuation, and a comma before it that it takes the place of."""
_VERB = re.compile(r"~(\w+)")
_PLURALS = {
    "is": "are", "has": "have", "was": "were", "does": "do", "reaches": "reach", "lies": "lie", "itself": "themselves",
    "its": "their", "it": "they",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, and what it claims."""

    text: str
    claims: tuple[Claim, ...] = ()
    several: bool = False
    """Whether it is a noun in the plural."""


def article(noun: str) -> str:
    """With 'a' or 'an', by the sound that it begins with."""
    low = noun.lower()
    vowel = (
        low.startswith(_AN) or low[0] in "aeio" or (low.startswith("u") and not low.startswith(("uni", "use", "ure")))
    )
    vowel = vowel and not low.startswith(("one-", "eu"))
    return f"{'an' if vowel else 'a'} {noun}"


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = _MARKS.sub(r"\1", " ".join(text.split())).strip(" ,")
    return f"{text[0].upper()}{text[1:]}."


def joined(items: Sequence[str]) -> str:
    """a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def count(n: int) -> str:
    """In words, as far as there are words."""
    return COUNTS[n] if n < len(COUNTS) else "multiple" if n < MANY else "numerous"


def numbered(text: str, *, several: bool) -> str:
    """With the verbs and pronouns that are marked by ~ in the singular or the plural: '~is', '~lies', '~its'."""
    return _VERB.sub(lambda match: _plural(match[1]) if several else match[1], text)


def _plural(word: str) -> str:
    return _PLURALS.get(word) or (f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s"))
