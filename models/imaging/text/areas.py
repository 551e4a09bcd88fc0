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
_FILLED, _MOST_BARS = 0.5, 100
"""Share of the rectangle around a blob of cells from which it is looked at as one; and bars of cells, at most, that are
joined to rectangles: of more this would cost more than it saves."""
_WORTH_IT = 0.75
"""Share of what is looked at else, below which the parts are those of joined bars: at their many edges the finder sees
more that is none, which is then read."""
_CHOSEN, _LOOSE = 0.5, 2
"""Share of a place from which it is looked at with others; and how much larger than they the look at several may be."""

Part = tuple[slice, slice]
"""Rows and columns."""


def areas_of(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> list[Part]:
    """Rows and columns around cells, with a cell more on each side: the line finder needs to see where a line ends.

    Parts may cut through what belongs together, and then overlap: what was seen in them is laid together.
    """
    whole = [_around(one, shape) for one in _rectangles(cells)]
    if cells.mean() >= _FILLED:
        return whole
    apart = [_around(one, shape) for group in _groups(cells) for one in _rectangles(group)]
    return apart if _pixels(apart) < _WORTH_IT * _pixels(whole) else whole


def _around(cells: tuple[int, int, int, int], shape: tuple[int, ...]) -> Part:
    top, left, bottom, right = cells
    return (
        slice(max(0, top - 1) * CELL, min((bottom + 1) * CELL, shape[0])),
        slice(max(0, left - 1) * CELL, min((right + 1) * CELL, shape[1])),
    )


def _pixels(parts: Sequence[Part]) -> int:
    """That are looked at; and what it costs to look at so many parts."""
    each = _ONE_MORE * CELL**2
    return sum((rows.stop - rows.start) * (columns.stop - columns.start) + each for rows, columns in parts)


def _groups(cells: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """Cells that are looked at together, over the whole picture: text stands in its corners, and frames run around it.

    Of bars of cells, the two that save most by it are joined for as long as any do.
    """
    bars = _bars(cells)
    if len(bars) > _MOST_BARS:
        yield cells
        return
    around = bars.copy()
    groups = [[number] for number in range(len(bars))]
    saved = np.stack([_saved(around, number) for number in range(len(bars))]) if len(bars) else np.zeros((0, 0))
    while len(groups) > 1 and saved.max() >= 0:
        first, second = sorted(int(at) for at in np.unravel_index(saved.argmax(), saved.shape))
        around[first, :2] = np.minimum(around[first, :2], around[second, :2])
        around[first, 2:] = np.maximum(around[first, 2:], around[second, 2:])
        groups[first] += groups.pop(second)
        around = np.delete(around, second, axis=0)
        saved = np.delete(np.delete(saved, second, axis=0), second, axis=1)
        saved[first] = saved[:, first] = _saved(around, first)
    for group in groups:
        chosen = np.zeros_like(cells)
        for top, left, bottom, right in bars[group].tolist():
            chosen[top:bottom, left:right] = cells[top:bottom, left:right]
        yield chosen


def _saved(around: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Cells that are saved by looking at a rectangle together with each of all; less than 0 with itself."""
    corners = np.minimum(around[:, :2], around[number, :2]), np.maximum(around[:, 2:], around[number, 2:])
    apart = _looked_at(around[:, :2], around[:, 2:])
    saved = apart + apart[number] + _ONE_MORE - _looked_at(*corners)
    saved[number] = -1
    return saved


def _looked_at(corner: NDArray[np.int64], opposite: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.prod(opposite - corner + 2, axis=1)


def _bars(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Top, left, bottom and right of each blob of cells; of one that leaves its rectangle empty, of its rows' runs."""
    blobs: list[tuple[int, int, int, int]] = []
    bars: list[tuple[int, int, int, int]] = []
    _, labels, extents, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
    for label, (left, top, width, height, size) in enumerate(extents[1:].tolist(), 1):
        blobs.append((top, left, top + height, left + width))
        if size >= _FILLED * width * height:
            bars.append(blobs[-1])
            continue
        blob = labels[top : top + height, left : left + width] == label
        steps = np.diff(np.pad(blob.astype(np.int8), ((0, 0), (1, 1))), axis=1)
        starts, stops = np.argwhere(steps == 1).tolist(), np.argwhere(steps == -1)[:, 1].tolist()
        bars += [
            (top + row, left + start, top + row + 1, left + stop)
            for (row, start), stop in zip(starts, stops, strict=True)
        ]
    return np.array(bars if len(bars) <= _MOST_BARS else blobs, np.int64).reshape(-1, 4)


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
