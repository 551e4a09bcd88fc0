"""Which parts of a picture lines are sought in: where cells were chosen, and again where the finder was unsure."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box
from models.imaging.text.strokes import CELL

_MOSTLY = 0.6
"""Of the cells, from which all of them are looked at at once."""
_MOST_AGAIN = 2**16
"""px of a larger picture that are looked at magnified all the same: where the finder is unsure of small letters."""
_GRAIN, _ALONG = 16, 3
"""px around such a place, and heights of it at its two ends."""
_CHOSEN, _LOOSE = 0.5, 2
"""Share of a place from which it is looked at with others; and how much larger than they the look at several may be."""

Part = tuple[slice, slice]
"""Rows and columns."""


def areas_of(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> list[Part]:
    """Rows and columns around cells, with a cell more on each side: the line finder needs to see where a line ends."""
    rows, columns = shape[:2]
    wide = cv2.dilate(cells.astype(np.uint8), np.ones((3, 3), np.uint8))
    if wide.mean() > _MOSTLY:
        return [(slice(0, rows), slice(0, columns))]
    _, _, extents, _ = cv2.connectedComponentsWithStats(wide)
    found = [
        (slice(y, min(y + height, rows)), slice(x, min(x + width, columns)))
        for x, y, width, height, _ in (extents[1:] * CELL).tolist()
    ]
    size = sum((down.stop - down.start) * (across.stop - across.start) for down, across in found)
    return found if size <= _MOSTLY * rows * columns else [(slice(0, rows), slice(0, columns))]


def parts_around(spots: Sequence[Box], shape: tuple[int, ...]) -> Iterator[Part]:
    """Where a picture is looked at again: around spots, the surest first, as far as is worth the time."""
    chosen = np.zeros([-(-side // _GRAIN) for side in shape[:2]], np.uint8)
    grains: list[tuple[int, int, int, int]] = []
    for spot in sorted(spots, key=lambda spot: -spot.score):
        left, top, right, bottom, _ = spot.grown(_GRAIN, shape, ends=_GRAIN + _ALONG * spot.height)
        one = left // _GRAIN, top // _GRAIN, -(-right // _GRAIN), -(-bottom // _GRAIN)
        place = np.s_[one[1] : one[3], one[0] : one[2]]
        if chosen[place].mean() > _CHOSEN:
            continue
        chosen[place] = 1
        grains.append(one)
        if chosen.sum() * _GRAIN**2 > _MOST_AGAIN:
            break
    _, labels, extents, _ = cv2.connectedComponentsWithStats(chosen, connectivity=4)
    for label, (x, y, width, height, size) in enumerate(extents.tolist()):
        if label and width * height <= _LOOSE * size:
            yield _part(x, y, x + width, y + height, shape)
        elif label:  # an edge, or a ring of them: what is within it is not looked at
            yield from (_part(*one, shape) for one in grains if labels[one[1], one[0]] == label)


def _part(left: int, top: int, right: int, bottom: int, shape: tuple[int, ...]) -> Part:
    """From grains to px."""
    return slice(_GRAIN * top, min(_GRAIN * bottom, shape[0])), slice(_GRAIN * left, min(_GRAIN * right, shape[1]))
