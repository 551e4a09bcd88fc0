"""How regions lie and compare, and whether they go on in the slices beside their own."""

from models.describers.plans.plan import Plan
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.measures import way_of
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing import Piece


def relation(facts: Facts, index: int, *, tagged: bool = False) -> Plan:
    """A relation that grounding told; `tagged`: of regions by their ids in any case."""

    def plan(voice: Voice) -> Piece | None:
        one = facts.grounding.relations[index]
        subject, other = (w.name_of(facts, end, voice, tagged=tagged) for end in (one.subject, one.object))
        if subject.several or other.several:
            return None
        first, second = (_the(name.text, voice) if not name.the else f"the {name.text}" for name in (subject, other))
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
