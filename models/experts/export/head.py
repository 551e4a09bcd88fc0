"""Bleeding in CT of the head that comes as a picture, its window unknown, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn

from models.experts.export.focal import Outline
from models.experts.export.layers import (
    GRID,
    Gaussian,
    between,
    closing,
    dilate,
    from_grid,
    mask_from_grid,
    mean3,
    opening,
    to_grid,
)
from models.experts.export.pictures import levels
from models.experts.export.single import Level, grown


class CtHead(nn.Module):
    """On grey levels, any window. Maps: brighter than the brain, and the brain: what the skull is around."""

    BONE = 0.85
    TISSUE = 0.06
    SKULL_PX, RIM_PX = 9, 3
    WIDE_CELLS, CORNER_CELLS = 9, 6
    CLIP = 1.5
    MATCHED_PX = 4.0
    LEAST, FRACTION, SHORT_PX = 1.8, 0.4, 1.5

    def __init__(self) -> None:
        super().__init__()
        self.level = Level(self.CLIP, "above")
        self.matched, self.fine = Gaussian(self.MATCHED_PX / GRID), Gaussian(1.2)
        self.outline = Outline(self.SHORT_PX, self.FRACTION)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        grey = levels(image)
        top = grey.max() + 1e-6
        bone = opening((grey > self.BONE * top).to(grey.dtype), 3)
        # Where the skull was opened one side of four may show no bone.
        sides = [between(bone, one) for one in ("left", "right", "top", "bottom")]
        inside = (torch.cat(sides, dim=1).sum(dim=1, keepdim=True) > 2.5).to(grey.dtype)
        lit = (mean3(grey) > self.TISSUE * top).to(grey.dtype)
        # Bone brightens what is next to it: the level is taken further inside than outlines may reach.
        tissue = inside * (1 - dilate(bone, self.SKULL_PX)) * lit
        # Air of sinuses and orbits is dark, and fat: brain is what is wide and of tissue's level, and its corners.
        solid = closing((to_grid(tissue) > 0.6).to(grey.dtype), 3)
        wide = opening(solid, self.WIDE_CELLS)
        deep = grown(wide, torch.maximum(wide, solid), self.CORNER_CELLS)
        where = mask_from_grid(deep, grey) * tissue
        share = to_grid(where)
        value = to_grid(grey * where) / (share + 1e-6)
        whole = (share > 0.5).to(grey.dtype)
        surface, spread = self.level(value, whole, 0.01 * top)
        seed = self.matched((value - surface) / spread, whole) * whole
        brain = dilate(deep, 3)
        reach = mask_from_grid(brain, grey) * inside * (1 - dilate(bone, self.RIM_PX)) * lit
        height = (grey - from_grid(surface, grey)) / spread * reach
        smooth = self.fine(height, reach) * reach
        bright = self.outline(height, smooth, seed, self.LEAST, 12)
        return opening(bright, 3), brain
