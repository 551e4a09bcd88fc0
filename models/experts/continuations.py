"""Where regions go on in the slices beside their image. Knows nothing of how experts are run."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from models.experts.candidates import BinaryImage, Component
from models.experts.figures import figures
from models.experts.regions import Measured
from models.experts.relations import OVERLAPPING, SIMILAR_RATIO
from models.experts.slices import Seen
from schemas.images import Neighbour, Spacing
from schemas.regions import Continuation

FOLLOWED = 8
"""How many of the first regions are followed."""


def follow(
    measured: Sequence[Measured],
    seen: Mapping[str, Mapping[int, Seen]],
    neighbours: Sequence[Neighbour],
    spacing: Spacing | None,
) -> tuple[Continuation, ...]:
    """Of each region and each side, whether it goes on there: a candidate of its expert and label overlaps it.

    From slice to slice those that overlap are followed. Where nothing overlaps but something was left out or masked
    there, nothing is said.

    `seen`: by name@version of the expert and steps from the image, what the expert sees there.
    """
    found: list[Continuation] = []
    for one in [each for each in measured if each.region.expert in seen][:FOLLOWED]:
        for way in (1, -1):
            slices = [seen[one.region.expert].get(way * step) for step in range(1, 1 + len(neighbours))]
            known = slices[: slices.index(None)] if None in slices else slices
            told = _follow(one, [each for each in known if each is not None], way, neighbours, spacing)
            found += [told] if told is not None else []
    return tuple(found)


def _follow(
    one: Measured, slices: list[Seen], way: int, neighbours: Sequence[Neighbour], spacing: Spacing | None
) -> Continuation | None:
    region = one.region
    box = region.box
    here = [Component(box.x, box.y, one.crop, region.area_px, 1.0)]
    first: list[Component] = []
    reach = 0
    for seen in slices:
        candidates = [each.component for each in seen.candidates if each.label == region.label]
        here = [each for each in candidates if any(_overlaps(each, part) for part in here)]
        if not here:
            break
        first, reach = first or here, reach + 1
    if not slices or (not first and not _told(slices[0], here=one)):
        return None
    at = {neighbour.steps: index for index, neighbour in enumerate(neighbours)}
    nearest = neighbours[at[way]]
    plain = Continuation(
        region=region.region_id,
        neighbour=at[way],
        towards=nearest.towards,
        onwards=way > 0,
        outcome="continues" if first else "not seen",
        distance_mm=nearest.distance_mm,
        looked=len(slices),
        slices=reach,
    )
    if not first:
        return plain
    union = _union(first, region.mask.size)
    area = int(cv2.countNonZero(union))
    shared = int(cv2.countNonZero(union[box.y : box.y + box.height, box.x : box.x + box.width] & one.crop))
    ratio = area / region.area_px
    pixel = None if spacing is None else spacing.row_mm * spacing.column_mm
    return plain.model_copy(
        update={
            "reach_mm": neighbours[at[way * reach]].distance_mm,
            "regions": len(first),
            "area_px": area,
            "area_mm2": None if pixel is None else figures(area * pixel),
            "shared_px": shared,
            "shared_mm2": None if pixel is None else figures(shared * pixel),
            "iou": figures(shared / (area + region.area_px - shared)),
            "ratio": figures(ratio),
            "change": "grows" if ratio >= SIMILAR_RATIO else "shrinks" if ratio <= 1 / SIMILAR_RATIO
            else "similar in size",
        }
    )  # fmt: skip


def _told(seen: Seen, here: Measured) -> bool:
    """Whether it can be said that nothing is there: none was left out, and nothing of the place is masked."""
    box = here.region.box
    window = np.s_[box.y : box.y + box.height, box.x : box.x + box.width]
    return seen.complete and (seen.visible is None or not bool((here.crop & (1 - seen.visible[window])).any()))


def _overlaps(one: Component, other: Component) -> bool:
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.crop.shape[1], other.x + other.crop.shape[1])
    bottom = min(one.y + one.crop.shape[0], other.y + other.crop.shape[0])
    if left >= right or top >= bottom:
        return False
    a, b = (each.crop[top - each.y : bottom - each.y, left - each.x : right - each.x] for each in (one, other))
    return 100.0 * int(np.count_nonzero(a & b)) >= OVERLAPPING * min(one.area_px, other.area_px)


def _union(parts: list[Component], size: tuple[int, int]) -> BinaryImage:
    whole = np.zeros(size, np.uint8)
    for part in parts:
        height, width = part.crop.shape
        whole[part.y : part.y + height, part.x : part.x + width] |= part.crop
    return whole
