"""What stands out from its neighbourhood, outlined at half of its height. Knows no modality."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import GRID, Gaussian, dilate, from_grid, to_grid

CLIP = 2.5
"""Deviations from the neighbourhood beyond which a pixel does not count as part of it."""
ROUNDS = 3
FRACTION = 0.4
"""Part of the local peak's height at which an outline is drawn."""


class Focal(nn.Module):
    """Deviation of the smoothed value from a wide neighbourhood's mean, in that neighbourhood's typical deviations.

    The mean is a normalised convolution (Knutsson and Westin 1993) that leaves out, by kappa-sigma clipping, what
    itself stands out; so a large or bright finding does not raise the level it is measured against (Bertin and Arnouts,
    "SExtractor", Astron. Astrophys. Suppl. 117, 1996).
    """

    def __init__(self, *, fine_px: float, wide_px: float) -> None:
        super().__init__()
        self.fine = Gaussian(fine_px)
        self.wide = Gaussian(wide_px / GRID)

    def forward(self, image: Tensor, weight: Tensor) -> Tensor:
        """Of `image`, where `weight` is 1; both (1, 1, rows, columns). Deviations are SDs of 4 × 4 px means."""
        smooth, level, spread = self.parts(image, weight)
        return (smooth - level) / (spread + 1e-6)

    def parts(self, image: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The smoothed value, the neighbourhood's mean, and its typical deviation (a scalar)."""
        share = to_grid(weight)
        # Where nothing is left to average, the whole image's mean stands in.
        middle = (image * weight).sum() / (weight.sum() + 1e-6)
        value = to_grid((image - middle) * weight) / (share + 1e-6)
        kept = share
        around, spread = value, value.mean()
        for _ in range(ROUNDS):
            around = self.wide(value, kept)
            apart = torch.abs(value - around)
            # 1.25 × the mean absolute deviation is the SD where it is Gaussian.
            spread = 1.2533 * (apart * kept).sum() / (kept.sum() + 1e-6)
            kept = share * (apart <= CLIP * spread).to(share.dtype)
        around = self.wide(value, kept)
        return self.fine(image, torch.ones_like(image)), from_grid(around, image) + middle, spread


def half_height(
    height: Tensor, least: float, reach_px: int, fraction: float = FRACTION, seed: Tensor | None = None
) -> Tensor:
    """Score of `height` (1, 1, rows, columns) above its neighbourhood: 0.5 at `fraction` of the local peak.

    The local peak is the largest 4 × 4 px mean of `height`, or of `seed`, within about `reach_px`; where it is below
    `least`, the score is 0. An outline at a part of the peak lies near the true edge of whatever was blurred, whether
    it stands out little or much. The part is less than a half, as the largest of many noisy values lies above the
    true height.
    """
    peaks = to_grid(height) if seed is None else functional.max_pool2d(seed, GRID)
    peak = from_grid(dilate(peaks, 2 * (reach_px // GRID) + 1), height)
    found = (peak >= least).to(height.dtype)
    return found * torch.clamp(0.5 * height / (torch.clamp(peak, min=least) * fraction), 0.0, 1.0)


def mirrored(image: Tensor, weight: Tensor) -> Tensor:
    """`image` reflected left to right about the vertical line through the centroid of `weight`."""
    across = torch.arange(image.shape[-1], dtype=image.dtype)
    columns = weight.sum(dim=(0, 1, 2))
    centre = (columns * across).sum() / (columns.sum() + 1e-6)
    source = torch.clamp(torch.round(2 * centre) - across, min=0)
    source = torch.minimum(source, across.amax(dim=0)).to(torch.int64)
    return torch.index_select(image, 3, source)
