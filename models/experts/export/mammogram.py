"""The breast in mammograms, as a torch module. Nothing is learnt."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import closing, from_grid, mask_from_grid, opening, ramp, to_grid, two_means
from models.experts.export.pictures import levels


class Breast(nn.Module):
    """On values as shown (high is bright). Map: the breast, what is wide and brighter than the ground.

    Labels, markers and rims of films are narrow; strips of unexposed film lie apart, and are smaller than the breast.
    """

    GROUND, NARROW_CELLS, FAT_CELLS, MOST = 0.3, 5, 5, 0.95

    def forward(self, image: Tensor) -> Tensor:
        grey = levels(image)
        # The square root, so that metal and large calcifications do not make all else the ground.
        grid = torch.sqrt(torch.clamp(to_grid(grey), min=0.0))
        _, ground, bright = two_means(grid)
        edge = ground + self.GROUND * (bright - ground)
        wide = opening((grid > edge).to(grid.dtype), self.NARROW_CELLS)
        # Fat within is as dark as the ground at times.
        reach = self.FAT_CELLS
        around = functional.pad(wide, (reach, reach, reach, reach))
        whole = closing(around, self.FAT_CELLS)[:, :, reach:-reach, reach:-reach] * (wide.mean() < self.MOST).to(
            grid.dtype
        )
        score = torch.clamp(from_grid(ramp(torch.maximum(grid, edge), edge, bright), grey), 0.5, 1.0)
        return score * mask_from_grid(whole, grey)
