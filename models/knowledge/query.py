"""From what was seen in an image to what is asked of the knowledge base. Measured facts and header fields only.

Knows nothing of how passages are stored or ranked.
"""

from collections.abc import Iterator

from models.knowledge.base import Query
from schemas.images import ImageMetadata, Modality
from schemas.regions import Grounding, Intensity, Region

# How far a mean must lie from its surroundings, in their standard deviations, to be called brighter or darker.
_CONTRAST = 1.0
# Ratio of spreads from which a region is called more or less uniform than its surroundings.
_HETEROGENEOUS, _HOMOGENEOUS = 1.5, 0.67

# Brighter and darker in the words of each modality; absent where stored values do not tell brightness (X-ray polarity).
_CONTRAST_WORDS: dict[Modality, tuple[str, str]] = {
    "CT": ("hyperdense", "hypodense"),
    "MR": ("hyperintense signal", "hypointense signal"),
    "ultrasound": ("hyperechoic", "hypoechoic"),
    "PET": ("high uptake", "low uptake"),
    "nuclear medicine": ("increased uptake", "decreased uptake"),
    "dermoscopy": ("light colour", "dark pigment"),
    "fundus photography": ("bright lesion", "dark red lesion"),
    "histopathology": ("white space", "stained tissue"),
    "endoscopy": ("bright mucosa", "dark mucosa"),
    "microscopy": ("bright structure", "dark structure"),
}

# Mean attenuation of a region in HU, upper bounds (Bushberg et al., The Essential Physics of Medical Imaging, ch. 10).
_DENSITIES_HU = (
    (-900.0, "air gas density"),
    (-400.0, "aerated lung density"),
    (-190.0, "low attenuation"),
    (-30.0, "fat density"),
    (20.0, "fluid density"),
    (100.0, "soft-tissue density"),
    (150.0, "high density"),
    (2500.0, "bone density calcification"),
    (float("inf"), "metal density"),
)


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
    yield region.label
    if region.intensity.unit == "HU":
        yield next(words for bound, words in _DENSITIES_HU if region.intensity.mean < bound)
    if region.surroundings is not None:
        yield from _against(region.intensity, region.surroundings, modality)


def _against(inside: Intensity, around: Intensity, modality: Modality) -> Iterator[str]:
    if inside.unit != around.unit or around.spread <= 0:
        return
    difference = (inside.mean - around.mean) / around.spread
    if modality in _CONTRAST_WORDS and abs(difference) >= _CONTRAST:
        brighter, darker = _CONTRAST_WORDS[modality]
        yield brighter if difference > 0 else darker
    ratio = inside.spread / around.spread
    if ratio >= _HETEROGENEOUS:
        yield "heterogeneous texture"
    elif ratio <= _HOMOGENEOUS:
        yield "homogeneous texture"
