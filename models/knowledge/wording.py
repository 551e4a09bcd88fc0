"""What is counted of a passage, and of a question, beyond their own words: both stores count the same.

A passage is also found by every name that the vocabulary has for its disease, and by the words of the few others on
the same disease (one says where it lies, another how it looks); a question by the words that mean the same
(`plain-words.csv`: belly and abdomen, clot and thrombus). Own words and names count double. Knows nothing of indexes or
weights.

Measured on the half of the questions that chose it (benchmarks/knowledge_check.py), reported on the other.
"""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from models.knowledge.text import indexed, words
from models.vocabulary import TERMS
from schemas.knowledge import Passage

MOST_KIN = 12
"""Passages on one disease or finding beyond which they say too many things to stand for each other."""
OWN = 2
"""How often a text's own words count, beside once those of its kin."""

_PLAIN = Path(__file__).with_name("plain-words.csv")
WORDING = hashlib.sha256(
    f"{MOST_KIN} {OWN} names".encode()
    + _PLAIN.read_bytes()
    + repr([(term.name, term.phrases) for term in TERMS.values()]).encode()
).hexdigest()[:12]
"""Of all that decides here how passages are ranked; part of the knowledge snapshot."""


def asked(text: str) -> list[str]:
    """The words of a question, its own twice, and those that mean the same once."""
    own = words(text)
    return own * OWN + _equivalents(own)


def counted(passages: Sequence[Passage]) -> Iterator[list[str]]:
    """The words of each passage, in their order: its own and those of its diseases' names twice, its kin's once."""
    texts = [words(indexed(passage.title, passage.text)) for passage in passages]
    about: dict[str, list[int]] = defaultdict(list)
    for place, passage in enumerate(passages):
        for name in passage.diseases:
            about[name].append(place)
    for place, passage in enumerate(passages):
        kin = {
            other
            for name in passage.diseases
            if len(about[name]) <= MOST_KIN
            for other in about[name]
            if other != place
        }
        own = texts[place] + _names(passage.diseases)
        yield own * OWN + list(dict.fromkeys(word for other in sorted(kin) for word in texts[other]))


def _names(diseases: Sequence[str]) -> list[str]:
    """Each word of all phrases by which the vocabulary knows them, once."""
    phrases = (phrase for name in diseases if name in TERMS for phrase in TERMS[name].phrases)
    return list(dict.fromkeys(word for phrase in phrases for word in words(" ".join(phrase))))


def _equivalents(own: Sequence[str]) -> list[str]:
    held = set(own)
    found = (
        word
        for group in _groups()
        if any(all(word in held for word in phrase) for phrase in group)
        for phrase in group
        for word in phrase
    )
    return [word for word in dict.fromkeys(found) if word not in held]


@cache
def _groups() -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Phrases that mean the same, as words are counted."""
    with _PLAIN.open(encoding="utf-8", newline="") as file:
        rows = ((row["field"], *row["plain"].split("|")) for row in csv.DictReader(file))
        return tuple(tuple(phrase for one in row if (phrase := tuple(words(one)))) for row in rows)
