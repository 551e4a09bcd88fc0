"""The composer: writes only what metadata, measurements and passages say, each statement with its evidence.

No model takes part, and the lineage says so. What it says of regions stands in regions.py and slices.py.
"""

from collections.abc import Iterator

from models.describers.base import make_description
from models.describers.phrases import (
    VIEWS,
    article,
    count,
    mean,
    number,
    plural,
    quantity,
    sentence,
)
from models.describers.regions import evident, kinded, of_regions, of_texture
from models.describers.slices import of_slices
from schemas.images import ImageMetadata, Spacing
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import Distribution, Grounding, Relation
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@3"

_NOUNS = {
    "X-ray": "radiograph",
    "mammography": "mammogram",
    "fundus photography": "fundus photograph",
    "other": "image of an unlisted modality",
    "unknown": "image of unknown modality",
}

RELATIONS_TOLD = 3
DISTRIBUTIONS_TOLD = 2
PASSAGES_QUOTED = 2


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        modality, organ = _modality(image), _organ(image.metadata) or _structure(image.grounding)
        regions = tuple(of_regions(image.grounding))
        texture = tuple(of_texture(image.grounding))
        grounding = image.grounding
        relations = (*_distributions(grounding), *_relations(grounding), *of_slices(grounding))
        context = tuple(_context(image.passages, image.metadata))
        return make_description(modality, organ, regions, texture, relations, context)


def _modality(image: EnrichedImage) -> Statement:
    metadata, view = image.metadata, image.view
    evidence = [evident("metadata", "/metadata/modality", metadata.modality)]
    what = _NOUNS.get(metadata.modality, f"{metadata.modality} image")
    if metadata.localizer:
        what = f"{metadata.modality} localizer"
        evidence.append(evident("metadata", "/metadata/localizer", True))
    if metadata.plane is not None:
        what = f"{metadata.plane} {what}"
        evidence.append(evident("metadata", "/metadata/plane", metadata.plane))
    elif metadata.view in VIEWS:
        what = f"{VIEWS[metadata.view]} {what}"
        evidence.append(evident("metadata", "/metadata/view", metadata.view))
    text = f"this is {article(what)} measuring {view.columns} × {view.rows} px"
    evidence += [evident("image", "/image/columns", view.columns), evident("image", "/image/rows", view.rows)]
    if metadata.spacing is None:
        text += ", without a recorded pixel spacing"
    else:
        text += f" with a pixel spacing of {_spacing(metadata.spacing, evidence)}"
    if metadata.contrast_agent:
        text += ", for which the source names a contrast agent"
        evidence.append(evident("metadata", "/metadata/contrast_agent", True))
    return Statement(text=sentence(text), evidence=tuple(evidence))


def _spacing(spacing: Spacing, evidence: list[Evidence]) -> str:
    across, down = number(spacing.column_mm), number(spacing.row_mm)
    evidence.append(evident("metadata", "/metadata/spacing/row_mm", spacing.row_mm))
    evidence.append(evident("metadata", "/metadata/spacing/column_mm", spacing.column_mm))
    return f"{down} mm" if across == down else f"{across} mm across and {down} mm down"


def _organ(metadata: ImageMetadata) -> Statement | None:
    if metadata.organ is None:
        return None
    evidence = [evident("metadata", "/metadata/organ", metadata.organ)]
    organ = f"the {metadata.organ}"
    if metadata.laterality is not None:
        organ = f"{organ} on both sides" if metadata.laterality == "both" else f"the {metadata.laterality} {organ[4:]}"
        evidence.append(evident("metadata", "/metadata/laterality", metadata.laterality))
    return Statement(text=sentence(f"the source names {organ} as the part examined"), evidence=tuple(evidence))


def _structure(grounding: Grounding) -> Statement | None:
    """What an expert outlined, where the source names no organ."""
    for index, region in enumerate(grounding.regions):
        if region.place is not None and region.place.within != "image":
            return Statement(
                text=sentence(f"the {region.place.within} is outlined, and places are told within it"),
                evidence=(evident("region", f"/regions/{index}/place/within", region.place.within),),
            )
    return None


def _distributions(grounding: Grounding) -> Iterator[Statement]:
    """How the regions are spread: of those that cover most."""
    order = sorted(enumerate(grounding.distributions), key=lambda one: -one[1].share_percent)
    for index, found in sorted(order[:DISTRIBUTIONS_TOLD]):
        yield _distribution(index, found)


def _distribution(index: int, found: Distribution) -> Statement:
    pointer, several = f"/distributions/{index}", found.regions > 1
    evidence = [
        evident("relation", f"{pointer}/label", found.label),
        evident("relation", f"{pointer}/regions", found.regions),
        evident("relation", f"{pointer}/spread", found.spread),
        evident("relation", f"{pointer}/share_percent", found.share_percent),
        evident("relation", f"{pointer}/within", found.within),
    ]
    noun = kinded(found.kind, found.label)
    who = f"{count(found.regions)} {plural(noun)}" if several else noun
    verbs = ("are", "cover") if several else ("is", "covers")
    text = f"the {who} {verbs[0]} {found.spread} and {verbs[1]} {number(found.share_percent)}% of the {found.within}"
    if found.side is not None:
        evidence.append(evident("relation", f"{pointer}/side", found.side))
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
            evident("relation", f"{pointer}/subject", relation.subject),
            evident("relation", f"{pointer}/predicate", relation.predicate),
            evident("relation", f"{pointer}/object", relation.object),
        ]
        text = _related(relation)
        if relation.value is not None and relation.unit is not None:
            evidence.append(evident("relation", f"{pointer}/value", relation.value))
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
                evident("passage", f"/passages/{index}/passage_id", passage.passage_id),
                evident("passage", f"/passages/{index}/title", passage.title),
            ),
        )


def _speaks_of(passage: FoundPassage, metadata: ImageMetadata) -> bool:
    """True for a passage on this modality or this organ, and on no other."""
    if passage.modalities and metadata.modality not in passage.modalities:
        return False
    if passage.organs and metadata.organ not in passage.organs:
        return False
    return bool(passage.modalities or passage.organs)
