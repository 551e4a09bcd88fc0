"""Sentences of a description: which pieces stand together, in which order. Words come from the room of statements."""

from collections.abc import Callable

from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.lexicon import WAYS
from models.statements.measures import way_of
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

MOST_IN_A_PHRASE = 25
"""Words."""

Plan = Callable[[Voice], Piece | None]

_IMAGE = (
    "this is {a} of {o}",
    "the picture is {a} of {o}",
    "{a} of {o} is shown",
    "{o} is shown on {a}",
    "shown is {a} of {o}",
    "{a} shows {o}",
    "{o} appears in {a}",
    "{a} depicts {o}",
    "here {o} is seen on {a}",
    "{o} was examined: {a}",
    "{a}, with {o} in view",
    "{o} is displayed by {a}",
    "{a} presents {o}",
    "we see {o} in {a}",
    "this is {a}, and it shows {o}",
)
_IMAGE_ALONE = (
    "this is {a}",
    "shown is {a}",
    "{a} is presented",
    "{a} is shown here",
    "here is {a}",
    "the picture is {a}",
    "what is shown is {a}",
)
_CAPTION = ("{a} of {o}", "{a} showing {o}", "{o}, shown on {a}", "{a} depicting {o}", "{a}: {o}", "{o} in {a}")
_DISEASE = (
    "the source labels the image {d}",
    "according to the source, this is {d}",
    "the label of the source is {d}",
    "{d} is named by the source",
    "the source names {d}",
    "labelled {d} by the source",
    "by the source's label, the image shows {d}",
    "the source gives {d} as its label",
)
_DISEASE_TAIL = (
    ", labelled {d} by the source",
    "; the source labels it {d}",
    ", with {d} named by the source",
    " (source label: {d})",
    ", named {d} by the source",
)
_SEEN = (
    "is outlined",
    "is seen",
    "is visible",
    "is found",
    "is noted",
    "lies",
    "is located",
    "stands out",
    "is situated",
    "sits",
    "appears",
    "is identified",
    "is present",
)
_SEEN_LAST = (
    "is seen",
    "is outlined",
    "stands out",
    "is visible",
    "is noted",
    "is present",
    "is identified",
    "can be seen",
    "is shown",
)
_FINITE = ("{np} {seen} {p}", "{p}, {np} {last}", "{np} {p} {last}", "{p} {np} {last}", "{np} {seen} {p}")
"""Patterns that a finite verb may follow."""
_FOUND = (
    *_FINITE,
    "there is {np} {p}",
    "the image shows {np} {p}",
    "{p} lies {np}",
    "{p} there is {np}",
    "{p}, the image displays {np}",
    "one sees {np} {p}",
    "{p} one finds {np}",
    "the picture displays {np} {p}",
    "{p} sits {np}",
    "{p} the picture shows {np}",
    "visible {p} is {np}",
    "present {p} is {np}",
    "a look at the image shows {np} {p}",
)
_MARKED = (
    "the source marks {np} {p}",
    "{np} marked by the source lies {p}",
    "{p}, the source outlines {np}",
    "{p} lies {np}, marked by the source",
    "{np}, outlined by the source, sits {p}",
    "marked by the source, {np} is located {p}",
    "the source annotates {np} {p}",
    "{np} {p} is annotated by the source",
    "{p}, {np} is marked by the source",
    "{p} the source marks {np}",
    "outlined by the source, {np} lies {p}",
    "{np} is marked by the source {p}",
    "{np} is outlined by the source {p}",
)
_TAILS = (", covering {s}", ", filling {s}", ", taking up {s}", ", occupying {s}")
_TAILS_FINITE = (" and covers {s}", " and occupies {s}", " and takes up {s}", " and fills {s}")
_SIZED = (", {m}", ", measuring {m}", ", extending {m}", ", spanning {m}")
_SIZED_FINITE = (" and is {m}", " and measures {m}", " and spans {m}", " and extends {m}")
_IS = ("is", "appears", "is", "seems", "looks", "shows itself", "presents as")
_LOOKS = (
    "{n} {v} {a} and {b}",
    "{a}, {n} {v} {b}",
    "{b}, {n} {v} {a}",
    "{n} {v} {a}, and it is {b}",
    "{n}, {a}, {v} {b}",
    "{n} {v} both {a} and {b}",
    "while {a}, {n} {v} {b}",
    "{n} {v} {b} and {a}",
)
_LOOKS_ONE = (
    "{n} {v} {a}",
    "{a} {v} {n}",
    "in appearance {n} {v} {a}",
    "{n} itself {v} {a}",
    "overall, {n} {v} {a}",
    "as displayed, {n} {v} {a}",
)
_CONTEXT = (
    "{x} are outlined as well",
    "also outlined: {x}",
    "besides, {x} are seen",
    "{x} are visible too",
    "the structures outlined include {x}",
    "in addition, {x} are marked out",
    "further, there are {x}",
    "{x} are part of the picture too",
    "among what is outlined are {x}",
    "also visible are {x}",
    "around it all, {x} are found",
)
_CONTEXT_ONE = tuple(one.replace(" are ", " is ").replace("there is", "there is") for one in _CONTEXT)
# What an expert did not find may be there: these say who looked, and nothing of what is in the image.
_NONE = (
    "the expert found no {n}",
    "the expert outlined no {n}",
    "the expert picked out no {n}",
    "the expert identified no {n}",
    "the expert detected no {n}",
    "the expert reports no {n}",
    "no {n} was detected by the expert",
    "no {n} was outlined by the expert",
    "no {n} was found by the expert",
)
_THE = ("the {}", "this {}", "the {}", "that {}")


