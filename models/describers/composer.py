"""The composer: writes only what metadata, measurements and passages say, each statement with its evidence.

No model takes part, and the lineage says so. Regions are candidates, named by the rule that found them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from models.describers.phrases import (
    VIEWS,
    area,
    article,
    count,
    joined,
    lengths,
    mean,
    mean_of,
    number,
    plural,
    quantity,
    sentence,
)
from schemas.images import ImageMetadata, Spacing
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Distribution, Grounding, Intensity, Region, Relation, Term
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@3"

_NOUNS = {
    "X-ray": "radiograph",
    "mammography": "mammogram",
    "fundus photography": "fundus photograph",
    "other": "image of an unlisted modality",
    "unknown": "image of unknown modality",
}

UNIFORM, VARIED = 0.5, 2.0
"""Ratios of a region's spread to its surroundings' at which it is called more uniform, or more varied: a factor of two
is plain to a reader, and well above the error of a standard deviation over a few dozen pixels."""
FORM: tuple[str, ...] = ("shape", "outline", "margin")
"""Aspects told when a region is introduced, in this order."""
LEVEL: tuple[str, ...] = ("density", "uptake", "contrast")
"""Aspects told with its intensity."""
MASKING_TOLD = 0.5
"""Share of pixels from which masking is not told: what is masked then is mostly the screen around the image."""
RELATIONS_TOLD = 3
DISTRIBUTIONS_TOLD = 2
PASSAGES_QUOTED = 2

Kind = Literal["metadata", "image", "region", "relation", "passage"]


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        modality, organ = _modality(image), _organ(image.metadata) or _structure(image.grounding)
        regions = tuple(_regions(image.grounding))
        texture = tuple(_texture(image.grounding))
        relations = (*_distributions(image.grounding), *_relations(image.grounding))
        context = tuple(_context(image.passages, image.metadata))
        statements = (modality, *((organ,) if organ else ()), *regions, *texture, *relations, *context)
        return Description(
            modality=modality,
            organ=organ,
            regions=regions,
            texture=texture,
            relations=relations,
            context=context,
            description=" ".join(statement.text for statement in statements),
        )


def _evidence(kind: Kind, pointer: str, value: str | float | bool) -> Evidence:
    return Evidence(kind=kind, pointer=pointer, value=value)


def _modality(image: EnrichedImage) -> Statement:
    metadata, view = image.metadata, image.view
    evidence = [_evidence("metadata", "/metadata/modality", metadata.modality)]
    what = _NOUNS.get(metadata.modality, f"{metadata.modality} image")
    if metadata.plane is not None:
        what = f"{metadata.plane} {what}"
        evidence.append(_evidence("metadata", "/metadata/plane", metadata.plane))
    elif metadata.view in VIEWS:
        what = f"{VIEWS[metadata.view]} {what}"
        evidence.append(_evidence("metadata", "/metadata/view", metadata.view))
    text = f"this is {article(what)} measuring {view.columns} × {view.rows} px"
    evidence += [_evidence("image", "/image/columns", view.columns), _evidence("image", "/image/rows", view.rows)]
    if metadata.spacing is None:
        text += ", without a recorded pixel spacing"
    else:
        text += f" with a pixel spacing of {_spacing(metadata.spacing, evidence)}"
    if metadata.contrast_agent:
        text += ", for which the source names a contrast agent"
        evidence.append(_evidence("metadata", "/metadata/contrast_agent", True))
    cleaning = metadata.pixel_cleaning
    if cleaning is not None and 0 < cleaning.masked_share < MASKING_TOLD:
        text += "; parts of it are masked, where a text detector answered"
        evidence.append(_evidence("metadata", "/metadata/pixel_cleaning/masked_share", cleaning.masked_share))
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _spacing(spacing: Spacing, evidence: list[Evidence]) -> str:
    across, down = number(spacing.column_mm), number(spacing.row_mm)
    evidence.append(_evidence("metadata", "/metadata/spacing/row_mm", spacing.row_mm))
    evidence.append(_evidence("metadata", "/metadata/spacing/column_mm", spacing.column_mm))
    return f"{down} mm" if across == down else f"{across} mm across and {down} mm down"


def _organ(metadata: ImageMetadata) -> Statement | None:
    if metadata.organ is None:
        return None
    evidence = [_evidence("metadata", "/metadata/organ", metadata.organ)]
    organ = f"the {metadata.organ}"
    if metadata.laterality is not None:
        organ = f"{organ} on both sides" if metadata.laterality == "both" else f"the {metadata.laterality} {organ[4:]}"
        evidence.append(_evidence("metadata", "/metadata/laterality", metadata.laterality))
    return Statement(text=sentence(f"the source names {organ} as the part examined"), evidence=tuple(evidence))


def _structure(grounding: Grounding) -> Statement | None:
    """What an expert outlined, where the source names no organ."""
    for index, region in enumerate(grounding.regions):
        if region.place is not None and region.place.within != "image":
            return Statement(
                text=sentence(f"the {region.place.within} is outlined, and places are told within it"),
                evidence=(_evidence("region", f"/regions/{index}/place/within", region.place.within),),
            )
    return None


def _regions(grounding: Grounding) -> Iterator[Statement]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, region in enumerate(grounding.regions):
        groups[region.kind, region.label].append(index)
    for (kind, _), indices in groups.items():
        if kind == "whole image":
            yield _nothing(grounding, indices[0])
        elif len(indices) == 1:
            yield _single(grounding.regions[indices[0]], indices[0])
        else:
            yield _several([(index, grounding.regions[index]) for index in indices])


def _nothing(grounding: Grounding, index: int) -> Statement:
    evidence = [_evidence("region", f"/regions/{index}/rule", grounding.regions[index].rule)]
    evidence += [
        _evidence("region", f"/experts/{turn}/outcome", run.outcome) for turn, run in enumerate(grounding.experts)
    ]
    outcomes = {run.outcome for run in grounding.experts}
    if not outcomes:
        why = "no expert fits this kind of image"
    elif "failed" not in outcomes:
        why = "no expert found a candidate"
    else:
        why = "every expert failed" if outcomes == {"failed"} else "one expert or more failed and no other found any"
    return Statement(text=sentence(f"no part of the image is outlined, because {why}"), evidence=tuple(evidence))


def _single(region: Region, index: int) -> Statement:
    evidence = [_evidence("region", f"/regions/{index}/label", region.label)]
    form = _terms(region, index, FORM, evidence)
    text = (
        f"region {region.region_id}, {article(_named(region))} of {_area(region)}{_axes(region, index, evidence)}, "
        f"{f'is {joined(form)}, ' if form else ''}lies {_where(region)}{' and' if not form else ', and'} "
        f"has {_level(region, index, evidence)}"
    )
    return Statement(text=sentence(text), evidence=(*evidence, *_placed(index, region)))


def _axes(region: Region, index: int, evidence: list[Evidence]) -> str:
    size, pointer = region.size, f"/regions/{index}/size"
    if size is None:
        return ""
    evidence.append(_evidence("region", f"{pointer}/longest_axis", size.longest_axis))
    evidence.append(_evidence("region", f"{pointer}/shortest_axis", size.shortest_axis))
    return f" ({lengths(size.longest_axis, size.shortest_axis, size.unit)})"


def _where(region: Region) -> str:
    ring = any(term.word == "ring-shaped" for term in region.terms)
    return f"{'around' if ring else 'in'} the {region.position}"


def _level(region: Region, index: int, evidence: list[Evidence]) -> str:
    """The mean, and the words for it that the label does not hold already."""
    evidence.append(_evidence("region", f"/regions/{index}/intensity/mean", region.intensity.mean))
    words = _terms(region, index, LEVEL, evidence)
    return mean_of(region.intensity.mean, region.intensity.unit) + (f" ({', '.join(words)})" if words else "")


def _terms(region: Region, index: int, aspects: tuple[str, ...], evidence: list[Evidence]) -> list[str]:
    """Words of those aspects, in their order, each with the word and its measurement as evidence."""
    found: list[str] = []
    for aspect in aspects:
        for place, term in enumerate(region.terms):
            if term.aspect == aspect and not _said(term, region.label):
                found.append(term.word)
                evidence.append(_evidence("region", f"/regions/{index}/terms/{place}/word", term.word))
    return found


def _said(term: Term, label: str) -> bool:
    """Whether a label speaks of the same: a rule that looks further than the ring may call hyperintense what is not
    so against the ring, and 'bright' beside 'hyperintense' says nothing."""
    return any(
        stem in label and stem in term.word for stem in ("dens", "intense", "echo", "uptake", "X-rays", "opaque")
    )


def _several(group: list[tuple[int, Region]]) -> Statement:
    # Regions come largest first.
    (index, first), *others = group
    evidence = [_evidence("region", f"/regions/{index}/label", first.label)]
    form = _terms(first, index, FORM, evidence)
    rest = joined([f"{_area(region)} ({region.region_id})" for _, region in others])
    text = (
        f"{count(len(group))} {plural(_named(first))} are outlined: the largest ({first.region_id}) lies "
        f"{_where(first)}, covers {_area(first)}{_axes(first, index, evidence)}, "
        f"{f'is {joined(form)}, ' if form else ''}and has {_level(first, index, evidence)}; "
        f"the {'other covers' if len(others) == 1 else 'others cover'} {rest}"
    )
    evidence += _placed(index, first)
    evidence += [_area_evidence(number, region) for number, region in others]
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _named(region: Region) -> str:
    return _kinded(region.kind, region.label)


def _kinded(of: str, label: str) -> str:
    kind = "annotated" if of == "source annotation" else "candidate"
    return label if label.startswith(kind) else f"{kind} {label}"


def _placed(index: int, region: Region) -> list[Evidence]:
    return [_evidence("region", f"/regions/{index}/position", region.position), _area_evidence(index, region)]


def _area(region: Region) -> str:
    return area(region.area_px, region.area_mm2)


def _area_evidence(index: int, region: Region) -> Evidence:
    if region.area_mm2 is None:
        return _evidence("region", f"/regions/{index}/area_px", region.area_px)
    return _evidence("region", f"/regions/{index}/area_mm2", region.area_mm2)


def _texture(grounding: Grounding) -> Iterator[Statement]:
    """Of the largest region of each label, against its surroundings; else of the whole image."""
    told: set[str] = set()
    for index, region in enumerate(grounding.regions):
        around = region.surroundings
        if region.label in told or region.kind == "whole image" or around is None:
            continue
        yield _against_surroundings(index, region, around, first=not told)
        told.add(region.label)
    if not told:
        whole = grounding.intensity
        text = f"has {mean_of(whole.mean, whole.unit)} and a standard deviation of {quantity(whole.spread, whole.unit)}"
        yield Statement(
            text=sentence(f"the whole image {text}"),
            evidence=(
                _evidence("image", "/intensity/mean", whole.mean),
                _evidence("image", "/intensity/spread", whole.spread),
            ),
        )


def _against_surroundings(index: int, region: Region, around: Intensity, *, first: bool) -> Statement:
    inside, pointer = region.intensity, f"/regions/{index}"
    evidence = [
        _evidence("region", f"{pointer}/intensity/mean", inside.mean),
        _evidence("region", f"{pointer}/surroundings/mean", around.mean),
    ]
    named = mean(inside.unit)
    if number(inside.mean) == number(around.mean):
        level, than = f"the same {named}", "as"
        means = quantity(inside.mean, inside.unit)
    else:
        level, than = f"a {'higher' if inside.mean > around.mean else 'lower'} {named}", "than"
        means = f"{number(inside.mean)} against {quantity(around.mean, inside.unit)}"
    text = (
        f"compared with its surroundings, region {region.region_id} has {level}, {means}"
        if first
        else f"region {region.region_id} has {level} {than} its surroundings, {means}"
    )
    text += _spreads(index, region, around, evidence)
    if first:
        text += _grain(index, region, evidence)
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _spreads(index: int, region: Region, around: Intensity, evidence: list[Evidence]) -> str:
    inside = region.intensity
    ours, theirs = number(inside.spread), quantity(around.spread, inside.unit)
    if inside.spread == around.spread:
        text = f", and the same standard deviation, {theirs}"
    elif inside.spread <= UNIFORM * around.spread:
        text = f", and is more uniform (standard deviation {ours} against {theirs})"
    elif inside.spread >= VARIED * around.spread:
        text = f", and is more varied (standard deviation {ours} against {theirs})"
    else:
        text = f", and a standard deviation of {ours} against {theirs}"
    evidence.append(_evidence("region", f"/regions/{index}/intensity/spread", inside.spread))
    evidence.append(_evidence("region", f"/regions/{index}/surroundings/spread", around.spread))
    return text


def _grain(index: int, region: Region, evidence: list[Evidence]) -> str:
    """Grey level co-occurrence: how much neighbours differ, and how alike most of them are."""
    found, pointer = region.texture, f"/regions/{index}/texture"
    if found is None:
        return ""
    evidence.append(_evidence("region", f"{pointer}/contrast", found.contrast))
    evidence.append(_evidence("region", f"{pointer}/homogeneity", found.homogeneity))
    return f", with a GLCM contrast of {number(found.contrast)} and a GLCM homogeneity of {number(found.homogeneity)}"


def _distributions(grounding: Grounding) -> Iterator[Statement]:
    """How the regions are spread: of those that cover most."""
    order = sorted(enumerate(grounding.distributions), key=lambda one: -one[1].share_percent)
    for index, found in sorted(order[:DISTRIBUTIONS_TOLD]):
        yield _distribution(index, found)


def _distribution(index: int, found: Distribution) -> Statement:
    pointer, several = f"/distributions/{index}", found.regions > 1
    evidence = [
        _evidence("relation", f"{pointer}/label", found.label),
        _evidence("relation", f"{pointer}/regions", found.regions),
        _evidence("relation", f"{pointer}/spread", found.spread),
        _evidence("relation", f"{pointer}/share_percent", found.share_percent),
        _evidence("relation", f"{pointer}/within", found.within),
    ]
    noun = _kinded(found.kind, found.label)
    who = f"{count(found.regions)} {plural(noun)}" if several else noun
    verbs = ("are", "cover") if several else ("is", "covers")
    text = f"the {who} {verbs[0]} {found.spread} and {verbs[1]} {number(found.share_percent)}% of the {found.within}"
    if found.side is not None:
        evidence.append(_evidence("relation", f"{pointer}/side", found.side))
        text += (
            ", on both sides of its midline" if found.side == "both sides" else f", on the {_sided(found.side)} side"
        )
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _sided(side: str) -> str:
    return side.replace("patient ", "patient's ")


def _relations(grounding: Grounding) -> Iterator[Statement]:
    """The most telling, of each predicate one before any is told twice."""
    told: set[str] = set()
    first: list[int] = []
    again: list[int] = []
    for index, relation in enumerate(grounding.relations):
        (again if relation.predicate in told else first).append(index)
        told.add(relation.predicate)
    for index in sorted([*first, *again][:RELATIONS_TOLD]):
        relation, pointer = grounding.relations[index], f"/relations/{index}"
        evidence = [
            _evidence("relation", f"{pointer}/subject", relation.subject),
            _evidence("relation", f"{pointer}/predicate", relation.predicate),
            _evidence("relation", f"{pointer}/object", relation.object),
        ]
        text = _related(relation)
        if relation.value is not None and relation.unit is not None:
            evidence.append(_evidence("relation", f"{pointer}/value", relation.value))
            text += _by_how_much(relation, relation.value, relation.unit)
        yield Statement(text=sentence(text), evidence=tuple(evidence))


def _related(relation: Relation) -> str:
    subject, other = f"region {relation.subject}", f"region {relation.object}"
    match relation.predicate:
        case "left of":
            return f"{subject} lies to the left of {other} as displayed"
        case "above":
            return f"{subject} lies above {other} as displayed"
        case "patient left of":
            return f"{subject} lies further to the patient's left than {other}"
        case "anterior to" | "superior to" | "inside":
            return f"{subject} lies {relation.predicate} {other}"
        case "touching":
            return f"{subject} touches {other}"
        case "overlapping":
            return f"{subject} overlaps {other}"
        case "mirror of":
            return f"{subject} mirrors {other} across the midline"
        case "same texture as":
            return f"{subject} has the same texture as {other}"
        case predicate:
            return f"{subject} is {predicate} {other}"


def _by_how_much(relation: Relation, value: float, unit: str) -> str:
    match relation.predicate:
        case "left of" | "above" | "patient left of" | "anterior to" | "superior to":
            # The unit is 'mm between centroids', along the axis of the predicate.
            along = {"left of": "horizontally", "above": "vertically"}.get(relation.predicate, "along that axis")
            return f", their centroids {number(value)} {unit.split()[0]} apart {along}"
        case "touching":
            return f" along {number(value)} px"
        case "overlapping":
            return f" with {quantity(value, unit)}"
        case "mirror of":
            return f", with an overlap (IoU) of {number(value)}"
        case "same texture as":
            return f"; their GLCM features differ by {number(value)} at most"
        case "inside":
            return f", which encloses {quantity(value, unit)}"
        case "larger than" | "similar in size to":
            return f", with {quantity(value, unit)}"
        case "brighter than":
            # On MONOCHROME1 the brighter one is the lower: only that they differ holds for both.
            return f"; their {mean(unit)}s differ by {quantity(value, unit)}"


def _context(passages: tuple[FoundPassage, ...], metadata: ImageMetadata) -> Iterator[Statement]:
    quoted = [(index, passage) for index, passage in enumerate(passages) if _speaks_of(passage, metadata)]
    for index, passage in quoted[:PASSAGES_QUOTED]:
        first = passage.text.split(". ")[0].rstrip(".")
        yield Statement(
            text=f"For reference, from “{passage.title}”: “{first}.”",
            evidence=(
                _evidence("passage", f"/passages/{index}/passage_id", passage.passage_id),
                _evidence("passage", f"/passages/{index}/title", passage.title),
            ),
        )


def _speaks_of(passage: FoundPassage, metadata: ImageMetadata) -> bool:
    """True for a passage on this modality or this organ, and on no other."""
    if passage.modalities and metadata.modality not in passage.modalities:
        return False
    if passage.organs and metadata.organ not in passage.organs:
        return False
    return bool(passage.modalities or passage.organs)
