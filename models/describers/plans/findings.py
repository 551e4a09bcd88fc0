"""A finding: that it is there and where, and how it looks, its facets spread over one sentence or two."""

from dataclasses import dataclass, replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Facet, Name, Piece
from schemas.regions import Region

WITH_TAIL = 0.7
"""Part of openings that tell a facet behind the noun too."""
MOST_IN_A_PHRASE = 25
"""Words."""
_ADJECTIVES = ("share", "crowding", "margin", "level", "texture", "uptake", "density", "shape", "colour")
"""In the order in which they stand before a noun."""
_AT_ONCE = ("share", "colour")
"""Of these, those that there are stand before it in any case."""
_SEEN = "{~is {seen|noted|visible|present}|can be seen}"
_SHOWS = "{the|this} image shows"
_WHERE = "{~lies|~is {located|seen|visible|present}}"
_FINITE = (
    f"<np> {_WHERE} <p>",
    f"<p>, <np> {_SEEN}",
    f"<np> {_SEEN} <p>",
)
"""A further verb may follow these."""
_FOUND = (
    *_FINITE,
    f"<np> {_WHERE} <p>",
    "there ~is <np> <p>",
    f"{_SHOWS} <np> <p>",
    "<p>, there ~is <np>",
)
_FOUND_ANYWHERE = (
    f"<np> {_SEEN}",
    "there ~is <np>",
    f"{_SHOWS} <np>",
)
_IS = "{~is|~is|~appears}"
_HAS = "{~has|~shows}"
_ONE = ("<n> <1>",)
_FRONTED = ("{compared with|relative to} <than>, <n> {~is|~appears} <against>",)
_TWO = (
    "<n> <1> and <2>",
    "<n> <1>, and ~it <2>",
    "<n> <1>; ~it <2>",
    "<n>, which <1>, <2>",
    "with <has1>, <n> <2>",
    "<n>, with <has1>, <2>",
    "<n> <1>, with <has2>",
    "<n> <1>, <doing2>",
    "<n> {~is|~appears} <is1> and <is2>",
)
_MORE = (
    " and <1>",
    ", and ~it <1>",
    "; ~it <1>",
    ", with <has1>",
    ", <doing1>",
)


def introduction(facts: Facts, region: Region, kinds: tuple[str, ...]) -> Plan:
    """That a region is there, where, with some of its facets. It is not named by its id."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice, indefinite=True)
        noun = _noun(facts, region, kinds, voice, name)
        place = w.place_piece(facts, region, voice, name)
        # "There are the lungs" is no English.
        patterns = [one for one in (_FOUND if place else _FOUND_ANYWHERE) if not (name.the and "there" in one)]
        pattern = voice.pick(patterns)
        who = w.by_whom(facts, region, name)
        text = fill(
            voice.spin(pattern), np=noun.text() + who.text, p=place.text if place else "",
        )  # fmt: skip
        finite = pattern in _FINITE
        for n, one in enumerate(noun.behind[:2]):
            text += _tail(one, voice, finite=finite and not n, clause=";" not in text)
        made = [*noun.claims, *who.claims, *(claim for one in noun.behind[:2] for claim in one.claims)]
        made += place.claims if place else ()
        return Piece(w.numbered(text, several=name.several), tuple(made))

    return plan


def found(facts: Facts, region: Region, kinds: tuple[str, ...]) -> Plan:
    """A region as a noun with where it lies and some of its facets, for a sentence that begins with the image."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice, indefinite=True)
        noun = _noun(facts, region, kinds, voice, name)
        place = w.place_piece(facts, region, voice, name)
        who = w.by_whom(facts, region, name)
        text = noun.text() + who.text + (f" {place.text}" if place else "")
        made = [*noun.claims, *who.claims, *(place.claims if place else ())]
        fitting = [one for one in noun.behind if one.doing or (one.is_ and one.is_ != one.adjective)]
        tail = next(iter(sorted(fitting, key=lambda one: one.kind != "size")), None)
        if tail is not None and (tail.kind in ("size", "ratio") or voice.maybe(WITH_TAIL)):
            text += _behind(tail, voice, close=place is None)
            made += tail.claims
        return Piece(w.numbered(text, several=name.several), tuple(made), name.several)

    return plan


