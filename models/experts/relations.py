"""The relations between regions that are worth saying, each with its measurement. Knows nothing of experts."""

from itertools import combinations
from typing import cast

import cv2
import numpy as np

from models.experts.candidates import filled
from models.experts.figures import figures
from models.experts.places import BinaryImage, Direction, directions
from models.experts.regions import Measured
from schemas.images import Orientation, Spacing
from schemas.regions import Relation

SIMILAR_RATIO = 1.15
LARGER_RATIO = 1.5
INSIDE, OVERLAPPING = 95.0, 10.0
"""Percent of the smaller region's area within the larger one."""
MIRRORED = 0.5
"""IoU of a region with the mirror image of the other: what detection counts as a match (PASCAL VOC, IJCV 88, 2010)."""
SAME_TEXTURE, SAME_SPREAD, LEAST_TEXTURE_PX = 0.1, 1.25, 64
"""Largest difference of homogeneity, correlation and energy, and ratio of spreads; below so many pixels a co-occurrence
matrix is mostly chance. Stated here, and tried on three drawn textures only: docs/regions.md."""
COMPARED = 3
"""How many of the first regions are compared pair by pair."""
MOST = 16

_TELLING = (
    "inside", "overlapping", "mirror of", "touching", "same texture as", "larger than", "similar in size to",
    "brighter than", "patient left of", "superior to", "anterior to", "left of", "above",
)  # fmt: skip
# Who is said of whom when two regions lie apart: True, the one further towards the end by which the axis is told.
_APART: dict[Direction, tuple[str, bool]] = {
    "patient left": ("patient left of", True), "posterior": ("anterior to", False), "feet": ("superior to", False),
    "image right": ("left of", False), "image down": ("above", False),
}  # fmt: skip


def relate(
    measured: list[Measured], spacing: Spacing | None, inverted: bool, orientation: Orientation | None = None
) -> tuple[Relation, ...]:
    """Relations among regions, the most telling first.

    Of every pair, whether one lies inside, over or against the other, or mirrors it; among the first, also size,
    brightness, texture and place. `inverted`: low values are shown bright, so 'brighter' is the lower mean.
    """
    found: list[Relation] = []
    outlines: dict[str, BinaryImage] = {}
    for first, second in combinations(range(len(measured)), 2):
        # Regions that the source marked come first, larger or not.
        small, large = sorted((measured[second], measured[first]), key=lambda one: one.region.area_px)
        found += _inside(small, large, outlines) or _meeting(small, large)
        found += _mirrored(large, small, orientation)
        if second < COMPARED:
            found += _pair(large, small, spacing, inverted, orientation)
    found.sort(key=lambda relation: _TELLING.index(relation.predicate))
    return tuple(found[:MOST])


def _relation(subject: Measured, predicate: str, other: Measured, value: float, unit: str) -> Relation:
    return Relation.model_validate(
        {
            "subject": subject.region.region_id,
            "predicate": predicate,
            "object": other.region.region_id,
            "value": figures(value),
            "unit": unit,
        }
    )


def _inside(small: Measured, large: Measured, outlines: dict[str, BinaryImage]) -> list[Relation]:
    """Whether one lies in the other. `outlines`: masks with their holes filled, by the region's id, once needed."""
    a, b = small.region.box, large.region.box
    if a.x < b.x or a.y < b.y or a.x + a.width > b.x + b.width or a.y + a.height > b.y + b.height:
        return []
    name = large.region.region_id
    if name not in outlines:
        outlines[name] = filled(large.crop)
    outline = outlines[name][a.y - b.y : a.y - b.y + a.height, a.x - b.x : a.x - b.x + a.width]
    percent = 100.0 * cv2.countNonZero(outline & small.crop) / small.region.area_px
    return [_relation(small, "inside", large, percent, "% of its area")] if percent >= INSIDE else []


def _window(measured: Measured, x: int, y: int, width: int, height: int) -> BinaryImage:
    """The mask within a window of the image, 0 where the region is not."""
    box = measured.region.box
    seen = np.zeros((height, width), np.uint8)
    left, top = max(x, box.x), max(y, box.y)
    right, bottom = min(x + width, box.x + box.width), min(y + height, box.y + box.height)
    if left < right and top < bottom:
        seen[top - y : bottom - y, left - x : right - x] = measured.crop[
            top - box.y : bottom - box.y, left - box.x : right - box.x
        ]
    return seen


