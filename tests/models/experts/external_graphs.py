"""Experts whose weights lie in files of their own, written without the onnx package."""

import hashlib
import struct
from pathlib import Path

MANIFEST = """
name = "{name}"
version = "1.0.0"
title = "Brightness"
licence = "CC0-1.0"
made = "by hand"
source = "a test"
modalities = ["CT"]
organs = []
limits = []
sha256 = "{sha256}"

[input]
name = "image"
units = ["HU"]
channels = 1
polarity = "value"
shortest_side = 16
longest_side = 512
normalisation = {{ kind = "window", low = -1000.0, high = 1000.0 }}

[decoding]
kind = "semantic"
output = "logits"
activation = "softmax"
background = [0]
min_area_px = 5
max_regions = 10

[[labels]]
index = 1
name = "bright"
threshold = 0.5
"""
WEIGHTS = struct.pack("<4f", -9, 9, 2, -2)


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return bytes([number << 3, value])
    content = value.encode() if isinstance(value, str) else value
    key = bytes([number << 3 | 2]) if number < 16 else bytes([(number << 3 | 2) & 0x7F | 0x80, number >> 4])
    return key + bytes([len(content) & 0x7F | 0x80, len(content) >> 7]) + content


def _tensor(name: str, dims: tuple[int, ...], location: str, offset: int) -> bytes:
    told = {"location": location, "offset": str(offset), "length": "8"}
    entries = b"".join(_field(13, _field(1, key) + _field(2, value)) for key, value in told.items())
    return b"".join(_field(1, one) for one in dims) + _field(2, 1) + _field(8, name) + entries + _field(14, 1)


def _value(name: str, dims: tuple[str | int, ...]) -> bytes:
    shape = b"".join(_field(1, _field(2, one) if isinstance(one, str) else _field(1, one)) for one in dims)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


def graph_naming(location: str) -> bytes:
    """An ONNX file: a convolution of one pixel to two channels, whose weights and bias lie elsewhere."""
    node = b"".join(_field(1, name) for name in ("image", "W", "B")) + _field(2, "logits") + _field(4, "Conv")
    graph = b"".join(
        (
            _field(1, node),
            _field(2, "g"),
            _field(5, _tensor("W", (2, 1, 1, 1), location, 0)),
            _field(5, _tensor("B", (2,), location, 8)),
            _field(11, _value("image", ("n", 1, "h", "w"))),
            _field(12, _value("logits", ("n", 2, "h", "w"))),
        )
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 17))


def write_expert(
    folder: Path, name: str = "bright", location: str = "bright.onnx.data", weights: bytes = WEIGHTS
) -> Path:
    """An expert in a folder, with its weights where the graph says; returns the manifest."""
    data = folder / location
    data.parent.mkdir(parents=True, exist_ok=True)
    data.write_bytes(weights)
    graph = graph_naming(location)
    (folder / f"{name}.onnx").write_bytes(graph)
    manifest = folder / f"{name}.toml"
    manifest.write_text(MANIFEST.format(name=name, sha256=hashlib.sha256(graph).hexdigest()))
    return manifest
