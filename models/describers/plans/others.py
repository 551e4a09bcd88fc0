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
    "<x> ~is {seen|visible|shown|in view|present}{ as well| too| besides| elsewhere|}",
    "<x> ~is also {seen|visible|shown|in view|recognisable|depicted|present}",
    "also {seen|visible|in view|shown|depicted|present} ~is <x>",
    "{the|this} {image|picture|view} also {shows|displays|includes|depicts|contains} <x>",
    "{besides|in addition|elsewhere|moreover}, {there ~is|the image shows|the picture includes} <x>",
    "{elsewhere|besides|in addition|moreover}, <x> ~is {seen|visible|found|noted|present|recognisable}",
    "there ~is also <x>",
    "note also <x>",
    "<x> can {also|} be {seen|recognised|made out}",
)
_FIRST = (
    "<x> ~is {seen|visible|shown|in view|present|depicted|recognisable}",
    "{visible|in view|shown|depicted} ~is <x>",
    "{the|this} {image|picture|view} {shows|displays|includes|depicts|contains} <x>",
    "there ~is <x>",
    "note <x>",
    "<x> can be {seen|recognised|made out}",
)
"""Where nothing has been told of beside which they are there too."""
_BY_IT = "{found|identified|detected|noted|seen|observed|made out}"
_NONE = (
    "the <e> {found|identified|detected|noted|saw|observed} no <n>",
    f"no <n> {{was|has been}} {_BY_IT} by the <e>",
    f"according to the <e>, no <n> {{was|has been}} {_BY_IT}",
    "the <e> {finds|sees|identifies|notes|detects|makes out} no <n>",
    "{an automated|the automated} {search|review|analysis} {found|shows|detected|identified} no <n>",
    f"on automated {{search|review|analysis}}, no <n> {{was|is}} {_BY_IT}",
    "no <n> {was|is} {found|detected|identified|noted} on automated {search|review|analysis}",
)
_LOOKS = ("detector", "algorithm", "automated search", "automated analysis", "automatic detection")
_FURTHER = (
    "<x> ~is {seen|found|noted|visible|present|evident}{ elsewhere| besides| as well| likewise| too|}",
    "{besides|in addition|elsewhere|moreover|likewise}, there ~is <x>",
    "{besides|in addition|elsewhere|moreover|likewise}, <x> ~is {seen|found|noted|present|visible}",
    "{the|this} {image|picture|view} {also shows|also contains|further depicts|also includes} <x>",
    "there ~is <x>{ too| as well| besides| elsewhere|}",
    "{also|further} {seen|noted|found|present} ~is <x>",
    "<x> can {also|further|} be {seen|identified|recognised}",
    "note also <x>",
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


def further(facts: Facts, rest: tuple[tuple[str, int], ...]) -> Plan:
    """Findings beyond those that are told one by one, counted.

    Args:
        facts: of the image.
        rest: labels, and how many regions of each were told of.
    """

    def plan(voice: Voice) -> Piece | None:
        pieces = [piece for label, told in rest if (piece := w.counted(facts, label, voice, told=told))]
        return _listed(pieces, _FURTHER, voice)

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
        text = fill(pattern, n=plural(noun) if several else noun, e=voice.pick(_LOOKS))
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
