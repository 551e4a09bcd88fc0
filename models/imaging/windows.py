"""From quantitative values to what an eye sees: the VOI window or curve, and one where the source has none.

Knows nothing of files.
"""

import numpy as np
from numpy.typing import NDArray

from models.imaging.lookup import Lookup
from models.imaging.png import Stored
from schemas.images import Window

_LOW, _HIGH = 0.01, 0.995
"""Share of pixels below black and below white: air and a few bright pixels must not flatten the rest."""
_CURVE_TOLERANCE = 0.25 / 255
_MOST_POINTS = 256


def render(values: NDArray[np.float32], window: Window, inverted: bool = False) -> NDArray[np.uint8]:
    """The view of quantitative values: uint8, same shape, 0 black.

    The linear function of DICOM PS3.3 C.11.2.1.2.1, or the window's curve; `inverted` (MONOCHROME1) shows low values
    bright. RGB has a window of its whole range, which passes 8 bits through unchanged.
    """
    if window.curve is not None:
        at, brightness = np.array(window.curve).T
        # By a table of 2¹⁶ steps: interpolating at each pixel takes ten times as long.
        steps = np.rint(np.interp(np.linspace(at[0], at[-1], 2**16), at, brightness * 255))
        scale = (2**16 - 1) / (at[-1] - at[0])
        shown = steps[np.clip(np.rint((values - at[0]) * scale), 0, 2**16 - 1).astype(np.intp)]
    elif window.width <= 1:
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


def sigmoid(center: float, width: float) -> Window:
    """The SIGMOID function (C.11.2.1.3.1), within a quarter of a grey level."""
    at = np.linspace(center - 2 * width, center + 2 * width, 257)
    curve = _simplified(at, 1 / (1 + np.exp(-4 * (at - center) / width)))
    return Window(center=center, width=width, source="header", curve=curve)


def from_lookup(lookup: Lookup) -> Window | None:
    """A VOI LUT as a curve, within a quarter of a grey level; None where its entries are all alike.

    The window beside it spans the values between which the brightness changes.
    """
    brightness = lookup.entries / (2**lookup.bits - 1)
    changes = np.flatnonzero(np.diff(lookup.entries.astype(np.int32)))
    if not changes.size:
        return None
    curve = _simplified(lookup.first + np.arange(lookup.entries.size, dtype=np.float64), brightness)
    low, high = (float(lookup.first + bound) for bound in (changes[0], changes[-1] + 1))
    return span(low, high, "header").model_copy(update={"curve": curve})


def _simplified(at: NDArray[np.float64], brightness: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    """The points that must stay for straight lines between them to miss none by more (Ramer, Douglas and Peucker).

    A table that jumps up and down keeps _MOST_POINTS at most, and is missed by more.
    """
    tolerance = _CURVE_TOLERANCE
    while True:
        kept, open_spans = [0], [(0, at.size - 1)]
        while open_spans and len(kept) < _MOST_POINTS:
            start, end = open_spans.pop()
            line = np.interp(at[start : end + 1], at[[start, end]], brightness[[start, end]])
            missed = np.abs(brightness[start : end + 1] - line)
            worst = start + int(missed.argmax())
            if missed.max() > tolerance:
                open_spans += [(worst, end), (start, worst)]
            else:
                kept.append(end)
        if not open_spans:
            return tuple((float(at[index]), float(np.clip(brightness[index], 0, 1))) for index in kept)
        tolerance *= 2


def shows_something(window: Window, low: float, high: float) -> bool:
    """Whether values from `low` to `high` are not all black or all white."""
    if window.curve is not None:
        at, brightness = np.array(window.curve).T
        inner = brightness[(at > low) & (at < high)]
        shown = np.concatenate([np.interp((low, high), at, brightness), inner])
        return low == high or bool(shown.max() > 1 / 255 and shown.min() < 254 / 255)
    edge = window.center - 0.5
    half = (window.width - 1) / 2
    return low <= edge + half and high >= edge - half if low < high else True


def of_picture(
    stored: Stored, slope: float = 1.0, intercept: float = 0.0, known: NDArray[np.bool_] | None = None
) -> Window:
    """The window of an image that brings none: its whole range where it is coloured or of 8 bits, else percentiles."""
    if stored.ndim == 3 or (stored.dtype.itemsize == 1 and (slope, intercept) == (1, 0)):
        return span(0, 2 ** (8 * stored.dtype.itemsize) - 1, "full range")
    return from_values(stored, slope, intercept, known)


def from_values(stored: Stored, slope: float, intercept: float, known: NDArray[np.bool_] | None = None) -> Window:
    """A window from percentiles of the values, or of the whole range where they coincide.

    Args:
        stored: (rows, columns).
        slope: of the values; may be negative.
        intercept: of the values.
        known: same shape: which pixels have a value; None: all. The others are not counted.
    """
    counts = np.bincount(stored.ravel() if known is None else stored[known], minlength=1)
    below = np.cumsum(counts)
    if not below[-1]:
        return span(intercept, intercept + abs(slope), "full range")
    bounds = np.searchsorted(below, np.array((_LOW, _HIGH)) * below[-1])
    source = "percentiles"
    if bounds[0] == bounds[1]:
        bounds, source = np.flatnonzero(counts)[[0, -1]], "full range"
    low, high = sorted(float(bound) * slope + intercept for bound in bounds)
    return span(low, high, source)
