"""Stained nuclei in bright-field microscopy, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn

from models.experts.export.layers import Gaussian, closing, opening, to_grid, two_means
from models.experts.export.pictures import levels


class StainedNuclei(nn.Module):
    """On RGB. Map: where much more green is taken away than by the slide's clear ground.

    Eosin and azure both take green away (Giemsa, Wright), so red cells do by up to 0.17 of optical density; nuclei of
    white cells, which hold most azure, by 0.18 to 0.37. A field without a bright ground is none of transmitted light.
    """

    GROUND = 130.0
    SMOOTH_PX, NARROW_PX, LOBES_PX = 1.5, 5, 9
    DENSITY = 0.2

    def __init__(self) -> None:
        super().__init__()
        self.smooth = Gaussian(self.SMOOTH_PX)

    def forward(self, image: Tensor) -> Tensor:
        green = levels(image)[:, 1:2]
        _, _, ground = two_means(to_grid(green))
        smooth = torch.clamp(self.smooth.mean(green), min=1.0)
        density = torch.log(torch.clamp(ground, min=1.0) / smooth) / 2.302585093
        # Lobes of one nucleus lie side by side.
        whole = closing(opening(density, self.NARROW_PX), self.LOBES_PX)
        return torch.clamp(0.5 * whole / self.DENSITY, 0.0, 1.0) * (ground > self.GROUND).to(green.dtype)
