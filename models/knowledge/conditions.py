"""What is known of an image that a passage may presuppose: view, plane, contrast agent, weighting, kind of light.

A condition holds only where the source, or what was measured, tells it. Knows no passage.
"""

from collections.abc import Iterator

from models.statements.table import table
from schemas.images import ImageMetadata
from schemas.knowledge import Condition
from schemas.regions import Grounding

_VIEWS: dict[str, Condition] = {
    "frontal": "frontal view", "lateral": "lateral view", "CC": "craniocaudal view", "MLO": "mediolateral oblique view",
}  # fmt: skip
_PLANES: dict[str, Condition] = {"axial": "axial plane", "coronal": "coronal plane", "sagittal": "sagittal plane"}

# Spin echo as textbooks bound it (Bushberg et al., The Essential Physics of Medical Imaging, 3rd ed., chapter 12).
_SHORT_TR_MS, _LONG_TR_MS = 800, 2000
_SHORT_TE_MS, _LONG_TE_MS = 30, 80
_DARK_PART = 0.25
"""Of the range of values, below which the median of a fluorescence image lies: most of it is background."""


def holding(metadata: ImageMetadata, grounding: Grounding, channels: int) -> frozenset[Condition]:
    """All conditions that are known to hold of an image; `channels` of its view, 1 grey and 3 colour."""
    return frozenset((*_of_header(metadata), *_of_pixels(metadata, grounding, channels)))


def _of_header(metadata: ImageMetadata) -> Iterator[Condition]:
    views = [row for row in table().views if row.word == metadata.view]
    for word in (metadata.view or "", *(word for row in views for word in row.also)):
        if word in _VIEWS:
            yield _VIEWS[word]
    if metadata.plane in _PLANES:
        yield _PLANES[metadata.plane]
    if metadata.contrast_agent is not None:
        yield "contrast agent given" if metadata.contrast_agent else "no contrast agent given"
    if metadata.weighting is not None:
        yield metadata.weighting
    elif metadata.modality == "MR" and metadata.repetition_time_ms is not None and metadata.echo_time_ms is not None:
        if metadata.repetition_time_ms <= _SHORT_TR_MS and metadata.echo_time_ms <= _SHORT_TE_MS:
            yield "T1-weighted"
        elif metadata.repetition_time_ms >= _LONG_TR_MS and metadata.echo_time_ms >= _LONG_TE_MS:
            # An inversion that nulls fluid (FLAIR) is not told apart by these two times: it is in `weighting`.
            yield "T2-weighted"


def _of_pixels(metadata: ImageMetadata, grounding: Grounding, channels: int) -> Iterator[Condition]:
    values = grounding.intensity
    stained = any(region.label in ("haematoxylin-rich region", "eosin-rich region") for region in grounding.regions)
    if metadata.modality == "histopathology" and channels == 3 and stained:
        yield "haematoxylin and eosin"
    if metadata.modality == "microscopy" and channels == 3:
        yield "stained film"
    if metadata.modality == "microscopy" and channels == 1:
        middle = values.mean if values.median is None else values.median
        if middle - values.minimum < _DARK_PART * (values.maximum - values.minimum):
            yield "fluorescence"
