"""Tumours of the brain in MR that comes as a colour image of several sequences: a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import (
    GRID,
    Gaussian,
    closing,
    erode,
    from_grid,
    mask_from_grid,
    mean3,
    opening,
    to_grid,
)
from models.experts.export.single import Level, OneFinding, bell


class MrComposite(nn.Module):
    """On RGB, its green: FLAIR. Maps: the region that stands out most, and the brain that it is looked for in."""

    FOREGROUND, BRAIN = 0.4, 0.65
    FRAME_PX, CORE_PX, SCALP_PX, EDGE_PX = 24, 40, 15, 4
    USUAL = 1.1
    CLIP, LEAST, PART = 1.5, 0.7, 0.45
    PRIOR = 0.5

    def __init__(self) -> None:
        super().__init__()
        self.level = Level(self.CLIP, "above")
        self.finding = OneFinding(3.0, area_power=0.5, bridge_cells=3)
        self.fine = Gaussian(1.2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        flair = image[:, 1:2]
        # Nothing is outside the image: what is cut off by its edge is as thin as it looks.
        framed = functional.pad(flair, (self.FRAME_PX,) * 4)
        grid = to_grid(framed)
        head = closing((grid > self.FOREGROUND * flair.mean()).to(flair.dtype), 5)
        core = erode(head, 2 * (self.CORE_PX // GRID) + 1)
        typical = (grid * core).sum() / (core.sum() + 1e-6)
        # A large tumour raises the mean that brain is told by: what is brighter does not count a second time.
        for _ in range(2):
            usual = core * (grid < self.USUAL * typical).to(flair.dtype)
            typical = (grid * usual).sum() / (usual.sum() + 1e-6)
        bright = (mean3(framed) > self.BRAIN * typical).to(flair.dtype)
        brain = closing(opening((to_grid(opening(bright, self.SCALP_PX)) > 0.5).to(flair.dtype), 5), 11)
        cells, edge = self.FRAME_PX // GRID, self.FRAME_PX
        brain, signal = brain[:, :, cells:-cells, cells:-cells], bright[:, :, edge:-edge, edge:-edge]
        inner = erode(brain, 2 * (self.EDGE_PX // GRID) + 1)
        where = mask_from_grid(inner, flair) * signal
        share = to_grid(where)
        value, whole = to_grid(flair * where) / (share + 1e-6), (share > 0.5).to(flair.dtype)
        surface, spread = self.level(value, whole, 1e-3 * flair.max() + 1e-6)
        prior = bell(value, (0.0, 0.0), (self.PRIOR, self.PRIOR))
        mask, level, step = self.finding((value - surface) / spread * whole, whole, prior)
        height = self.fine((flair - from_grid(surface, flair)) / spread, where) * where
        level = torch.clamp(level - (0.5 - self.PART) * step, min=0.3)
        near = mask_from_grid(functional.max_pool2d(mask, 3, stride=1, padding=1), flair)
        score = torch.clamp(0.5 * height / level, 0.0, 1.0) * near * (step > self.LEAST).to(flair.dtype)
        return opening(closing(score, 5), 5), inner
