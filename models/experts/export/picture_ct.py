"""Lung in CT that comes as a picture, its window unknown, as a torch module. Nothing is learnt."""

from torch import Tensor, nn

from models.experts.export.layers import (
    between,
    closing,
    erode,
    mask_from_grid,
    mean3,
    opening,
    ramp,
    to_grid,
    two_means,
)
from models.experts.export.pictures import levels

CELL = 2


def three_means(values: Tensor, weight: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Means of three classes, each value with the nearest, from `low`, `high` and their middle on (Lloyd 1982)."""
    middle = 0.5 * (low + high)
    for _ in range(10):
        dark = (values < 0.5 * (low + middle)).to(values.dtype) * weight
        bright = (values > 0.5 * (middle + high)).to(values.dtype) * weight
        rest = weight - dark - bright
        low = (values * dark).sum() / (dark.sum() + 1e-6) + (dark.sum() < 0.5).to(values.dtype) * low
        high = (values * bright).sum() / (bright.sum() + 1e-6) + (bright.sum() < 0.5).to(values.dtype) * high
        middle = (values * rest).sum() / (rest.sum() + 1e-6) + (rest.sum() < 0.5).to(values.dtype) * middle
    return low, middle, high


class PictureCt(nn.Module):
    """On grey levels, any window in which tissue is brighter than air. Maps: lung, and the body.

    Of three levels within the body the darkest is air's where it is not that of the ring beneath the skin: there fat
    lies, which windows of soft tissue show dark too, and no lung.
    """

    SOLID, NARROW_CELLS = 0.2, 3
    RING_CELLS, RING = 4, 0.4
    AIRY, GROUND, MOST = 0.5, 0.4, 0.97
    WIDE_PX, VESSEL_PX = 5, 7

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        grey = levels(image)
        grid = to_grid(grey, CELL)
        _, air, tissue = two_means(grid)
        solid = opening((grid > air + self.SOLID * (tissue - air)).to(grid.dtype), self.NARROW_CELLS)
        body = between(solid, "left", "right", "top", "bottom")
        low, middle, _ = three_means(grid, body, air, tissue)
        ring = body - erode(body, 2 * self.RING_CELLS + 1)
        fatty = (grid * ring).sum() / (ring.sum() + 1e-6)
        edge = 0.5 * (low + fatty)
        outside = (grid * (1 - body)).sum() / ((1 - body).sum() + 1e-6)
        dark = (grid < 0.5 * (low + middle)).to(grid.dtype)
        fat = (dark * ring).sum() / (ring.sum() + 1e-6)
        # A picture with no air around the patient, or a bright ground, is another kind of picture.
        seen = (body.mean() < self.MOST) & (outside < self.GROUND * tissue)
        told = (seen & (fat < self.RING) & (low - outside < self.AIRY * (tissue - outside))).to(grid.dtype)
        deep = mask_from_grid(erode(body, 3), grey)
        lung = ramp(opening(-mean3(grey), self.WIDE_PX), -edge, -low)
        return closing(lung, self.VESSEL_PX) * deep * told, body
