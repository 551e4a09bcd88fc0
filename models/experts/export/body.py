"""Focal findings in what penetrates a body: CT, MR, radiographs, as torch modules. Nothing is learnt.

Each takes an image (1, 1, rows, columns), float32, and gives maps in [0, 1] that mean what `body_definitions` says.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.focal import (
    Focal,
    Matched,
    Outline,
    beyond_mirror,
    grid_means,
    half_height,
    least_spread,
)
from models.experts.export.layers import (
    GRID,
    Gaussian,
    between,
    closing,
    dilate,
    erode,
    from_grid,
    largest,
    mask_from_grid,
    mean3,
    opening,
    ramp,
    smallest,
    to_grid,
    two_means,
)
from models.experts.export.single import grown


class CtFocal(nn.Module):
    """On HU. Maps: focal low, focal high attenuation, and the soft tissue that they are looked for in."""

    LOW_HU, HIGH_HU = -30.0, 150.0
    WIDE_PX = 16.0
    LEAST = 3.1
    EXCLUDED_HU = -75.0, 250.0

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=1.8, wide_px=self.WIDE_PX)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hu = torch.clamp(image, -200.0, 400.0)
        level = mean3(hu)
        tissue = ((level > self.LOW_HU) & (level < self.HIGH_HU)).to(hu.dtype)
        # Near fat, gas and bone a pixel holds part of them.
        low, high = self.EXCLUDED_HU
        other = opening(((level < low) | (level > high)).to(hu.dtype), 3)
        clear = 1 - dilate(other, 7)
        z = self.focal(hu, tissue * clear) * clear
        hypo = opening(half_height(-z, self.LEAST, 12), 3)
        hyper = opening(half_height(z, self.LEAST, 12), 3)
        return hypo, hyper, opening(to_grid(tissue), 3)


class Outliers(nn.Module):
    """What is far brighter than most of the brain, as lesions of white matter are in FLAIR.

    By the median and the median deviation from it, which lesions do not move (Iglewicz and Hoaglin, How to Detect and
    Handle Outliers, 1993), with two thresholds (Canny, IEEE Trans. PAMI 8, 1986). Nothing where the brain's rim is
    bright as a whole, as cortex and fluid are in T2: it would be told for a lesion.
    """

    SMOOTH_PX, EDGE_PX = 0.8, 2
    SEED, LEAST, FRACTION = 3.5, 2.5, 0.5
    REACH_PX = 25
    RIM_PX, BRIGHT_RIM = 6, 0.5
    ROUNDS = 12

    def __init__(self) -> None:
        super().__init__()
        self.smooth = Gaussian(self.SMOOTH_PX)

    def forward(self, image: Tensor, filled: Tensor) -> Tensor:
        """Score, 0.5 at LEAST, of `image` in a `filled` brain of 0 and 1, both (1, 1, rows, columns)."""
        inner = erode(filled, 2 * self.EDGE_PX + 1)
        smooth = self.smooth.sum(image)
        middle = self.median(smooth, inner)
        tissue = inner * (smooth > MrBrain.BRAIN * middle).to(image.dtype)
        middle = self.median(smooth, tissue)
        deviation = 1.4826 * self.median(torch.abs(smooth - middle), tissue)
        z = (smooth - middle) / torch.maximum(deviation, least_spread(image)) * inner
        peak = dilate(z, self.REACH_PX)
        level = torch.clamp(self.FRACTION * peak, min=self.LEAST)
        rim = inner - erode(filled, 2 * self.RIM_PX + 1)
        found = (peak > self.SEED) & (z > level) & (self.median(z, rim) < self.BRIGHT_RIM)
        return found.to(image.dtype) * torch.clamp(0.5 * z / level, 0.5, 1.0)

    def median(self, value: Tensor, weight: Tensor) -> Tensor:
        """Of `value` where `weight`, 0 or 1, is 1, by halving the interval that it lies in."""
        low, half = value.min(), 0.5 * weight.sum()
        width = value.max() - low
        counted = value + (1 - weight) * (2 * width + 1)
        for _ in range(self.ROUNDS):
            width = 0.5 * width
            below = (counted < low + width).to(value.dtype).sum() < half
            low = low + width * below.to(value.dtype)
        return low + 0.5 * width


class MrBrain(nn.Module):
    """On RGB, its luma. Maps: hyperintense, far brighter than most of the brain, brighter than the mirrored place, and
    the brain as far as they may reach, what is dark in it too. Nothing stands out in composites of several sequences,
    whose luma has the contrast of none: they are `composite`'s.
    """

    LUMA, COLOURED = (0.299, 0.587, 0.114), 0.2
    FOREGROUND, BRAIN = 0.4, 0.65
    FRAME_PX, CORE_PX, SCALP_PX = 24, 40, 15
    WIDE_PX, MATCHED_PX = 16.0, 3.5
    LEAST = 3.9
    LEAST_ASYMMETRY = 3.5
    FRACTION, SHORT_PX = 0.48, 2.0
    CORTEX_PX, DEEP_PX, EDGE_PX = 16, 12, 4
    WIDEST_PX, GAP_CELLS, STEPS = 24.0, 3, 40

    def __init__(self) -> None:
        super().__init__()
        self.focal = Focal(fine_px=1.2, wide_px=self.WIDE_PX)
        self.matched = Matched(self.MATCHED_PX)
        self.outline = Outline(self.SHORT_PX, self.FRACTION)
        self.widest, self.outliers = Gaussian(self.WIDEST_PX / GRID), Outliers()

    def forward(self, colours: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        image = functional.conv2d(colours, torch.tensor(self.LUMA).reshape(1, 3, 1, 1))
        apart = (largest(colours) - smallest(colours)).mean()
        grey = (apart < self.COLOURED * image.abs().mean()).to(image.dtype)
        # Nothing is outside the image: what is cut off by its edge is as thin as it looks, and is not joined to it.
        framed = functional.pad(image, (self.FRAME_PX,) * 4)
        grid = to_grid(framed)
        head = closing((grid > self.FOREGROUND * image.mean()).to(image.dtype), 5)
        core = erode(head, 2 * (self.CORE_PX // GRID) + 1)
        typical = (grid * core).sum() / (core.sum() + 1e-6)
        # The skull is dark beside the brain, and scalp a thin ring outside it; ventricles and sulci are gaps.
        bright = (mean3(framed) > self.BRAIN * typical).to(image.dtype)
        brain = opening((to_grid(opening(bright, self.SCALP_PX)) > 0.5).to(image.dtype), 5)
        # Shoulders and neck can be in the picture too: the brain is what is joined to where it is widest, by no more
        # than a narrow gap.
        wide = self.widest.sum(brain) * brain
        widest = (wide >= 0.999 * wide.amax(dim=(2, 3), keepdim=True)).to(brain.dtype)
        brain = closing(grown(widest, closing(brain, self.GAP_CELLS), self.STEPS), 11)
        cells, edge = self.FRAME_PX // GRID, self.FRAME_PX
        brain, signal = brain[:, :, cells:-cells, cells:-cells], bright[:, :, edge:-edge, edge:-edge]
        inner = erode(brain, 2 * (self.CORTEX_PX // GRID) + 1)
        where = mask_from_grid(inner, image)
        smooth, level, _ = self.focal.parts(image, where * signal)
        seed, spread = self.matched(smooth - level, where * signal, least_spread(image))
        # A finding is looked for away from the cortex. The cortex is bright, but as bright in its mirror place: what is
        # brighter than that may reach through it.
        reach = erode(brain, 2 * (self.EDGE_PX // GRID) + 1)
        reached = mask_from_grid(reach, image)
        z, height = (smooth - level) / spread * reached, (image - level) / spread * reached
        deep = mask_from_grid(erode(brain, 2 * (self.DEEP_PX // GRID) + 1), image)
        hyper = self.outline(height * deep, z * deep, seed * inner, self.LEAST, 12)
        apart, seed = beyond_mirror(z, seed * inner, inner, self.matched)
        asymmetric = self.outline(height - (z - apart), apart, seed, self.LEAST_ASYMMETRY, 12)
        filled = between(reached, "left", "right", "top", "bottom")
        far = self.outliers(image, filled)
        hyper = opening(hyper, 3) * (1 - dilate((far > 0).to(image.dtype), Outliers.REACH_PX))
        return grey * hyper, grey * far, grey * opening(asymmetric, 3), filled


class ChestXray(nn.Module):
    """On values as shown (high is bright). Maps: opacity, brighter than the other side, and the trunk."""

    WIDE_PX, MATCHED_PX = 32.0, 4.0
    LEAST, LEAST_ASYMMETRY = 2.8, 2.8
    FRACTION, SHORT_PX = 0.5, 3.0
    RIB_CELLS = 3

    def __init__(self) -> None:
        super().__init__()
        self.smooth = Gaussian(1.5)
        self.focal = Focal(fine_px=2.0, wide_px=self.WIDE_PX)
        self.matched = Matched(self.MATCHED_PX)
        self.outline = Outline(self.SHORT_PX, self.FRACTION)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        grid = to_grid(image)
        first, _, _ = two_means(grid)
        bright = closing((grid > first).to(grid.dtype), 3)
        # Direct exposure is what is seen from the left, right or upper edge without tissue between.
        trunk = between(bright, "left", "right", "top")
        threshold, dark, _ = two_means(grid, trunk)
        smooth = self.smooth.mean(image)
        lung = opening(ramp(-smooth, -threshold, -dark + 1e-6), 7) * from_grid(trunk, image)
        # An opacity as bright as tissue is a gap in the field.
        field = closing((to_grid(lung) > 0.5).to(grid.dtype), 5)
        inner = erode(field, 5)
        where = mask_from_grid(inner, image)
        # Ribs and vessels are bright too, but narrow: an opening takes them out of what is looked for, not out of what
        # is outlined.
        value, share, middle = grid_means(image, where)
        floor = least_spread(image)
        broad = opening(value, self.RIB_CELLS)
        level, _, kept = self.focal.around(broad, share, floor)
        seed, spread = self.matched.seeds(broad - level, share, floor)
        level = from_grid(self.focal.wide(value, kept), image) + middle
        z = (self.focal.fine.mean(image) - level) / spread * where
        height = (image - level) / spread * where
        opacity = self.outline(height, z, seed * inner, self.LEAST, 16)
        apart, seed = beyond_mirror(z, seed * inner, trunk, self.matched)
        asymmetric = self.outline(height - (z - apart), apart, seed, self.LEAST_ASYMMETRY, 16)
        return opening(opacity, 5), opening(asymmetric, 5), trunk
