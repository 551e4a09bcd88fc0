"""The few relations between regions that are worth saying, each with its measurement. Knows nothing of experts."""

from itertools import combinations

import numpy as np

from models.experts.regions import Measured, figures, filled
from schemas.images import Spacing
from schemas.regions import Relation

SIMILAR_RATIO = 1.15
LARGER_RATIO = 1.5
COMPARED = 3
"""How many of the first regions are compared pair by pair."""
MOST = 12


def relate(measured: list[Measured], spacing: Spacing | None, inverted: bool) -> tuple[Relation, ...]:
    """Relations among regions, pair by pair in their order.

    Of every pair, whether one lies inside the other; among the first, also size, brightness and place.
    `inverted`: low values are shown bright, so 'brighter' is the lower mean.
    """
    found: list[Relation] = []
    for first, second in combinations(range(len(measured)), 2):
        # Regions that the source marked come first, larger or not.
        small, large = sorted((measured[second], measured[first]), key=lambda one: one.region.area_px)
        found += _inside(small, large)
        if second < COMPARED:
            found += _pair(large, small, spacing, inverted)
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


def _inside(small: Measured, large: Measured) -> list[Relation]:
    a, b = small.region.box, large.region.box
    if a.x < b.x or a.y < b.y or a.x + a.width > b.x + b.width or a.y + a.height > b.y + b.height:
        return []
    outline = filled(large.crop)[a.y - b.y : a.y - b.y + a.height, a.x - b.x : a.x - b.x + a.width]
    percent = 100.0 * np.count_nonzero(outline & small.crop) / small.region.area_px
    return [_relation(small, "inside", large, percent, "% of its area")] if percent >= 95.0 else []


def _pair(first: Measured, second: Measured, spacing: Spacing | None, inverted: bool) -> list[Relation]:
    found: list[Relation] = []
    ratio = first.region.area_px / second.region.area_px
    if ratio >= LARGER_RATIO:
        found.append(_relation(first, "larger than", second, ratio, "times the area"))
    elif ratio <= SIMILAR_RATIO:
        found.append(_relation(first, "similar in size to", second, ratio, "times the area"))

    a, b = first.region.intensity, second.region.intensity
    if abs(a.mean - b.mean) > max(a.spread, b.spread, 1e-9):
        brighter, other = (first, second) if (a.mean > b.mean) != inverted else (second, first)
        found.append(_relation(brighter, "brighter than", other, abs(a.mean - b.mean), a.unit))

    for axis, predicate in enumerate(("left of", "above")):
        before, after = (
            (first, second) if first.region.centroid[axis] <= second.region.centroid[axis] else (second, first)
        )
        # Boxes that do not overlap along the axis: a reader sees the one wholly before the other.
        if _end(before, axis) <= _start(after, axis):
            pixel = 1.0 if spacing is None else (spacing.column_mm, spacing.row_mm)[axis]
            distance = (after.region.centroid[axis] - before.region.centroid[axis]) * pixel
            unit = "px between centroids" if spacing is None else "mm between centroids"
            found.append(_relation(before, predicate, after, distance, unit))
    return found


def _start(measured: Measured, axis: int) -> int:
    return (measured.region.box.x, measured.region.box.y)[axis]


def _end(measured: Measured, axis: int) -> int:
    box = measured.region.box
    return (box.x + box.width, box.y + box.height)[axis]
