"""How two regions lie to each other and compare: as grounding told it, else from areas, centroids and masks."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.table import table
from schemas.regions import Mask, Region

TOUCHING, APART = 2.0, 0.01
"""Pixels up to which two regions touch, and the part of an image's longer side from which they plainly do not."""
INSIDE, FREE = 0.9, 0.02
"""Part of its area in another from which a region is inside of it, and up to which it is outside."""
ALL_BUT = 97.0
"""Percent of its area from which what is told to overlap another lies inside of it all the same."""
MOSTLY = 0.7
"""Part of its area that lies in another where a region is largely in it; half of it is not."""
COINCIDING = 0.6
"""IoU from which two outlines are of one place: less than what makes them one finding, as the words are of the eye."""
LARGER = 1.05
"""Ratio of areas above which one is larger."""
SIMILAR = 1.15
"""Ratio of areas up to which they are similar, as grounding has it for its relations."""


LITTLE, MUCH = 1.5, 1.4
"""Ratio of areas up to which one is slightly larger, and from which it is much larger; twice as far it plainly is."""


def related(facts: Facts, region_id: str, predicate: str, other_id: str, degree: str = "") -> Judgement:
    """A relation: as grounding told it, else from areas, boxes, centroids and masks."""
    if predicate == "larger than" and degree:
        return _larger_by(facts, region_id, other_id, degree)
    told = facts.grounding.relations
    if predicate == "patient left of" and facts.metadata.sides_contradict:
        return untold("what the source says of left and right contradicts itself", "/metadata/sides_contradict")
    for n, one in enumerate(told):
        if (one.subject, one.predicate, one.object) == (region_id, predicate, other_id):
            return so(f"/relations/{n}/predicate")
        if predicate in ("touching", "overlapping", "mirror of", "same texture as", "similar in size to") and (
            one.object,
            one.predicate,
            one.subject,
        ) == (region_id, predicate, other_id):
            return so(f"/relations/{n}/predicate")
    if predicate in _OF_OVERLAP and (told_of := _as_told(facts, region_id, predicate, other_id)) is not None:
        return told_of
    if predicate == "outside":
        # A ring holds what lies in its hole, which its mask does not cover.
        held = {(one.subject, one.object) for one in told if one.predicate in ("inside", "overlapping")}
        if {(region_id, other_id), (other_id, region_id)} & held:
            return otherwise("it is not outside")
    structure = table().called(facts.region(other_id).label).role == "structure" if other_id in facts.regions else False
    if (
        predicate == "inside"
        and not structure
        and any(
            (one.subject, one.predicate, one.object) == (region_id, "overlapping", other_id)
            and (one.value or 0) < ALL_BUT
            for one in told
        )
    ):
        return otherwise("it overlaps that in part")
    if region_id == other_id:
        return otherwise("it compares a region with itself")
    one, other = facts.region(region_id), facts.region(other_id)
    ratio = one.area_px / other.area_px
    areas = tuple(f"/regions/{facts.index(which)}/area_px" for which in (region_id, other_id))
    match predicate:
        case "larger than":
            return so(*areas) if ratio > LARGER else otherwise("it is not larger", *areas)
        case "at least as large as":
            return so(*areas) if ratio > 1 / LARGER else otherwise("it is smaller", *areas)
        case "similar in size to":
            return so(*areas) if 1 / SIMILAR <= ratio <= SIMILAR else otherwise("their areas differ", *areas)
        case (
            "inside"
            | "mostly inside"
            | "partly inside"
            | "overlapping"
            | "largely overlapping"
            | "outside"
            | "touching"
        ):
            return _overlap(facts, region_id, other_id, predicate)
        case "coincides with":
            return _coincides(facts, region_id, other_id)
        case "mirror of" | "same texture as":
            return untold("no such relation was measured")
        case _:
            return _ordered(facts, region_id, other_id, predicate)


_OF_OVERLAP = {"outside", "mostly inside", "partly inside", "overlapping", "largely overlapping", "touching"}


