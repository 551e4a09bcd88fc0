"""From what was seen in an image to what is asked of the knowledge base. Measured facts and header fields only.

Knows nothing of how passages are stored or ranked.
"""

from collections.abc import Iterator

from models.knowledge.base import Query
from models.statements.table import STANDS_OUT, table
from schemas.images import ImageMetadata, Modality
from schemas.regions import Grounding, Intensity, Region


def query_for(metadata: ImageMetadata, grounding: Grounding, limit: int = 4) -> Query:
    """Return the query for one grounded image.

    Its text names modality, organ, plane and view, then each region's label, density, contrast to its surroundings and
    texture, largest region first and every phrase once.
    """
    regions = sorted(grounding.regions, key=lambda region: (-region.area_px, region.region_id))
    phrases = [
        *_from_metadata(metadata),
        *(phrase for region in regions for phrase in _from_region(region, metadata.modality)),
    ]
    return Query(
        text=". ".join(dict.fromkeys(phrases)),
        modality=None if metadata.modality == "unknown" else metadata.modality,
        organ=metadata.organ,
        disease=metadata.disease,
        limit=limit,
    )


def _from_metadata(metadata: ImageMetadata) -> Iterator[str]:
    if metadata.modality not in ("unknown", "other"):
        yield metadata.modality
    if metadata.organ is not None:
        yield metadata.organ
    if metadata.plane is not None:
        yield f"{metadata.plane} plane"
    if metadata.view is not None:
        yield f"{metadata.view} view"
    if metadata.contrast_agent:
        yield "contrast enhancement"


def _from_region(region: Region, modality: Modality) -> Iterator[str]:
    # The whole image is not singled out by anything: its mean and spread describe a mixture.
    if region.kind == "whole image":
        return
    yield table().called(region.label).searches or region.label
    if region.intensity.unit == "HU":
        yield from _density(region.intensity.mean)
    if region.surroundings is not None:
        yield from _against(region, region.surroundings, modality)


def _density(mean: float) -> Iterator[str]:
    for row in table().terms:
        if row.aspect == "density" and row.holds(mean):
            yield row.searches
            return


def _against(region: Region, around: Intensity, modality: Modality) -> Iterator[str]:
    inside = region.intensity
    if inside.unit != around.unit or around.spread <= 0:
        return
    scale = table().scale(modality)
    # Stored values of a radiograph or a photograph do not tell what is bright: what is displayed does.
    by_value = scale.measure.endswith("contrast_to_noise")
    level = (
        (inside.mean - around.mean) / around.spread if by_value else region.contrast and region.contrast.as_displayed
    )
    if level is not None and abs(level) >= STANDS_OUT:
        yield scale.searches_high if level > 0 else scale.searches_low
    texture = next(
        (row for row in table().terms if row.aspect == "texture" and row.holds(inside.spread / around.spread)), None
    )
    if texture is not None:
        yield f"{texture.word} texture"
