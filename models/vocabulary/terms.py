"""The vocabulary as data: structures and what they are part of, findings, diseases, and what else sources mark.

Knows nothing of how a label is read. The tables beside this module are the vocabulary; a term is added by a row.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

Kind = Literal["structure", "finding", "disease", "tissue", "cell", "object", "judgement", "other"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a label can name.

    Args:
        name: as it is written here and in messages.
        kind: what sort of thing it is.
        structure: name of the structure that it is part of, or, of a finding, always lies in; None: any.
        paired: whether there is one on each side of the body.
        modalities: that usually show it; empty: any.
        snomed: its SNOMED CT code, where a context group of DICOM PS3.16 has one of this meaning.
        phrases: by which it is known, each a tuple of words as `words_of` gives them.
    """

    name: str
    kind: Kind
    structure: str | None
    paired: bool
    modalities: tuple[str, ...]
    snomed: str | None
    phrases: tuple[tuple[str, ...], ...]


TABLES = Path(__file__).parent
"""The folder of the tables."""
_NAMES = ("structures", "findings", "others")

# American spellings, and others that sources mix: all become one before words are compared.
_SPELLINGS = (
    ("OEDEMA", "EDEMA"), ("OESOPH", "ESOPH"), ("HAEM", "HEM"), ("AEMI", "EMI"), ("NAEV", "NEV"), ("TUMOUR", "TUMOR"),
    ("RRHOE", "RRHE"), ("FOET", "FET"), ("CAEC", "CEC"), ("COELI", "CELI"), ("GREY", "GRAY"), ("ISATION", "IZATION"),
    ("ISED", "IZED"), ("GOITRE", "GOITER"), ("ARTEFACT", "ARTIFACT"), ("DISK", "DISC"),
)  # fmt: skip
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[^A-Z0-9]+")
_ARTICLES = frozenset({"", "THE", "A", "AN"})
_SHORTEST_PLURAL = 4


def words_of(text: str) -> tuple[str, ...]:
    """The words of a label in capitals, of one spelling, in the singular, without articles; "MildDemented" has two."""
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", text)).encode("ascii", "ignore").decode().upper()
    return tuple(_singular(_spelt(word)) for word in _NO_WORD.split(plain) if word not in _ARTICLES)


def _spelt(word: str) -> str:
    for ours, other in _SPELLINGS:
        word = word.replace(ours, other)
    return word


def _singular(word: str) -> str:
    if len(word) < _SHORTEST_PLURAL or word.endswith(("SS", "US", "IS", "AS")) or not word.endswith("S"):
        return word
    return f"{word[:-3]}Y" if word.endswith("IES") else word[:-1]


def _rows() -> Iterator[Term]:
    for table in _NAMES:
        with TABLES.joinpath(f"{table}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                kind, words = row.get("kind", "structure"), (row["name"], *row["words"].split("|"))
                yield Term(
                    name=row["name"],
                    kind=next(known for known in KINDS if known == kind),
                    structure=row.get("part_of") or row.get("structure") or None,
                    paired=row.get("paired") == "yes",
                    modalities=tuple(word for word in row.get("modalities", "").split("|") if word),
                    snomed=row["snomed"] or None,
                    phrases=tuple(dict.fromkeys(words_of(phrase) for phrase in words)),
                )


TERMS: dict[str, Term] = {term.name: term for term in _rows()}
"""Every term, by its name."""


@cache
def phrases() -> dict[tuple[str, ...], Term]:
    """Every phrase with its term. The first term of a phrase has it."""
    found: dict[tuple[str, ...], Term] = {}
    for term in TERMS.values():
        for phrase in term.phrases:
            found.setdefault(phrase, term)
    return found


def holders(name: str) -> Iterator[str]:
    """A structure's name, and those of the structures that it is part of, from the inside out."""
    at: str | None = name
    while at is not None:
        yield at
        at = TERMS[at].structure
