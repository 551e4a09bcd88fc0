"""Is a line that was found text? It is if it can be read, twice the same where few characters are read.

Knows nothing of how lines are found.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from models.imaging.text.boxes import Box
from models.imaging.text.reader import Reading, read
from models.imaging.text.strokes import Picture

CERTAIN = 0.6
"""Score from which a box is text; below, the policy decides."""
_MARGINS = (0.15, 0.35, 0.05)
"""Of the height, around a line that is read; the others where it is read again."""
_TELLING = frozenset("ABDEFGHKLMNPRTWXYZ23456789")
"""Signs that count where they stand alone: rings, hooks and bars are in every picture."""
_PLAIN, _SURE = 0.5, 0.8
"""Scores of the line finder: below the first, more must be read; from the second, one or two signs may be text."""
_FEW = 0.74
"""Score, at most, of one or two signs: too few to follow the line that they may begin."""
_SQUARE = 1.6
"""Length by height of a box up to which it could hold one sign, also mirrored, as on a film that was turned over."""


class Proof(NamedTuple):
    """What reading a box proves."""

    score: float
    """How sure it is that it holds text, 0 where it does not."""
    sign: bool = False
    """Whether one sign was read in it clearly: with another beside it, both are text."""


def proved(picture: Picture, box: Box) -> Proof:
    """Read a box of a picture that the line finder saw."""
    best = max(_readings(picture, box, _MARGINS[0]), key=_weight)
    count, score = len(best.characters), best.score
    if count >= 3 and score >= (0.75 if box.score >= _PLAIN else 0.9):
        return Proof(score)
    if box.score < _SURE:
        return Proof(0.0)
    if count == 2 and score >= 0.8:
        again = [max(_readings(picture, box, margin), key=_weight) for margin in _MARGINS[1:]]
        return Proof(_FEW * score if any(one.characters == best.characters for one in again) else 0.0)
    short = max(box.right - box.left, box.bottom - box.top) <= _SQUARE * box.height
    alone = short and _stands_alone(picture, box)
    return Proof(_FEW if alone else 0.0, sign=count == 1 and score >= 0.9)


def _stands_alone(picture: Picture, box: Box) -> bool:
    """Whether one sign is read there, the same at each margin, in one of the ways that a film can lie."""
    pictures = [_cut(picture, box, margin) for margin in _MARGINS]
    for way in (
        lambda part: part,
        np.fliplr,
        np.flipud,
        lambda part: np.rot90(part, 1),
        lambda part: np.rot90(part, -1),
    ):
        told = [read(np.ascontiguousarray(way(pictures[0])))]
        if told[0].characters in _TELLING and told[0].score >= 0.9:
            told += [read(np.ascontiguousarray(way(part))) for part in pictures[1:]]
            if all(one.characters == told[0].characters and one.score >= 0.8 for one in told):
                return True
    return False


def _weight(reading: Reading) -> float:
    return sum(reading.scores)


def _readings(picture: Picture, box: Box, margin: float) -> Iterator[Reading]:
    part = _cut(picture, box, margin)
    rows, columns = part.shape[:2]
    if columns >= 0.8 * rows:
        yield read(part)
    if rows >= 0.8 * columns:
        yield read(np.rot90(part, -1))
        yield read(np.rot90(part, 1))


def _cut(picture: Picture, box: Box, margin: float) -> Picture:
    left, top, right, bottom, _ = box.grown(max(1.0, margin * box.height), picture.shape)
    return picture[top:bottom, left:right]