def _as_told(facts: Facts, region_id: str, predicate: str, other_id: str) -> Judgement | None:
    """What follows where grounding told that one of two lies inside the other; None where it told nothing of that.

    It goes by outlines: what lies in a mesh of a mask, as of vessels, is inside of it though they share no pixel.
    """
    for n, one in enumerate(facts.grounding.relations):
        if one.predicate != "inside" or {one.subject, one.object} != {region_id, other_id}:
            continue
        pointer = f"/relations/{n}/predicate"
        first = one.subject == region_id
        other = facts.region(one.object)
        meshed = table().called(other.label).role == "structure"
        meshed = meshed and covered([facts.region(one.subject)], [other]) < INSIDE
        match predicate:
            case "outside":
                return otherwise("it is told to lie inside" if first else "that lies inside of it", pointer)
            case "mostly inside" if first:
                return so(pointer)
            case "partly inside" if first:
                return otherwise("it lies inside of it", pointer)
            case "overlapping" | "largely overlapping" | "touching" if meshed:
                return untold("it lies inside the outline, and shares little of its area", pointer)
            case _:
                return None
    return None


def _larger_by(facts: Facts, region_id: str, other_id: str, degree: str) -> Judgement:
    """'Slightly larger', 'much larger'."""
    found = related(facts, region_id, "larger than", other_id)
    if not found.truth:
        return found
    ratio = facts.region(region_id).area_px / facts.region(other_id).area_px
    areas = tuple(f"/regions/{facts.index(which)}/area_px" for which in (region_id, other_id))
    if ratio <= LITTLE if degree == "slightly" else ratio >= MUCH:
        return so(*areas)
    plainly = ratio > 2 * LITTLE if degree == "slightly" else ratio < (1 + MUCH) / 2
    return otherwise("it is larger by another factor", *areas) if plainly else untold("how much larger is open", *areas)


def _overlap(facts: Facts, region_id: str, other_id: str, predicate: str) -> Judgement:
    one, other = facts.region(region_id), facts.region(other_id)
    pointers = tuple(f"/regions/{facts.index(which)}/mask" for which in (region_id, other_id))
    if one.mask.size != other.mask.size:
        return untold("their masks cannot be compared")
    share = covered([one], [other])
    structure = table().called(other.label).role == "structure"
    match predicate:
        case "inside" if structure:
            # Outlines of structures are coarse: what lies in them can bulge out of them.
            x, y = one.centroid
            box = other.box
            within = box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
            holds = share >= INSIDE or (within and share > 0.05)
        case "inside":
            holds = share >= INSIDE
        case "partly inside":
            holds = FREE < share < ALL_BUT / 100
        case "mostly inside" if 0.5 < share < MOSTLY:
            return untold("of about half of it that is so", *pointers)
        case "mostly inside":
            holds = share >= MOSTLY
        case "outside" if max(share, covered([other], [one])) > FREE and share <= 0.1:
            if covered([other], [one]) >= INSIDE:
                return otherwise("that lies inside of it", *pointers)
            return untold("a little of it lies there", *pointers)
        case "outside":
            holds = share <= FREE
        case "largely overlapping":
            holds = max(share, covered([other], [one])) > 0.5
        case "overlapping":
            holds = share >= 0.05
        case _:
            gap = 0.0 if share >= 0.05 else _gap(_decoded(one.mask), _decoded(other.mask))
            if gap <= TOUCHING:
                return so(*pointers)
            apart = gap > APART * max(one.mask.size)
            return otherwise("they lie apart", *pointers) if apart else untold("whether they touch was not told")
    if holds:
        return so(*pointers)
    return otherwise(f"it is not {predicate}", *pointers)


def _coincides(facts: Facts, region_id: str, other_id: str) -> Judgement:
    pointers = tuple(f"/regions/{facts.index(which)}/mask" for which in (region_id, other_id))
    common = iou(facts.region(region_id), facts.region(other_id))
    if common >= COINCIDING:
        return so(*pointers)
    apart = common < COINCIDING / 2
    return otherwise("they lie otherwise", *pointers) if apart else untold("they coincide in part", *pointers)


