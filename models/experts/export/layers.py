"""Image operators as torch layers with fixed weights, that ONNX Runtime runs fast on one core. Knows no modality."""

import math
from functools import reduce

import torch
from torch import Tensor, nn
from torch.nn import functional

GRID = 4
"""Statistics and wide neighbourhoods are taken on means of GRID × GRID px: 16 times less work, the same answer."""


def dilate(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Grey dilation by a square of odd `size`, or by a rectangle of odd (rows, columns); (1, 1, rows, columns)."""
    down, across = (size, size) if isinstance(size, int) else size
    if max(down, across) <= 5:  # below this, ONNX Runtime is faster in one pass than in two
        return functional.max_pool2d(image, (down, across), stride=1, padding=(down // 2, across // 2))
    if across > 1:
        image = functional.max_pool2d(image, (1, across), stride=1, padding=(0, across // 2))
    if down > 1:
        image = functional.max_pool2d(image, (down, 1), stride=1, padding=(down // 2, 0))
    return image


def erode(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Grey erosion by the same."""
    return -dilate(-image, size)


def opening(image: Tensor, size: int) -> Tensor:
    """Grey opening: what is narrower than `size` disappears.

    Flat openings commute with thresholds (Serra 1982), so thresholding the result opens the thresholded mask.
    """
    return dilate(erode(image, size), size)


def closing(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Grey closing: gaps narrower than `size` are bridged; of a rectangle of one row, those across."""
    return erode(dilate(image, size), size)


def mean3(image: Tensor) -> Tensor:
    """Mean of 3 × 3 px, edges repeated. A convolution: ONNX Runtime's AveragePool takes several times as long."""
    return functional.conv2d(functional.pad(image, (1, 1, 1, 1), mode="replicate"), torch.full((1, 1, 3, 3), 1.0 / 9.0))


def ramp(value: Tensor, threshold: float | Tensor, full: float | Tensor) -> Tensor:
    """Score of a value: 0.5 at `threshold`, 1 at `full` and beyond, 0 as far away on the other side."""
    return torch.clamp(0.5 + 0.5 * (value - threshold) / (full - threshold), 0.0, 1.0)


def to_grid(image: Tensor, cell: int = GRID) -> Tensor:
    """Means of cell × cell px; a rest of less than that at the right and lower edge is left out."""
    return functional.conv2d(image, torch.full((1, 1, cell, cell), 1.0 / cell**2), stride=cell)


def from_grid(grid: Tensor, like: Tensor) -> Tensor:
    """Bilinear back to the size of `like`."""
    return functional.interpolate(grid, size=like.shape[-2:], mode="bilinear", align_corners=False)


def mask_from_grid(grid: Tensor, like: Tensor) -> Tensor:
    """1 where a mask on the grid holds half of the place or more, else 0, at the size of `like`."""
    return (from_grid(grid, like) > 0.5).to(like.dtype)


def between(mask: Tensor, *edges: str) -> Tensor:
    """1 where, looking towards each of the image's `edges` (left, right, top, bottom), some of `mask` is in sight."""
    from_edge = {
        "left": lambda m: torch.cumsum(m, 3),
        "right": lambda m: torch.cumsum(m.flip(3), 3).flip(3),
        "top": lambda m: torch.cumsum(m, 2),
        "bottom": lambda m: torch.cumsum(m.flip(2), 2).flip(2),
    }
    return (reduce(torch.minimum, [from_edge[edge](mask) for edge in edges]) > 0.5).to(mask.dtype)


def largest(image: Tensor) -> Tensor:
    """The largest channel of each place (1, 1, rows, columns). ONNX Runtime's ReduceMax takes three times as long."""
    return reduce(torch.maximum, image.split(1, dim=1))


def smallest(image: Tensor) -> Tensor:
    """The smallest channel of each place."""
    return reduce(torch.minimum, image.split(1, dim=1))


class Gaussian(nn.Module):
    """Gaussian mean of standard deviation `sigma` px, weighted: pixels of weight 0, and those outside, do not count."""

    across: Tensor
    down: Tensor

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.reach = math.ceil(2.5 * sigma)
        x = torch.arange(-self.reach, self.reach + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (x / sigma) ** 2)
        kernel = (kernel / kernel.sum()).to(torch.float32)
        self.register_buffer("across", kernel.reshape(1, 1, 1, -1))
        self.register_buffer("down", kernel.reshape(1, 1, -1, 1).clone())  # branches of a graph take no aliases

    def sum(self, image: Tensor) -> Tensor:
        """The mean where all outside of the image is 0."""
        return functional.conv2d(
            functional.conv2d(image, self.across, padding=(0, self.reach)), self.down, padding=(self.reach, 0)
        )

    def forward(self, image: Tensor, weight: Tensor) -> Tensor:
        return self.sum(image * weight) / (self.sum(weight) + 1e-6)

    def mean(self, image: Tensor) -> Tensor:
        """The same where all of the image counts."""
        return self.sum(image) / (self.inside(image) + 1e-6)

    def inside(self, image: Tensor) -> Tensor:
        """What part of the Gaussian lies in the image: that of a place's row times that of its column."""
        row, column = torch.ones_like(image[:, :1, :1, :]), torch.ones_like(image[:, :1, :, :1])
        across = functional.conv2d(row, self.across, padding=(0, self.reach))
        return across * functional.conv2d(column, self.down, padding=(self.reach, 0))


def two_means(values: Tensor, weight: Tensor | None = None, rounds: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Threshold midway between the means of the two classes that it makes, and these means, low and high.

    Ridler and Calvard, "Picture thresholding using an iterative selection method", IEEE Trans. SMC 8, 1978. Where there
    is a `weight`, values of weight 0 do not count.
    """
    weight = torch.ones_like(values) if weight is None else weight
    number = weight.sum()
    middle = (values * weight).sum() / (number + 1e-6)
    # About their middle the sums of both classes are alike but for their sign: one is as good as two.
    apart = (values - middle) * weight
    whole, threshold = apart.sum(), torch.zeros_like(middle)
    low = high = threshold
    for _ in range(rounds):
        above = (values > threshold + middle).to(values.dtype)
        count, part = (above * weight).sum(), (above * apart).sum()
        high, low = part / (count + 1e-6), (whole - part) / (number - count + 1e-6)
        threshold = 0.5 * (low + high)
    return threshold + middle, low + middle, high + middle
