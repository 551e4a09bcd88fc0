"""Glyph-like strokes: thin, and of some contrast to what is on both sides. A cheap look that comes before any model."""

import cv2
import numpy as np
from numpy.typing import NDArray

CELL = 32
"""Side of the squares in which strokes are counted, px."""
CONTRASTS = (10, 16, 24, 36, 54, 80, 120)
"""At which strokes are counted, of 255; the first is the faintest that is worth a look."""
LEAST = 6
"""Pixels of strokes in a cell from which it is worth a look."""
_LEVEL = np.searchsorted(CONTRASTS, np.arange(256), side="right") - 1
"""Of each strength of a stroke, the place in CONTRASTS of the highest that it reaches; -1 for none."""
_WIDEST, _FINE = 5, 3
"""px: what is wider is no stroke, and no fine one. Larger letters have thin edges of antialiasing, and corners."""
_FINE_CONTRAST, _FINE_CONTRAST_OF_HALF, _FINE_LEAST = 28, 20, 10
"""Of fine strokes, in full and in half size, and px of them in a cell, from which they could be those of letters that a
reduced look may lose. Of 2,770 drawn letters of 8 to 16 px none of up to 12 px had fewer than 20."""

Picture = NDArray[np.uint8]
"""(rows, columns) or (rows, columns, 3)."""


def strokes_of(picture: Picture, widest: int = _WIDEST) -> NDArray[np.uint8]:
    """How much a pixel stands out, as part of something thinner than 5 px, light or dark, in brightness or in colour.

    Args:
        picture: (rows, columns) or (rows, columns, 3).
        widest: another width than 5, px.

    Returns:
        (rows, columns), 0 to 255.
    """
    kernel = np.ones((widest, widest), np.uint8)

    def standing_out(grey: Picture) -> NDArray[np.uint8]:
        opened = cv2.morphologyEx(grey, cv2.MORPH_OPEN, kernel)
        closed = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel)
        return np.maximum(grey - opened, closed - grey)

    if picture.ndim == 2:
        return standing_out(picture)
    bright = standing_out(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    first, second, third = cv2.split(picture)
    if np.array_equal(first, second) and np.array_equal(second, third):
        return bright
    colour = cv2.subtract(cv2.max(first, cv2.max(second, third)), cv2.min(first, cv2.min(second, third)))
    return np.maximum(bright, standing_out(np.asarray(colour, np.uint8)))


def counted(strokes: NDArray[np.uint8], contrast: int) -> NDArray[np.float32]:
    """Pixels of each cell with strokes of at least a contrast."""
    rows, columns = strokes.shape
    chosen = cv2.threshold(strokes, contrast - 1, 1, cv2.THRESH_BINARY)[1].astype(np.float32)
    padded = np.pad(chosen, ((0, -rows % CELL), (0, -columns % CELL)))
    shares = cv2.resize(padded, None, fx=1 / CELL, fy=1 / CELL, interpolation=cv2.INTER_AREA)
    return np.rint(shares * np.float32(CELL**2))


def counted_by_contrast(strokes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(contrasts, rows, columns): pixels of each cell with strokes of at least each; quick where few have any."""
    columns = strokes.shape[1]
    down, across = (-(-side // CELL) for side in strokes.shape)
    flat, levels = strokes.ravel(), len(CONTRASTS)
    places = np.flatnonzero(flat >= CONTRASTS[0])
    y, x = np.divmod(places, columns)
    bins = ((y // CELL) * across + x // CELL) * levels + _LEVEL[flat[places]]
    counts = np.bincount(bins, minlength=down * across * levels).reshape(down, across, levels)
    at_least = counts[..., ::-1].cumsum(axis=2)[..., ::-1]
    return np.moveaxis(at_least, 2, 0).astype(np.float32)


def worth_a_look(strokes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Of each cell, whether it has strokes that could be those of letters."""
    return counted(strokes, CONTRASTS[0]) >= LEAST


def near_fine_strokes(picture: Picture, *, half: bool = False) -> NDArray[np.bool_]:
    """Of each cell, whether it or one beside it has strokes thinner than 3 px, which a further reduced look may lose.

    Args:
        picture: (rows, columns) or (rows, columns, 3).
        half: whether it is shown in half its size, which makes the strokes of small letters fainter.
    """
    contrast = _FINE_CONTRAST_OF_HALF if half else _FINE_CONTRAST
    fine = counted(strokes_of(picture, _FINE), contrast) >= _FINE_LEAST
    return cv2.dilate(fine.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
