"""ONNX files as they are kept: checked, the same bytes each time, no notes of the machine. Needs torch and onnx."""

from collections.abc import Sequence
from typing import Any

import onnx
import torch
from torch import nn

OPSET = 20


def exported(
    module: nn.Module, inputs: tuple[Any, ...], *, takes: Sequence[str], gives: Sequence[str], axes: Any, name: str,
    version: str = "",
) -> bytes:  # fmt: skip
    """The ONNX file of a module, in evaluation mode.

    The exporter notes where each node came from, with paths of the machine it ran on: those notes are removed.

    Args:
        module: what is exported.
        inputs: an example of what it takes.
        takes: names of its inputs.
        gives: names of its outputs.
        axes: for each input, by axis, what may be of any size; see `dynamic_shapes` of `torch.onnx.export`.
        name: of the graph.
        version: of what made it.
    """
    program = torch.onnx.export(
        module.eval(),
        inputs,
        input_names=takes,
        output_names=gives,
        dynamic_shapes=axes,
        opset_version=OPSET,
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    model.producer_name, model.producer_version, model.doc_string = "tristream", version, ""
    del model.metadata_props[:]
    model.graph.name = name
    del model.graph.value_info[:]
    _clear(model.graph)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def _clear(graph: onnx.GraphProto) -> None:
    """Of a graph and its branches; these keep their shapes, which onnx cannot infer there."""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        part.doc_string = ""
        del part.metadata_props[:]
    for branch in (attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")):
        _clear(branch)
