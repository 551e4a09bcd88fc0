"""What stands beside findings: structures, what was not found, and findings that are only counted."""

from collections.abc import Mapping

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.opinions import SAY, claimed, filled
from models.statements.table import table
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Opinion

_CONTEXT = (
    "<x> ~is also {seen|visible}",
    "{the|this} image also shows <x>",
)
_FIRST = (
    "<x> ~is {seen|visible}",
    "{the|this} image shows <x>",
)
"""Where nothing has been told of beside which they are there too."""
_NONE = (
    "no <n> {was|is} {found|seen|detected} on automated analysis",
    "automated analysis {found|shows} no <n>",
)
_FURTHER = (
    "<x> ~is {seen|visible|present}{ elsewhere|}",
    "{the|this} image also shows <x>",
    "there ~is <x>{ elsewhere|}",
    "in addition, there ~is <x>",
)


def context(
    facts: Facts,
    labels: tuple[str, ...],
    doubled: frozenset[str] = frozenset(),
    *,
    first: bool = False,
    told: Mapping[str, int] | None = None,
) -> Plan:
    """Structures and tissues, counted where all of them are there.

    Args:
        facts: of the image.
        labels: what is told.
        doubled: regions that tell others again.
        first: nothing has been told of before.
        told: how many regions of a label were told of one by one: the others are counted.
    """
    before = told or {}

    def plan(voice: Voice) -> Piece | None:
        made = [
            w.counted(facts, label, voice, doubled=doubled, told=before.get(label, 0))
            for label in voice.shuffled(labels)
        ]
        pieces = [piece for piece in made if piece]
        return _listed(pieces, _FIRST if first else _CONTEXT, voice)

    return plan


def further(facts: Facts, rest: tuple[tuple[str, int], ...], *, first: bool = False) -> Plan:
    """Findings beyond those that are told one by one, counted.

    Args:
        facts: of the image.
        rest: labels, and how many regions of each were told of.
        first: no finding has been told of before.
    """

    def plan(voice: Voice) -> Piece | None:
        pieces = [piece for label, told in rest if (piece := w.counted(facts, label, voice, told=told))]
        return _listed(pieces, _FIRST if first else _FURTHER, voice)

    return plan


def _listed(pieces: list[Piece], patterns: tuple[str, ...], voice: Voice) -> Piece | None:
    if not pieces:
        return None
    several = len(pieces) > 1 or pieces[0].several
    text = fill(voice.spin(voice.pick(patterns)), x=w.joined([piece.text for piece in pieces]))
    return Piece(w.numbered(text, several=several), tuple(claim for piece in pieces for claim in piece.claims))


def absence(label: str) -> Plan:
    """That an expert looked for something and did not find it: it may be there all the same."""

    def plan(voice: Voice) -> Piece | None:
        noun = voice.pick(_sought(label))
        pattern = voice.spin(voice.pick(_NONE))
        several = not {"was", "is", "has"} & set(pattern.split()) and voice.maybe(0.4)
        text = fill(pattern, n=plural(noun) if several else noun)
        return Piece(text, (c.Absence(name=" ".join(words(noun))),))

    return plan


def _sought(label: str) -> tuple[str, ...]:
    """What an expert looked for: who looks for spots has not looked for patches."""
    say = table().called(label).say
    kind = label.split()[-1]
    return tuple(one for one in say if one.split()[-1] == kind) if kind in ("spot", "focus") else say


def opinion(held: Opinion) -> Plan:
    """What a classifier thinks of the image, and how often it was right: of one whose precision is stated."""

    def plan(voice: Voice) -> Piece | None:
        return Piece(filled(voice.phrase(SAY), held), (claimed(held),))

    return plan
