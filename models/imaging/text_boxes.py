"""Boxes around lines of text, and how they lie to each other. Knows no pictures and no model."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """Pixels that hold text. `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int
    score: float
    """The model's highest, LOWEST to 1."""


def painted(boxes: list[Box], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """True where a box is, over a picture of `shape` (rows, columns)."""
    inside = np.zeros(shape, bool)
    for left, top, right, bottom, _ in boxes:
        inside[top:bottom, left:right] = True
    return inside


def continues(line: Box, other: Box) -> bool:
    """Whether it is of about the same height and stands level with the line."""
    heights = sorted((line.bottom - line.top, other.bottom - other.top))
    shared = min(line.bottom, other.bottom) - max(line.top, other.top)
    return heights[1] <= 1.7 * heights[0] and shared >= 0.6 * heights[0]


def height_of(box: Box) -> int:
    """Of a line, whichever way it runs; at least 1."""
    return max(1, min(box.right - box.left, box.bottom - box.top))


def shrunk(box: Box, scale: float) -> Box:
    """In a picture reduced by `scale`."""
    left, top, right, bottom = (round(side * scale) for side in box[:4])
    return Box(left, top, right, bottom, box.score)


def share(seen: NDArray[np.bool_], box: Box) -> float:
    """Of a box, how much was seen: 0 to 1."""
    inside = seen[box.top : box.bottom, box.left : box.right]
    return float(inside.mean()) if inside.size else 0.0


def joined(boxes: list[Box]) -> list[Box]:
    """Those, and what lies between two that stand in one line, less than their height apart: letters were missed."""
    between = _gaps(boxes)
    between += map(transposed, _gaps([transposed(box) for box in boxes]))
    return boxes + between


def _gaps(boxes: list[Box]) -> list[Box]:
    """What lies between neighbours in a horizontal line."""
    found: list[Box] = []
    along = sorted(box for box in boxes if box.right - box.left >= 0.7 * (box.bottom - box.top))
    for number, a in enumerate(along):
        for b in along[number + 1 :]:
            heights = sorted((a.bottom - a.top, b.bottom - b.top))
            shared = min(a.bottom, b.bottom) - max(a.top, b.top)
            if 0 < b.left - a.right <= heights[0] and shared >= 0.6 * heights[1]:
                top, bottom = min(a.top, b.top), max(a.bottom, b.bottom)
                found.append(Box(a.right, top, b.left, bottom, min(a.score, b.score)))
    return found


def transposed(box: Box) -> Box:
    """With rows and columns exchanged."""
    return Box(box.top, box.left, box.bottom, box.right, box.score)


def distinct(boxes: Iterable[Box]) -> Iterator[Box]:
    """Without those that lie within another of the same or a higher score."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box.score, box)):
        inside = any(
            o.left <= box.left and o.top <= box.top and o.right >= box.right and o.bottom >= box.bottom for o in kept
        )
        if not inside and box.right > box.left and box.bottom > box.top:
            kept.append(box)
            yield box
