"""ONNX files as bytes, written without the onnx package, which is not where experts run."""

import struct
from collections.abc import Iterable, Mapping

import numpy as np

Dims = tuple[str | int, ...]
_TYPES = {"float32": 1, "uint8": 2, "int64": 7}


def _varint(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def value(name: str, dims: Dims, dtype: str = "float32") -> bytes:
    """An input or output; axes that are words may be of any length."""
    shape = b"".join(field(1, field(2, one) if isinstance(one, str) else field(1, one)) for one in dims)
    return field(1, name) + field(2, field(1, field(1, _TYPES[dtype]) + field(2, shape)))


def tensor(name: str, values: np.ndarray) -> bytes:
    """A weight."""
    dims = b"".join(field(1, side) for side in values.shape)
    return dims + field(2, _TYPES[str(values.dtype)]) + field(8, name) + field(9, values.tobytes())


def node(kind: str, takes: Iterable[str], gives: Iterable[str], **attributes: int | float | list[int]) -> bytes:
    """One operation."""
    found = b"".join(field(1, one) for one in takes) + b"".join(field(2, one) for one in gives) + field(4, kind)
    for name, one in attributes.items():
        if isinstance(one, list):
            told = b"".join(field(8, n) for n in one) + field(20, 7)
        elif isinstance(one, int):
            told = field(3, one) + field(20, 2)
        else:
            told = _varint(2 << 3 | 5) + struct.pack("<f", one) + field(20, 1)
        found += field(5, field(1, name) + told)
    return found


def model(
    nodes: Iterable[bytes],
    weights: Iterable[bytes],
    takes: Iterable[bytes],
    gives: Iterable[bytes],
    told: Mapping[str, str] | None = None,
) -> bytes:
    """An ONNX file of opset 17; `told`: its metadata_props."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "graph")
    graph += b"".join(field(5, one) for one in weights)
    graph += b"".join(field(11, one) for one in takes) + b"".join(field(12, one) for one in gives)
    entries = b"".join(field(14, field(1, key) + field(2, said)) for key, said in (told or {}).items())
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17)) + entries


def classifier(
    name: str = "image", output: str = "logits", sides: Dims = ("r", "c"), told: Mapping[str, str] | None = None
) -> bytes:
    """(n, 3, rows, columns) to logits (n, 2) of red and green: -2 without any, 0 at a mean of an eighth."""
    weights = np.array([[16.0, 0.0], [0.0, 16.0], [0.0, 0.0]], np.float32)
    return model(
        [
            node("GlobalAveragePool", [name], ["mean"]),
            node("Flatten", ["mean"], ["features"]),
            node("Gemm", ["features", "weights", "bias"], [output]),
        ],
        [tensor("weights", weights), tensor("bias", np.array([-2.0, -2.0], np.float32))],
        [value(name, ("n", 3, *sides))],
        [value(output, ("n", 2))],
        told,
    )


def placed(dtype: str = "float32", rank: int = 2) -> bytes:
    """An image (n, 1, r, c), `where` (n, 2, r, c) and `sizes` to logits 40 × image × (x > 0) - 20, and to `echo`."""
    sizes: Dims = ("n", 2)[-rank:]
    return model(
        [
            node("Gather", ["where", "first"], ["x"], axis=1),
            node("Greater", ["x", "zero"], ["is_right"]),
            node("Cast", ["is_right"], ["right"], to=1),
            node("Unsqueeze", ["right", "axis"], ["right_map"]),
            node("Mul", ["image", "right_map"], ["there"]),
            node("Mul", ["there", "steep"], ["above"]),
            node("Sub", ["above", "half"], ["logits"]),
            node("Cast", ["sizes"], ["echo"], to=1),
        ],
        [
            tensor("first", np.array(0, np.int64)),
            tensor("axis", np.array([1], np.int64)),
            tensor("zero", np.array(0, np.float32)),
            tensor("steep", np.array(40, np.float32)),
            tensor("half", np.array(20, np.float32)),
        ],
        [value("image", ("n", 1, "r", "c")), value("where", ("n", 2, "r", "c")), value("sizes", sizes, dtype)],
        [value("logits", ("n", 1, "r", "c")), value("echo", sizes)],
    )