def _with(pattern: str, **parts: str) -> str:
    return pattern.format(**parts)


def image(facts: Facts, *, caption: bool) -> Plan:
    """What kind of image it is, of what; for a caption with the source's disease."""

    def plan(voice: Voice) -> Piece | None:
        kind, organ = w.image_piece(facts, voice), w.organ_piece(facts)
        a = w.article(kind.text)
        if organ is None:
            made = Piece(voice.pick((kind.text, a)) if caption else _with(voice.pick(_IMAGE_ALONE), a=a), kind.claims)
        else:
            pattern = voice.pick(_CAPTION if caption else _IMAGE)
            made = Piece(
                _with(pattern, a=kind.text if caption and pattern.startswith("{a}") else a, o=organ.text),
                (*kind.claims, *organ.claims),
            )
        disease = facts.metadata.disease
        if caption and disease is not None:
            made = Piece(
                made.text + _with(voice.pick(_DISEASE_TAIL), d=disease), (*made.claims, c.Disease(name=disease))
            )
        return made

    return plan


def disease(facts: Facts, name: str) -> Plan:
    """What the source says that the image shows, as the source's."""
    return lambda voice: Piece(_with(voice.pick(_DISEASE), d=name), (c.Disease(name=name),))


def finding(facts: Facts, region: Region, *, full: bool, tagged: bool) -> Plan:
    """A finding with its place, and where `full` with its extent."""

    def plan(voice: Voice) -> Piece | None:
        noun, claim = w.name_of(facts, region.region_id, voice, tagged=tagged)
        made: list[c.Claim] = [claim]
        adjectives = _adjectives(facts, region, voice, 2 if full else 1, made)
        np = w.introduced(region, " ".join([*adjectives, noun]))
        place = w.place_piece(facts, region, voice)
        marked = region.kind == "source annotation" and full
        if place is None:
            pattern = _FINITE[0]
            text = f"the source marks {np}" if marked else f"{np} {voice.pick(_SEEN_LAST)}"
        else:
            made += place.claims
            pattern = voice.pick(_MARKED if marked else _FOUND)
            text = _with(pattern, np=np, p=place.text, seen=voice.pick(_SEEN), last=voice.pick(_SEEN_LAST))
        finite = marked is False and pattern in _FINITE
        if marked:
            made.append(c.Marked(regions=(region.region_id,), by="source"))
        if full:
            _, share = w.share_piece(facts, region, voice)
            size = w.size_piece(region, voice)
            if size is not None:
                text, made = (
                    text + _with(voice.pick(_SIZED + _SIZED_FINITE if finite else _SIZED), m=size.text),
                    [*made, *size.claims],
                )
            elif share is not None:
                text, made = (
                    text + _with(voice.pick(_TAILS + _TAILS_FINITE if finite else _TAILS), s=share.text),
                    [*made, *share.claims],
                )
        return Piece(text, tuple(made))

    return plan


