"""Pixel values of the regions of a strip, and around them, as `models.experts.intensities` tells them one by one."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from models.experts.figures import all_figures
from models.experts.intensities import Across, BinaryImage, square
from models.experts.together.strips import Counts, Groups, Reals, Strip
from schemas.regions import Intensity


@dataclass(frozen=True)
class Sampled:
    """Values of the regions of a strip and of the rings around them, and means along their outlines.

    `count` and `total` (n, 5): pixels and sum of their values nowhere, far outside, beyond the outline, at the edge
    within, and deep inside.
    """

    inside: Groups
    ring: Groups
    count: Counts
    total: Reals

    @classmethod
    def of(cls, strip: Strip) -> "Sampled":
        """The ring is as wide as the strip's margin, cut off at the image's edges and where it is masked."""
        mask, seen = strip.mask, strip.seen
        # Each lies in the one before it, so their sum tells where a pixel is. Where the image or a mask cuts a region
        # off it has no margin.
        zones = cast(BinaryImage, cv2.dilate(mask, square(strip.margin))) & seen
        zones += cast(BinaryImage, cv2.dilate(mask, square(1))) & seen
        zones += mask
        zones += cast(BinaryImage, cv2.erode(mask | (1 - seen), square(1))) & mask
        places = np.flatnonzero(zones)
        values, zone = strip.values.ravel()[places], zones.ravel()[places]
        number = len(strip.parts)
        code = strip.owners[places // mask.shape[1]] * 5 + zone
        count = np.bincount(code, minlength=5 * number).reshape(number, 5)
        total = cast(Reals, np.bincount(code, values, minlength=5 * number).reshape(number, 5))
        within = zone > 2
        return cls(
            Groups(values[within], count[:, 3:].sum(axis=1)), Groups(values[~within], count[:, :3].sum(axis=1)),
            count, total,
        )  # fmt: skip


def statistics(sampled: Sampled, unit: str) -> list[Intensity]:
    """All of `Intensity` of each region; percentiles lie between values by the linear rule, as numpy.percentile's."""
    told = sampled.inside
    told.sort()
    last, begin = told.count - 1, told.ends - told.count
    least, largest = (told.values[at].astype(np.float64) for at in (begin, told.ends - 1))
    variance, third, fourth = told.moments(2, 3, 4)
    # Of values that are all the same, what rounding leaves is no spread.
    variance = np.where(least < largest, variance, 0.0)
    spread = np.where(variance > 0, variance, 1.0)
    skewness = np.where(variance > 0, third / spread**1.5, 0.0)
    kurtosis = np.where(variance > 0, fourth / spread**2 - 3, 0.0)
    columns = [told.mean, np.sqrt(variance), least, largest, skewness, kurtosis]
    for part in (0.1, 0.5, 0.9):
        index, rest = np.divmod(part * last, 1)
        at = index.astype(np.int64)
        low, high = (told.values[begin + each].astype(np.float64) for each in (at, np.minimum(at + 1, last)))
        columns.append(low * (1 - rest) + high * rest)
    return [
        Intensity(
            mean=mean, standard_deviation=deviation, minimum=low, maximum=high, unit=unit, median=median,
            percentile_10=tenth, percentile_90=ninetieth, skewness=skew, kurtosis=tail,
        )
        for mean, deviation, low, high, skew, tail, tenth, median, ninetieth in all_figures(columns)
    ]  # fmt: skip


def surroundings(sampled: Sampled, unit: str) -> list[tuple[Intensity | None, Across | None]]:
    """Of each region the intensity of a ring around it, and the means along its outline; None without a ring."""
    ring, count = sampled.ring, sampled.count
    (variance,) = ring.moments(2)
    spread = np.where(ring.least < ring.largest, np.sqrt(variance), 0.0)
    told = all_figures([ring.mean, spread, ring.least, ring.largest])
    mean = sampled.total / np.maximum(count, 1)
    # Of a region up to two pixels wide all is edge, and a ring that is cut off may hold nothing further off.
    deep, far = (np.where(count[:, n] > 0, mean[:, n], mean[:, other]) for n, other in ((4, 3), (1, 2)))
    steps = np.stack([deep, mean[:, 3], mean[:, 2], far], axis=1).tolist()
    sided = ((count[:, 2] > 0) & (count[:, 3] > 0)).tolist()
    return [
        (
            Intensity(mean=level, standard_deviation=deviation, minimum=low, maximum=high, unit=unit),
            Across(*across) if both else None,
        )
        if number
        else (None, None)
        for number, (level, deviation, low, high), across, both in zip(
            ring.count.tolist(), told, steps, sided, strict=True
        )
    ]
