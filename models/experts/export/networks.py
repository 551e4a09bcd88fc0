"""Networks of real size with random weights, to measure what running them costs. They find nothing true.

`python -m models.experts.export.networks FOLDER` writes a U-Net in the manner of nnU-Net, with its manifest.
"""

import hashlib
import itertools
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from models.onnx_files import exported

MANIFEST = """\
name = "unet-random"
version = "1.0.0"
title = "A U-Net of real size with random weights"
licence = "Apache-2.0"
made = "Random weights, by models/experts/export/networks.py; for measuring time alone."
source = "Isensee et al., nnU-Net, Nature Methods 18, 2021: the 2D architecture"
modalities = ["CT", "MR"]
organs = []
limits = ["What it finds means nothing."]
sha256 = "{sha256}"

[input]
units = []
channels = 1
polarity = "value"
shortest_side = 32
longest_side = 512
size = {{ policy = "longest side", multiple = 32 }}
normalisation = {{ kind = "z-score" }}

[decoding]
kind = "semantic"
output = "logits"
min_area_px = 100
max_regions = 5

[[labels]]
index = 1
name = "first class"
threshold = 0.9

[[labels]]
index = 2
name = "second class"
threshold = 0.9
"""


def _block(channels: int, more: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for taken in (channels, more):
        layers += [nn.Conv2d(taken, more, 3, padding=1), nn.InstanceNorm2d(more, affine=True), nn.LeakyReLU(0.01)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Six levels from `width` channels on: logits (n, 3, rows, columns) of an image (n, 1, rows, columns)."""

    def __init__(self, width: int = 16, levels: int = 6) -> None:
        super().__init__()
        sizes = [min(width * 2**level, 256) for level in range(levels)]
        self.down = nn.ModuleList(_block(before, size) for before, size in zip([1, *sizes], sizes, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(deep, size, 2, stride=2) for size, deep in itertools.pairwise(sizes))
        self.joined = nn.ModuleList(_block(2 * size, size) for size in sizes[:-1])
        self.classes = nn.Conv2d(sizes[0], 3, 1)

    def forward(self, image: Tensor) -> Tensor:
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            image = block(image if level == 0 else torch.nn.functional.max_pool2d(image, 2))
            kept.append(image)
        for up, joined, beside in zip(reversed(self.up), reversed(self.joined), reversed(kept[:-1]), strict=True):
            image = joined(torch.cat([up(image), beside], dim=1))
        return self.classes(image)


def main(folder: Path) -> None:
    """Write the network and its manifest into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    rows, columns = (32 * torch.export.Dim(name, min=2, max=64) for name in ("r", "c"))
    data = exported(
        UNet(),
        (torch.rand(2, 1, 128, 192),),
        takes=["image"],
        gives=["logits"],
        axes=({0: torch.export.Dim("n", min=1, max=64), 2: rows, 3: columns},),
        name="unet-random",
    )
    (folder / "unet-random.onnx").write_bytes(data)
    (folder / "unet-random.toml").write_text(MANIFEST.format(sha256=hashlib.sha256(data).hexdigest()), encoding="utf-8")
    sys.stdout.write(f"unet-random: {len(data):,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
