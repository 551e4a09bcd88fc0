"""A finding: that it is there and where, and how it looks, its facets spread over one sentence or two."""

from dataclasses import replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from models.statements.writing import Facet, Name, Piece
from schemas.regions import Region

MOST_IN_A_PHRASE = 25
"""Words."""
_ADJECTIVES = ("share", "margin", "level", "texture", "uptake", "density", "shape")
"""In the order in which they stand before a noun."""
_SEEN = (
    "{~is {seen|noted|found|visible|identified|outlined|observed|present|shown|depicted|in view|recognised|evident"
    "|apparent|discernible|made out|picked out|encountered|discerned|recognisable|demonstrated|perceptible}"
    "|can be {seen|noted|found|identified|recognised|observed|made out|discerned|distinguished|perceived|picked out}}"
)
_SHOWS = (
    "{the image|the picture|this image|the view|this picture|this view|the frame|the present image}"
    " {shows|reveals|displays|demonstrates|depicts|presents|exhibits|features|portrays}"
)
_LIES = "{lies|sits|is located|is situated|is found|is seen|is visible|appears|stands out|is positioned}"
_FINITE = (
    f"<np> ~is {_LIES.replace('lies|sits|', '').replace('is ', '').replace('appears|stands out|', '')} <p>",
    "<np> {~lies|~sits|~appears|~stands out|~rests|~occurs|~projects|~resides} <p>",
    f"<p>, <np> {_SEEN}",
    f"<p> <np> {_SEEN}",
    f"<np> <p> {_SEEN}",
)
"""A further verb may follow these."""
_FOUND = (
    *_FINITE,
    "there ~is <np> <p>",
    f"{_SHOWS} <np> <p>",
    f"<p>{{,|}} {_SHOWS} <np>",
    "<p> {~lies|~sits|~is|~appears|~rests|~occurs} <np>",
    "<p>{,|} there ~is <np>",
    "{seen|visible|present|noted|found|outlined|located|evident|recognised|placed|apparent|discernible} <p> ~is <np>",
    "<p>{,|} one {sees|finds|notes|recognises|discerns|makes out|observes} <np>",
    "one {sees|finds|notes|recognises|discerns|makes out|observes} <np> <p>",
    "<p>{,|} <np> ~is {what is seen|to be seen|to be found|in view}",
    "<p>: <np>",
    "<np> {lying|located|situated|sitting} <p> {~is|can be} {seen|noted|found|identified|made out}",
)
_FOUND_ANYWHERE = (
    f"<np> {_SEEN}",
    "there ~is <np>",
    f"{_SHOWS} <np>",
    "{seen|visible|present|noted|found|outlined} ~is <np>",
    "one {sees|finds|notes} <np>",
)
_PASSIVE = (
    "{{marked|annotated|outlined|drawn|traced|delineated|contoured|indicated} by the {source|source|source itself}"
    "|{marked|outlined|traced|indicated|drawn} in the source}"
)
_BY = f"{{{_PASSIVE}|{_PASSIVE}|as the source {{marks|outlines|annotates|traces|draws|has}} <it>}}"
_MARKS = (
    "{the source {marks|outlines|annotates|draws|traces|delineates|contours|indicates}"
    "|the {source's mark|source's outline|source's annotation} {shows|encloses|gives|delineates|indicates}}"
)
_WHERE = "{~lies|~sits|~is {located|situated|seen|found|visible|placed|positioned|recognised}|~appears|~rests|~occurs}"
_SOURCE = ("marked", "annotated", "traced", "delineated", "contoured", "outlined")
_MARKED = (
    f"{_MARKS} <np> <p>",
    f"<p>{{,|}} {_MARKS} <np>",
    f"<np>, {_BY}, {_WHERE} <p>",
    f"{{marked|outlined|annotated|traced}} by the source, <np> {_WHERE} <p>",
    f"<p> {{~lies|~sits|~is}} <np>, {_BY}",
    f"<np> <p> ~is {_PASSIVE}",
    f"<p>, <np> ~is {_PASSIVE}",
    f"{_SHOWS} <np> <p>, {_BY}",
    f"there ~is <np> <p>, {_BY}",
    f"{{seen|found|located}} <p> ~is <np>, {_BY}",
    f"<snp> {_WHERE} <p>",
    "<p> {~lies|~sits|~is|there ~is} <snp>",
    f"{_SHOWS} <snp> <p>",
)
_MARKED_ANYWHERE = (
    f"{_MARKS} <np>",
    f"<np> ~is {_PASSIVE}",
    f"{_SHOWS} <np>, {_BY}",
    f"there ~is <np>, {_BY}",
    f"<snp> {_SEEN}",
    f"{_SHOWS} <snp>",
    "there ~is <snp>",
)
_IS = "{~is|~is|~appears|~looks|~seems}"
_HAS = "{~has|~shows|~exhibits|~displays|~presents|~features}"
_ONE = ("<n> <1>", "<n> <1>", "<n> <1>", "<n> <1>", "<n> ~itself <1>", "as for <n>, ~it <1>")
_FRONTED = (
    "{compared with|relative to|against|in comparison with} <than>{,|} <n> {~is|~appears|~looks|~seems} <against>",
)
_TWO = (
    "<n> <1> and <2>",
    "<n> <1>, and ~it <2>",
    "<n> <1>; ~it <2>",
    "<n>, which <1>, <2>",
    "<n> <1>; besides, ~it <2>",
    "<n>, <is1>, <2>",
    "<is1>, <n> <2>",
    "with <has1>, <n> <2>",
    "<n>, with <has1>, <2>",
    "<n> <1>, with <has2>",
    "<n> <1>, <doing2>",
    "<doing1>, <n> <2>",
    "<n> ~is both <is1> and <is2>",
    "<n> {~is|~appears|~looks} <is1> and <is2>",
    "<n> <1> and also <2>",
    "<n> <1>; moreover, ~it <2>",
    "<n> <1>, and in addition ~it <2>",
    "<n> <1>; as well, ~it <2>",
)
_MORE = (
    " and <1>",
    ", and ~it <1>",
    "; ~it <1>",
    ", with <has1>",
    ", <doing1>",
    "; furthermore, ~it <1>",
    ", <is1>",
    "; besides, ~it <1>",
    ", and ~it also <1>",
    "; in addition, ~it <1>",
    " and also <1>",
    "; moreover, ~it <1>",
)


