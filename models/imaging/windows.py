"""From quantitative values to what an eye sees: the linear VOI window, and one where the source has none.

Knows nothing of files.
"""

import numpy as np
from numpy.typing import NDArray

from models.imaging.png import Stored
from schemas.images import Window

_LOW, _HIGH = 0.01, 0.995
"""Share of pixels below black and below white: air and a few bright pixels must not flatten the rest."""


def render(values: NDArray[np.float32], window: Window, inverted: bool = False) -> NDArray[np.uint8]:
    """The view of quantitative values: uint8, same shape, 0 black.

    The linear function of DICOM PS3.3 C.11.2.1.2.1; `inverted` (MONOCHROME1) shows low values bright. RGB has a window
    of its whole range, which passes 8 bits through unchanged.
    """
    if window.width <= 1:
        shown = np.where(values > window.center - 0.5, np.float32(255), np.float32(0))
    else:
        scale = 255 / (window.width - 1)
        shown = values * np.float32(scale) + np.float32(127.5 - (window.center - 0.5) * scale)
        np.clip(np.rint(shown, out=shown), 0, 255, out=shown)
    view = shown.astype(np.uint8)
    return np.bitwise_not(view) if inverted else view


def span(low: float, high: float, source: str) -> Window:
    """The window that shows `low` black and `high` white: C.11.2.1.2.1 solved for centre and width."""
    return Window.model_validate({"center": (low + high) / 2 + 0.5, "width": high - low + 1, "source": source})


def from_header(center: float, width: float, exact: bool) -> Window | None:
    """A header's window. LINEAR_EXACT (C.11.2.1.2.1.3) becomes the linear window of the same effect.

    A LINEAR width below 1 is illegal; its writers meant the exact function.
    """
    if width <= 0:
        return None
    if exact or width < 1:
        center, width = center + 0.5, width + 1
    return Window(center=center, width=width, source="header")


def shows_something(window: Window, low: float, high: float) -> bool:
    """Whether values from `low` to `high` are not all black or all white."""
    edge = window.center - 0.5
    half = (window.width - 1) / 2
    return low <= edge + half and high >= edge - half if low < high else True


def of_picture(stored: Stored, slope: float = 1.0, intercept: float = 0.0) -> Window:
    """The window of an image that brings none: its whole range where it is coloured or of 8 bits, else percentiles."""
    if stored.ndim == 3 or (stored.dtype.itemsize == 1 and (slope, intercept) == (1, 0)):
        return span(0, 2 ** (8 * stored.dtype.itemsize) - 1, "full range")
    return from_values(stored, slope, intercept, None)


def from_values(stored: Stored, slope: float, intercept: float, padding: tuple[int, int] | None) -> Window:
    """A window from percentiles of the values, or of the whole range where they coincide.

    Args:
        stored: (rows, columns).
        slope: of the values; may be negative.
        intercept: of the values.
        padding: lowest and highest stored value that mean "no pixel"; those are not counted.
    """
    counts = np.bincount(stored.ravel(), minlength=1)
    if padding is not None:
        counts[max(padding[0], 0) : max(padding[1] + 1, 0)] = 0
    below = np.cumsum(counts)
    if not below[-1]:
        return span(intercept, intercept + abs(slope), "full range")
    bounds = np.searchsorted(below, np.array((_LOW, _HIGH)) * below[-1])
    source = "percentiles"
    if bounds[0] == bounds[1]:
        bounds, source = np.flatnonzero(counts)[[0, -1]], "full range"
    low, high = sorted(float(bound) * slope + intercept for bound in bounds)
    return span(low, high, source)
