"""Nuclei of stained tissue, as a torch module. Nothing is learnt.

Takes an image (1, 3, rows, columns), float32, sRGB of 8 or 16 bits, and gives maps (1, 1, rows, columns) in [0, 1] that
mean what `picture_definitions` says.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.focal import Focal, Matched, Outline, least_spread
from models.experts.export.layers import GRID, Gaussian, dilate, from_grid, opening, to_grid, two_means
from models.experts.export.modules import StainSeparation
from models.experts.export.pictures import levels


class Stained(nn.Module):
    """On optical density (1, 3, rows, columns), red first. Map: nucleus; and what nuclei are darker by.

    Nuclei are blobs (scale-normalised Laplacian of a Gaussian: Lindeberg, Int J Comput Vis 30, 1998) of whichever of
    red and blue varies most for its mean: haematoxylin takes red away, eosin little of it; and where a collection holds
    its channels in the order of OpenCV, its red is blue. Their size is not known, so it is looked for in copies of
    halved size, and the copy whose blobs are the strongest is taken for all.
    """

    SMOOTH_PX, BLOB_PX, WIDE_PX = 1.0, 2.8, 20.0
    FRACTION, CURVED = 1.05, 0.2
    LEAST_DENSITY = 0.15
    COPIES = 3

    laplace: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.smooth, self.blob = Gaussian(self.SMOOTH_PX), Gaussian(self.BLOB_PX)
        self.wide = Gaussian(self.WIDE_PX / GRID)
        kernel = -(self.BLOB_PX**2) * torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
        self.register_buffer("laplace", kernel.reshape(1, 1, 3, 3))

    def forward(self, value: Tensor) -> Tensor:
        """Of the density (1, 1, rows, columns) of the dye that nuclei take."""
        found, strength = self.blobs(value)
        maps, strengths = [found], [strength]
        for octave in range(1, self.COPIES):
            found, strength = self.blobs(to_grid(value, 2**octave))
            maps.append(from_grid(found, value))
            strengths.append(strength)
        best = torch.stack(strengths).argmax(dim=0, keepdim=True)
        score = torch.index_select(torch.cat(maps, dim=1), 1, best)
        return torch.clamp(score, min=0.5) * (score > 0.25).to(score.dtype)

    def midway(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The smoothed value, midway between the means of what is dark and what is not, and how far these are apart."""
        smooth = self.smooth.mean(value)
        level, low, high = two_means(to_grid(smooth, 2), rounds=6)
        return smooth, level, high - low

    def blobs(self, value: Tensor) -> tuple[Tensor, Tensor]:
        """Of a copy: the score of what is dark and curved as a blob, and how strongly it is."""
        smooth, level, _ = self.midway(value)
        dark = (smooth > self.FRACTION * level).to(value.dtype)
        padded = functional.pad(self.blob.mean(value), (1, 1, 1, 1), mode="replicate")
        curved = torch.relu(functional.conv2d(padded, self.laplace)) * dark
        strength = curved.sum() / (dark.sum() + 1.0)
        inner = (smooth > from_grid(self.wide.mean(to_grid(smooth)), value)).to(value.dtype)
        typical = (curved * inner).sum() / ((dark * inner).sum() + 1.0)
        mask = opening(inner * (curved > self.CURVED * typical).to(value.dtype), 3)
        score = mask * torch.clamp(0.5 * smooth / (self.FRACTION * level + 1e-6), 0.5, 1.0)
        return score, strength / (smooth.std() + 1e-6)


class Nuclei(nn.Module):
    """On RGB. Maps: nucleus, from the haematoxylin density where that is weak; nucleus, where staining is strong."""

    WIDE_PX, MATCHED_PX, CELL_PX = 12.0, 2.2, 2
    LEAST, LEAST_ENERGY = 3.5, 3.9
    FRACTION, SHORT_PX = 0.42, 2.0
    NUCLEUS_PX, CHROMATIN = 4.0, 8.0

    def __init__(self) -> None:
        super().__init__()
        stains = StainSeparation()
        self.register_buffer("unmix", stains.unmix[:1].clone())
        self.focal = Focal(fine_px=1.2, wide_px=self.WIDE_PX)
        self.matched = Matched(self.MATCHED_PX, self.CELL_PX)
        self.outline = Outline(self.SHORT_PX, self.FRACTION, self.CELL_PX)
        self.nucleus = Gaussian(self.NUCLEUS_PX / self.CELL_PX)
        self.stained = Stained()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        density = -torch.log(torch.clamp(levels(image) / 255.0, 1 / 255, 1.0)) / 2.302585093
        red, _, blue = density.split(1, dim=1)
        value = torch.where(variation(blue) > variation(red), blue, red)
        _, _, apart = self.stained.midway(value)
        # One rule alone is worked out: each takes as long as all else.
        return torch.cond(apart >= Stained.LEAST_DENSITY, self.strong, self.weak, (density, value))

    def strong(self, density: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros_like(value), self.stained(value)

    def weak(self, density: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        blue = functional.conv2d(density, self.unmix)
        everywhere = torch.ones_like(blue)
        smooth, level, _ = self.focal.parts(blue, everywhere)
        seed, spread = self.matched(smooth - level, everywhere, least_spread(blue))
        height = (blue - level) / spread
        score = opening(self.outline(height, (smooth - level) / spread, seed, self.LEAST, 6), 3)
        mask = (score > 0).to(blue.dtype)
        # Chance makes faint blobs of a nucleus' size, or dark ones that are smaller: energy within the outline counts
        # both, and grain beyond that of what is around: chromatin.
        grain = (height - self.outline.blur.sum(height)) ** 2
        grain = grain - (grain * (1 - mask)).sum() / ((1 - mask).sum() + 1e-3)
        part = to_grid(mask, self.CELL_PX)
        whole = self.nucleus.sum(to_grid(height * mask, self.CELL_PX)) ** 2 / (self.nucleus.sum(part) + 1e-3)
        fine = self.nucleus.sum(to_grid(grain * mask, self.CELL_PX))
        energy = torch.sqrt(torch.relu(whole + self.CHROMATIN * fine)) * (part > 0.5).to(blue.dtype)
        found = (from_grid(dilate(energy, 5), blue) >= self.LEAST_ENERGY).to(blue.dtype)
        return score * found, torch.zeros_like(value)


def variation(value: Tensor) -> Tensor:
    """Deviation for the mean."""
    return value.std() / (value.mean() + 1e-3)
