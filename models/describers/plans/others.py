"""What stands beside findings: structures, what was not found, findings that are only counted, and who agrees."""

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece

_CONTEXT = (
    "<x> ~is {outlined|seen|visible|marked out|in view|shown|recognised}{ as well| too| besides| beside this|}",
    "<x> ~is also {outlined|seen|visible|marked out|in view|shown|recognised|depicted|observed}",
    "{also|further} {outlined|seen|visible|in view|recognised|shown|depicted}{:| ~is} <x>",
    "{the image|the picture|the view|this image} also {shows|displays|includes|depicts|presents} <x>",
    "{what is|what else is} {outlined|seen|recognised|shown} {~is|includes} <x>",
    "{besides|in addition|further|moreover|elsewhere}, {there ~is|one sees|one finds|the image shows} <x>",
    "{elsewhere|besides this|beside it all}, <x> ~is {seen|visible|outlined|found|noted|recognised}",
    "{as structures|for the rest|in the rest of the image}, {one sees|there ~is|one finds} <x>",
    "one {also sees|also finds|further sees|also recognises} <x>",
)
_BY_IT = "{found|outlined|picked out|identified|detected|noted|marked|seen|observed|made out|described}"
_NONE = (
    "the expert {found|outlined|picked out|identified|detected|reports|noted|marked|saw|observed|describes} no <n>",
    f"no <n> {{was|has been}} {_BY_IT} by the expert",
    "no <n>, {says|states|reports} the expert",
    "the expert {says|states|reports} that no <n> {is|was} {seen|found|visible|detected|made out}",
    "as the expert {says|states|reports|sees it}, no <n> {is|was} {seen|found|visible|present}",
    "the expert {finds|sees|identifies|notes|detects|makes out|picks out} no <n>",
    "{the expert's search|the search of the expert|a search by the expert} {found|shows|detected} no <n>",
    "to the expert, no <n> {is|was} {seen|found|visible|present}",
)
_FURTHER = (
    "<x> ~is {outlined|seen|marked out|found|noted|visible|present}{ elsewhere| besides| as well| likewise|}",
    "{besides|in addition|elsewhere|moreover|likewise}, {there ~is|one finds|one sees} <x>",
    "{besides|in addition|elsewhere|moreover|likewise}, <x> ~is {outlined|seen|found|noted}",
    "{the image|the picture|the view} {also shows|displays|depicts|includes} <x>",
    "there ~is <x>{ too| as well| besides| elsewhere|}",
    "{further|also} {seen|outlined|noted|found}{:| ~is} <x>",
    "one {also finds|also sees|notes} <x>{ elsewhere| besides|}",
)
_AGREED = (
    "<n> {is|was} also {found|outlined|picked out|marked|identified|seen} by <e>",
    "<e> {found|outlined|picked out|marked|identified|saw} <n> {too|as well|also}",
    "<n> {is|was} {found|outlined|picked out|marked|identified} {by|also by} <e>",
    "<n> is {what|something that} <e> {found|outlined|picked out|identified} {too|as well}",
    "on <n> <e> agrees",
    "<e> {agrees|also agrees} on <n>",
)


def context(facts: Facts, labels: tuple[str, ...]) -> Plan:
    """Structures and tissues, counted where all of them are there."""

    def plan(voice: Voice) -> Piece | None:
        pieces = [piece for label in voice.shuffled(labels) if (piece := w.counted(facts, label, voice))]
        return _listed(pieces, _CONTEXT, voice)

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
        noun = voice.pick(table().called(label).say)
        pattern = voice.spin(voice.pick(_NONE))
        several = not {"was", "is", "has"} & set(pattern.split()) and voice.maybe(0.4)
        text = fill(pattern, n=plural(noun) if several else noun)
        text = text.replace("the expert", voice.pick(("the expert", "the expert", "the expert model")))
        return Piece(text, (c.Absence(name=" ".join(words(noun))),))

    return plan


def agreement(facts: Facts, region_id: str, expert: str) -> Plan:
    """That another expert found the same."""
    row = next((row for row in table().experts if row.name == expert), None)

    def plan(voice: Voice) -> Piece | None:
        if row is None:
            return None
        name = w.name_of(facts, region_id, voice)
        text = fill(voice.spin(voice.pick(_AGREED)), n=f"the {name.text}", e=voice.pick(row.say))
        return Piece(text, (name.claim, c.Marked(regions=(region_id,), every=name.every, by=expert)))

    return plan
