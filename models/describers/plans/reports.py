"""A finding as reports have it: its name, where it lies, and its looks in a row."""

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Facet, Name, Piece
from schemas.regions import Region

_SIT = "{~lies|~sits|~is seen|~is found|~is present|~appears|~is visible|~is noted}"
_PLACED = (
    "<bare>: <list>, <p>",
    "<bare>: <list>; <p>",
    "<bare> <p>: <list>",
    "<bare> <p>; <list>",
    "<bare>, <list>, <p>",
    "<p>: <bare>, <list>",
    "<p> {~lies|~sits|~is} <np>: <list>",
    f"<np>, <and>, {_SIT} <p>",
    f"<np> {_SIT} <p>: <list>",
    f"<np> {_SIT} <p>, <and>",
    "<np> <p>, <and>",
    "there ~is <np> <p>: <and>",
    "{the|this} {image|picture|view} {shows|contains|has} <np> <p>, <and>",
    "{the|this} {image|picture|view} {shows|contains|has} <np>, <and>, <p>",
    "what {can be made out|is found} <p> ~is <np>, <and>",
    "what {can be seen|is seen} <p> ~is <np>: <list>",
)
_ANYWHERE = (
    "<bare>: <list>",
    "<bare>, <and>",
    "there ~is <np>: <list>",
    "what {can be made out|is found} ~is <np>, <and>",
)
_BY = "{outlined|marked|annotated|traced|segmented|delineated} by the source"


def report(facts: Facts, region: Region, kinds: tuple[str, ...], *, marked: bool) -> Plan:
    """That a region is there and where, with its looks in a row; `marked`: and that the source marks it."""

    def plan(voice: Voice) -> Piece | None:
        name = named(facts, region, voice)
        looks = [one for kind in voice.shuffled(kinds) if (one := w.facet(facts, region, kind, voice, name))]
        place = w.place_piece(facts, region, voice, name)
        said = [text for one in looks if (text := in_a_row(one, voice))]
        if len(said) < len(looks) or not looks or (place and place.text.startswith("(")):
            return None
        made = [name.claim, *(claim for one in looks for claim in one.claims), *(place.claims if place else ())]
        if marked:
            said.append(voice.spin(_BY))
            made.append(c.Marked(regions=(region.region_id,), every=name.every, by="source"))
        text = fill(
            voice.spin(voice.pick(_PLACED if place else _ANYWHERE)), np=name.introduced(), bare=name.text,
            list=", ".join(said), p=place.text if place else "", **{"and": w.joined(said)},
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