def _meeting(small: Measured, large: Measured) -> list[Relation]:
    """Overlapping or touching, if they do: side by side or corner to corner."""
    a, b = small.region.box, large.region.box
    if a.x > b.x + b.width or b.x > a.x + a.width or a.y > b.y + b.height or b.y > a.y + a.height:
        return []
    there = _window(large, a.x - 1, a.y - 1, a.width + 2, a.height + 2)
    percent = 100.0 * int(cv2.countNonZero(there[1:-1, 1:-1] & small.crop)) / small.region.area_px
    if percent >= OVERLAPPING:
        return [_relation(small, "overlapping", large, percent, "% of its area")]
    here = cv2.copyMakeBorder(small.crop, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    beside = cast(BinaryImage, cv2.dilate(here, np.ones((3, 3), np.uint8)) - here)
    border = int(cv2.countNonZero(there & beside))
    return [_relation(small, "touching", large, border, "px of shared border")] if border else []


def _mirrored(first: Measured, second: Measured, orientation: Orientation | None) -> list[Relation]:
    """Whether two regions of one label mirror each other across the middle of what was outlined, left to right."""
    within = first.within
    if within is None or second.within is not within or first.region.label != second.region.label:
        return []
    axis = next((n for n, (towards, _) in enumerate(directions(orientation)) if towards == "patient left"), None)
    if axis is None:
        return []
    # Twice the middle: pixel n falls on pixel ends - 1 - n.
    ends = 2 * within.box[axis] + within.box[2 + axis]
    a, b = first.region.box, second.region.box
    x, y = (ends - a.x - a.width, a.y) if axis == 0 else (a.x, ends - a.y - a.height)
    if x >= b.x + b.width or b.x >= x + a.width or y >= b.y + b.height or b.y >= y + a.height:
        return []
    turned = first.crop[:, ::-1] if axis == 0 else first.crop[::-1]
    both = int(np.count_nonzero(turned & _window(second, x, y, a.width, a.height)))
    overlap = both / (first.region.area_px + second.region.area_px - both)
    return [_relation(first, "mirror of", second, overlap, "IoU across the midline")] if overlap >= MIRRORED else []


def _pair(
    first: Measured, second: Measured, spacing: Spacing | None, inverted: bool, orientation: Orientation | None
) -> list[Relation]:
    found: list[Relation] = []
    ratio = first.region.area_px / second.region.area_px
    if ratio >= LARGER_RATIO:
        found.append(_relation(first, "larger than", second, ratio, "times the area"))
    elif ratio <= SIMILAR_RATIO:
        found.append(_relation(first, "similar in size to", second, ratio, "times the area"))

    a, b = first.region.intensity, second.region.intensity
    if abs(a.mean - b.mean) > max(a.standard_deviation, b.standard_deviation, 1e-9):
        brighter, other = (first, second) if (a.mean > b.mean) != inverted else (second, first)
        found.append(_relation(brighter, "brighter than", other, abs(a.mean - b.mean), a.unit))
    found += _textures(first, second)

    for axis, (towards, grows) in enumerate(directions(orientation)):
        before, after = (
            (first, second) if first.region.centroid[axis] <= second.region.centroid[axis] else (second, first)
        )
        # Boxes that do not overlap along the axis: a reader sees the one wholly before the other.
        if _end(before, axis) <= _start(after, axis):
            pixel = 1.0 if spacing is None else (spacing.column_mm, spacing.row_mm)[axis]
            distance = (after.region.centroid[axis] - before.region.centroid[axis]) * pixel
            unit = "px between centroids" if spacing is None else "mm between centroids"
            predicate, further = _APART[towards]
            subject, other = (after, before) if grows == further else (before, after)
            found.append(_relation(subject, predicate, other, distance, unit))
    return found


def _textures(first: Measured, second: Measured) -> list[Relation]:
    a, b = first.region.texture, second.region.texture
    if a is None or b is None or a.discretisation != b.discretisation:
        return []
    if min(first.region.area_px, second.region.area_px) < LEAST_TEXTURE_PX:
        return []
    spreads = sorted(one.region.intensity.standard_deviation for one in (first, second))
    apart = max(abs(a.homogeneity - b.homogeneity), abs(a.correlation - b.correlation), abs(a.energy - b.energy))
    if apart > SAME_TEXTURE or spreads[1] > SAME_SPREAD * spreads[0]:
        return []
    return [_relation(first, "same texture as", second, apart, "largest difference of GLCM features")]


def _start(measured: Measured, axis: int) -> int:
    return (measured.region.box.x, measured.region.box.y)[axis]


def _end(measured: Measured, axis: int) -> int:
    box = measured.region.box
    return (box.x + box.width, box.y + box.height)[axis]
