"""The parts of a region's mask: how many, how far apart. Knows nothing of words."""

import math
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from schemas.regions import Region

PART = 0.1
"""Of the area of the largest part of a region, what counts as another part of it."""
MANY = 12
"""Parts of a mark from which there are many: those that touch are one part."""
CLOSE = 0.5
"""Of the width of the disc of its largest part: gaps up to this part a mark that is one, cut by its slice."""


class _Part(NamedTuple):
    """In pixels: area, middle from left to right, and left, top, right and bottom."""

    area: int
    middle: float
    sides: tuple[int, int, int, int]


@lru_cache(maxsize=256)
def _parts(rows: int, columns: int, counts: str) -> tuple[_Part, ...]:
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    x, y, width, height = (int(value) for value in coco.toBbox(rle))
    # Labelling costs as much for background: the box alone is a sixth of the time, of a mask as it lies, by columns.
    mask = np.ascontiguousarray(coco.decode(rle).T[x : x + width, y : y + height])
    if not mask.size:
        return ()
    _, _, statistics, middles = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found: list[_Part] = []
    for (down, across, high, wide, area), middle in zip(statistics[1:].tolist(), middles[1:], strict=True):
        left, top = x + across, y + down
        found.append(_Part(area, x + float(middle[1]), (left, top, left + wide, top + high)))
    return tuple(found)


def _clear_parts(region: Region) -> list[_Part]:
    """Those that are no specks beside the largest."""
    found = _parts(*region.mask.size, region.mask.counts)
    least = PART * max((one.area for one in found), default=0)
    return [one for one in found if one.area >= least]


def parts(region: Region) -> int:
    """How many parts a region is of that do not touch; specks beside the largest are none."""
    return len(_clear_parts(region))


def is_together(region: Region) -> bool:
    """Whether all its parts lie so close to one another that they read as one."""
    return _together_by(*region.mask.size, region.mask.counts)


@lru_cache(maxsize=256)
def _together_by(rows: int, columns: int, counts: str) -> bool:
    areas = [one.area for one in _parts(rows, columns, counts)]
    reach = int(CLOSE * math.sqrt(4 * max(areas, default=0) / math.pi) / 2) + 1
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    x, y, width, height = (int(value) for value in coco.toBbox(rle))
    mask = np.pad(coco.decode(rle)[y : y + height, x : x + width], reach)
    # Each part grows by half of a gap.
    near = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach
    return cv2.connectedComponents(near.astype(np.uint8))[0] == 2


def has_specks(region: Region) -> bool:
    """Whether it has parts beside those that `parts` counts: then how many there are is not for a mask to say."""
    return len(_parts(*region.mask.size, region.mask.counts)) > parts(region)


def largest_part(region: Region) -> float:
    """Part of its area that its largest part makes."""
    areas = [one.area for one in _parts(*region.mask.size, region.mask.counts)]
    return max(areas, default=0) / max(1, sum(areas))


@lru_cache(maxsize=256)
def _quarters(rows: int, columns: int, counts: str) -> tuple[float, float, float, float]:
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    mask = coco.decode(rle)
    down, across = rows // 2, columns // 2
    held = (mask[:down, :across], mask[:down, across:], mask[down:, :across], mask[down:, across:])
    whole = max(1, int(mask.sum()))
    upper_left, upper_right, lower_left, lower_right = (int(one.sum()) / whole for one in held)
    return upper_left, upper_right, lower_left, lower_right


def quarters(region: Region) -> tuple[float, float, float, float]:
    """Parts of its area in the quarters of the picture: upper left, upper right, lower left, lower right."""
    return _quarters(*region.mask.size, region.mask.counts)


def reach(region: Region) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of its parts without specks, in pixels: a stray strip of a mask stretches its box."""
    left, top, right, bottom = zip(*(one.sides for one in _clear_parts(region)), strict=True)
    return min(left), min(top), max(right), max(bottom)


@lru_cache(maxsize=256)
def _columns(rows: int, columns: int, counts: str) -> npt.NDArray[np.int64]:
    rle: Any = {"size": [rows, columns], "counts": counts.encode()}
    return np.asarray(coco.decode(rle)).sum(axis=0, dtype=np.int64)


def part_left(region: Region) -> float:
    """Part of its area that lies left of the middle of the picture."""
    across = _columns(*region.mask.size, region.mask.counts)
    return float(across[: len(across) // 2].sum()) / max(1, int(across.sum()))


def middles_across(region: Region) -> list[float]:
    """Where its parts lie from left to right, in pixels."""
    return [one.middle for one in _clear_parts(region)]


_PAIRED = {"lung", "kidney", "breast", "eye", "ovary", "testis", "lung field"}


def is_a_pair(region: Region) -> bool:
    """Whether it is the one mark of both of a paired organ."""
    return region.label in _PAIRED and parts(region) == 2
