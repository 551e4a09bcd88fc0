"""Is a line that was found text? It is if it can be read, twice the same where few characters are read.

Knows nothing of how lines are found.
"""

import itertools
from typing import NamedTuple

import numpy as np

from models.imaging.text.boxes import Box
from models.imaging.text.reader import MOST_PIECES, Reading, pieces_of, read
from models.imaging.text.strokes import Picture

CERTAIN = 0.6
"""Score from which a box is text; below, the policy decides."""
_MARGINS = (0.15, 0.35, 0.05)
"""Of the height, around a line that is read; the others where it is read again."""
TELLING = frozenset("ABDEFGHKLMNPRTWXYZ23456789")
"""Signs that count where they stand alone: rings, hooks and bars are in every picture."""
_PLAIN, _SURE, _SURER = 0.5, 0.8, 0.88
"""Scores of the line finder: below the first, more must be read; from the second, two signs may be text, from the third
one."""
_MANY = 6, 5
"""So many signs, so many of them different, are text at a lower score."""
_COMBS = frozenset("ilt1mnuwh")
"""What rulers are read as."""
_BEYOND_DOUBT = 4, 0.9
"""Signs, and score, from which no more of a line is read."""
_LEGIBLE = 0.3
"""Score of a sign, from which so much is read in the first piece of a line that the next is read, too."""
_FEW = 0.74
"""Score, at most, of one or two signs: too few to follow the line that they may begin."""
_PROMISING = 0.4
"""Score of what is read of a sign the wrong way round, at least."""
_SQUARE = 1.6
"""Length by height of a box up to which it could hold one sign, also mirrored, as on a film that was turned over."""
_TWO, _TWO_APART = 4.0, 5.5
"""Length by height up to which two signs could be all that a box holds; and where they are as clear as signs can be."""
_CLEAR = 0.95
"""Of the line finder and of the reading: such signs."""
_WEAK = 0.6
"""Of the line finder, from which a sign that is read clearly counts beside another."""
_THREE = 1.4
"""Length by height from which a box could hold three signs."""


class Proof(NamedTuple):
    """What reading a box proves."""

    score: float
    """How sure it is that it holds text, 0 where it does not."""
    sign: str = ""
    """The one sign that was read in it clearly, if so: with another beside it, both are text."""
    turns: int = 0
    """Quarter turns to the left, by which the picture is turned for the line to run from left to right."""


def proved(picture: Picture, box: Box) -> Proof:
    """Read a box of a picture that the line finder saw."""
    length = box.length / box.height
    if box.score < _SURE and length < _THREE:
        return Proof(0.0)
    line = _Line(picture, box)
    way, best = line.best(_MARGINS[0])
    if _tells(best, box.score):
        return Proof(best.score, turns=way.turns)
    count = len(best.characters)
    sign = best.characters if count == 1 and best.score >= 0.9 and box.score >= _WEAK else ""
    if box.score < _SURE:
        return Proof(0.0, sign, way.turns)
    clear = min(best.score, box.score) >= _CLEAR
    if count == 2 and best.score >= 0.8 and length <= (_TWO_APART if clear else _TWO):
        again = (line.best(margin)[1] for margin in _MARGINS[1:])
        same = any(one.characters == best.characters and one.score >= 0.8 for one in again)
        return Proof(_FEW * best.score if same else 0.0)
    alone = length <= _SQUARE and box.score >= _SURER and line.stands_alone()
    return Proof(_FEW if alone else 0.0, sign, way.turns)


def is_sign(picture: Picture, box: Box) -> bool:
    """Whether one sign is read clearly in a box of which the line finder is less sure than `proved` asks for."""
    if box.score < _WEAK or box.length > _THREE * box.height:
        return False
    best = _Line(picture, box).best(_MARGINS[0])[1]
    return len(best.characters) == 1 and best.score >= 0.9


def _tells(reading: Reading, finder: float) -> bool:
    """Whether so much was read that it is text."""
    count, score, distinct = len(reading.characters), reading.score, set(reading.characters.lower())
    if distinct <= _COMBS:
        return count >= 3 and score >= 0.95
    if count >= _MANY[0] and len(distinct) >= _MANY[1]:
        return score >= 0.6
    return count >= 3 and score >= (0.75 if finder >= _PLAIN else 0.9)


class _Line:
    """The readings of a box, each made once."""

    def __init__(self, picture: Picture, box: Box) -> None:
        self._picture, self._box = picture, box
        self._read: dict[tuple[float, _Way, int], Reading] = {}

    def best(self, margin: float) -> tuple["_Way", Reading]:
        """Of the ways in which it could run, and what is read so, no further than it is beyond doubt."""
        rows, columns = self._part(margin).shape[:2]
        ways = [_UPRIGHT] if columns >= 0.8 * rows else []
        ways += [_UP, _DOWN] if rows >= 0.8 * columns else []
        found = dict.fromkeys(ways, Reading("", ()))
        for number in range(MOST_PIECES):
            for way in ways:
                found[way] += self._piece(margin, way, number)
                if len(found[way].characters) >= _BEYOND_DOUBT[0] and found[way].score >= _BEYOND_DOUBT[1]:
                    return way, found[way]
            if max(itertools.chain(*(reading.scores for reading in found.values())), default=0.0) < _LEGIBLE:
                break
        return max(found.items(), key=lambda item: sum(item[1].scores))

    def stands_alone(self) -> bool:
        """Whether one sign is read there, the same at each margin, in one of the ways that a film can lie."""
        ways = (_UPRIGHT, _UP, _DOWN)
        if any(self._same_sign(way) for way in ways):
            return True
        # Of a letter that is turned over something is read; of rings, edges and highlights next to nothing.
        promising = any(self._piece(_MARGINS[0], way).score >= _PROMISING for way in ways)
        return promising and any(self._same_sign(way) for way in (_MIRRORED, _OVER))

    def _same_sign(self, way: "_Way") -> bool:
        first = self._piece(_MARGINS[0], way)
        if first.characters not in TELLING or first.score < 0.9:
            return False
        others = (self._piece(margin, way) for margin in _MARGINS[1:])
        return all(one.characters == first.characters and one.score >= 0.8 for one in others)

    def _piece(self, margin: float, way: "_Way", number: int = 0) -> Reading:
        key = (margin, way, number)
        if key not in self._read:
            part = np.rot90(self._part(margin), way.turns)
            pieces = pieces_of(np.fliplr(part) if way.mirrored else part)
            self._read[key] = read(pieces[number], self._box) if number < len(pieces) else Reading("", ())
        return self._read[key]

    def _part(self, margin: float) -> Picture:
        left, top, right, bottom, _ = self._box.grown(max(1.0, margin * self._box.height), self._picture.shape)
        return self._picture[top:bottom, left:right]


class _Way(NamedTuple):
    """How a line is turned before it is read: quarter turns to the left, then left and right exchanged."""

    turns: int
    mirrored: bool = False


_UPRIGHT, _DOWN, _UP, _MIRRORED, _OVER = _Way(0), _Way(1), _Way(-1), _Way(0, True), _Way(2, True)
