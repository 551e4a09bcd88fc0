"""Texture by the names and definitions of the Image Biomarker Standardisation Initiative (IBSI, arXiv 1612.07003).

Knows nothing of shapes or places.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.figures import figures
from schemas.regions import Texture

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]

BIN_NUMBER = 32
"""Of units without a fixed meaning: MR signal, stored values, grey levels: what IBSI recommends there (2.7)."""
BIN_WIDTHS = {"HU": 25.0, "SUVbw": 0.5}
"""Of calibrated units. 25 HU: IBSI's configurations A and C; SUV 0.5: Leijenaar et al., Sci Rep 5:11075, 2015."""
MOST_BINS = 128
"""Beyond it a fixed number of bins is used: metal in a CT region would ask for hundreds, nearly all of them empty."""
_Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Discretised:
    """Values in bins 1, 2, … where the region is and 0 elsewhere, uint8 (rows, columns)."""

    bins: npt.NDArray[np.uint8]
    levels: int
    stated: str


@dataclass(frozen=True, slots=True)
class Binning:
    """The value that bins begin at, how many of them a unit, and how many there are (IBSI 2.7).

    `whole`: they begin at whole multiples of their width, and `start` is the number of the first.
    """

    start: float
    scale: float
    whole: bool
    levels: int
    stated: str

    @classmethod
    def of(cls, low: float, high: float, unit: str) -> "Binning":
        """Of a region whose extremes, in `unit`, are `low` and `high`."""
        width = BIN_WIDTHS.get(unit)
        if width is not None:
            start = math.floor(low / width)
            levels = math.floor(high / width) - start + 1
            if levels <= MOST_BINS:
                return cls(start, 1 / width, True, levels, f"fixed bin width {width:g} {unit}")
        levels = BIN_NUMBER if width is None else MOST_BINS
        stated = f"fixed bin number {levels}"
        return cls(low, levels / (high - low), False, levels, stated) if high > low else cls(low, 0, False, 1, stated)


def discretise(values: FloatImage, mask: BinaryImage, low: float, high: float, unit: str) -> Discretised:
    """Bins of `values` (rows, columns) where `mask` is 1; `low` and `high` are the extremes there."""
    by = Binning.of(low, high, unit)
    if by.levels == 1:
        return Discretised(mask, 1, by.stated)
    if by.whole:
        binned = np.floor(values * np.float32(by.scale)) - np.float32(by.start - 1)
    else:
        binned = np.floor((values - np.float32(by.start)) * np.float32(by.scale)) + np.float32(1)
    return Discretised(_kept(binned, by.levels, mask), by.levels, by.stated)


def _kept(binned: FloatImage, levels: int, mask: BinaryImage) -> npt.NDArray[np.uint8]:
    np.minimum(np.maximum(binned, 1, out=binned), levels, out=binned)
    return cast(BinaryImage, binned.astype(np.uint8) * mask)


def cooccurrence(discretised: Discretised) -> _Counts:
    """How often level i has a neighbour of level j, both in the region: (levels, levels), symmetric, not normalised.

    The joint histogram of the bins and the bins one pixel on, in four directions, is that matrix.
    """
    levels = discretised.levels
    rows, columns = discretised.bins.shape
    # Laid out flat with a 0 after each row, a neighbour is a fixed distance away, and none is found across an edge.
    step = columns + 1
    padded = np.zeros((rows + 2, step), np.uint8)
    padded[:rows, :columns] = discretised.bins
    flat, end = padded.ravel(), rows * step
    # Bin 0, outside the region, is below the range and so not counted.
    size, span = [levels, levels], [1.0, levels + 1.0] * 2
    found: Any = None
    for start in range(0, end, _CHUNK):
        stop = min(start + _CHUNK, end)
        one = flat[start:stop]
        others = [flat[start + apart : stop + apart] for apart in (1, step - 1, step, step + 1)]
        pair: list[Any] = [np.concatenate((one, one, one, one)), np.concatenate(others)]
        found = cv2.calcHist(pair, [0, 1], None, size, span, found, accumulate=start > 0)
    counted = cast(_Counts, found.astype(np.float64))
    return counted + counted.T


_CHUNK = 2**16
"""Pixels whose neighbours are counted at once: four directions of a whole slide would fill the memory."""


@lru_cache(maxsize=256)
def _weights(levels: int) -> _Counts:
    """What each pair (i, j) counts for: in contrast, inverse difference moment, and means of ij, i and i²."""
    i = np.repeat(np.arange(1, levels + 1, dtype=np.float64), levels)
    j = np.tile(np.arange(1, levels + 1, dtype=np.float64), levels)
    return np.stack([(i - j) ** 2, 1 / (1 + (i - j) ** 2), i * j, i, i * i])


def texture(discretised: Discretised, area_px: int) -> Texture | None:
    """Features of a region of `area_px`; None where no two of its pixels are neighbours."""
    levels, counted = discretised.levels, cooccurrence(discretised)
    total = float(np.add.reduce(counted, axis=None))
    if total == 0:
        return None
    counts = cv2.calcHist([discretised.bins], [0], None, [levels], [1.0, levels + 1.0])
    share = counts.ravel().astype(np.float64) / area_px
    filled = share[share > 0]
    joint = counted.ravel() / total
    # Not by BLAS, which wakes its threads for so little where there are many levels.
    contrast, homogeneity, product, mean, square = np.einsum("ij,j", _weights(levels), joint).tolist()
    variance = square - mean**2
    correlation = 1.0 if variance < 1e-9 else (product - mean**2) / variance
    return Texture(
        discretisation=discretised.stated,
        levels=levels,
        entropy=figures(max(0.0, -float(filled @ np.log2(filled)))),
        uniformity=figures(min(1.0, float(filled @ filled))),
        contrast=figures(max(0.0, contrast)),
        homogeneity=figures(min(1.0, homogeneity)),
        correlation=figures(min(1.0, max(-1.0, correlation))),
        energy=figures(min(1.0, float(np.einsum("i,i", joint, joint)))),
    )
