"""Lesions of dermoscopy, as a torch module. Nothing is learnt.

Takes an image (1, 3, rows, columns), float32, sRGB of 8 or 16 bits, and gives a map (1, 1, rows, columns) in [0, 1].
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import (
    GRID,
    Gaussian,
    closing,
    from_grid,
    mask_from_grid,
    opening,
    to_grid,
)
from models.experts.export.pictures import levels
from models.experts.export.single import Level, OneFinding, bell


class SkinColour(nn.Module):
    """On RGB. Map: the lesion, by the colour in which it is unlike the skin towards the image's border."""

    WEIGHTS = (0.2, 0.45, 0.35)
    DARK = 8.0
    FIELD = 0.4
    CLIP = 1.5
    PRIOR, BORDER = 0.6, 0.5
    SEED_PX = 16.0
    LEAST, PART = 0.4, 0.2

    def __init__(self) -> None:
        super().__init__()
        self.level = Level(self.CLIP, "below")
        self.finding = OneFinding(self.SEED_PX / GRID, area_power=1.0)
        self.fine = Gaussian(2.0)
        self.register_buffer("weights", torch.tensor(self.WEIGHTS).reshape(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        # Hair is dark and thin. Blood and melanin absorb green and blue more than red.
        logs = torch.log(closing(levels(image), 5) + self.DARK)
        colour = functional.conv2d(logs, self.weights)
        grid = to_grid(colour)
        # The round field of a dermatoscope ends in black.
        field = (grid > grid.mean() + math.log(self.FIELD)).to(grid.dtype)
        prior = bell(grid, (0.0, 0.0), (self.PRIOR, self.PRIOR))
        border = field * (prior < self.BORDER).to(grid.dtype)
        surface, spread = self.level(grid, field, 0.01, border)
        mask, level, step = self.finding(surface - grid, field, prior)
        found = (step > self.LEAST * spread).to(grid.dtype)
        # Lesions fade out: readers draw them wider than midway, but not into the skin's own unevenness.
        level = torch.maximum(level - (0.5 - self.PART) * step, spread)
        height = self.fine.mean(from_grid(surface, colour) - colour)
        near = mask_from_grid(functional.max_pool2d(mask, 3, stride=1, padding=1), height)
        score = torch.clamp(0.5 * height / level, 0.0, 1.0) * near * found
        return opening(closing(score, 5), 5)
