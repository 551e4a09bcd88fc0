"""Reading a source's label: what it names, on which side, and what it says is not there.

A label is understood whole or not at all: a word that no table has makes it unknown, for a near word would be a false
one, and a name of a person must not pass for anything. Knows nothing of where the label stood.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from models.vocabulary.terms import TABLES, TERMS, Kind, Term, holders, phrases, words_of

LONGEST = 12
"""Words of a label; a longer text is a sentence."""

Side = Literal["left", "right", "both"]

_SIDES: dict[str, Side] = {
    "LEFT": "left", "L": "left", "LT": "left", "LEFTSIDED": "left", "RIGHT": "right", "R": "right", "RT": "right",
    "BILATERAL": "both", "BOTH": "both",
}  # fmt: skip
_NOT = frozenset({"NO", "NON", "NOT", "WITHOUT", "NEGATIVE", "ABSENT", "ABSENCE", "FREE", "UN"})
_AFTERWARDS = frozenset({"NEGATIVE", "ABSENT", "FREE"})
_OF_A_QUALITY = frozenset({"NON", "UN"})
"""Before a quality these deny it alone; others deny the thing that has it."""
_NEGATED_WHOLES = {"UNINFECTED": "malaria parasite", "NOTUMOR": "tumour", "NODR": "diabetic retinopathy"}
_NORMAL = frozenset({"NORMAL", "HEALTHY", "UNREMARKABLE", "CONTROL"})
_QUALIFIERS = frozenset({
    "SMALL", "LARGE", "BIG", "TINY", "MILD", "MODERATE", "SEVERE", "ACUTE", "SUBACUTE", "CHRONIC", "DIFFUSE", "FOCAL",
    "MULTIFOCAL", "MULTIPLE", "SOLITARY", "SINGLE", "SECONDARY", "RECURRENT", "RESIDUAL", "INVASIVE", "ENHANCING",
    "SOLID", "CYSTIC", "CALCIFIED", "CAVITARY", "SPICULATED", "SUBSOLID", "PARTSOLID", "ENLARGED", "DILATED", "BULKY",
    "SUPERIOR", "INFERIOR", "ANTERIOR", "POSTERIOR", "UPPER", "LOWER", "MEDIAL", "LATERAL", "PROXIMAL", "DISTAL",
    "PERIPHERAL", "CENTRAL", "BASAL", "APICAL", "SIMPLE", "COMPLEX", "TOTAL", "VERY", "EARLY", "LATE", "ADVANCED",
    "GRADE", "STAGE", "I", "II", "III", "IV",
    "SESSILE", "PEDUNCULATED", "FLAT", "INCIDENTAL", "IMPACTED", "COMMINUTED", "DISPLACED", "OPEN", "CLOSED",
    "HEALED", "ACTIVE",
})  # fmt: skip
_NEUTRAL = frozenset({
    "OF", "IN", "ON", "AT", "FROM", "TO", "BY", "FOR", "REGION", "AREA", "ROI", "MASK", "SEGMENTATION", "SEG", "LABEL",
    "CONTOUR", "CLASS", "TISSUE", "TYPE", "EVIDENCE", "PRESENT", "VISIBLE", "SEEN", "IMAGE", "PARENCHYMA", "SIDE",
    "SIDED", "HUMAN", "BINARY", "VOLUME",
})  # fmt: skip
_OF_A_FINDING = frozenset({"WALL", "SEGMENT", "PART", "SIGN", "POSITIVE", "DISEASE"})
"""Neutral beside a finding. Of a structure alone they name a part of it, or something in it that has no name here."""
_UNSAID = re.compile(r"[?=]|\d[.,]\d|[a-z0-9]\s*-\s*[GCPI]TV", re.IGNORECASE)
"""A doubt; a value or a share, which can be 0; a structure without the target volume in it (AAPM TG-263, 6.5)."""


_TELLING: tuple[Kind, ...] = (
    "disease", "finding", "object", "cell", "tissue", "structure", "other", "judgement",
)  # fmt: skip
"""The most telling first."""


@dataclass(frozen=True, slots=True)
class Named:
    """One thing that a label names.

    Args:
        term: what it is.
        structure: where it is, if the label or the term says so; of a structure, itself.
        side: of the patient; None: the label tells none, or the term has one in its name.
        negated: the label says that it is not there.
        qualifiers: other words of the label about it, in small letters.
    """

    term: Term
    structure: Term | None = None
    side: Side | None = None
    negated: bool = False
    qualifiers: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In words: side, structure where the term does not imply it, and the term: "left lung infection"."""
        where = ""
        if (
            self.structure is not None
            and self.structure is not self.term
            and self.term.structure != self.structure.name
        ):
            where = f"{self.structure.name} "
        side = f"{self.side} " if self.side in ("left", "right") else ""
        return f"{'no ' if self.negated else ''}{side}{where}{self.term.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a label names. `named` is empty where it was not understood."""

    named: tuple[Named, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether every word of the label was known."""
        return bool(self.named)

    @property
    def text(self) -> str | None:
        """All that is said to be there, in words; None where it is nothing, or only a judgement."""
        there = [one.text for one in self.named if not one.negated and one.term.kind != "judgement"]
        return " and ".join(there) or None

    @property
    def main(self) -> Named | None:
        """What the label is first of all about: what is there before what is not, a finding before a structure."""
        order = {
            "disease": 0,
            "finding": 1,
            "object": 2,
            "cell": 3,
            "tissue": 3,
            "structure": 4,
            "other": 5,
            "judgement": 6,
        }
        return min(self.named, key=lambda one: (one.negated, order[one.term.kind]), default=None)


UNKNOWN = Reading()
ABNORMALITY, GROSS_TUMOUR = TERMS["abnormality"], TERMS["gross tumour volume"]


def read_label(text: str | None, collection: str | None = None) -> Reading:
    """What a label means.

    Args:
        text: as the source has it: "Hippocampus_L", "non-enhancing tumor", "no tumor".
        collection: name of the public collection whose own abbreviations count too.
    """
    words = words_of(text or "")
    if collection is not None and (means := _own(collection).get(words)):
        words = words_of(means)
    if not words or len(words) > LONGEST or _UNSAID.search(text or ""):
        return UNKNOWN
    return _understood(_parts(words))


@dataclass(frozen=True, slots=True)
class _Part:
    """A run of words of a label: a term, or a word that bears on the others."""

    role: Literal["term", "side", "not", "normal", "qualifier", "and", "neutral"]
    word: str
    term: Term | None = None


def _parts(words: Sequence[str]) -> list[_Part] | None:
    """The runs of a label, the longest known phrase first; None where a word is not known."""
    known = phrases()
    found: list[_Part] = []
    at = 0
    while at < len(words):
        longest = next((end for end in range(len(words), at, -1) if tuple(words[at:end]) in known), None)
        word = words[at]
        split = _sided_phrase(words, at)
        if split is not None and split[2] > (longest or at) + 1:
            side, term, longest = split
            found += [_Part("side", side), _Part("term", "", term)]
        elif longest is not None:
            found.append(_Part("term", word, known[tuple(words[at:longest])]))
        elif (numbered := (word.rstrip("0123456789"),)) in known:
            if _none(word, known[numbered]):
                return None
            found.append(_Part("term", word, known[numbered]))
        elif word in _NEGATED_WHOLES:
            found += [_Part("not", word), _Part("term", word, TERMS[_NEGATED_WHOLES[word]])]
        elif word in _SIDES:
            found.append(_Part("side", word))
        elif word == "FREE" and not found and "OF" not in words[at + 1 : at + 2]:
            return None
        elif word in _NOT:
            found.append(_Part("not", word))
        elif word in _NORMAL:
            found.append(_Part("normal", word))
        elif word in _QUALIFIERS:
            found.append(_Part("qualifier", word))
        elif word in ("AND", "WITH"):
            found.append(_Part("and", word))
        elif word in _OF_A_FINDING:
            found.append(_Part("neutral", word))
        elif word not in _NEUTRAL and not (word.isdigit() and found and not _none(word, found[-1].term)):
            return None
        at = longest or at + 1
    return found


def _none(numbered: str, term: Term | None) -> bool:
    """Whether a number says that a disease is of grade 0, and so is not there: "DR 0". Of findings 0 is the first."""
    number = re.search(r"\d*$", numbered)
    zero = number is not None and number[0] != "" and int(number[0]) == 0
    return zero and (term is None or term.kind == "disease")


def _sided_phrase(words: Sequence[str], at: int) -> tuple[str, Term, int] | None:
    """A phrase with the side in its midst: "RIB LEFT 5"."""
    for end in range(min(len(words), at + 6), at + 2, -1):
        inside = [place for place in range(at + 1, end - 1) if words[place] in _SIDES]
        if len(inside) == 1:
            rest = (*words[at : inside[0]], *words[inside[0] + 1 : end])
            if rest in phrases():
                return words[inside[0]], phrases()[rest], end
    return None


def _understood(parts: Sequence[_Part] | None) -> Reading:
    if not parts:
        return UNKNOWN
    named: list[Named] = []
    side: Side | None = None
    negated = normal = False
    qualifiers: list[str] = []
    for place, part in enumerate(parts):
        following = parts[place + 1] if place + 1 < len(parts) else None
        if part.role == "side":
            if side is not None and side != _SIDES[part.word]:
                return UNKNOWN
            side = _SIDES[part.word]
        elif part.role == "not":
            if following is not None and following.role == "qualifier":
                if part.word in _OF_A_QUALITY or all(later.term is None for later in parts[place:]):
                    continue  # "non-calcified nodule", "liver not enlarged": the quality is denied, not the thing.
                return UNKNOWN  # "no acute fracture": whether there is an old one it does not say.
            if following is not None and following.term is not None and following.term.kind == "cell":
                return UNKNOWN  # A non-neoplastic cell is another cell.
            beside = following.term if following is not None and not place else named[-1].term if named else None
            if part.word in _AFTERWARDS and beside is not None and beside.kind == "structure":
                return UNKNOWN  # Of a lymph node "negative" denies what it does not name.
            if part.word in _AFTERWARDS and place and (following is None or part.word == "FREE"):
                named = [replace(one, negated=True) for one in named]
                continue
            if part.word in _AFTERWARDS and place:
                return UNKNOWN
            negated = True
        elif part.role == "and":
            if negated and part.word == "WITH":
                return UNKNOWN  # "No oedema with effusion": nothing tells whether the effusion is denied too.
        elif part.role == "normal":
            normal = True
        elif part.role == "qualifier":
            denied = place > 0 and parts[place - 1].role == "not"
            qualifiers.append(("non-" if denied else "") + part.word.lower())
        elif part.term is not None:
            named.append(Named(part.term, negated=negated))
    if normal:
        return UNKNOWN if qualifiers else _normal(named, side, negated=negated)
    if not named or (negated and not any(one.negated for one in named)):
        return UNKNOWN
    if all(one.term.kind == "structure" for one in named) and any(part.role == "neutral" for part in parts):
        return UNKNOWN
    joined = any(part.role == "and" or (place and part.role == "not") for place, part in enumerate(parts))
    structures = _innermost([one for one in named if one.term.kind == "structure"])
    things = [one for one in named if one.term.kind not in ("structure", "judgement")]
    if not joined and (len(structures) > 1 or (len(things) > 1 and GROSS_TUMOUR not in (one.term for one in things))):
        return UNKNOWN  # "neck of femur" is neither; what lies in what is not for us to guess.
    if any(_elsewhere(thing, one) for thing in things for one in structures):
        return UNKNOWN
    judgements = [one for one in named if one.term.kind == "judgement"]
    return Reading(tuple(_placed(structures, things, judgements, side, tuple(qualifiers))))


def _elsewhere(thing: Named, structure: Named) -> bool:
    """Whether what is named never lies in the structure that is named beside it: a retinopathy of the liver."""
    implied, named = thing.term.structure, structure.term.name
    return implied is not None and named not in holders(implied) and implied not in holders(named)


def _innermost(structures: list[Named]) -> list[Named]:
    """Structures without those that hold another of them: "cardiac left ventricle" is one."""
    held = {name for one in structures for name in list(holders(one.term.name))[1:]}
    return [one for one in structures if one.term.name not in held]


def _normal(named: list[Named], side: Side | None, *, negated: bool) -> Reading:
    """Of a normal structure, or of none, an abnormality is denied. "Not normal" denies nothing that has a name."""
    if negated or any(one.term.kind not in ("structure", "tissue") for one in named):
        return UNKNOWN
    structure = named[0].term if named else None
    return Reading((Named(ABNORMALITY, structure, side if structure and structure.paired else None, negated=True),))


def _placed(
    structures: list[Named],
    things: list[Named],
    judgements: list[Named],
    side: Side | None,
    qualifiers: tuple[str, ...],
) -> list[Named]:
    """What is named, each in its structure: "liver tumour" is one thing in another, "liver and spleen" are two."""
    if not things and not structures:
        return judgements
    qualifiers += tuple(one.term.name for one in judgements)
    if not things:
        return [replace(one, structure=one.term, side=side, qualifiers=qualifiers) for one in structures]
    found: list[Named] = []
    for one in things:
        implied = TERMS[one.term.structure] if one.term.structure else None
        structure = structures[0].term if structures else implied
        found.append(replace(one, structure=structure, side=side, qualifiers=qualifiers))
    return found


@cache
def _own(collection: str) -> dict[tuple[str, ...], str]:
    with TABLES.joinpath("collections.csv").open(encoding="utf-8", newline="") as file:
        return {words_of(row["label"]): row["means"] for row in csv.DictReader(file) if row["collection"] == collection}
