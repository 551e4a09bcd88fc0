"""Vessels of the retina by lines of several widths and directions, as a torch module. Nothing is learnt."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import GRID, Gaussian, erode, from_grid, largest, mask_from_grid, to_grid
from models.experts.export.pictures import full_scale


def lines(sigma: float, length: float, directions: int) -> Tensor:
    """Kernels (directions, 1, side, side): a valley of width `sigma` px, averaged along `length` px; of sum 0, norm 1.

    The second derivative of a Gaussian across, a Gaussian along: Chaudhuri et al., IEEE Trans. Med. Imaging 8, 1989.
    """
    reach = math.ceil(max(3 * sigma, 1.5 * length))
    y, x = torch.meshgrid(*(torch.arange(-reach, reach + 1, dtype=torch.float64),) * 2, indexing="ij")
    kernels: list[Tensor] = []
    for n in range(directions):
        angle = math.pi * n / directions
        along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        kernel = ((across / sigma) ** 2 - 1) * torch.exp(-0.5 * ((across / sigma) ** 2 + (along / length) ** 2))
        kernel = kernel - kernel.mean()
        kernels.append(kernel / kernel.norm())
    return torch.stack(kernels)[:, None].to(torch.float32)


class Vessels(nn.Module):
    """On RGB, its green. Maps: vessel, and the field of view.

    Lines are looked for on means of 2 × 2 px; what these means leave out, detail of single pixels, is added after it.
    """

    FIELD_LEVEL = 12.0
    WIDE_PX = 24.0
    CELL_PX, WIDTH_PX, LENGTH_PX, DIRECTIONS = 2, 2.0, 5.0, 8
    DETAIL = 0.6
    EDGE_PX = 8
    LEAST = 1.8
    BRIGHT = 0.05

    lines: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.wide = Gaussian(self.WIDE_PX / GRID)
        self.register_buffer(
            "lines", lines(self.WIDTH_PX / self.CELL_PX, self.LENGTH_PX / self.CELL_PX, self.DIRECTIONS)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        full = full_scale(image)
        green = image[:, 1:2]
        field = (to_grid(largest(image)) > self.FIELD_LEVEL * full).to(green.dtype)
        coarse = to_grid(green, self.CELL_PX)
        grid = to_grid(coarse, GRID // self.CELL_PX)
        level = torch.clamp(from_grid(self.wide(grid, field), coarse), min=5.0 * full)
        # Light falls off towards the field's edge, and contrast with it.
        value = torch.clamp(coarse / level - 1, max=self.BRIGHT) * mask_from_grid(field, coarse)
        clear = mask_from_grid(erode(field, 2 * (self.EDGE_PX // GRID) + 1), coarse)
        response = self.along(value) * clear
        spread = torch.abs(response).sum() / (clear.sum() + 1e-6) + 1e-4
        share = self.DETAIL * clear / level
        strength = from_grid(response + share * coarse, green) - from_grid(share, green) * green
        return torch.clamp(0.5 / (self.LEAST * spread) * strength, 0.0, 1.0), field

    def along(self, value: Tensor) -> Tensor:
        """The strongest of all directions."""
        padded = functional.pad(value, (self.lines.shape[-1] // 2,) * 4, mode="replicate")
        return largest(functional.conv2d(padded, self.lines))
