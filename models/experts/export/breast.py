"""The lesion that an ultrasound image of the breast was taken of, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import (
    Gaussian,
    between,
    closing,
    from_grid,
    mask_from_grid,
    opening,
    to_grid,
)
from models.experts.export.pictures import levels
from models.experts.export.single import Level, OneFinding, bell


class BreastEcho(nn.Module):
    """On luma, 8 or 16 bits. Map: the lesion, by the echo that it lacks."""

    ECHO = 6.0
    CLIP = 1.5
    PRIOR_AT, PRIOR_WIDTH = (-0.15, 0.0), (0.4, 0.5)
    LEAST = 0.1
    PART = 0.35

    def __init__(self) -> None:
        super().__init__()
        self.level = Level(self.CLIP, "below")
        self.finding = OneFinding(4.5, area_power=0.5, bridge_cells=3, held=True)
        self.fine = Gaussian(2.5)

    def forward(self, image: Tensor) -> Tensor:
        grey = levels(image)
        grid = to_grid(grey)
        field = between(closing((grid > self.ECHO).to(grid.dtype), 5), "left", "right", "top", "bottom")
        # Bright layers and marks are narrow.
        value = torch.sqrt(opening(torch.clamp(grid, min=0.0), 3) + 4.0)
        prior = bell(grid, self.PRIOR_AT, self.PRIOR_WIDTH)
        surface, spread = self.level(value, field, 0.05)
        mask, level, step = self.finding(surface - value, field, prior)
        found = (step > self.LEAST * spread).to(grid.dtype)
        level = level - (0.5 - self.PART) * step
        fine = from_grid(surface, grey) - torch.sqrt(torch.clamp(grey, min=0.0) + 4.0)
        fine = self.fine.mean(fine)
        near = mask_from_grid(functional.max_pool2d(mask, 3, stride=1, padding=1), fine)
        score = torch.clamp(0.5 * fine / torch.clamp(level, min=0.05), 0.0, 1.0) * near * found
        return opening(closing(score, 7), 7)
