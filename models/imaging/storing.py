"""Samples of any type as stored values of 8 or 16 bits with a step and a base, and which of them are no values.

Knows nothing of files, nor of what the values mean.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import UnsupportedPixels
from models.imaging.png import Stored

SENTINEL = 1e30
"""Floats at least this far from 0 stand for "no value" (±FLT_MAX, -1e30 and the like): nothing is measured so large."""

_STEPS = 2**16 - 1
_SIGNED_SHIFT: dict[np.dtype[Any], int] = {np.dtype(np.int8): 2**7, np.dtype(np.int16): 2**15}
_USUAL = 16
"""Times their usual range that values may span: those within it keep 2¹⁶ / 16 = 2¹² steps."""
_RARE = 2**12
"""One in so many values, at least one at each end, may lie beyond the usual range."""
_FEW = 100
_FAR = 1024
"""Times the range of all but one in _RARE, or in _FEW, values: beyond it lies no value of the same quantity."""
_APART = 4096
"""Times the range of all others that a value which stands at the end again and again lies from them: a sentinel."""


class Fitted(NamedTuple):
    """Samples as they are stored: stored × step + base gives them back."""

    stored: Stored
    step: float
    base: float
    known: NDArray[np.bool_] | None = None
    """Which pixels have a value, same shape; None: all. The others are stored as background: see `_background`."""


def store(samples: NDArray[Any], padding: tuple[float, float] | None = None) -> Fitted:
    """Fit samples into uint8 or uint16.

    Exact for integers of up to 16 bits, signed or not, and for wider ones, and floats that are whole numbers, that span
    less than 2¹⁶; others are quantised to 65,536 steps of their range. NaN, infinities, padding and sentinels have no
    part in that range, nor have few values that lie a thousand times as far out as the others. Where one in 4,096 lies
    so far out that the others would share less than 2¹² steps, it is stored as the end of the range.

    Args:
        samples: (rows, columns); integers or floats.
        padding: lowest and highest sample that mean "no pixel". Integers of up to 16 bits keep theirs.

    Raises:
        UnsupportedPixels: not one pixel has a value.
    """
    native = samples.dtype.newbyteorder("=")
    samples = np.ascontiguousarray(samples, dtype=native)
    if native.kind == "u" and native.itemsize <= 2:
        return Fitted(samples, 1.0, 0.0)
    if shift := _SIGNED_SHIFT.get(native):
        unsigned = samples.view(np.dtype(f"u{native.itemsize}"))
        return Fitted(unsigned ^ unsigned.dtype.type(shift), 1.0, -float(shift))
    if native.kind == "f":
        # Of 16 bits none is so large.
        known = np.isfinite(samples) if native.itemsize == 2 else np.abs(samples) < SENTINEL
    else:
        known = np.ones(samples.shape, np.bool_)
    if padding is not None:
        known &= is_outside(samples, padding)
    if not known.any():
        raise UnsupportedPixels("no pixel of the frame has a value: all are padding, infinite or not numbers")
    # 64 bits of an integer do not fit a double, but no more than 2¹⁶ steps of them are kept.
    values = samples[known]
    if not _fit(values):
        low, high = _measured(values.astype(np.float64))
        known &= (samples >= low) & (samples <= high)
        values = samples[known]
    whole = _fit(values)
    low, high = (values.min().item(), values.max().item()) if whole else _usual_range(values.astype(np.float64))
    background = low if known.all() else _background(samples[~known], low, high)
    if whole and high - background >= 2**16:
        background = low
    step = 1.0 if whole else (high - background) / _STEPS or 1.0
    # Whole numbers are taken from each other as such: of 64 bits a double has but 53.
    kept = samples if whole else samples.astype(np.float64)
    first = kept.dtype.type(background)
    offset = np.where(known, np.clip(kept, kept.dtype.type(low), kept.dtype.type(high)), first) - first
    stored = np.rint(offset / step).astype(np.uint16)
    return Fitted(stored, step, float(background), None if known.all() else known)


def is_outside(samples: NDArray[Any], padding: tuple[float, float]) -> NDArray[np.bool_]:
    """Which samples are no padding, same shape."""
    return (samples < padding[0]) | (samples > padding[1])


def _background(others: NDArray[Any], low: float, high: float) -> float:
    """What pixels without a value are stored as: their own value or 0, below all values, if these keep 2¹² steps."""
    own = others[np.abs(others.astype(np.float64)) < SENTINEL]
    candidates = [own.min().item()] if own.size else []
    if low > 0:
        candidates.append(0)
    usual = high - low
    return next((value for value in candidates if value < low <= value + usual * (_USUAL - 1) or usual == 0), low)


def _fit(values: NDArray[Any]) -> bool:
    """Whether they are whole numbers that span less than 2¹⁶."""
    low, high = values.min().item(), values.max().item()
    if not high - low < 2**16:
        return False
    return values.dtype.kind in "iu" or (abs(low) < 2**31 and bool((np.rint(values) == values).all()))


def _measured(values: NDArray[np.float64]) -> tuple[float, float]:
    """The range without what is no value of the same quantity.

    That is a value at its end that is there again and again, far from all others, and few values that lie _FAR times as
    far out as the others.
    """
    low, high = float(values.min()), float(values.max())
    for end in (low, high):
        others = values[values != end]
        if others.size in (0, values.size - 1):
            continue
        least, most = _ends(others, _RARE)
        nearest = float(others.min()) if end == low else float(others.max())
        if 0 < (most - least) * _APART < abs(nearest - end):
            low, high = (nearest, high) if end == low else (low, nearest)
    for share in (_RARE, _FEW):
        least, most = _ends(values, share)
        if usual := most - least:
            low, high = max(low, least - usual * _FAR), min(high, most + usual * _FAR)
    return low, high


def _usual_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Their range, or where a few lie far out of it that of the others and some more at both ends."""
    low, high = float(values.min()), float(values.max())
    least, most = _ends(values, _RARE)
    usual = most - least
    if not 0 < usual * _USUAL < high - low:
        return low, high
    more = usual * (_USUAL - 2) / 2
    return max(low, least - more), min(high, most + more)


def _ends(values: NDArray[np.float64], share: int) -> tuple[float, float]:
    """Lowest and highest without one in `share` at each end, at least one."""
    beyond = -(-values.size // share)
    if values.size <= 2 * beyond:
        return 0.0, 0.0
    ordered = np.partition(values, (beyond, values.size - 1 - beyond))
    return float(ordered[beyond]), float(ordered[values.size - 1 - beyond])
