"""The one finding that a picture was taken of: where it is, and of all outlines around it the best. Knows no modality.

Works on a grid of means. Heights are what a pixel is unlike its surroundings in, the larger the more; `field` is 1
where there is an image at all.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import Gaussian, opening


def legendre(like: Tensor) -> tuple[Tensor, Tensor]:
    """Places down and across from -1 to 1, (1, 1, rows, 1) and (1, 1, 1, columns)."""
    rows, columns = like.shape[-2], like.shape[-1]
    down = (2 * torch.arange(rows, dtype=like.dtype) + 1) / rows - 1
    across = (2 * torch.arange(columns, dtype=like.dtype) + 1) / columns - 1
    return down.reshape(1, 1, -1, 1), across.reshape(1, 1, 1, -1)


def bell(like: Tensor, centre: tuple[float, float], width: tuple[float, float]) -> Tensor:
    """1 at `centre`, falling as a Gaussian of `width`, both (down, across) in halves of the image's sides."""
    down, across = legendre(like)
    return torch.exp(-0.5 * (((down - centre[0]) / width[0]) ** 2 + ((across - centre[1]) / width[1]) ** 2))


class Shading(nn.Module):
    """A surface of second degree through values where `weight` is 1.

    By products of Legendre polynomials, which are orthogonal over the image; where a value does not count that of the
    surface stands for it, and the surface is taken again.
    """

    ROUNDS = 6

    def forward(self, value: Tensor, weight: Tensor) -> Tensor:
        """`value` (1, channels, rows, columns), `weight` (1, 1, rows, columns)."""
        down, across = legendre(value)
        p, q = (1.5 * down * down - 0.5), (1.5 * across * across - 0.5)
        surface = (value * weight).sum(dim=(2, 3), keepdim=True) / (weight.sum() + 1e-6)
        surface = surface.expand_as(value)
        for _ in range(self.ROUNDS):
            filled = weight * value + (1 - weight) * surface

            def part(basis: Tensor, norm: float, of: Tensor = filled) -> Tensor:
                return norm * (of * basis).mean(dim=(2, 3), keepdim=True) * basis

            surface = (
                filled.mean(dim=(2, 3), keepdim=True) + part(down, 3) + part(across, 3) + part(p, 5) + part(q, 5)
                + part(down * across, 9)
            )  # fmt: skip
        return surface


class Level(nn.Module):
    """The level of what is usual, as a smooth surface, and how far values lie from it: what stands out is left out.

    `sides`: of 'above', 'below' or 'both' that what stands out lies.
    """

    ROUNDS = 3

    def __init__(self, clip: float, sides: str) -> None:
        super().__init__()
        self.surface, self.clip, self.sides = Shading(), clip, sides

    def forward(
        self, value: Tensor, weight: Tensor, floor: Tensor | float, start: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Of `value` (1, 1, rows, columns) where `weight` is 1; a typical deviation is never below `floor`.

        `start`: where the level is taken first.
        """
        kept, surface, spread = weight if start is None else start, value, value.mean()
        for _ in range(self.ROUNDS):
            surface = self.surface(value, kept)
            apart = value - surface
            spread = 1.2533 * (torch.abs(apart) * kept).sum() / (kept.sum() + 1e-6) + floor
            far = torch.abs(apart) if self.sides == "both" else apart if self.sides == "above" else -apart
            kept = weight * (far < self.clip * spread).to(value.dtype)
        return surface, spread


def grown(seed: Tensor, mask: Tensor, steps: int) -> Tensor:
    """What of `mask` is joined to `seed` (8 neighbours), as far as `steps` cells along it."""
    seed = seed * mask
    for _ in range(steps):
        seed = functional.max_pool2d(seed, 3, stride=1, padding=1) * mask
    return seed


class OneFinding(nn.Module):
    """The outline, of all that a height's thresholds draw around its seed, across which the height falls most.

    The seed is the largest mean height at the scale `seed_px`, times a prior of where findings are shown. Compared with
    a single threshold (Otsu's, say) this holds for findings of any share of the image. The idea is that of maximally
    stable regions (Matas et al., BMVC 2002), with the step across the border in the place of stability; Horsch et al.,
    Med. Phys. 28, 2001, outline lesions of the breast by it.
    """

    SHARES = tuple(0.2 + 0.06 * n for n in range(11))
    STEPS = 48

    def __init__(
        self, seed_cells: float, area_power: float, *, smooth_cells: float = 1.0, bridge_cells: int = 1,
        held: bool = False,
    ) -> None:  # fmt: skip
        """`bridge_cells`: what is narrower joins nothing; `held`: heights are weighed by the prior, too."""
        super().__init__()
        self.seed, self.smooth, self.area_power = Gaussian(seed_cells), Gaussian(smooth_cells), area_power
        self.bridge_cells, self.held = bridge_cells, held

    def forward(self, height: Tensor, field: Tensor, prior: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The mask on the grid, the level midway across its border, and the step across it (both scalars)."""
        h = self.smooth(height, field)
        mean = self.seed(height, field) * field * prior
        top = mean.amax(dim=(2, 3), keepdim=True)
        seed = (mean >= top).to(h.dtype)
        weighed = h * prior if self.held else h
        level = torch.clamp((weighed * seed).amax(dim=(2, 3), keepdim=True), min=1e-6)
        shares = torch.tensor(self.SHARES, dtype=h.dtype).reshape(1, -1, 1, 1)
        masks = (weighed > shares * level).to(h.dtype)
        if self.bridge_cells > 1:
            masks = torch.maximum(opening(masks, self.bridge_cells), seed)
        masks = grown(seed, masks * field, self.STEPS)
        outside = (functional.max_pool2d(masks, 3, stride=1, padding=1) - masks) * field
        inside = masks - (-functional.max_pool2d(-masks, 3, stride=1, padding=1))
        # Along the field's edge nothing is known of what is outside.
        edge = (functional.max_pool2d(masks, 3, stride=1, padding=1) - masks).sum(dim=(2, 3)) + 1e-3
        open_ = outside.sum(dim=(2, 3)) / edge
        within = (h * inside).sum(dim=(2, 3)) / (inside.sum(dim=(2, 3)) + 1e-3)
        around = (h * outside).sum(dim=(2, 3)) / (outside.sum(dim=(2, 3)) + 1e-3)
        area = masks.sum(dim=(2, 3))
        score = (within - around) * open_ * torch.clamp(area, min=1.0) ** self.area_power
        best = score.argmax(dim=1)
        mask = torch.index_select(masks, 1, best)
        step = torch.index_select(within - around, 1, best)
        middle = 0.5 * torch.index_select(within + around, 1, best)
        return mask, middle.reshape(1, 1, 1, 1), step.reshape(1, 1, 1, 1)
