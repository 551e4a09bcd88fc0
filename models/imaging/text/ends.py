"""Where does a line that was read end? The line finder loses faint letters at its ends, and reading tells them.

Knows nothing of how lines are found.
"""

import cv2
import numpy as np

from models.imaging.text.boxes import Box
from models.imaging.text.reader import read
from models.imaging.text.strokes import LEAST, Picture, strokes_of

_REACH, _BACK = 1.6, 2.5
"""Heights of the line: how far beyond its end is read at once, together with so much of the line itself."""
_NORMAL = 24
"""px, to which the line is resized to look for strokes: those of letters are thin then."""
_AS_STRONG = 0.5
"""Of the contrast of the line's strokes: fainter ones beyond its end are not of the line."""
_READ = 0.7
"""Score of a sign that goes on in a line."""
_HALF = 0.55
"""Of a sign, heights, and what is uncertain in where its middle was read."""
_TALLER = 0.3
"""Heights, by which what goes on may stand out above and below."""
_TIMES = 4
"""That a line is followed at either end."""


def ends_of(picture: Picture, box: Box, turns: int) -> list[Box]:
    """What goes on at the ends of a line, as far as it can be read; none, one or two boxes.

    Args:
        picture: (rows, columns) or (rows, columns, 3).
        box: a line that was read in it.
        turns: quarter turns to the left, by which the picture is turned for the line to run from left to right.
    """
    upright, line = np.rot90(picture, turns), turned(box, turns, picture.shape)
    left, right = line.left, line.right
    for _ in range(_TIMES):
        before, right = right, _end(upright, line._replace(right=right))
        if right == before:
            break
    for _ in range(_TIMES):
        before, left = left, _start(upright, line._replace(left=left))
        if left == before:
            break
    # The line may have been low letters alone.
    tall = line.grown(_TALLER * line.height, upright.shape)
    found = [tall._replace(left=start, right=stop) for start, stop in ((left, line.left), (line.right, right))]
    return [turned(end, -turns, upright.shape) for end in found if end.left < end.right]


def turned(box: Box, turns: int, shape: tuple[int, ...]) -> Box:
    """Where a box of a picture of `shape` (rows, columns) is after so many quarter turns to the left, -1 to 1."""
    left, top, right, bottom, score = box
    rows, columns = shape[:2]
    if turns == 1:
        return Box(top, columns - right, bottom, columns - left, score)
    if turns == -1:
        return Box(rows - bottom, left, rows - top, right, score)
    return box


def _end(picture: Picture, line: Box) -> int:
    """The column at which the line ends, or that at which it was taken to end."""
    height = line.height
    # What the finder saw at an odd edge reaches a pixel beyond it.
    start = max(0, line.left, line.right - round(_BACK * height))
    stop = min(picture.shape[1], line.right + round(_REACH * height))
    places = _signs_beyond(_window(picture, line, start, stop), line.right - start)
    return min(stop, start + round(max(places) + _HALF * height)) if places else line.right


def _start(picture: Picture, line: Box) -> int:
    """The same of its first column."""
    height = line.height
    start = max(0, line.left - round(_REACH * height))
    stop = min(line.right, line.left + round(_BACK * height))
    places = _signs_beyond(_window(picture, line, start, stop), line.left - start, before=True)
    return max(start, start + round(min(places) - _HALF * height)) if places else line.left


def _window(picture: Picture, line: Box, start: int, stop: int) -> Picture:
    margin = max(1, round(0.15 * line.height))
    return np.ascontiguousarray(picture[max(0, line.top - margin) : line.bottom + margin, start:stop])


def _signs_beyond(window: Picture, end: int, *, before: bool = False) -> list[float]:
    """Middles of the signs that are read beyond (or before) a column of a part of a line, px from its left.

    Nothing is read where no strokes go on.
    """
    rows, columns = window.shape[:2]
    scale = _NORMAL / rows
    small = cv2.resize(window, (max(1, round(columns * scale)), _NORMAL), interpolation=cv2.INTER_AREA)
    strokes, at = strokes_of(np.asarray(small, np.uint8)), round(end * scale)
    inside, beyond = (strokes[:, at:], strokes[:, :at]) if before else (strokes[:, :at], strokes[:, at:])
    if not inside.size or not beyond.size:
        return []
    contrast = _AS_STRONG * float(np.percentile(inside, 95))
    if np.count_nonzero(beyond > contrast) < LEAST:
        return []
    reading = read(window)
    middles = [(place * columns, score) for place, score in zip(reading.places, reading.scores, strict=True)]
    if not any((place > end) if before else (place < end) for place, _ in middles):
        return []
    return [place for place, score in middles if score >= _READ and ((place < end) if before else (place > end))]
