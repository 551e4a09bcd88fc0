"""A segmenter of three dimensions whose right answer is known, written without the onnx package."""

import hashlib
import struct
from pathlib import Path

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


def _varint(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _value(name: str, channels: int, sides: tuple[str | int, ...]) -> bytes:
    dims = (1, channels, *sides)
    shape = b"".join(_field(1, _field(2, one) if isinstance(one, str) else _field(1, one)) for one in dims)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


def box_filter(kernel: tuple[int, int, int] = (3, 3, 3), sides: tuple[str | int, ...] = ("d", "h", "w")) -> bytes:
    """(1, 1, d, h, w) to logits of the same size: above 0 where the mean over `kernel` is above a half."""
    taps = kernel[0] * kernel[1] * kernel[2]
    weights = struct.pack(f"<{taps}f", *[80.0 / taps] * taps)
    dims = b"".join(_field(1, one) for one in (1, 1, *kernel))
    initialisers = [dims + _field(2, 1) + _field(8, "weights") + _field(9, weights)]
    initialisers.append(_field(1, 1) + _field(2, 1) + _field(8, "bias") + _field(9, struct.pack("<f", -40.0)))
    pads = b"".join(_field(8, one // 2) for one in (*kernel, *kernel))
    attribute = _field(1, "pads") + pads + _field(20, 7)
    node = b"".join(_field(1, one) for one in ("volume", "weights", "bias"))
    node += _field(2, "logits") + _field(4, "Conv") + _field(5, attribute)
    graph = _field(1, node) + _field(2, "box") + b"".join(_field(5, one) for one in initialisers)
    graph += _field(11, _value("volume", 1, sides)) + _field(12, _value("logits", 1, sides))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17))


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
