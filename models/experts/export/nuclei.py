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

    def forward(self, density: Tensor) -> tuple[Tensor, Tensor]:
        spread = density.std(dim=(2, 3)) / (density.mean(dim=(2, 3)) + 1e-3)
        value = torch.where(spread[0, 2] > spread[0, 0], density[:, 2:3], density[:, 0:1])
        found, strength, apart = self.blobs(value)
        maps, strengths = [found], [strength]
        for octave in range(1, self.COPIES):
            found, strength, _ = self.blobs(to_grid(value, 2**octave))
            maps.append(from_grid(found, value))
            strengths.append(strength)
        best = torch.stack(strengths).argmax(dim=0, keepdim=True)
        score = torch.index_select(torch.cat(maps, dim=1), 1, best)
        return torch.clamp(score, min=0.5) * (score > 0.25).to(score.dtype), apart

    def blobs(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of a copy: the score of what is dark and curved as a blob, how strongly it is, and what it is darker by."""
        everywhere = torch.ones_like(value)
        smooth = self.smooth(value, everywhere)
        level, low, high = two_means(to_grid(smooth, 2), rounds=6)
        dark = (smooth > self.FRACTION * level).to(value.dtype)
        padded = functional.pad(self.blob(value, everywhere), (1, 1, 1, 1), mode="replicate")
        curved = functional.conv2d(padded, self.laplace)
        strength = (torch.relu(curved) * dark).sum() / (dark.sum() + 1.0)
        grid = to_grid(smooth)
        dark = dark * (smooth > from_grid(self.wide(grid, torch.ones_like(grid)), value)).to(value.dtype)
        typical = (torch.relu(curved) * dark).sum() / (dark.sum() + 1.0)
        mask = opening(dark * (curved > self.CURVED * typical).to(value.dtype), 3)
        score = mask * torch.clamp(0.5 * smooth / (self.FRACTION * level + 1e-6), 0.5, 1.0)
        return score, strength / (smooth.std() + 1e-6), high - low


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
        weak = score * (from_grid(dilate(energy, 5), blue) >= self.LEAST_ENERGY).to(blue.dtype)
        strong, apart = self.stained(density)
        stained = (apart >= Stained.LEAST_DENSITY).to(blue.dtype)
        return weak * (1 - stained), strong * stained
