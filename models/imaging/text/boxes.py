"""Boxes around lines of text, and how they lie to each other. Knows no pictures and no model."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_SAME_PLACE = 0.3
"""Of a sign, that may lie within another that stands beside it."""


class Box(NamedTuple):
    """Pixels that hold text. `right` and `bottom` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int
    score: float
    """How sure it is that this is text, 0 to 1."""

    @property
    def height(self) -> int:
        """Of the line, whichever way it runs, px; at least 1."""
        return max(1, min(self.right - self.left, self.bottom - self.top))

    @property
    def length(self) -> int:
        """Of the line, px."""
        return max(self.right - self.left, self.bottom - self.top)

    @property
    def turned(self) -> bool:
        """Whether the line runs up or down."""
        return self.bottom - self.top > self.right - self.left

    def grown(self, margin: float, shape: tuple[int, ...], *, ends: float | None = None) -> "Box":
        """With so many px on each side, others at the two ends if so, within a picture of `shape` (rows, columns)."""
        across = down = round(margin)
        if ends is not None:
            across, down = (across, round(ends)) if self.turned else (round(ends), down)
        return Box(
            max(0, self.left - across),
            max(0, self.top - down),
            min(shape[1], self.right + across),
            min(shape[0], self.bottom + down),
            self.score,
        )

    def transposed(self) -> "Box":
        """With rows and columns exchanged."""
        return Box(self.top, self.left, self.bottom, self.right, self.score)


def around(boxes: Sequence[Box]) -> Box:
    """The least box that holds all of them, at least one, with the score of the first."""
    lefts, tops, rights, bottoms, scores = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms), scores[0])


def painted(boxes: Iterable[Box], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """True where a box is, over a picture of `shape` (rows, columns)."""
    inside = np.zeros(shape[:2], bool)
    for left, top, right, bottom, _ in boxes:
        inside[top:bottom, left:right] = True
    return inside


def share_within(box: Box, others: Iterable[Box]) -> float:
    """Of a box, how much the others cover: 0 to 1."""
    inside = np.zeros((box.bottom - box.top, box.right - box.left), bool)
    for left, top, right, bottom, _ in others:
        rows, columns = (max(0, top - box.top), bottom - box.top), (max(0, left - box.left), right - box.left)
        if rows[1] > 0 and columns[1] > 0:
            inside[slice(*rows), slice(*columns)] = True
    return float(inside.mean()) if inside.size else 0.0


def continues(line: Box, other: Box) -> bool:
    """Whether `other` goes on in the same line: of about its height, level with it, less than 1.5 heights away."""
    return _goes_on(line.transposed(), other.transposed()) if line.turned else _goes_on(line, other)


def beside(sign: Box, other: Box) -> bool:
    """The same of a single sign, which runs neither way, and is not the same place as another look at it found."""
    if max(share_within(sign, [other]), share_within(other, [sign])) > _SAME_PLACE:
        return False
    return _goes_on(sign, other) or _goes_on(sign.transposed(), other.transposed())


def _goes_on(line: Box, other: Box) -> bool:
    tall, low = line.bottom - line.top, other.bottom - other.top
    shared = min(line.bottom, other.bottom) - max(line.top, other.top)
    gap = max(other.left - line.right, line.left - other.right)
    return max(tall, low) <= 1.7 * min(tall, low) and shared >= 0.6 * min(tall, low) and gap <= 1.5 * tall


def joined(boxes: list[Box]) -> list[Box]:
    """Those, and what lies between two that stand in one line, less than their height apart: letters were missed."""
    between = _gaps([box for box in boxes if box.right - box.left >= 0.7 * (box.bottom - box.top)])
    turned = [box.transposed() for box in boxes if box.bottom - box.top >= 0.7 * (box.right - box.left)]
    return boxes + between + [box.transposed() for box in _gaps(turned)]


def _gaps(boxes: list[Box]) -> list[Box]:
    """What lies between neighbours in a horizontal line."""
    found: list[Box] = []
    along = sorted(boxes)
    for number, a in enumerate(along):
        for b in along[number + 1 :]:
            heights = sorted((a.bottom - a.top, b.bottom - b.top))
            shared = min(a.bottom, b.bottom) - max(a.top, b.top)
            if 0 < b.left - a.right <= heights[0] and shared >= 0.6 * heights[1]:
                top, bottom = min(a.top, b.top), max(a.bottom, b.bottom)
                found.append(Box(a.right, top, b.left, bottom, min(a.score, b.score)))
    return found


def distinct(boxes: Iterable[Box]) -> list[Box]:
    """Without those that lie within another of the same or a higher score."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box.score, box)):
        inside = any(
            o.left <= box.left and o.top <= box.top and o.right >= box.right and o.bottom >= box.bottom for o in kept
        )
        if not inside and box.right > box.left and box.bottom > box.top:
            kept.append(box)
    return kept
