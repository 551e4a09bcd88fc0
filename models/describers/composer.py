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
    mean,
    mean_of,
    number,
    plural,
    quantity,
    sentence,
)
from schemas.images import ImageMetadata, Spacing
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Grounding, Intensity, Region, Relation
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@2"

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
MASKING_TOLD = 0.5
"""Share of pixels from which masking is not told: what is masked then is mostly the screen around the image."""
RELATIONS_TOLD = 3
PASSAGES_QUOTED = 2

Kind = Literal["metadata", "image", "region", "relation", "passage"]


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        modality, organ = _modality(image), _organ(image.metadata)
        regions = tuple(_regions(image.grounding))
        texture = tuple(_texture(image.grounding))
        relations = tuple(_relations(image.grounding))
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
    text = (
        f"region {region.region_id}, {article(_named(region))} of {_area(region)}, lies in the {region.position} and "
        f"has {mean_of(region.intensity.mean, region.intensity.unit)}"
    )
    return Statement(text=sentence(text), evidence=tuple(_of_region(index, region)))


def _several(group: list[tuple[int, Region]]) -> Statement:
    # Regions come largest first.
    (index, first), *others = group
    evidence = [*_of_region(index, first), *(_area_evidence(number, region) for number, region in others)]
    rest = joined([f"{_area(region)} ({region.region_id})" for _, region in others])
    text = (
        f"{count(len(group))} {plural(_named(first))} are outlined: the largest ({first.region_id}) lies in the "
        f"{first.position}, covers {_area(first)} and has {mean_of(first.intensity.mean, first.intensity.unit)}; "
        f"the {'other covers' if len(others) == 1 else 'others cover'} {rest}"
    )
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _named(region: Region) -> str:
    kind = "annotated" if region.kind == "source annotation" else "candidate"
    return region.label if region.label.startswith(kind) else f"{kind} {region.label}"


def _of_region(index: int, region: Region) -> list[Evidence]:
    return [
        _evidence("region", f"/regions/{index}/label", region.label),
        _evidence("region", f"/regions/{index}/position", region.position),
        _area_evidence(index, region),
        _evidence("region", f"/regions/{index}/intensity/mean", region.intensity.mean),
    ]


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
    evidence = (
        _evidence("region", f"{pointer}/intensity/mean", inside.mean),
        _evidence("region", f"{pointer}/surroundings/mean", around.mean),
        _evidence("region", f"{pointer}/intensity/spread", inside.spread),
        _evidence("region", f"{pointer}/surroundings/spread", around.spread),
    )
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
    return Statement(text=sentence(text + _spreads(inside, around)), evidence=evidence)


def _spreads(inside: Intensity, around: Intensity) -> str:
    ours, theirs = number(inside.spread), quantity(around.spread, inside.unit)
    if inside.spread == around.spread:
        return f", and the same standard deviation, {theirs}"
    if inside.spread <= UNIFORM * around.spread:
        return f", and is more uniform (standard deviation {ours} against {theirs})"
    if inside.spread >= VARIED * around.spread:
        return f", and is more varied (standard deviation {ours} against {theirs})"
    return f"; the standard deviations, {ours} inside and {theirs} around it, lie within a factor of two"


def _relations(grounding: Grounding) -> Iterator[Statement]:
    for index, relation in enumerate(grounding.relations[:RELATIONS_TOLD]):
        pointer = f"/relations/{index}"
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
            return f"{subject} lies to the left of {other} in the image"
        case "above":
            return f"{subject} lies above {other} in the image"
        case "inside":
            return f"{subject} lies inside {other}"
        case predicate:
            return f"{subject} is {predicate} {other}"


def _by_how_much(relation: Relation, value: float, unit: str) -> str:
    match relation.predicate:
        case "left of" | "above":
            # The unit is 'mm between centroids', along the axis of the predicate.
            along = "horizontally" if relation.predicate == "left of" else "vertically"
            return f", their centroids {number(value)} {unit.split()[0]} apart {along}"
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
