"""Masks by the runs of their columns: COCO's run lengths, and moments. Knows nothing of pixel values."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from pycocotools import mask as coco

from models.experts.together.strips import Counts, Reals, Strip, split


@dataclass(frozen=True, slots=True)
class Runs:
    """Of each of n regions: its centroid from its box's first pixel, its central moments over its area, its mask.

    `counts`: COCO's compressed run lengths in an image of `size` (rows, columns).
    """

    x: Reals
    y: Reals
    xx: Reals
    yy: Reals
    xy: Reals
    counts: list[str]

    @classmethod
    def of(cls, strip: Strip, size: tuple[int, ...]) -> "Runs":
        """Of the regions of a strip. Sums over a run are those of its ends: no pixel is looked at alone."""
        flat = strip.mask.ravel()
        # Windows have a margin, so lines are kept apart by 0: changes are in turn the start of a run and its end.
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        line, begin = np.divmod(changes[::2], strip.mask.shape[1])
        length = changes[1::2] - changes[::2]
        owner = strip.owners[line]
        begins = np.searchsorted(owner, np.arange(len(strip.parts)))
        x, y = line - strip.first[owner] - strip.margin, begin - strip.margin
        end = y + length
        down = (y + end - 1) * length  # twice the sum of y
        squares = (end - 1) * end * (2 * end - 1) - (y - 1) * y * (2 * y - 1)  # six times that of its squares
        mass, across, twice, right, slope, six = (
            np.add.reduceat(each, begins).astype(np.float64)
            for each in (length, x * length, down, x * x * length, x * down, squares)
        )
        mean_x, mean_y = across / mass, twice / mass / 2
        corner = np.array([(part.x, part.y) for part in strip.parts])[owner]
        start = (corner[:, 0] + x) * size[0] + corner[:, 1] + y
        return cls(
            mean_x, mean_y,
            right / mass - mean_x**2, six / mass / 6 - mean_y**2, slope / mass / 2 - mean_x * mean_y,
            _compressed(start, start + length, begins, size),
        )  # fmt: skip


def _compressed(start: Counts, end: Counts, begins: Counts, size: tuple[int, ...]) -> list[str]:
    """Of masks by the places, column by column, at which runs start and end; each mask's begin at one of `begins`."""
    first = np.zeros(len(start), np.bool_)
    first[begins] = True
    # A run down to the last row goes on at the first row of the next column.
    apart = first.copy()
    apart[1:] |= start[1:] != end[:-1]
    start, end = start[apart], end[np.concatenate((apart[1:], np.ones(1, np.bool_)))]
    first, before = first[apart], np.concatenate((np.zeros(1, np.int64), end[:-1]))
    counts = np.stack((start - np.where(first, 0, before), end - start), axis=1).ravel()
    rows, columns = size
    plain: list[Any] = []
    for one in split(counts, 2 * np.diff(np.append(np.flatnonzero(first), len(first)))):
        rest = rows * columns - int(np.add.reduce(one))
        plain.append({"size": [rows, columns], "counts": np.append(one, rest) if rest else one})
    found = cast(list[dict[str, bytes]], coco.frPyObjects(plain, rows, columns))
    return [one["counts"].decode("ascii") for one in found]
