"""A segmenter of three dimensions whose right answer is known, written without the onnx package."""

import hashlib
from pathlib import Path

import numpy as np

from tests.models.experts.onnx_bytes import model, node, tensor, value

MANIFEST = """
name = "{name}"
version = "1.0.0"
title = "Mean of 3 x 3 x 3 voxels"
licence = "CC0-1.0"
made = "by hand"
source = "a test"
modalities = ["CT", "MR"]
organs = []
unknown_organ = true
limits = []
sha256 = "{sha256}"

[input]
name = "volume"
units = []
channels = 1
polarity = "value"
shortest_side = 8
longest_side = 512
size = {{ policy = "keep" }}
normalisation = {{ kind = "window", low = 0.0, high = 1000.0 }}

[input.volume]
patch = [{patch}]
overlap = 0.5
{volume}

[decoding]
kind = "volume"
output = "logits"
activation = "sigmoid"
background = []
{decoding}

[[labels]]
index = 0
name = "bright solid"
"""


def box_filter(kernel: tuple[int, int, int] = (3, 3, 3), sides: tuple[str | int, ...] = ("d", "h", "w")) -> bytes:
    """(1, 1, d, h, w) to logits of the same size: above 0 where the mean over `kernel` is above a half."""
    weights = np.full((1, 1, *kernel), 80.0 / np.prod(kernel), np.float32)
    return model(
        [node("Conv", ["volume", "weights", "bias"], ["logits"], pads=[one // 2 for one in (*kernel, *kernel)])],
        [tensor("weights", weights), tensor("bias", np.array([-40.0], np.float32))],
        [value("volume", (1, 1, *sides))],
        [value("logits", (1, 1, *sides))],
    )


def write(
    folder: Path,
    name: str = "solids",
    *,
    patch: str = "16, 16, 16",
    volume: str = "",
    decoding: str = "",
    graph: bytes | None = None,
) -> Path:
    """The expert's files. Returns its manifest."""
    data = graph or box_filter()
    (folder / f"{name}.onnx").write_bytes(data)
    manifest = folder / f"{name}.toml"
    sha256 = hashlib.sha256(data).hexdigest()
    manifest.write_text(MANIFEST.format(name=name, sha256=sha256, patch=patch, volume=volume, decoding=decoding))
    return manifest
