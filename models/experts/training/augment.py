"""Examples made different at random, by torchvision's transforms. Random numbers are torch's own."""

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from models.experts.training.settings import Settings

NOISE = {"z-score": 0.05, "window": 0.05, "full range": 0.015}
"""Standard deviation of the noise, in normalised values.

Colours fill little of their range: 0.015 is two of 255 levels. At three times that, small faint spots of a retina were
not learnt at all.
"""
GAIN = 0.1
"""Part of normalised values by which contrast and level may change."""


class Augment:
    """Mirrored, turned, scaled; another gain, level and noise. Geometry is the same for image, masks and inside."""

    def __init__(self, settings: Settings, normalisation: str = "z-score") -> None:
        flips = [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()] if settings.mirror else []
        turn = v2.RandomAffine(
            settings.rotate,
            scale=(1 - settings.scale, 1 + settings.scale),
            interpolation=InterpolationMode.BILINEAR,
        )
        self._geometry = v2.Compose([*flips, v2.RandomApply([turn], p=0.5)])
        self._noise = v2.RandomApply([v2.GaussianNoise(sigma=NOISE[normalisation], clip=False)], p=0.5)

    def __call__(self, image: Tensor, masks: Tensor, inside: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(channels, rows, columns) float32, (classes, rows, columns) uint8, (1, rows, columns) bool: the same back."""
        both = torch.cat([masks, inside.to(masks.dtype)])
        image, both = self._geometry(tv_tensors.Image(image), tv_tensors.Mask(both))
        gain, level = (GAIN * (2 * torch.rand(2) - 1)).tolist()
        image = self._noise(image.as_subclass(Tensor) * (1 + gain) + level)
        both = both.as_subclass(Tensor)
        return image * both[-1:], both[:-1], both[-1:] > 0


def cut(image: Tensor, masks: Tensor, inside: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """A piece of `side` × `side` px, half of the time around a pixel that is marked, where one is."""
    rows, columns = image.shape[-2:]
    marked = torch.nonzero(masks.any(dim=0)) if torch.rand(()) < 0.5 else masks.new_empty((0, 2))
    if len(marked):
        y, x = (marked[torch.randint(len(marked), ())] - torch.randint(side, (2,))).tolist()
    else:
        y, x = torch.randint(rows - side + 1, ()).item(), torch.randint(columns - side + 1, ()).item()
    top, left = min(max(int(y), 0), rows - side), min(max(int(x), 0), columns - side)
    image, masks, inside = (one[:, top : top + side, left : left + side] for one in (image, masks, inside))
    return image, masks, inside