def _behind(facet: Facet, voice: Voice, *, close: bool) -> str:
    """A facet as what stands behind a noun within a sentence; `close`: right behind it."""
    said = facet.doing or facet.is_
    # Behind a place "which" would be of the image.
    if not close:
        return f", {said},"
    return voice.pick((f" {said}" if facet.doing else f", {said},", f", which {_verb(facet, voice)},"))


@dataclass(frozen=True)
class _Noun:
    """A region's noun, with the facets before it and one that stands with it, and those that are left."""

    name: Name
    number: str
    adjectives: str
    held: str
    claims: tuple[c.Claim, ...]
    behind: tuple[Facet, ...]

    def text(self) -> str:
        return self.name.introduced(" ".join(one for one in (self.number, self.adjectives) if one)) + self.held


def _noun(facts: Facts, region: Region, kinds: tuple[str, ...], voice: Voice, name: Name) -> _Noun:
    before, behind = _before(_facets(facts, region, kinds, voice, name), voice, most=3)
    # A number by which such findings are read is told at once.
    held = next((one for one in behind if one.kind == "mean" and one.has), None)
    held = held or (next((one for one in behind if one.has), None) if voice.maybe(0.5) else None)
    said = (*before, *([held] if held else []))
    # "Numerous sparse nuclei" would take back what it tells.
    number = None if any(one.adjective == "sparse" for one in before) else w.number_of(region, name)
    return _Noun(
        name, number.text if number else "", _adjectives(before, voice), f" with {held.has}" if held else "",
        (name.claim, *(number.claims if number else ()), *(claim for one in said for claim in one.claims)),
        tuple(one for one in behind if one is not held),
    )  # fmt: skip


def _named(facts: Facts, region: Region, voice: Voice, *, tagged: bool = False, indefinite: bool = False) -> Name:
    within = region.place.within if region.place else ""
    avoid = (within, within.removesuffix("s"))
    return w.name_of(facts, region.region_id, voice, avoid=avoid, tagged=tagged, indefinite=indefinite)


def _facets(facts: Facts, region: Region, kinds: tuple[str, ...], voice: Voice, name: Name) -> list[Facet]:
    found = [one for kind in kinds if (one := w.facet(facts, region, kind, voice, name))]
    return voice.shuffled(found)


def _before(facets: list[Facet], voice: Voice, *, most: int) -> tuple[list[Facet], list[Facet]]:
    """Facets that stand before the noun, and the others."""
    # "The tumour is large." by itself reads as an afterthought.
    fitting = sorted((one for one in facets if one.adjective), key=lambda one: one.kind not in _AT_ONCE)
    taken = fitting[: max(voice.pick(range(1, most + 1)), sum(one.kind in _AT_ONCE for one in fitting))]
    return sorted(taken, key=lambda one: _ADJECTIVES.index(one.kind)), [one for one in facets if one not in taken]


def _adjectives(facets: list[Facet], voice: Voice) -> str:
    texts = [one.adjective for one in facets]
    if len(texts) == 3:
        return (
            f"{texts[0]}, {texts[1]} {texts[2]}" if facets[0].kind != "share" else f"{texts[0]} {texts[1]}, {texts[2]}"
        )
    comma = len(texts) == 2 and not {one.kind for one in facets} <= {"share", "shape", "colour"}
    return voice.pick((", ", " and ", ", ")).join(texts) if comma else " ".join(texts)


def _verb(facet: Facet, voice: Voice) -> str:
    """A facet as what follows the subject."""
    options = [facet.does] * 2 if facet.does else []
    if facet.is_:
        options += [f"{_IS if _is_plain(facet) else '~is'} {facet.is_}"] * 2
    if facet.has:
        options.append(f"{_HAS} {facet.has}")
    return voice.spin(voice.pick(options))


