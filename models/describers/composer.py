"""The composer: writes only what metadata, measurements and passages say, each statement with its evidence.

No model takes part, and the lineage says so. Regions are candidates, named by the rule that found them.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from models.describers.phrases import area, article, count, joined, mean_of, number, plural, quantity, sentence
from schemas.images import ImageMetadata
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Grounding, Intensity, Region
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@1"

_NOUNS = {
    "X-ray": "radiograph",
    "mammography": "mammogram",
    "fundus photography": "fundus photograph",
}
_VIEWS = {"AP": "anteroposterior", "PA": "posteroanterior", "LL": "left lateral", "RL": "right lateral"}
_SPARED_ARTICLE = ("whole body",)

_VERBS = {
    "larger than": "is larger than",
    "brighter than": "is brighter than",
    "inside": "lies inside",
    "left of": "lies to the left, in the image, of",
    "above": "lies above",
    "similar in size to": "is similar in size to",
}

UNIFORM, VARIED = 0.5, 2.0
"""Ratios of a region's spread to its surroundings' at which it is called more uniform, or more varied: a factor of two
is plain to a reader, and well above the error of a standard deviation over a few dozen pixels."""
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
    if metadata.modality in ("unknown", "other"):
        what = "image of unknown modality" if metadata.modality == "unknown" else "image of an uncommon modality"
    else:
        what = _NOUNS.get(metadata.modality, f"{metadata.modality} image")
    if metadata.plane is not None:
        what = f"{metadata.plane} {what}"
        evidence.append(_evidence("metadata", "/metadata/plane", metadata.plane))
    elif metadata.view in _VIEWS:
        what = f"{_VIEWS[metadata.view]} {what}"
        evidence.append(_evidence("metadata", "/metadata/view", metadata.view))
    size = f"{view.columns} × {view.rows} px"
    evidence += [_evidence("image", "/image/columns", view.columns), _evidence("image", "/image/rows", view.rows)]
    if (spacing := metadata.spacing) is not None:
        evidence.append(_evidence("metadata", "/metadata/spacing/row_mm", spacing.row_mm))
        across, down = number(spacing.column_mm), number(spacing.row_mm)
        if across == down:
            size += f" with pixels of {down} mm"
        else:
            size += f" with pixels of {across} × {down} mm"
            evidence.append(_evidence("metadata", "/metadata/spacing/column_mm", spacing.column_mm))
    else:
        size += "; its pixel spacing is not recorded"
    if metadata.contrast_agent:
        size += ", taken after a contrast agent was given"
        evidence.append(_evidence("metadata", "/metadata/contrast_agent", True))
    return Statement(text=sentence(f"this is {article(what)} of {size}"), evidence=tuple(evidence))


def _organ(metadata: ImageMetadata) -> Statement | None:
    if metadata.organ is None:
        return None
    evidence = [_evidence("metadata", "/metadata/organ", metadata.organ)]
    organ = metadata.organ
    if metadata.laterality in ("left", "right"):
        organ = f"{metadata.laterality} {organ}"
        evidence.append(_evidence("metadata", "/metadata/laterality", metadata.laterality))
    the = "" if organ in _SPARED_ARTICLE else "the "
    return Statement(text=sentence(f"the source names {the}{organ} as the part examined"), evidence=tuple(evidence))


def _regions(grounding: Grounding) -> Iterator[Statement]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, region in enumerate(grounding.regions):
        groups[region.label].append(index)
    for label, indices in groups.items():
        first = grounding.regions[indices[0]]
        if first.kind == "whole image":
            why = "the experts that ran found none" if grounding.experts else "no expert fits this kind of image"
            yield Statement(
                text=sentence(f"no part of the image is singled out, because {why}"),
                evidence=(_evidence("region", f"/regions/{indices[0]}/rule", first.rule),),
            )
        else:
            yield _group(grounding, label, indices)


def _group(grounding: Grounding, label: str, indices: list[int]) -> Statement:
    # Regions come largest first.
    first, *others = (grounding.regions[index] for index in indices)
    evidence = _of_region(indices[0], first)
    mean = mean_of(first.intensity.mean, first.intensity.unit)
    given = first.kind == "source annotation"
    candidate = f"annotated {label}" if given else f"candidate {label}"
    if not others:
        where = f"in the {first.position}"
        text = f"{article(candidate)} ({first.region_id}) of {_area(first)} lies {where}, with {mean}"
        return Statement(text=sentence(text), evidence=tuple(evidence))
    sizes = [f"{_area(region)} ({region.region_id})" for region in others]
    for index, region in zip(indices[1:], others, strict=True):
        evidence.append(_area_evidence(index, region))
    rest = "the other covers" if len(others) == 1 else "the others cover"
    text = (
        f"{count(len(indices))} {plural(candidate)} were found: the largest ({first.region_id}) lies in the "
        f"{first.position}, covers {_area(first)} and has {mean}; {rest} {joined(sizes)}"
    )
    return Statement(text=sentence(text), evidence=tuple(evidence))


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
    told: set[str] = set()
    for index, region in enumerate(grounding.regions):
        around = region.surroundings
        if region.label in told or region.kind == "whole image" or around is None:
            continue
        told.add(region.label)
        yield _against_surroundings(index, region, around)
    if not told:
        whole = grounding.intensity
        yield Statement(
            text=sentence(
                f"the whole image has {mean_of(whole.mean, whole.unit)} and a standard deviation of "
                f"{quantity(whole.spread, whole.unit)}"
            ),
            evidence=(
                _evidence("image", "/intensity/mean", whole.mean),
                _evidence("image", "/intensity/spread", whole.spread),
            ),
        )


def _against_surroundings(index: int, region: Region, around: Intensity) -> Statement:
    inside = region.intensity
    pointer = f"/regions/{index}"
    evidence = [
        _evidence("region", f"{pointer}/intensity/mean", inside.mean),
        _evidence("region", f"{pointer}/surroundings/mean", around.mean),
        _evidence("region", f"{pointer}/intensity/spread", inside.spread),
        _evidence("region", f"{pointer}/surroundings/spread", around.spread),
    ]
    text = (
        f"the surroundings of region {region.region_id} have {mean_of(around.mean, around.unit)} against "
        f"{number(inside.mean)} inside it"
        if number(around.mean) != number(inside.mean)
        else f"region {region.region_id} and its surroundings have {mean_of(inside.mean, inside.unit)} alike"
    )
    ratio = inside.spread / around.spread if around.spread > 0 else 1.0
    spreads = f"(standard deviation {number(inside.spread)} against {quantity(around.spread, inside.unit)})"
    if ratio <= UNIFORM:
        text += f", and the region is more uniform than what surrounds it {spreads}"
    elif ratio >= VARIED:
        text += f", and the region is more varied than what surrounds it {spreads}"
    else:
        text += f", and both vary to a similar degree {spreads}"
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _relations(grounding: Grounding) -> Iterator[Statement]:
    for index, relation in enumerate(grounding.relations[:RELATIONS_TOLD]):
        pointer = f"/relations/{index}"
        evidence = [
            _evidence("relation", f"{pointer}/subject", relation.subject),
            _evidence("relation", f"{pointer}/predicate", relation.predicate),
            _evidence("relation", f"{pointer}/object", relation.object),
        ]
        text = f"region {relation.subject} {_VERBS[relation.predicate]} region {relation.object}"
        if relation.value is not None and relation.unit is not None:
            evidence.append(_evidence("relation", f"{pointer}/value", relation.value))
            text += f" ({quantity(relation.value, relation.unit)})".replace(" % ", "% ")
        yield Statement(text=sentence(text), evidence=tuple(evidence))


def _context(passages: tuple[FoundPassage, ...], metadata: ImageMetadata) -> Iterator[Statement]:
    quoted = [(index, passage) for index, passage in enumerate(passages) if _speaks_of(passage, metadata)]
    for index, passage in quoted[:PASSAGES_QUOTED]:
        # A title like 'CT numbers' keeps its capitals, one like 'Bone and calcium' does not.
        title = passage.title[0].lower() + passage.title[1:] if passage.title[1:2].islower() else passage.title
        first = passage.text.split(". ")[0].rstrip(".")
        yield Statement(
            text=f"For reference, on {title}: “{first}.”",
            evidence=(_evidence("passage", f"/passages/{index}/passage_id", passage.passage_id),),
        )


def _speaks_of(passage: FoundPassage, metadata: ImageMetadata) -> bool:
    """True for a passage on this modality or this organ, and on no other."""
    if passage.modalities and metadata.modality not in passage.modalities:
        return False
    if passage.organs and metadata.organ not in passage.organs:
        return False
    return bool(passage.modalities or passage.organs)
