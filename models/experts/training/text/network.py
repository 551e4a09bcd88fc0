"""The network that finds lines of text: six convolutions deep at an eighth of the size, told at a half of it."""

import torch
from torch import Tensor, nn


def _convolution(inputs: int, outputs: int, stride: int = 1, dilation: int = 1, kernel: int = 3) -> nn.Sequential:
    around = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, around, dilation, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class _Block(nn.Module):
    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.a = _convolution(channels, channels, dilation=dilation)
        self.b = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.b(self.a(x)))


class Lines(nn.Module):
    """Pictures (n, 3, rows, columns), 0 to 255, to logits (n, 2, rows / 2, columns / 2): whole lines, their middles.

    152,396 weights; sees 100 px around each.
    """

    def __init__(self, half: int = 12, quarter: int = 24, eighth: int = 48) -> None:
        super().__init__()
        self.one, self.two = _convolution(3, half, 2, kernel=5), _convolution(half, quarter, 2)
        self.fine, self.down = _convolution(quarter, quarter), _convolution(quarter, eighth, 2)
        self.deep = nn.Sequential(_Block(eighth, 1), _Block(eighth, 2), _Block(eighth, 4))
        self.up, self.join = nn.Conv2d(eighth, quarter, 1), _convolution(quarter, quarter)
        self.head = nn.Conv2d(quarter, 8, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(self.two(self.one((x - 128) / 64)))
        deep = nn.functional.interpolate(self.up(self.deep(self.down(fine))), scale_factor=2, mode="nearest")
        return nn.functional.pixel_shuffle(self.head(self.join(fine + deep)), 2)


class Scores(nn.Module):
    """The same from pictures as they are kept, uint8 (n, rows, columns, 3), to scores of 0 to 1."""

    def __init__(self, network: Lines) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.network(x.permute(0, 3, 1, 2).float()))
