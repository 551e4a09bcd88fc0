"""Vessels of the retina by lines of several widths and directions, as a torch module. Nothing is learnt."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import GRID, Gaussian, erode, from_grid, mask_from_grid, to_grid
from models.experts.export.pictures import levels


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
    """On RGB, its green. Maps: vessel, and the field of view."""

    FIELD_LEVEL = 12.0
    WIDE_PX = 24.0
    WIDTHS, LENGTH_PX, DIRECTIONS = (1.3, 2.4), 5.0, 8
    EDGE_PX = 8
    LEAST = 1.8
    BRIGHT = 0.05

    def __init__(self) -> None:
        super().__init__()
        self.wide = Gaussian(self.WIDE_PX / GRID)
        self.register_buffer("narrow", lines(self.WIDTHS[0], self.LENGTH_PX, self.DIRECTIONS))
        self.register_buffer("broad", lines(self.WIDTHS[1], self.LENGTH_PX, self.DIRECTIONS))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        rgb = levels(image)
        green = rgb[:, 1:2]
        field = (to_grid(rgb.amax(dim=1, keepdim=True)) > self.FIELD_LEVEL).to(green.dtype)
        inside = mask_from_grid(field, green)
        level = from_grid(self.wide(to_grid(green), field), green)
        # Light falls off towards the field's edge, and contrast with it.
        value = torch.clamp(green / torch.clamp(level, min=5.0) - 1, max=self.BRIGHT) * inside
        response = torch.maximum(self.along(value, self.narrow), self.along(value, self.broad))
        clear = mask_from_grid(erode(field, 2 * (self.EDGE_PX // GRID) + 1), green)
        spread = (torch.abs(response) * clear).sum() / (clear.sum() + 1e-6) + 1e-4
        return torch.clamp(0.5 * response / (self.LEAST * spread), 0.0, 1.0) * clear, field

    def along(self, value: Tensor, kernels: Tensor) -> Tensor:
        """The strongest of all directions."""
        reach = kernels.shape[-1] // 2
        padded = functional.pad(value, (reach,) * 4, mode="replicate")
        return functional.conv2d(padded, kernels).amax(dim=1, keepdim=True)
