"""Findings of one kind that are many and slight, told together: how many, what all of them share, and the largest."""

from dataclasses import replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.measures import both_sides, is_plain_uptake
from models.statements.table import table
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

_SHARED = ("shape", "margin", "outline", "density")
_SIDES = ("on both sides", "bilaterally")
_EACH_SIDE = ("one on each side", "one on either side")
_ONE_EACH = (
    "<np> are {seen|visible|present}, <p>",
    "there are <np>, <p>",
    "{the|this} image shows <np>, <p>",
)
_PLACED = (
    "<np> {are seen|lie} <p>",
    "there are <np> <p>",
    "{the|this} image shows <np> <p>",
)
_ANYWHERE = (
    "<np> are {seen|visible|present}",
    "there are <np>",
    "{the|this} image shows <np>",
)
_LARGEST = (
    "the largest of the <n> {lies|is seen|is} <p>",
    "the largest <1> {lies|is seen|is} <p>",
)


def together(facts: Facts, ids: tuple[str, ...]) -> Plan:
    """Regions of one label together: counted, with the sides or the end of an axis where all lie, and shared words."""
    regions = [facts.region(one) for one in ids]

    def plan(voice: Voice) -> Piece | None:
        made = w.counted(facts, regions[0].label, voice)
        if made is None:
            return None
        counts = any(isinstance(one, c.Count) for one in made.claims)
        if counts and len(ids) == 2 and _count_of(made) != 2:
            # Of what stands out, two are told; how many fainter ones an expert outlined beside them says nothing.
            kept = tuple(one for one in made.claims if not isinstance(one, c.Count))
            made, counts = replace(made, text=made.text.partition(" ")[2], claims=kept), False
        name = next(one.name for one in made.claims if isinstance(one, c.Finding))
        place = _place(facts, ids, name, voice, every=counts)
        patterns = _PLACED if place else _ANYWHERE
        if place is not None and isinstance(place.claims[0], c.Sides) and counts and len(ids) == 2:
            place, patterns = replace(place, text=voice.pick(_EACH_SIDE)), _ONE_EACH
        shared = _shared(regions, ids, voice, every=counts)
        # "Five irregular foci": the number stands before what all of them are.
        head, _, noun = made.text.partition(" ")
        np = f"{head} {shared.text} {noun}" if counts else f"{shared.text} {made.text}".strip()
        text = fill(voice.spin(voice.pick(patterns)), np=np, p=place.text if place else "")
        return Piece(text, (*made.claims, *shared.claims, *(place.claims if place else ())), several=True)

    return plan


def _count_of(made: Piece) -> int | None:
    return next((one.n for one in made.claims if isinstance(one, c.Count)), None)


def _place(facts: Facts, ids: tuple[str, ...], name: str, voice: Voice, *, every: bool) -> Piece | None:
    if both_sides(facts, name, "patient").truth:
        return Piece(voice.phrase(_SIDES), (c.Sides(name=name),))
    pieces = [w.place_piece(facts, facts.region(one), Voice(voice.seed)) for one in ids]
    first = pieces[0]
    if first is None or first.text.startswith("(") or any(one is None or one.text != first.text for one in pieces):
        return None
    made = [replace(one, regions=ids, every=every) for one in first.claims if isinstance(one, c.OfRegions)]
    return Piece(first.text, tuple(made))


def _shared(regions: list[Region], ids: tuple[str, ...], voice: Voice, *, every: bool) -> Piece:
    """Words that are true of all of them, as adjectives."""
    found: list[tuple[str, c.Claim]] = []
    # The outlines of uptake are a threshold's.
    for aspect in () if any(map(is_plain_uptake, regions)) else voice.shuffled(_SHARED):
        said = {term.word for region in regions for term in region.terms if term.aspect == aspect}
        told = all(any(term.aspect == aspect for term in region.terms) for region in regions)
        row = next((row for row in table().terms if row.aspect == aspect and row.word in said), None)
        if told and len(said) == 1 and row is not None and row.form == "adjective" and row.say:
            word = voice.pick([one for one in row.say if " " not in one and "{" not in one] or [""])
            found += [(word, c.Word(regions=ids, every=every, aspect=aspect, word=row.word))] if word else []
    kept = found[: voice.pick((1, 2))]
    return Piece(" ".join(word for word, _ in kept), tuple(claim for _, claim in kept))


def largest(facts: Facts, ids: tuple[str, ...]) -> Plan:
    """Where the largest of several regions of one label lies."""
    region = max((facts.region(one) for one in ids), key=lambda one: one.area_px)

    def plan(voice: Voice) -> Piece | None:
        place = w.place_piece(facts, region, voice)
        if place is None or place.text.startswith("("):
            return None
        noun = voice.pick(w.nouns(region, sided=not facts.metadata.sides_contradict))
        name = " ".join(words(noun))
        text = fill(voice.spin(voice.pick(_LARGEST)), n=plural(noun), p=place.text, **{"1": noun})
        made = [replace(one, regions=ids) for one in place.claims if isinstance(one, c.OfRegions)]
        return Piece(text, (c.Finding(regions=ids, name=name), c.Rank(regions=ids, word="largest", among=name), *made))

    return plan
