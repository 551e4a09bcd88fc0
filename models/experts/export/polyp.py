"""What stands out from the mucosa by its light, as polyps do, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import GRID, from_grid, opening, to_grid
from models.experts.export.pictures import levels
from models.experts.export.single import Level, OneFinding, bell


class EndoscopyLight(nn.Module):
    """On RGB, its luma. Map: the region that is lighter than the mucosa around it, at a grid's resolution."""

    GLARE_PX = 9
    FIELD = 30.0
    DARK = 12.0
    CLIP, PRIOR, SEED_PX = 2.0, 0.5, 20.0
    LEAST = 0.3

    def __init__(self) -> None:
        super().__init__()
        self.level = Level(self.CLIP, "both")
        self.finding = OneFinding(self.SEED_PX / GRID, area_power=0.5, bridge_cells=5, held=True)
        self.register_buffer("luma", torch.tensor([0.299, 0.587, 0.114]).reshape(1, 3, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        # Glare is bright and small.
        grid = to_grid(functional.conv2d(opening(levels(image), self.GLARE_PX), self.luma))
        field = opening((grid > self.FIELD).to(grid.dtype), 5)
        value = torch.log(torch.clamp(grid, min=0.0) + self.DARK)
        surface, spread = self.level(value, field, 0.01)
        prior = bell(value, (0.0, 0.0), (self.PRIOR, self.PRIOR))
        mask, _, step = self.finding((value - surface) / spread, field, prior)
        return from_grid(mask, image[:, :1]) * (step > self.LEAST).to(grid.dtype)
