"""Pixel values of a region, of a ring around it, and across its outline. Knows nothing of shapes or places."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.candidates import mean
from models.experts.figures import figures
from models.experts.shapes import Pixel
from schemas.regions import Contrast, Intensity, Margin, Thirds

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]


def intensity(values: FloatImage, mask: BinaryImage | None, unit: str) -> Intensity:
    """Mean, spread and extremes of `values` (rows, columns) where `mask` is 1, which must be somewhere."""
    # Picked first: OpenCV takes three times as long over a mask.
    told = values if mask is None else values[mask.view(np.bool_)]
    middle, spread = cv2.meanStdDev(told)
    low, high, _, _ = cv2.minMaxLoc(told)
    return Intensity(
        mean=figures(middle.item()), standard_deviation=figures(spread.item()),
        minimum=figures(low), maximum=figures(high), unit=unit,
    )  # fmt: skip


def statistics(values: FloatImage, mask: BinaryImage, unit: str) -> Intensity:
    """All of `Intensity`; percentiles lie between values by the linear rule, as numpy.percentile's."""
    told = np.sort(values[mask.view(np.bool_)])
    number, low, high = len(told), float(told[0]), float(told[-1])
    mean = float(np.add.reduce(told, dtype=np.float64)) / number
    second = third = fourth = 0.0
    for start in range(0, number, _CHUNK) if low < high else ():
        apart = np.subtract(told[start : start + _CHUNK], mean, dtype=np.float64)
        square = apart * apart
        second += float(apart @ apart)
        third += float(square @ apart)
        fourth += float(square @ square)
    variance = second / number
    skewness = third / number / variance**1.5 if variance else 0.0
    kurtosis = fourth / number / variance**2 - 3 if variance else 0.0
    last = number - 1
    tenth, median, ninetieth = (
        told.item(int(n)) * (1 - n % 1) + told.item(min(int(n) + 1, last)) * (n % 1)
        for n in (0.1 * last, 0.5 * last, 0.9 * last)
    )
    return Intensity(
        mean=figures(mean), standard_deviation=figures(variance**0.5),
        minimum=figures(low), maximum=figures(high), unit=unit,
        median=figures(median), percentile_10=figures(tenth), percentile_90=figures(ninetieth),
        skewness=figures(skewness), kurtosis=figures(kurtosis),
    )  # fmt: skip


def thirds(values: FloatImage, mask: BinaryImage) -> Thirds | None:
    """Medians in the upper and lower third of `values` (rows, columns) where `mask` is 1; None where one has none."""
    third = len(values) // 3
    ends = (slice(0, third), slice(len(values) - third, None))
    told = [values[end][mask[end].view(np.bool_)] for end in ends]
    if not all(map(len, told)):
        return None
    upper, lower = (figures(float(np.median(one))) for one in told)
    return Thirds(upper=upper, lower=lower)


_CHUNK = 2**13
"""Values whose moments are taken at once: of a whole slide, all in double precision would fill the memory, and OpenBLAS
wakes its threads for products of more than 10,000, who take longer to come than the product."""


@dataclass(frozen=True, slots=True)
class Across:
    """Means along the outline, on both sides of it and further off: deep inside, its edge, beyond it, far outside."""

    deep: float
    edge: float
    beyond: float
    far: float


def ring_px(size: tuple[int, ...]) -> int:
    """Width of the ring around a region of an image of `size` (rows, columns): 1 % of the longest side, 2 at least."""
    return max(2, round(max(size) / 100))


def surroundings(
    crop: BinaryImage, x: int, y: int, luma: FloatImage, unit: str, visible: BinaryImage | None
) -> tuple[Intensity | None, Across | None]:
    """Intensity of a ring around the region `crop` at (x, y), and the means along the outline; None without a ring.

    The ring is cut off at the image's edges and where `visible` is 0.
    """
    rows, columns = luma.shape
    reach = ring_px(luma.shape)
    height, width = crop.shape
    top, left = min(reach, y), min(reach, x)
    bottom, right = min(reach, rows - y - height), min(reach, columns - x - width)
    padded = cast(BinaryImage, cv2.copyMakeBorder(crop, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0))
    ring = cast(BinaryImage, cv2.dilate(padded, square(reach)) - padded)
    nearest = cast(BinaryImage, cv2.dilate(padded, _STEP) - padded)
    window = slice(y - top, y - top + ring.shape[0]), slice(x - left, x - left + ring.shape[1])
    solid = padded
    if visible is not None:
        seen = visible[window]
        ring, nearest, solid = ring & seen, nearest & seen, padded | (1 - seen)
    if cv2.countNonZero(ring) == 0:
        return None, None
    values = luma[window]
    # Where the image or a mask cuts a region off it has no margin: OpenCV's erosion leaves the image's own edge.
    core = cast(BinaryImage, cv2.erode(solid, _STEP)) & padded
    across = None
    edge, beyond = mean(values, padded - core), mean(values, nearest)
    if edge is not None and beyond is not None:
        # Of a region up to two pixels wide all is edge, and a ring that is cut off may hold nothing further off.
        deep, far = mean(values, core), mean(values, ring - nearest)
        across = Across(edge if deep is None else deep, edge, beyond, beyond if far is None else far)
    return intensity(values, ring, unit), across


@lru_cache(maxsize=16)
def square(reach: int) -> BinaryImage:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


_STEP = square(1)


def margin(irregularity: float, across: Across | None, around: Intensity | None, pixel: Pixel, unit: str) -> Margin:
    if across is None or around is None:
        return Margin(irregularity=irregularity)
    step, full = abs(across.edge - across.beyond), abs(across.deep - across.far)
    return Margin(
        irregularity=irregularity,
        gradient=figures(step / pixel.side),
        gradient_unit=f"{unit}/{pixel.unit}",
        sharpness=figures(min(1.0, step / full)) if full > around.standard_deviation else None,
    )


def contrast(inside: Intensity, around: Intensity, inverted: bool) -> Contrast:
    difference = figures(inside.mean - around.mean)
    if around.standard_deviation == 0:
        return Contrast(difference=difference, unit=inside.unit)
    noise = figures(difference / around.standard_deviation)
    return Contrast(
        difference=difference,
        unit=inside.unit,
        contrast_to_noise=noise,
        as_displayed=-noise if inverted else noise,
        standard_deviation_ratio=figures(inside.standard_deviation / around.standard_deviation),
    )