def split(kinds: tuple[str, ...], voice: Voice, *, first: int, second: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Facets for the sentence that introduces a finding, and for the one that goes on about it."""
    order = voice.shuffled(kinds)
    return tuple(order[:first]), tuple(order[first : first + second])


def introduction(facts: Facts, region: Region, kinds: tuple[str, ...], *, marked: bool) -> Plan:
    """That a region is there, where, who marks it, with some of its facets."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice)
        facets = _facets(facts, region, kinds, voice, name)
        before, behind = _before(facets, voice, most=2)
        held = next((one for one in behind if one.has), None) if voice.maybe(0.5) else None
        behind = [one for one in behind if one is not held]
        held_text = f" with {held.has}" if held else ""
        np = name.introduced(_adjectives(before, voice)) + held_text
        place = w.place_piece(facts, region, voice, name)
        patterns = (_MARKED if place else _MARKED_ANYWHERE) if marked else _FOUND if place else _FOUND_ANYWHERE
        # "The source-marked lungs" would be some of the lungs.
        pattern = voice.pick([one for one in patterns if not (name.the and "<snp>" in one)])
        adjectives = _adjectives(before, voice)
        source = voice.pick([one for one in _SOURCE if one not in adjectives])
        snp = name.introduced(f"source-{source} {adjectives}".strip()) + held_text
        text = fill(
            voice.spin(pattern), snp=snp, np=np, it="them" if name.several else "it", p=place.text if place else ""
        )
        tails = behind[:2]
        for n, one in enumerate(tails):
            text += _tail(one, voice, finite=pattern in _FINITE and not n, clause=";" not in text)
        made = [name.claim, *(claim for one in (*before, *([held] if held else []), *tails) for claim in one.claims)]
        made += place.claims if place else ()
        made += [c.Marked(regions=(region.region_id,), every=name.every, by="source")] if marked else []
        return Piece(w.numbered(text, several=name.several), tuple(made))

    return plan


def _named(facts: Facts, region: Region, voice: Voice, *, tagged: bool = False) -> Name:
    within = region.place.within if region.place else ""
    return w.name_of(facts, region.region_id, voice, avoid=(within, within.removesuffix("s")), tagged=tagged)


def _facets(facts: Facts, region: Region, kinds: tuple[str, ...], voice: Voice, name: Name) -> list[Facet]:
    found = [one for kind in kinds if (one := w.facet(facts, region, kind, voice, name))]
    return voice.shuffled(found)


def _before(facets: list[Facet], voice: Voice, *, most: int) -> tuple[list[Facet], list[Facet]]:
    """Facets that stand before the noun, and the others."""
    fitting = [one for one in facets if one.adjective]
    taken = fitting[: voice.pick(range(1, most + 1))]
    return sorted(taken, key=lambda one: _ADJECTIVES.index(one.kind)), [one for one in facets if one not in taken]


def _adjectives(facets: list[Facet], voice: Voice) -> str:
    texts = [one.adjective for one in facets]
    comma = len(texts) == 2 and {one.kind for one in facets} != {"share", "shape"}
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
    return facet.kind not in ("size", "share") and not facet.is_.startswith(("of ", "with ", "without ", "in "))


def _tail(facet: Facet, voice: Voice, *, finite: bool, clause: bool) -> str:
    """A facet as what follows a whole sentence about its region; `clause`: as one of its own too."""
    options = [f"; ~it {_verb(facet, voice)}"] if clause or not (facet.doing or facet.is_ or facet.has) else []
    options += [f", {facet.doing}"] * 3 if facet.doing else []
    options += [f", {facet.is_}"] * 2 if facet.is_ else []
    options += [f", {voice.pick(('appearing', 'looking'))} {facet.is_}"] if facet.is_ and _is_plain(facet) else []
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
        the = f"{voice.pick(('the', 'the', 'this', 'that') if not name.several else ('the', 'these'))} {name.text}"
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


def phrase(facts: Facts, region: Region, *, tagged: bool = False) -> Plan:
    """A region in a few words, without a verb; `tagged`: with its id in any case."""

    def plan(voice: Voice) -> Piece | None:
        name = _named(facts, region, voice, tagged=tagged)
        facets = _facets(facts, region, ("shape", "share", "level", "margin", "texture"), voice, name)
        before, behind = _before(facets, voice, most=2)
        parts = [f"{_adjectives(before, voice)} {name.text}".strip()]
        made: list[c.Claim] = [name.claim, *(claim for one in before for claim in one.claims)]
        place = w.place_piece(facts, region, voice, name)
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
