"""How regions lie and compare, and whether they go on in the slices beside their own."""

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.measures import covered, way_of
from models.statements.table import table
from models.statements.tokens import FRACTIONS
from models.statements.voice import Voice
from models.statements.writing import Piece

_PARTS = (
    (0.25, ("{about|roughly|some|around} a quarter of",)),
    (FRACTIONS["third"] / 100, ("{about|roughly|some|around} a third of",)),
    (0.5, ("{about|roughly|some|around} half of", "{about|roughly} one half of")),
    (2 * FRACTIONS["thirds"] / 100, ("{about|roughly|some|around} two thirds of",)),
    (0.75, ("{about|roughly|some|around} three quarters of",)),
)
"""Parts of one region that another covers, as they are said."""
NEAR_A_PART = 0.1
"""How far a part may lie from what is said of it, of that."""
_COVERING = (
    "<np> {covers|takes up|occupies} <part> <n>",
    "<part> <n> is {covered|taken up|occupied} by <np>",
    "<part> <n> lies {inside|within} <np>",
)


def relation(facts: Facts, index: int, *, tagged: bool = False, new: frozenset[str] = frozenset()) -> Plan:
    """A relation that grounding told; `tagged`: of regions by their ids in any case; `new`: ids not told of before."""

    def plan(voice: Voice) -> Piece | None:
        one = facts.grounding.relations[index]
        subject, other = (w.name_of(facts, end, voice, tagged=tagged) for end in (one.subject, one.object))
        if subject.several or other.several:
            return None
        first, second = (
            name.introduced() if end in new else _the(name.text, voice)
            for name, end in ((subject, one.subject), (other, one.object))
        )
        if one.predicate == "brighter than":
            scale = "brightness" if table().scale(facts.metadata.modality).scale == "brightness" else "shown"
            made: c.Claim = c.Level(
                regions=(one.subject,), scale=scale, direction="high", degree="more", against=one.object
            )
            words = "{brighter|lighter|paler|whiter}" if scale == "brightness" else "{lighter|whiter|paler}"
            text = voice.spin(f"{first} {{is|appears|looks|seems|is shown}} {words} than {second}")
            return Piece(text, (subject.claim, made, other.claim))
        row = next(row for row in table().relations if row.predicate == one.predicate)
        made = c.Relation(regions=(one.subject,), predicate=one.predicate, object=one.object)
        if row.turned and voice.maybe(0.4):
            return Piece(f"{second} {voice.pick(row.turned)} {first}", (other.claim, made, subject.claim))
        return Piece(f"{first} {voice.pick(row.say)} {second}", (subject.claim, made, other.claim))

    return plan


def _the(text: str, voice: Voice) -> str:
    return f"{voice.pick(('the', 'the', 'this', 'that'))} {text}"


def covering(facts: Facts, region_id: str, of: str) -> Plan:
    """Which part of a region that was told of another covers, that was not, with how that one looks."""

    def plan(voice: Voice) -> Piece | None:
        region = facts.region(region_id)
        name, other = w.name_of(facts, region_id, voice, indefinite=True), w.name_of(facts, of, voice)
        part = covered([facts.region(of)], [region])
        said = next((one for one in _PARTS if abs(part / one[0] - 1) <= NEAR_A_PART), None)
        if said is None or name.several or other.several:
            return None
        looks = [w.facet(facts, region, kind, voice, name) for kind in voice.shuffled(("shape", "margin", "texture"))]
        before = [one for one in looks if one is not None and one.adjective][: voice.pick((1, 2))]
        text = fill(
            voice.spin(voice.pick(_COVERING)), np=name.introduced(", ".join(one.adjective for one in before)),
            part=voice.spin(voice.pick(said[1])), n=_the(other.text, voice),
        )  # fmt: skip
        made = c.Ratio(regions=(region_id,), measure="covering", value=said[0], object=of, loose=True, decimals=2)
        return Piece(text, (name.claim, other.claim, made, *(claim for one in before for claim in one.claims)))

    return plan


def continuation(facts: Facts, index: int, *, tagged: bool = False) -> Plan:
    """Whether a region goes on in the slices beside its own; `tagged`: by its id in any case."""

    def plan(voice: Voice) -> Piece | None:
        one = facts.grounding.continuations[index]
        name = w.name_of(facts, one.region, voice, tagged=tagged)
        way = way_of(one.towards, one.onwards)
        verb = voice.spin(voice.pick(next(row.say for row in table().outcomes if row.word == one.outcome)))
        if name.several and not verb.startswith("is"):
            return None
        verb = f"are{verb.removeprefix('is')}" if name.several else verb
        where = voice.pick(next(row.say for row in table().ways if row.word == way))
        made = c.Continues(regions=(one.region,), every=name.every, outcome=one.outcome, way=way)
        return Piece(
            f"{_the(name.text, voice) if not name.several else f'the {name.text}'} {verb} the next slice {where}",
            (name.claim, made),
        )

    return plan
