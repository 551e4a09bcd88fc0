"""Texture of the regions of a strip, as `models.experts.textures` measures it one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.experts.candidates import FloatImage
from models.experts.figures import all_figures
from models.experts.textures import Binning
from models.experts.together.strips import Counts, Reals, Strip
from schemas.regions import Texture


@dataclass(frozen=True, slots=True)
class Bins:
    """Of each of n regions: the value that its bins begin at, how many bins a unit, and how many there are.

    `whole`: bins begin at whole multiples of their width, as those of a fixed width do; `start` is then the first one's
    number.
    """

    start: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    whole: npt.NDArray[np.bool_]
    levels: Counts
    stated: list[str]

    @classmethod
    def of(cls, extremes: Sequence[tuple[float, float]], unit: str) -> "Bins":
        """Of regions between such lowest and highest values, in `unit` (IBSI 2.7)."""
        each = [Binning.of(low, high, unit) for low, high in extremes]
        return cls(
            np.array([one.start for one in each], np.float32), np.array([one.scale for one in each], np.float32),
            np.array([one.whole for one in each]), np.array([one.levels for one in each]),
            [one.stated for one in each],
        )  # fmt: skip

    def among(self, values: FloatImage, owner: Counts) -> Counts:
        """Bins 1, 2, … of `values` (n), each of the region that `owner` (n) tells."""
        start, scale, whole = self.start[owner], self.scale[owner], self.whole[owner]
        binned = np.floor(np.where(whole, values, values - start) * scale) - np.where(whole, start - 1, -1)
        return np.minimum(np.maximum(binned, 1), self.levels[owner]).astype(np.int64)


def textures(strip: Strip, bins: Bins) -> list[Texture | None]:
    """Features of each region of a strip; None where no two of its pixels are neighbours."""
    histogram, pairs = counted(strip, bins)
    share = histogram / strip.area[:, None]
    entropy = -np.einsum("ri,ri->r", share, np.log2(np.where(share > 0, share, 1.0)))
    uniformity = np.einsum("ri,ri->r", share, share)
    total = pairs.sum(axis=(1, 2))
    joint = pairs / np.maximum(total, 1)[:, None, None]
    # Not by BLAS, which wakes its threads for so little. Half of the symmetric matrix is as good as all of it.
    contrast, homogeneity, product, mean, square = (
        np.einsum("rij,ij->r", joint, weights) for weights in _weights(joint.shape[1])
    )
    energy = 0.5 * (np.einsum("rij,rij->r", joint, joint) + np.einsum("rij,rji->r", joint, joint))
    variance = square - mean**2
    level = variance < 1e-9
    correlation = np.where(level, 1.0, (product - mean**2) / np.where(level, 1.0, variance))
    columns = [
        np.maximum(0.0, entropy), np.minimum(1.0, uniformity), np.maximum(0.0, contrast), np.minimum(1.0, homogeneity),
        np.clip(correlation, -1.0, 1.0), np.minimum(1.0, energy),
    ]  # fmt: skip
    told = zip(all_figures(columns), bins.stated, bins.levels.tolist(), total.tolist(), strict=True)
    return [
        Texture(
            discretisation=stated, levels=levels, entropy=one, uniformity=two, contrast=three, homogeneity=four,
            correlation=five, energy=six,
        )
        if neighbours
        else None
        for (one, two, three, four, five, six), stated, levels, neighbours in told
    ]  # fmt: skip


@lru_cache(maxsize=256)
def _weights(levels: int) -> Reals:
    """What each pair (i, j) counts for: in contrast, inverse difference moment, and means of ij, i and i²."""
    i, j = np.mgrid[1 : levels + 1, 1 : levels + 1].astype(np.float64)
    return np.stack([(i - j) ** 2, 1 / (1 + (i - j) ** 2), i * j, (i + j) / 2, (i * i + j * j) / 2])


def counted(strip: Strip, bins: Bins) -> tuple[Counts, Counts]:
    """How often each level of each region is found (n, levels), and each pair of neighbours (n, levels, levels).

    Both of a pair are in the region. It is counted once: the neighbour that comes before a pixel stands last.
    """
    number, breadth = len(strip.parts), strip.mask.shape[1]
    # Level 0 is what lies outside.
    levels = int(bins.levels.max()) + 1
    histogram, pairs = np.zeros(number * levels, np.int64), np.zeros(number * levels**2, np.int64)
    binned = np.zeros(strip.mask.size, np.uint8)
    values = strip.values.ravel()
    for places in strip.pieces():
        owner = strip.owners[places // breadth]
        found = bins.among(values[places], owner)
        binned[places] = found
        code = owner * levels + found
        histogram += np.bincount(code, minlength=len(histogram))
        code *= levels
        before = [code + binned[places - apart] for apart in (1, breadth - 1, breadth, breadth + 1)]
        pairs += np.bincount(np.concatenate(before), minlength=len(pairs))
    return histogram.reshape(number, levels)[:, 1:], pairs.reshape(number, levels, levels)[:, 1:, 1:]
