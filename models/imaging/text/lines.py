"""Where in a picture could lines of text be? A small convolutional network, trained on drawn text alone (README.md).

It answers for each 2 × 2 px whether they belong to a line, and whether they belong to the middle of its height, which
keeps lines apart. Knows nothing of what is written.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box
from models.imaging.text.graphs import for_grey
from models.imaging.text.strokes import Picture
from models.imaging.text.weights import FINDER, session_of

FAINTEST, _LIKELY = 0.2, 0.5
"""Scores at which what holds together is taken for a line: at the first, only if no part of it reaches the second."""
_UNSURE, _LOW = (0.12, 0.9), 12
"""Scores between which a place is worth another look, magnified; and the height of the middle of a line there, px."""
_WITHIN = 0.3
"""Least share of a line's length, or height, that must belong to it where it is drawn wider."""
_MULTIPLE = 8
"""The network halves its input three times."""
TALLEST = 26
"""Of the middle of a line that is told in its own size, px. What is taller is told reduced."""

Map = NDArray[np.float32]
_Part = tuple[int, int, int, int, float]
"""Left, top, width, height, and highest score, in px of the map."""


@lru_cache(maxsize=2)
def _session(channels: int) -> Any:
    """Loaded by the first picture of one or three channels that is looked at, and by no other."""
    model = FINDER.read_bytes()
    return session_of(for_grey(model) if channels == 1 else model)


def scores_of(picture: Picture) -> tuple[Map, Map]:
    """For each 2 × 2 px of a picture, how sure it is that they belong to a line, and to its middle; 0 to 1."""
    rows, columns = picture.shape[:2]
    channels = picture[..., None] if picture.ndim == 2 else picture
    padded = np.pad(channels, ((0, -rows % _MULTIPLE), (0, -columns % _MULTIPLE), (0, 0)), mode="edge")
    (answers,) = _session(padded.shape[2]).run(None, {"picture": padded[None]})
    whole, middle = answers[0, :, : -(-rows // 2), : -(-columns // 2)]
    return whole, middle


def lines_of(whole: Map, middle: Map) -> Iterator[Box]:
    """Lines, in px of the picture: tight around their glyphs, as far as 2 px tell.

    What holds together is one line. Where it is taller than a line can be, several touch: then each bar of it is one.
    """
    for x, y, width, height, score in _parts(middle >= _LIKELY, middle):
        if 2 * min(width, height) <= TALLEST:
            yield _line(whole, x, y, width, height, score)
        else:
            place = np.s_[y : y + height, x : x + width]
            for left, top, across, down, best in _bars(middle[place]):
                yield _line(whole, x + left, y + top, across, down, best)
    for x, y, width, height, score in _parts(middle >= FAINTEST, middle):
        if score < _LIKELY:
            yield _line(whole, x, y, width, height, score)


def unsure_of(middle: Map) -> Iterator[Box]:
    """Where something low is a little like a line, or more so, and not surely one, in px of the picture."""
    for x, y, width, height, score in _parts(middle >= _UNSURE[0], middle):
        if score < _UNSURE[1] and 2 * min(width, height) <= _LOW:
            yield Box(2 * x, 2 * y, 2 * (x + width), 2 * (y + height), score)


def _bars(middle: Map) -> Iterator[_Part]:
    """What is thrice as long as it is thick, across or down."""
    joined = (middle >= _LIKELY).astype(np.uint8)
    thickness = 2 * float(cv2.distanceTransform(joined, cv2.DIST_C, 3).max()) - 1
    length = max(2, round(3 * thickness))
    for kernel in (np.ones((1, length), np.uint8), np.ones((length, 1), np.uint8)):
        yield from _parts(cv2.morphologyEx(joined, cv2.MORPH_OPEN, kernel) > 0, middle)


def _parts(chosen: NDArray[np.bool_], middle: Map) -> Iterator[_Part]:
    """What holds together."""
    found, labels, extents, _ = cv2.connectedComponentsWithStats(chosen.astype(np.uint8), connectivity=8)
    for label in range(1, found):
        x, y, width, height, _ = extents[label].tolist()
        place = np.s_[y : y + height, x : x + width]
        score = float(middle[place][labels[place] == label].max())
        yield x, y, width, height, min(score, 1.0)


def _line(whole: Map, x: int, y: int, width: int, height: int, score: float) -> Box:
    if width >= height:
        left, top, right, bottom = _widened(whole, x, y, x + width, y + height)
    else:
        top, left, bottom, right = _widened(whole.T, y, x, y + height, x + width)
    return Box(2 * left, 2 * top, 2 * right, 2 * bottom, score)


def _widened(whole: Map, left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
    """The middle of a horizontal line, with what is above, below and at its ends of it."""
    height = bottom - top
    up, down = max(0, top - height - 1), min(whole.shape[0], bottom + height + 1)
    rows = (whole[up:down, left:right] >= 0.5).mean(axis=1) >= _WITHIN
    top -= _run(rows[: top - up][::-1])
    bottom += _run(rows[bottom - up :])
    before, after = max(0, left - height - 1), min(whole.shape[1], right + height + 1)
    columns = (whole[top:bottom, before:after] >= 0.5).mean(axis=0) >= _WITHIN
    return left - _run(columns[: left - before][::-1]), top, right + _run(columns[right - before :]), bottom


def _run(flags: NDArray[np.bool_]) -> int:
    """How many are true before the first that is not."""
    return int(flags.argmin()) if not flags.all() else flags.size
