"""A U-Net, and the graph around it that an image goes into as it comes and maps in [0, 1] come out of.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015; here with
padded convolutions, batch normalisation (Ioffe and Szegedy 2015) and nearest-neighbour upsampling.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.training.settings import Normalisation


class Normalise(nn.Module):
    """Values (n, channels, rows, columns) in the image's unit, to about [-1, 1]."""

    def __init__(self, how: Normalisation) -> None:
        super().__init__()
        self.how = how

    def forward(self, image: Tensor) -> Tensor:
        if self.how.kind == "window":
            part = (image - self.how.low) / (self.how.high - self.how.low)
            return 2 * torch.clamp(part, 0.0, 1.0) - 1
        if self.how.kind == "full range":
            full = torch.where(image.amax(dim=(1, 2, 3), keepdim=True) > 255.5, 65535.0, 255.0)
            return 2 * image / full - 1
        mean = image.mean(dim=(1, 2, 3), keepdim=True)
        apart = image - mean
        return apart / (torch.sqrt((apart * apart).mean(dim=(1, 2, 3), keepdim=True)) + 1e-6)


def _twice(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [nn.Conv2d(channels, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Logits (n, classes, rows, columns) of (n, channels, rows, columns); rows and columns divide by 2 ** depth."""

    def __init__(self, channels: int, classes: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(map(_twice, [channels, *widths[:-1]], widths))
        self.up = nn.ModuleList(
            _twice(low + high, high) for low, high in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            image = block(functional.max_pool2d(image, 2) if level else image)
            kept.append(image)
        for block, beside in zip(self.up, kept[-2::-1], strict=True):
            larger = functional.interpolate(image, size=beside.shape[-2:], mode="nearest")
            image = block(torch.cat([larger, beside], dim=1))
        return self.head(image)


class Expert(nn.Module):
    """What is exported: any size from 16 px, one map of probabilities (n, 1, rows, columns) a class."""

    def __init__(self, network: UNet, normalise: Normalise, depth: int) -> None:
        super().__init__()
        self.network, self.normalise, self.step = network, normalise, 2**depth

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        rows, columns = image.shape[-2:]
        # Padded after normalisation with its zero, as the examples were.
        padded = functional.pad(self.normalise(image), (0, -columns % self.step, 0, -rows % self.step))
        maps = torch.sigmoid(self.network(padded))[:, :, :rows, :columns]
        return tuple(maps.split(1, dim=1))
