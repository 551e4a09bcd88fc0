"""MONAI's U-Net and Dice loss as they come: what a set teaches a network that is none of ours.

Where ours is no better than it, or worse, the figures are the set's worth and not the network's. Kerfoot et al.,
"Left-Ventricle Quantification Using Residual U-Net", STACOM 2018, is the network that MONAI names as its source.
"""

# pyright: reportMissingImports=false
# torch and monai are installed in .venv-llava only; tests/llava runs this.

from collections.abc import Callable

import torch
from monai.losses.dice import DiceLoss
from monai.networks.nets.unet import UNet
from torch import Tensor, nn
from torch.nn import functional

from models.experts.datasets.examples import Split
from models.experts.training.loop import Epoch, Masks, Progress, fit
from models.experts.training.prepare import Prepared
from models.experts.training.settings import Settings


class PlainMasks(Masks):
    """The lesson of a U-Net, by MONAI's Dice and cross entropy over whole squares; scored by Dice as ours is."""

    def __init__(self, data: Prepared, parts: Split, settings: Settings) -> None:
        super().__init__(data, parts, settings)
        self._dice = DiceLoss(sigmoid=True)

    def loss(self, output: Tensor, *wanted: Tensor) -> Tensor:
        """MONAI's own `DiceCELoss` takes several labels for such as exclude one another, so its parts are added."""
        masks = wanted[0]
        return self._dice(output, masks) + functional.binary_cross_entropy_with_logits(output, masks)


def unet(channels: int, labels: int, width: int, depth: int) -> nn.Module:
    """MONAI's, with two residual units a level as its tutorials have it; all else is its default."""
    widths = [width * 2**level for level in range(depth + 1)]
    return UNet(2, channels, labels, channels=widths, strides=[2] * depth, num_res_units=2)


def learn(data: Prepared, parts: Split, settings: Settings, device: str, tell: Callable[[Epoch], None]) -> Progress:
    """It, trained for as many epochs on the same augmented images as ours, the best epoch chosen by the same."""
    torch.manual_seed(settings.seed)
    network = unet(data.images.shape[1], len(data.labels), settings.width, settings.depth)
    return fit(network, PlainMasks(data, parts, settings), settings, device=device, tell=tell)
