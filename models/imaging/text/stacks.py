"""Lines that stand so close beneath each other that the finder takes them for one block: where each of them is.

Small screens have columns of such: index over value over index. Knows nothing of what is written.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.text.boxes import Box
from models.imaging.text.strokes import Picture

LOWEST, TALLEST = 5, 16
"""px, of a line of a stack. What is taller the finder keeps apart."""
_VALLEY = 0.45
"""Of the lower one of the peaks on both sides, below which a row of px lies between two lines."""
_NEAR = 7
"""px, on both sides, in which a peak is sought."""
_FAINT = 0.15
"""Of the highest peak, below which a row of px holds no letters."""
_CONTRAST = 0.4
"""Of a line's stronger strokes, from which a column of px holds a part of a letter."""
_ALIKE = 1.7
"""Heights of two lines of a stack, at most, one by the other."""
_APART = 0.75
"""Of a line's height, from which what stands beside it is no word of it."""
_KERNEL = np.ones((5, 5), np.uint8)

_Map = NDArray[np.float32]


def stacks_in(picture: Picture, box: Box) -> Iterator[list[Box]]:
    """The lines of which a block may be made, one after the other, with the block's score: none, or in two ways.

    Args:
        picture: (rows, columns) or (rows, columns, 3).
        box: what the finder took for one line. One that is taller than wide may also be of lines that run up or down.
    """
    if lines := _stacked(picture, box):
        yield lines
    if box.turned and (lines := _stacked(np.swapaxes(picture, 0, 1), box.transposed())):
        yield [line.transposed() for line in lines]


def _stacked(picture: Picture, box: Box) -> list[Box]:
    if box.bottom - box.top < 2 * LOWEST + 1 or box.right - box.left < LOWEST:
        return []
    part = np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right])
    return max((_lines(letters, box) for letters in _letters(part)), key=len)


def _letters(part: Picture) -> Iterator[_Map]:
    """How much px stand out as bright, and as dark, letters."""
    grey = part if part.ndim == 2 else np.asarray(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), np.uint8)
    yield (grey - cv2.morphologyEx(grey, cv2.MORPH_OPEN, _KERNEL)).astype(np.float32)
    yield (cv2.morphologyEx(grey, cv2.MORPH_CLOSE, _KERNEL) - grey).astype(np.float32)


def _lines(letters: _Map, box: Box) -> list[Box]:
    profile = letters.sum(axis=1)
    lit = (profile >= _VALLEY * _between(profile)) & (profile > _FAINT * profile.max())
    found: list[Box] = []
    for start, stop in _runs(lit):
        if LOWEST <= stop - start <= TALLEST:
            left, right = _extent(letters[start:stop])
            found.append(Box(box.left + left, box.top + start, box.left + right, box.top + stop, box.score))
    tall = sorted(line.bottom - line.top for line in found)
    usual = tall[len(tall) // 2] if tall else 0
    alike = [line for line in found if 1 / _ALIKE <= (line.bottom - line.top) / usual <= _ALIKE]
    return alike if len(alike) > 1 else []


def _between(profile: _Map) -> _Map:
    """Of each row of px, the lower one of the highest before and the highest behind it; 0 at the ends."""
    padded = np.pad(profile, _NEAR)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _NEAR).max(axis=1)
    return np.minimum(windows[: len(profile)], windows[_NEAR + 1 :])


def _runs(lit: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where what is true begins and ends."""
    steps = np.flatnonzero(np.diff(np.pad(lit.astype(np.int8), 1)))
    yield from zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True)


def _extent(line: _Map) -> tuple[int, int]:
    """The columns between which a line's letters stand, without what is further from them than words are apart."""
    strong = line.max(axis=0) > _CONTRAST * np.percentile(line, 95)
    pieces: list[tuple[int, int]] = []
    for start, stop in _runs(strong):
        if pieces and start - pieces[-1][1] <= _APART * line.shape[0]:
            pieces[-1] = pieces[-1][0], stop
        else:
            pieces.append((start, stop))
    return max(pieces, key=lambda piece: piece[1] - piece[0], default=(0, line.shape[1]))
