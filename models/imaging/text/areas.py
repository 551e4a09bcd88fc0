"""Which parts of a picture lines are sought in: where cells were chosen, and again where the finder was unsure."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box
from models.imaging.text.strokes import CELL

_ONE_MORE = 6
"""Cells, that cost as much as to look at one part more."""
_MOST_AGAIN = 2**16
"""px of a larger picture that are looked at magnified all the same: where the finder is unsure of small letters."""
_GRAIN, _ALONG = 16, 3
"""px around such a place, and heights of it at its two ends."""
_CHOSEN, _LOOSE = 0.5, 2
"""Share of a place from which it is looked at with others; and how much larger than they the look at several may be."""

Part = tuple[slice, slice]
"""Rows and columns."""


def areas_of(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> list[Part]:
    """Rows and columns around cells, with a cell more on each side: the line finder needs to see where a line ends.

    Parts may cut through what belongs together, and then overlap: what was seen in them is laid together.
    """
    rows, columns = shape[:2]
    return [
        (slice(max(0, top - 1) * CELL, min((bottom + 1) * CELL, rows)),
         slice(max(0, left - 1) * CELL, min((right + 1) * CELL, columns)))
        for top, left, bottom, right in _rectangles(cells)
    ]  # fmt: skip


def _rectangles(cells: NDArray[np.bool_]) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, bottom and right of rectangles around all cells, cut in two for as long as that saves work."""
    waiting = [(0, 0, cells)]
    while waiting:
        top, left, part = waiting.pop()
        down, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        if not down.size:
            continue
        top, left = top + int(down[0]), left + int(across[0])
        part = part[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        height, width = part.shape
        whole = (height + 2) * (width + 2)
        cuts = [(cost, at, turned) for turned in (False, True) for cost, at in _best_cut(part.T if turned else part)]
        cost, at, turned = min(cuts, default=(whole, 0, False))
        if cost + _ONE_MORE >= whole:
            yield top, left, top + height, left + width
        elif turned:
            waiting += [(top, left, part[:at]), (top + at, left, part[at:])]
        else:
            waiting += [(top, left, part[:, :at]), (top, left + at, part[:, at:])]


def _best_cut(part: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Cells that are looked at if a part is cut before a column, and that column: the cheapest, if there are two."""
    if part.shape[1] > 1:
        costs = _costs(part) + _costs(part[:, ::-1])[::-1]
        at = int(costs.argmin())
        yield int(costs[at]), at + 1


def _costs(part: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells that are looked at of what lies left of each column but the first."""
    seen = np.maximum.accumulate(part, axis=1)[:, :-1]
    heights = len(part) - seen.argmax(axis=0) - seen[::-1].argmax(axis=0)
    filled = np.where(part.any(axis=0), np.arange(part.shape[1]), 0)
    return (heights + 2) * (np.maximum.accumulate(filled)[:-1] + 3)


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
