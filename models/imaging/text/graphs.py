"""ONNX graphs as they are run here: in two halves, before and after one of their tensors, and for pictures in grey.

ONNX Runtime runs graphs as a whole, and the package onnx, which could edit one, is not among what the pipeline needs:
of the format (onnx.proto3) only nodes, weights, inputs and outputs are known here. Knows nothing of what graphs do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from models.protobuf import Field, field_of, fields_of, number_of

_GRAPH = 7
_NODE, _NAME, _WEIGHTS, _INPUT, _OUTPUT = 1, 2, 5, 11, 12
_TAKES, _GIVES = 1, 2
_NAME_OF_WEIGHTS, _NAME_OF_VALUE = 8, 1
_SIDES, _TYPE, _RAW = 1, 2, 9
_FLOATS = field_of(_TYPE, field_of(1, number_of(1, 1)))
"""A value's type: a tensor of float32, in any shape."""
_OCTETS = field_of(_TYPE, field_of(1, number_of(1, 2) + field_of(2, b"".join(field_of(1, b"") for _ in range(4)))))
"""A value's type: a tensor of uint8 with four sides of any length."""
_COLOURS = 3


@dataclass(frozen=True, slots=True)
class _Node:
    whole: bytes
    takes: frozenset[str]
    gives: frozenset[str]


def halves_of(model: bytes, tensor: str) -> tuple[bytes, bytes]:
    """The model that gives a tensor of a model, and the one that goes on from it.

    Args:
        model: an ONNX file without external data, whose nodes hold no graphs.
        tensor: the name of what a node gives, float32, through which all goes that comes later.

    Raises:
        ValueError: there is no such tensor, or what comes later needs the model's input, too.
    """
    around, parts = _opened(model)
    nodes = [_node(one) for one in parts if one.number == _NODE]
    weights = {_text(one, _NAME_OF_WEIGHTS): bytes(one.whole) for one in parts if one.number == _WEIGHTS}
    inputs, outputs = (
        {_text(one, _NAME_OF_VALUE): bytes(one.whole) for one in parts if one.number == kind}
        for kind in (_INPUT, _OUTPUT)
    )
    if not any(tensor in node.gives for node in nodes):
        raise ValueError(f"no node gives {tensor!r}")
    here = field_of(_NAME_OF_VALUE, tensor.encode()) + _FLOATS
    second = _needed(nodes, set(outputs) - {tensor}, frozenset({tensor}))
    if any(node.takes & set(inputs) - set(weights) for node in second):
        raise ValueError(f"what comes after {tensor!r} needs the input, too")

    def model_of(chosen: list[_Node], given: Iterable[bytes], asked: Iterable[bytes]) -> bytes:
        used = frozenset[str]().union(*(node.takes for node in chosen))
        kept = (whole for key, whole in weights.items() if key in used)
        content = (*(node.whole for node in chosen), field_of(_NAME, b"half"), *kept, *given, *asked)
        return around + field_of(_GRAPH, b"".join(content))

    return (
        model_of(_needed(nodes, {tensor}, frozenset()), inputs.values(), [field_of(_OUTPUT, here)]),
        model_of(second, [field_of(_INPUT, here)], outputs.values()),
    )


def for_grey(model: bytes) -> bytes:
    """The model that answers for one channel as a model does for three that are the same.

    Args:
        model: whose input (n, rows, columns, 3) reaches one convolution only, by steps that treat all channels alike.

    Raises:
        ValueError: no weights, or several, take three channels.
    """
    around, parts = _opened(model)
    takers = [one for one in parts if one.number == _WEIGHTS and _sides(one)[1:2] == (_COLOURS,)]
    if len(takers) != 1:
        raise ValueError(f"{len(takers)} weights take three channels, not one")
    content = b"".join(
        _summed(one) if one is takers[0] else _with_one_channel(one) if one.number == _INPUT else bytes(one.whole)
        for one in parts
    )
    return around + field_of(_GRAPH, content)


def _summed(weights: Field) -> bytes:
    """Weights (kernels, channels, rows, columns) for the sum of their channels."""
    sides = _sides(weights)
    (raw,) = (_message(one) for one in fields_of(_message(weights)) if one.number == _RAW)
    values = np.frombuffer(raw, "<f4").reshape(sides).sum(axis=1, keepdims=True, dtype=np.float64).astype("<f4")
    kept = (bytes(one.whole) for one in fields_of(_message(weights)) if one.number not in (_SIDES, _RAW))
    return field_of(
        _WEIGHTS,
        b"".join((*(number_of(_SIDES, side) for side in values.shape), *kept, field_of(_RAW, values.tobytes()))),
    )


def _with_one_channel(value: Field) -> bytes:
    """The input, of which the last side may be anything: what the weights take decides."""
    return field_of(_INPUT, field_of(_NAME_OF_VALUE, _text(value, _NAME_OF_VALUE).encode()) + _OCTETS)


def _opened(model: bytes) -> tuple[bytes, list[Field]]:
    """All of a model but its graph, and the parts of that."""
    fields = list(fields_of(memoryview(model)))
    (graph,) = (_message(one) for one in fields if one.number == _GRAPH)
    return b"".join(bytes(one.whole) for one in fields if one.number != _GRAPH), list(fields_of(graph))


def _needed(nodes: list[_Node], asked: set[str], given: frozenset[str]) -> list[_Node]:
    """The nodes, in order, from which what is asked comes, where something is given."""
    wanted, chosen = set(asked), list[_Node]()
    for node in reversed(nodes):  # each stands after those that it takes from
        if node.gives & wanted:
            chosen.append(node)
            wanted |= node.takes - given
    return chosen[::-1]


def _node(part: Field) -> _Node:
    takes, gives = (frozenset(_texts(part, number)) - {""} for number in (_TAKES, _GIVES))
    return _Node(bytes(part.whole), takes, gives)


def _sides(weights: Field) -> tuple[int, ...]:
    return tuple(
        side for one in fields_of(_message(weights)) if one.number == _SIDES and isinstance(side := one.value, int)
    )


def _text(part: Field, number: int) -> str:
    return next(_texts(part, number))


def _texts(part: Field, number: int) -> Iterator[str]:
    yield from (bytes(_message(one)).decode() for one in fields_of(_message(part)) if one.number == number)


def _message(field: Field) -> memoryview:
    assert isinstance(field.value, memoryview)
    return field.value
