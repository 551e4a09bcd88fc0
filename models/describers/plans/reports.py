"""A finding as reports have it: its name, where it lies, and its looks in a row."""

from models.describers.plans.plan import Plan, fill
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Facet, Name, Piece
from schemas.regions import Region

_SIT = "{~lies|~is seen|~is present|~is visible}"
_PLACED = (
    f"<np>, <and>, {_SIT} <p>",
    f"<np> {_SIT} <p>, <and>",
    "there ~is <np> <p>, <and>",
    "{the|this} image shows <np> <p>, <and>",
)
_ANYWHERE = (
    "there ~is <np>, <and>",
    "{the|this} image shows <np>, <and>",
)


def report(facts: Facts, region: Region, kinds: tuple[str, ...]) -> Plan:
    """That a region is there and where, with its looks in a row."""

    def plan(voice: Voice) -> Piece | None:
        name = named(facts, region, voice)
        found = [one for kind in voice.shuffled(kinds) if (one := w.facet(facts, region, kind, voice, name))]
        # "A mass on the left, large": its size stands before a noun.
        large = next((one for one in found if one.adjective and one.kind == "share"), None)
        looks = [one for one in found if one is not large]
        place = w.place_piece(facts, region, voice, name)
        said = [text for one in looks if (text := in_a_row(one, voice))]
        if len(said) < len(looks) or not looks:
            return None
        who = w.by_whom(facts, region, name)
        noun = name.introduced(large.adjective if large else "") + who.text
        made = [
            name.claim,
            *who.claims,
            *(claim for one in found for claim in one.claims),
            *(place.claims if place else ()),
        ]
        text = fill(
            voice.spin(voice.pick(_PLACED if place else _ANYWHERE)), np=noun,
            p=place.text if place else "", **{"and": w.joined(said)},
        )  # fmt: skip
        return Piece(w.numbered(text, several=name.several), tuple(made))

    return plan


def named(facts: Facts, region: Region, voice: Voice) -> Name:
    """A noun for it, which does not say again what it lies within."""
    within = region.place.within if region.place else ""
    return w.name_of(facts, region.region_id, voice, avoid=(within, within.removesuffix("s")), indefinite=True)


def in_a_row(facet: Facet, voice: Voice) -> str:
    """A facet as one of a row: 'oval', 'with blurred edges', 'covering a tenth of the image'; "": it has no form."""
    options = [facet.adjective] * 2 + [facet.is_, facet.doing] + ([f"with {facet.has}"] if facet.has else [])
    options = [one for one in options if one and not one.startswith("~")]
    return voice.pick(options) if options else ""
