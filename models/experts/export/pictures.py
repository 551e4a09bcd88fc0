"""Findings in what is seen by visible light, as torch modules. Nothing is learnt.

Each takes an image (1, channels, rows, columns), float32, sRGB of 8 or 16 bits where it has three channels, and gives
maps (1, 1, rows, columns) in [0, 1] that mean what `picture_definitions` says.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.focal import Focal, Matched, Outline, grid_means, half_height, least_spread
from models.experts.export.layers import (
    GRID,
    Gaussian,
    closing,
    dilate,
    erode,
    from_grid,
    largest,
    mask_from_grid,
    opening,
    smallest,
    to_grid,
)


def levels(image: Tensor) -> Tensor:
    """Samples of 8 or 16 bits as 0 to 255."""
    return image / full_scale(image)


def full_scale(image: Tensor) -> Tensor:
    """What samples are divided by to lie between 0 and 255."""
    return torch.where(image.amax(dim=(1, 2, 3), keepdim=True) > 255.5, 257.0, 1.0)


class Curvature(nn.Module):
    """Eigenvalues of the Hessian at scale `sigma` px, times sigma², the larger and the smaller.

    Frangi et al., "Multiscale vessel enhancement filtering", MICCAI 1998.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.reach = int(3 * sigma + 0.5)
        x = torch.arange(-self.reach, self.reach + 1, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (x / sigma) ** 2)
        kernel = kernel / kernel.sum()
        first, second = -x / sigma * kernel, (x**2 / sigma**2 - 1) * kernel
        # Cut off, the kernel would answer to a level: its sum is taken away.
        second = second - second.sum() * kernel
        across = torch.stack([kernel, first, second]).to(torch.float32)
        down = torch.stack([second, first, kernel]).to(torch.float32)
        self.register_buffer("across", across.reshape(3, 1, 1, -1))
        self.register_buffer("down", down.reshape(3, 1, -1, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        padded = functional.pad(image, (self.reach,) * 4, mode="replicate")
        yy, xy, xx = functional.conv2d(functional.conv2d(padded, self.across), self.down, groups=3).split(1, dim=1)
        middle = 0.5 * (xx + yy)
        apart = torch.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
        return middle + apart, middle - apart


class Fundus(nn.Module):
    """On RGB, its green. Maps: optic disc, vessel, bright spot, dark spot, and the field of view."""

    WIDE_PX = 12.0
    FIELD_LEVEL = 12.0
    DISC = 20.0
    VESSEL, VESSEL_FRACTION = 1.5, 0.3
    SPOT_PX, SPOT_WIDE_PX = 4.0, 8.0
    ROUND = 0.75
    BRIGHT_ROUND, BRIGHT_LEAST = 0.5, 4.5
    DARK_ROUND, DARK_LEAST = 0.45, 5.0
    SPOT_FRACTION, SPOT_SHORT_PX = 0.45, 1.6
    MATCHED_PX, CELL_PX = 1.8, 2
    SHEEN_PX = 7
    FOVEA, MACULA = 0.78, 0.27

    def __init__(self) -> None:
        super().__init__()
        self.fine_ridge, self.coarse_ridge, self.blob = Curvature(1.0), Curvature(1.8), Curvature(self.SPOT_PX)
        self.focal = Focal(fine_px=1.2, wide_px=self.WIDE_PX)
        self.near = Focal(fine_px=1.2, wide_px=self.SPOT_WIDE_PX)
        self.matched = Matched(self.MATCHED_PX, self.CELL_PX)
        self.outline = Outline(self.SPOT_SHORT_PX, self.SPOT_FRACTION, self.CELL_PX)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        rgb = levels(image)
        green = rgb[:, 1:2]
        field = (to_grid(largest(rgb)) > self.FIELD_LEVEL).to(green.dtype)
        inside = mask_from_grid(erode(field, 3), green)
        smooth, level, spread = self.focal.parts(green, inside)
        z = (smooth - level) / (spread + 1e-6) * inside
        disc = half_height(closing(z, 9), self.DISC, 40)
        # A bright spot beside the disc is smaller than it.
        found = opening((disc > 0.5).to(green.dtype), 9)
        away = inside * (1 - dilate(found, 13))
        high, low = self.blob(green)
        # A line is curved across, a spot along both axes.
        ridge = self.coarse_ridge(green)[0]
        narrow = (torch.maximum(self.fine_ridge(green)[0], ridge) - 2 * torch.relu(low)) / (spread + 1e-6)
        vessel = half_height(narrow * away * (z < -1.0).to(green.dtype), self.VESSEL, 24, self.VESSEL_FRACTION)
        clear = away * mask_from_grid(erode(field, 5), green)
        # Spots are small: a nearer neighbourhood than the disc's, without vessels, leaves the macula out.
        calm = clear * (1 - dilate((vessel > 0.5).to(green.dtype), 3))
        value, share, middle = grid_means(z, calm)
        near, _, kept = self.near.around(value, share, least_spread(z))
        near = from_grid(near + self.near.wide(value - near, kept), z) + middle
        seed, deviation = self.matched(z - near, calm, least_spread(z))
        # Light is thrown back beside vessels and at the field's edge.
        dull = (
            calm * (1 - dilate((vessel > 0.5).to(green.dtype), self.SHEEN_PX)) * mask_from_grid(erode(field, 9), green)
        )
        height = ((green - level) / (spread + 1e-6) - near) / deviation
        z = (z - near) / deviation
        blob = -high / (spread + 1e-6)
        bright = self.spots(height * clear, z * clear, seed, blob, vessel, dull, (self.BRIGHT_ROUND, self.BRIGHT_LEAST))
        # Where vessels leave the disc, they run together; the end of one is curved along both axes too, but far more at
        # its own width.
        blob = low * (dilate(ridge, 9) < 2.5 * dilate(low, 9)).to(green.dtype) / (spread + 1e-6)
        clear = clear * (1 - dilate(found, 27)) * (1 - self.fovea(found, field))
        dark = self.spots(-height * clear, -z * clear, -seed, blob, vessel, clear, (self.DARK_ROUND, self.DARK_LEAST))
        return disc, vessel, bright, dark, field

    def fovea(self, disc: Tensor, field: Tensor) -> Tensor:
        """1 around the fovea: level with the disc, towards the field's middle; without a disc, around that middle.

        It lies 2.5 disc diameters from the disc, which is some 0.78 of the radius of a field of 45 degrees.
        """
        rows = torch.arange(disc.shape[-2], dtype=disc.dtype).reshape(1, 1, -1, 1)
        columns = torch.arange(disc.shape[-1], dtype=disc.dtype).reshape(1, 1, 1, -1)
        inside = from_grid(field, disc)
        half = torch.sqrt(inside.sum() / math.pi)
        middle_x = (inside * columns).sum() / (inside.sum() + 1e-6)
        middle_y = (inside * rows).sum() / (inside.sum() + 1e-6)
        there = (disc.sum() > 0.5).to(disc.dtype)
        disc_x = (disc * columns).sum() / (disc.sum() + 1e-6)
        disc_y = (disc * rows).sum() / (disc.sum() + 1e-6)
        towards = torch.sign(middle_x - disc_x)
        x = there * (disc_x + towards * self.FOVEA * half) + (1 - there) * middle_x
        y = there * disc_y + (1 - there) * middle_y
        near = (columns - x) ** 2 + (rows - y) ** 2
        return (near < (self.MACULA * half) ** 2).to(disc.dtype)

    def spots(
        self,
        height: Tensor,
        smooth: Tensor,
        seed: Tensor,
        blob: Tensor,
        vessel: Tensor,
        clear: Tensor,
        least: tuple[float, float],
    ) -> Tensor:
        """`least`: of the curvature along both axes, and of the seed."""
        line = dilate((vessel > 0.5).to(blob.dtype), 3) * (1 - dilate((blob > self.ROUND).to(blob.dtype), 9))
        centre = (blob > least[0]).to(blob.dtype) * clear * (1 - line)
        seed = seed * functional.max_pool2d(centre, self.CELL_PX)
        return opening(self.outline(height * (1 - line), smooth * (1 - line), seed, least[1], 8), 3)


class EndoscopyColour(nn.Module):
    """On RGB. Maps: highlight, reddened region."""

    WIDE_PX = 40.0
    GLARE, STEP, HIGHLIGHT_PX = 200.0, 60.0, 13
    PALE = 127.5
    LEAST = 5.0
    SHADE = 0.75

    luma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=2.5, wide_px=self.WIDE_PX)
        self.wide = Gaussian(self.WIDE_PX / GRID)
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        rgb = levels(image)
        least = smallest(rgb)
        # A wall near the lamp is as white, but wide, and pales towards its edges.
        step = least - opening(least, self.HIGHLIGHT_PX)
        white = dilate((least >= self.GLARE).to(rgb.dtype), self.HIGHLIGHT_PX)
        highlight = torch.clamp(0.5 * step / self.STEP, 0.0, 1.0) * white
        red, green = rgb[:, 0:1], rgb[:, 1:2]
        index = torch.log(torch.clamp(red, min=8.0)) - torch.log(torch.clamp(green, min=8.0))
        clear = 1 - dilate((least > self.PALE).to(rgb.dtype), 5)
        # Beyond a fold's edge it is dark, and what light comes back from there is red.
        luma = to_grid(functional.conv2d(rgb, self.luma))
        seen = (luma > 12.0).to(rgb.dtype)
        shade = mask_from_grid((luma < self.SHADE * self.wide(luma, seen)).to(rgb.dtype), red)
        lit = (red > 30.0).to(rgb.dtype)
        filled = closing(index * clear - 10 * (1 - clear), 9)
        z = self.focal(filled, lit)
        return highlight, opening(half_height(z * (1 - shade), self.LEAST, 24), 5)


class Cells(nn.Module):
    """Map: brighter than its neighbourhood. Nothing where the field is bright, whose clear ground shines between cells.

    Mean luma tells which: 104 to 112 in ten fluorescence images of DynamicNuclearNet that are stretched to 8 bits, 165
    to 194 in the 364 blood films of BCCD.
    """

    WIDE_PX = 16.0
    LEAST = 5.0
    BRIGHT_FIELD = 140.0

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=1.2, wide_px=self.WIDE_PX)

    def forward(self, image: Tensor) -> Tensor:
        z = self.focal(image, torch.ones_like(image))
        dark_field = (levels(image).mean() < self.BRIGHT_FIELD).to(image.dtype)
        return opening(half_height(z, self.LEAST, 8), 3) * dark_field
