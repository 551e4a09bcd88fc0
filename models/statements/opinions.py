"""How a classifier's opinion is said: in whole sentences of a fixed form, written and read by the same patterns.

What an expert merely thinks must not be taken for what was seen, so such a sentence holds nothing else.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from models.statements.claims import Opinion
from models.statements.tokens import Token, spelled_out, words
from schemas import regions as schema

SAY = (
    (
        "in the opinion of the {classifier|expert} <e>, {the|this} {image|picture} shows <l>; <p> % of <n> such "
        "opinions of it were right"
    ),
    (
        "the {classifier|expert} <e> {thinks|holds} that {the|this} {image|picture} shows <l>, {with|at} a stated "
        "precision of <p> % on <n> images"
    ),
    (
        "the {classifier|expert} <e> tells <l> of {the|this} {image|picture}; the stated precision of that opinion is "
        "<p> % on <n> images"
    ),
)
_SLOTS = {"e": r"(?P<e>\S+(?: \S+){0,9}?)", "l": r"(?P<l>\S+(?: \S+){0,9}?)",
          "p": r"(?P<p>\d+(?:\.\d+)?)", "n": r"(?P<n>\d+(?:,\d{3})*)"}  # fmt: skip


def filled(pattern: str, opinion: schema.Opinion) -> str:
    """A pattern spelled out, without capital and full stop, of an opinion whose precision is stated."""
    assert opinion.precision is not None
    slots = {
        "<e>": schema.expert_name(opinion.expert),
        "<l>": opinion.label,
        "<p>": f"{round(100 * opinion.precision.value, 1):g}",
        "<n>": f"{opinion.precision.images:,}",
    }
    for slot, text in slots.items():
        pattern = pattern.replace(slot, text)
    return pattern


def claimed(opinion: schema.Opinion) -> Opinion:
    """The claim that such a sentence makes."""
    assert opinion.precision is not None
    return Opinion(
        expert=" ".join(words(schema.expert_name(opinion.expert))),
        name=" ".join(words(opinion.label)),
        percent=round(100 * opinion.precision.value, 1),
        images=opinion.precision.images,
        decimals=1,
    )


def read_opinion(sentence: Sequence[Token]) -> Opinion | None:
    """The claim of a sentence that is wholly of this form; None of any other."""
    if not any(token.word == "%" for token in sentence):
        return None
    text = " ".join(token.word for token in sentence)
    for form in _forms():
        if (found := form.fullmatch(text)) is not None:
            decimals = len(found["p"].partition(".")[2])
            return Opinion(
                expert=found["e"],
                name=found["l"],
                percent=float(found["p"]),
                images=int(found["n"].replace(",", "")),
                decimals=decimals,
            )
    return None


@lru_cache(maxsize=1)
def _forms() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(_form(phrase)) for pattern in SAY for phrase in spelled_out(pattern))


def _form(phrase: str) -> str:
    parts = re.split(r"<([elpn])>", phrase)
    found = [_SLOTS[part] if n % 2 else re.escape(" ".join(words(part))) for n, part in enumerate(parts)]
    return r"\ ".join(part for part in found if part)
