"""What stands out from its neighbourhood, outlined at about half of its height. Knows no modality."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.export.layers import GRID, Gaussian, dilate, from_grid, to_grid

CLIP = 2.5
"""Deviations from the neighbourhood beyond which a pixel does not count as part of it."""
ROUNDS = 3
LEAST_SPREAD, ROUNDING = 1e-3, 1e-5
"""Parts of the image's range of values, and of its largest one, that a typical deviation never falls below: in what is
drawn flat, rounding would otherwise stand out."""
FRACTION = 0.4
"""Part of the local peak's height at which an outline is drawn."""
PULL = 0.6
"""How far the values move a blurred mask that they contradict by all of the level inside."""
PART = 0.05
"""Least part of a neighbourhood that a mean over the mask is taken of."""


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
        return (smooth - level) / spread

    def parts(self, image: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The smoothed value, the neighbourhood's mean, and its typical deviation (a scalar)."""
        value, share, middle = grid_means(image, weight)
        around, spread, _ = self.around(value, share, least_spread(image))
        return self.fine.mean(image), from_grid(around, image) + middle, spread

    def around(self, value: Tensor, share: Tensor, floor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The neighbourhood's mean of a grid's values, their typical deviation from it, and what is left of `share`.

        The deviation is not below `floor`.
        """
        kept = share
        around, spread = value, value.mean()
        for _ in range(ROUNDS):
            around = self.wide(value, kept)
            apart = torch.abs(value - around)
            # 1.25 × the mean absolute deviation is the SD where it is Gaussian.
            spread = torch.maximum(1.2533 * (apart * kept).sum() / (kept.sum() + 1e-6), floor)
            kept = share * (apart <= CLIP * spread).to(share.dtype)
        return self.wide(value, kept), spread, kept


def grid_means(image: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted means of 4 × 4 px less the whole image's, which comes last; between them the weight in each."""
    share = to_grid(weight)
    # Where nothing is left to average, the whole image's mean stands in.
    middle = (image * weight).sum() / (weight.sum() + 1e-6)
    return to_grid((image - middle) * weight) / (share + 1e-6), share, middle


def least_spread(image: Tensor) -> Tensor:
    """What a typical deviation is at least."""
    return LEAST_SPREAD * (image.max() - image.min()) + ROUNDING * image.abs().max() + 1e-6


class Matched(nn.Module):
    """A height above its neighbourhood, averaged at the scale of what is looked for, in its own typical deviations.

    The matched filter (Turin, IRE Trans. Inf. Theory 6, 1960) of what is about as wide as its Gaussian: noise and
    texture that are finer average out, so that less contrast is told from them than in single places.
    """

    def __init__(self, matched_px: float, cell: int = GRID) -> None:
        super().__init__()
        self.smooth, self.cell = Gaussian(matched_px / cell), cell

    def forward(self, height: Tensor, weight: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
        """Of `height`, where `weight` is 1: seeds on a grid of `cell` px, and the deviation they are told in."""
        share = to_grid(weight, self.cell)
        return self.seeds(to_grid(height * weight, self.cell) / (share + 1e-6), share, floor)

    def seeds(self, height: Tensor, share: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
        """The same of a height that is on the grid already."""
        seed = self.smooth(height, share) * (share > 0.5).to(share.dtype)
        kept, spread = share, floor
        for _ in range(ROUNDS):
            spread = torch.maximum(1.2533 * (torch.abs(seed) * kept).sum() / (kept.sum() + 1e-6), floor)
            kept = share * (torch.abs(seed) <= CLIP * spread).to(share.dtype)
        return seed / spread, spread


class Outline(nn.Module):
    """The outline of what a seed belongs to: between two levels, and no longer than it has to be.

    Levels inside and around are told apart as by Chan and Vese (IEEE Trans. Image Process. 10, 2001), whose curve is
    found by threshold dynamics (Esedoglu and Tsai, J. Comput. Phys. 211, 2006): a mask is blurred, moved by what the
    values say, and cut at a half, again and again. Values need no blur of their own then, which would round off an
    outline and still leave it frayed by texture.
    """

    def __init__(self, short_px: float, fraction: float, cell: int = GRID) -> None:
        super().__init__()
        self.blur, self.mean = Gaussian(short_px), Gaussian(2 * short_px / cell)
        self.fraction, self.cell = fraction, cell

    def forward(self, height: Tensor, smooth: Tensor, seed: Tensor, least: float, reach_px: int) -> Tensor:
        """Score of `height` (1, 1, rows, columns) and `smooth`, the same smoothed, above their neighbourhood.

        0.5 at `fraction` of the mean inside, and 0 where no `seed`, on its grid, is at least `least` within about
        `reach_px`. A seed is a mean over what it belongs to: it is the level inside that the outline starts with.
        """
        peak = dilate(seed, 2 * (reach_px // self.cell) + 1)
        inside = from_grid(peak, height)
        found = (inside >= least).to(height.dtype)
        inside = torch.clamp(inside, min=least)
        mask = self.settle(found * (smooth > self.fraction * inside).to(height.dtype), height / inside, found, 3)
        part = self.mean.sum(to_grid(mask, self.cell))
        mean = torch.clamp(self.mean.sum(to_grid(height * mask, self.cell)) / (part + 1e-3), min=0.2 * least)
        inside = from_grid(torch.where(part > PART, mean, torch.clamp(peak, min=least)), height)
        mask = self.settle(mask, height / inside, found, 2)
        return mask * torch.clamp(0.5 * smooth / (self.fraction * inside), 0.5, 1.0)

    def settle(self, mask: Tensor, share: Tensor, found: Tensor, rounds: int) -> Tensor:
        """`share`: parts of the level inside."""
        pull = PULL * torch.clamp(share - self.fraction, -1.0, 1.0) - 0.5 * self.blur.inside(share)
        pull = torch.where(found > 0, pull, -2.0)
        for _ in range(rounds):
            mask = (self.blur.sum(mask) + pull > 0).to(mask.dtype)
        return mask


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


def beyond_mirror(z: Tensor, seed: Tensor, weight: Tensor, matched: Matched) -> tuple[Tensor, Tensor]:
    """Deviations `z`, and their `seed` on the grid, less those of the place mirrored about the middle of `weight`.

    The other place counts only where it stands out itself: less contrast than that is its noise, which would be added
    to that of this one.
    """
    other = mirrored(to_grid(z), weight)
    other = from_grid(other * (other > CLIP).to(other.dtype), z)
    apart = (z - other) * (z != 0).to(z.dtype)
    share = (to_grid((z != 0).to(z.dtype)) > 0.5).to(z.dtype)
    return apart, torch.minimum(seed, matched.smooth(to_grid(apart), share) * share)