def _gap(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> float:
    """Pixels between two masks."""
    if not first.any() or not second.any():
        return float("inf")
    distance = cv2.distanceTransform((~second).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    return float(distance[first].min())


def iou(one: Region, other: Region) -> float:
    """Intersection over union of two masks of one image."""
    width = min(one.box.x + one.box.width, other.box.x + other.box.width) - max(one.box.x, other.box.x)
    height = min(one.box.y + one.box.height, other.box.y + other.box.height) - max(one.box.y, other.box.y)
    if width <= 0 or height <= 0 or width * height < 0.3 * min(one.area_px, other.area_px):
        return 0.0
    if one.mask.size != other.mask.size:
        return 0.0
    # On the runs themselves: to decode two masks of a radiograph takes milliseconds, and pairs are many.
    overlap: Any = coco.iou([one.mask.rle], [other.mask.rle], [False])
    return float(overlap[0][0])


def covered(regions: Sequence[Region], others: Sequence[Region]) -> float:
    """Part of the area of regions, taken together, that lies in others, taken together."""
    if not regions or not others or len({one.mask.size for one in (*regions, *others)}) > 1:
        return 0.0
    mine, theirs = (_together(some) for some in (regions, others))
    both: Any = coco.merge([mine, theirs], intersect=True)
    return float(coco.area(both)) / max(1.0, float(coco.area(mine)))


def area_together(regions: Sequence[Region]) -> int:
    """Pixels that regions of one image cover together."""
    return int(cast(Any, coco.area(_together(regions))))


def _together(regions: Sequence[Region]) -> Any:
    return coco.merge([one.mask.rle for one in regions])


@lru_cache(maxsize=12)
def _decoded_runs(rows: int, columns: int, counts: str) -> npt.NDArray[np.bool_]:
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    return np.asarray(coco.decode(rle), np.bool_)


def _decoded(mask: Mask) -> npt.NDArray[np.bool_]:
    return _decoded_runs(*mask.size, mask.counts)


_ORDERED = {
    "patient left of": ("patient left", 1), "anterior to": ("posterior", -1), "superior to": ("feet", -1),
    "left of": ("image right", -1), "above": ("image down", -1),
}  # fmt: skip


def _ordered(facts: Facts, region_id: str, other_id: str, predicate: str) -> Judgement:
    if predicate not in _ORDERED:
        return untold("no such relation was measured")
    axis, sign = _ORDERED[predicate]
    one, other = facts.region(region_id), facts.region(other_id)
    if axis == "image right" and facts.metadata.orientation is not None:
        return untold("whether the patient's left or that of the display is meant is not said")
    if axis.startswith("image"):
        n, extent = (0, facts.columns) if axis == "image right" else (1, facts.rows)
        apart = sign * (one.centroid[n] - other.centroid[n]) / extent
    else:
        sense = _sense(facts, axis)
        if sense is None:
            return untold("that axis of the patient is not told")
        n, grows = sense
        extent = (facts.columns, facts.rows)[n]
        apart = sign * grows * (one.centroid[n] - other.centroid[n]) / extent
    pointers = tuple(f"/regions/{facts.index(which)}/centroid" for which in (region_id, other_id))
    if abs(apart) < 0.02:
        return untold("they hardly differ along that axis", *pointers)
    return so(*pointers) if apart > 0 else otherwise("it is the other way round", *pointers)


def axis_of(facts: Facts, predicate: str) -> int | None:
    """The axis of the picture that a direction runs along: 0 for across, 1 for down; None where that is not told."""
    axis = _ORDERED[predicate][0]
    if axis.startswith("image"):
        return 0 if axis == "image right" else 1
    sense = _sense(facts, axis)
    return sense[0] if sense is not None else None


_OPPOSITE = {"patient right": "patient left", "anterior": "posterior", "head": "feet"}


def _sense(facts: Facts, axis: str) -> tuple[int, int] | None:
    """Which image axis runs along one of the patient's, and whether the index grows towards its end."""
    orientation = facts.metadata.orientation
    for n, side in enumerate((orientation.right, orientation.down) if orientation else ()):
        if side == axis:
            return n, 1
        if _OPPOSITE.get(side) == axis:
            return n, -1
    return None