def _adjectives(facts: Facts, region: Region, voice: Voice, most: int, made: list[c.Claim]) -> list[str]:
    found: list[tuple[str, tuple[c.Claim, ...]]] = []
    shape, _, claims = w.word_pieces(region, "shape", voice)
    if shape:
        found.append((shape, claims))
    size, share = w.share_piece(facts, region, voice)
    if size and share and "small" not in w.nouns(region)[0]:
        of = next(iter(share.claims))
        assert isinstance(of, c.Share)
        found.append((size, (c.Share(regions=of.regions, word=of.word),)))
    taken = voice.shuffled(found)[:most]
    for _, claims in taken:
        made.extend(claims)
    return [text for text, _ in taken]


def looks(facts: Facts, region: Region, *, tagged: bool) -> Plan:
    """How a finding looks against its surroundings, and inside."""

    def plan(voice: Voice) -> Piece | None:
        noun, claim = w.name_of(facts, region.region_id, voice, tagged=tagged)
        parts: list[Piece] = []
        comparison = w.level_comparison(facts, region, voice)
        if comparison is not None:
            parts.append(comparison)
        for aspect in ("texture", "density", "margin", "outline"):
            _, predicate, claims = w.word_pieces(region, aspect, voice)
            if predicate and not (aspect == "density" and "density" in noun):
                parts.append(Piece(predicate, claims))
        if not parts:
            return None
        the = voice.pick(_THE).format(noun)
        if len(parts) == 1:
            text = _with(voice.pick(_LOOKS_ONE[:1] + _LOOKS_ONE[2:]), n=the, v=voice.pick(_IS[:5]), a=parts[0].text)
            return Piece(text, (claim, *parts[0].claims))
        first, second = voice.shuffled(parts[:3])[:2]
        text = _with(voice.pick(_LOOKS), n=the, v=voice.pick(_IS[:5]), a=first.text, b=second.text)
        return Piece(text, (claim, *first.claims, *second.claims))

    return plan


def relation(facts: Facts, index: int, tagged: Callable[[str], bool]) -> Plan:
    """A relation that grounding told."""

    def plan(voice: Voice) -> Piece | None:
        one = facts.grounding.relations[index]
        subject, first = w.name_of(facts, one.subject, voice, tagged=tagged(one.subject))
        other, second = w.name_of(facts, one.object, voice, tagged=tagged(one.object))
        if one.predicate == "brighter than":
            scale = table().scale(facts.metadata.modality)
            made: c.Claim = c.Level(
                regions=(one.subject,), scale="shown", direction="high", degree="more", against=one.object
            )
            pattern = voice.pick(
                (
                    "the {} is lighter than the {}",
                    "the {} appears whiter than the {}",
                    "the {} is paler than the {}",
                    "the {} looks lighter than the {}",
                )
            )
            if scale.scale == "brightness":
                made = c.Level(
                    regions=(one.subject,), scale="brightness", direction="high", degree="more", against=one.object
                )
                pattern = voice.pick(
                    (
                        "the {} is brighter than the {}",
                        "the {} appears lighter than the {}",
                        "the {} looks paler than the {}",
                    )
                )
            return Piece(pattern.format(subject, other), (first, made, second))
        row = next(row for row in table().relations if row.predicate == one.predicate)
        made = c.Relation(regions=(one.subject,), predicate=one.predicate, object=one.object)
        if row.turned and voice.maybe(0.4):
            return Piece(f"the {other} {voice.pick(row.turned)} the {subject}", (second, made, first))
        return Piece(f"the {subject} {voice.pick(row.say)} the {other}", (first, made, second))

    return plan