def _is_plain(facet: Facet) -> bool:
    """Whether a verb of appearance may stand before it: nothing appears of a density, or 12 mm long."""
    return facet.kind not in ("size", "share", "ratio", "upright") and not facet.is_.startswith(
        ("of ", "with ", "without ", "in ")
    )


def _tail(facet: Facet, voice: Voice, *, finite: bool, clause: bool) -> str:
    """A facet as what follows a whole sentence about its region; `clause`: as one of its own too."""
    options = [f"; ~it {_verb(facet, voice)}"] if clause or not (facet.doing or facet.is_ or facet.has) else []
    options += [f", {facet.doing}"] * 3 if facet.doing else []
    options += [f", {facet.is_}"] * 2 if facet.is_ and not facet.doing else []
    options += [f", with {facet.has}"] * 2 if facet.has else []
    options += [f" and {_verb(facet, voice)}"] * 2 if finite else []
    return voice.pick(options)


def description(facts: Facts, region: Region, kinds: tuple[str, ...]) -> Plan:
    """How a region looks: one, two or three of its facets."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice)
        by_id = region.region_id in name.text and voice.maybe(0.6)
        if by_id:
            name = replace(name, several=False, claim=replace(name.claim, every=False))
        facets = _facets(facts, region, kinds, voice, name)[:3]
        if not facets:
            return None
        the = f"{voice.pick(('the', 'the', 'the', 'this') if not name.several else ('the', 'these'))} {name.text}"
        if by_id:
            the = f"region {region.region_id}"
        text = fill(_said(facets, voice), n=the)
        made = (*(() if by_id else (name.claim,)), *(claim for one in facets for claim in one.claims))
        return Piece(w.numbered(text, several=name.several), made)

    return plan


def _said(facets: list[Facet], voice: Voice) -> str:
    compared = next((one for one in facets if one.against), None)
    if compared is not None and voice.maybe(0.35):
        rest = [one for one in facets if one is not compared]
        text = fill(voice.spin(voice.pick(_FRONTED)), than=compared.than, against=compared.against)
        return text + "".join(_more(one, voice) for one in rest)
    if len(facets) == 1:
        return _slots(voice.pick(_ONE), facets, voice)
    two = [one for one in _TWO if _fits(one, facets)]
    return _slots(voice.pick(two), facets[:2], voice) + "".join(_more(one, voice) for one in facets[2:])


def _more(facet: Facet, voice: Voice) -> str:
    return _slots(voice.pick([one for one in _MORE if _fits(one, [facet])]), [facet], voice)


def _fits(pattern: str, facets: list[Facet]) -> bool:
    forms = (
        (f"<{form.rstrip('_')}{n + 1}>", getattr(one, form))
        for n, one in enumerate(facets)
        for form in ("is_", "has", "doing")
    )
    return all(text for slot, text in forms if slot in pattern)


def _slots(pattern: str, facets: list[Facet], voice: Voice) -> str:
    text = voice.spin(pattern)
    for n, one in enumerate(facets, 1):
        text = fill(text, **{str(n): _verb(one, voice), f"is{n}": one.is_, f"has{n}": one.has, f"doing{n}": one.doing})
    return text


def phrase(facts: Facts, region: Region, *, tagged: bool = False, placed: bool = True) -> Plan:
    """A region in a few words, without a verb; `tagged`: with its id in any case; `placed`: with where it lies."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice, tagged=tagged, indefinite=not tagged)
        facets = _facets(facts, region, ("shape", "share", "level", "margin", "texture"), voice, name)
        before, behind = _before(facets, voice, most=2)
        parts = [f"{_adjectives(before, voice)} {name.text}".strip()]
        made: list[c.Claim] = [name.claim, *(claim for one in before for claim in one.claims)]
        place = w.place_piece(facts, region, voice, name) if placed else None
        if place is not None:
            parts[0] += f" {place.text}"
            made += place.claims
        for one in behind:
            said = one.doing or one.is_
            if said and len(" ".join((*parts, said)).split()) <= MOST_IN_A_PHRASE:
                parts.append(said)
                made += one.claims
        return Piece(w.numbered(", ".join(parts), several=name.several), tuple(made))

    return plan