def context(facts: Facts, labels: tuple[str, ...]) -> Plan:
    """Structures and tissues, counted."""

    def plan(voice: Voice) -> Piece | None:
        pieces = [piece for label in labels if (piece := w.counted(facts, label, voice))]
        if not pieces:
            return None
        several = len(pieces) > 1 or not pieces[0].text.startswith(("a ", "an ", "the "))
        text = _with(voice.pick(_CONTEXT if several else _CONTEXT_ONE), x=w.joined([piece.text for piece in pieces]))
        return Piece(text, tuple(claim for piece in pieces for claim in piece.claims))

    return plan


def absence(label: str) -> Plan:
    """That an expert looked for something and did not find it."""

    def plan(voice: Voice) -> Piece | None:
        noun = voice.pick(table().called(label).say)
        return Piece(_with(voice.pick(_NONE), n=noun), (c.Absence(name=" ".join(words(noun))),))

    return plan


def continuation(facts: Facts, index: int, *, tagged: bool) -> Plan:
    """Whether a region goes on in the slices beside its own."""

    def plan(voice: Voice) -> Piece | None:
        one = facts.grounding.continuations[index]
        noun, claim = w.name_of(facts, one.region, voice, tagged=tagged)
        way = way_of(one.towards, one.onwards)
        verb = (
            voice.pick(("continues", "goes on", "extends", "persists"))
            if one.outcome == "continues"
            else voice.pick(("is not seen", "does not continue"))
        )
        preposition = voice.pick(("in", "into")) if one.outcome == "continues" else "in"
        made = c.Continues(regions=(one.region,), outcome=one.outcome, way=way)
        return Piece(f"the {noun} {verb} {preposition} the next slice {WAYS[way][0]}", (claim, made))

    return plan


def phrase(facts: Facts, region: Region) -> Plan:
    """A region in a few words, without a verb."""

    def plan(voice: Voice) -> Piece | None:
        noun, claim = w.name_of(facts, region.region_id, voice, tagged=False)
        made: list[c.Claim] = [claim]
        adjectives = _adjectives(facts, region, voice, 1, made)
        parts = [" ".join([*adjectives, noun])]
        place = w.place_piece(facts, region, voice)
        if place is not None:
            parts[0] += f" {place.text}"
            made += place.claims
        _, share = w.share_piece(facts, region, voice)
        if share is not None:
            parts.append(share.text)
            made += share.claims
        comparison = w.level_comparison(facts, region, voice)
        if comparison is not None and len(" ".join((*parts, comparison.text)).split()) <= MOST_IN_A_PHRASE:
            parts.append(comparison.text)
            made += comparison.claims
        return Piece(", ".join(parts), tuple(made))

    return plan


def measurements(facts: Facts, region: Region) -> Plan:
    """What was measured of a region, in numbers."""

    def plan(voice: Voice) -> Piece | None:
        ids = (region.region_id,)
        made: list[c.Claim] = []
        parts: list[str] = []

        def tell(pattern: str, measure: str, values: tuple[float, ...], unit: str) -> None:
            said = tuple(w.two_figures(value) for value in values)
            decimals = min(len(one.partition(".")[2]) for one in said)
            made.append(
                c.Size(regions=ids, measure=measure, values=tuple(map(float, said)), unit=unit, decimals=decimals)
            )
            parts.append(pattern.format(*said))

        if region.size is not None and region.size.unit == "mm" and region.size.shortest_axis >= 0.1:
            tell("measures {} × {} mm", "", (region.size.longest_axis, region.size.shortest_axis), "mm")
        if region.area_mm2 is not None and region.area_mm2 >= 0.1:
            large = region.area_mm2 >= 100
            tell(
                "covers {} cm²" if large else "covers {} mm²",
                "",
                (region.area_mm2 / 100 if large else region.area_mm2,),
                "cm²" if large else "mm²",
            )
        if region.intensity.unit in ("HU", "SUVbw"):
            unit = "HU" if region.intensity.unit == "HU" else "SUV"
            tell(
                "has a mean of {} HU" if unit == "HU" else "has a mean SUV of {}",
                "mean",
                (region.intensity.mean,),
                unit,
            )
        if region.place is not None and region.place.within == "image" and region.place.share_percent >= 0.01:
            tell("takes up {}% of the image", "image", (region.place.share_percent,), "%")
        return Piece(f"region {region.region_id} {w.joined(parts)}", tuple(made)) if parts else None

    return plan
