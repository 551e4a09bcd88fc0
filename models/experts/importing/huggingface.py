"""Folders of Hugging Face's transformers, exported by optimum: config.json, preprocessor_config.json, an ONNX file."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from models.experts.contracts import FullRange, Size
from models.experts.decodings import Boxes, Classifier, Decoding, Embedder, Label, Semantic
from models.experts.importing.draft import (
    BY_HAND,
    CUT_SQUARE,
    NEVER_MEASURED,
    CannotImport,
    Draft,
    Graph,
    json_of,
    labelled,
    numbers,
    of_pictures,
    the_graph,
)

_NOT_SQUARE = "It was trained on images that kept their shape; here the whole image is stretched to a square."
EXPORT = "make it by 'optimum-cli export onnx --model FOLDER OUT', and import OUT"


def recognises(folder: Path) -> bool:
    """Whether a folder holds a transformers configuration."""
    return (folder / "config.json").is_file() and "architectures" in json_of(folder / "config.json")


def draft(folder: Path) -> Draft:
    """Classifiers of images, segmenters by logits, detectors by queries, and encoders.

    Raises:
        CannotImport: of other architectures.
    """
    config, how = json_of(folder / "config.json"), json_of(folder / "preprocessor_config.json")
    architecture = str((config.get("architectures") or ["?"])[0])
    if architecture.startswith("Sam"):
        raise CannotImport(
            f"it is a {architecture}, of an encoder and a decoder: export both with the names of SAM's own decoder "
            "(point_coords, point_labels, …), and write the manifest as docs/expert-families.md shows"
        )
    path = the_graph(folder, EXPORT, "onnx")
    graph = Graph.read(path)
    names = {int(index): str(name) for index, name in cast(Mapping[str, Any], config.get("id2label") or {}).items()}
    labels: tuple[Label, ...] = ()
    background: tuple[int, ...] = ()
    if not architecture.endswith("Model"):
        labels, background = labelled(names)
    output = graph.gives[0].name
    several = config.get("problem_type") == "multi_label_classification"
    decoding: Decoding
    if architecture.endswith("ForImageClassification"):
        activation = "sigmoid" if several else "softmax"
        decoding = Classifier(kind="classifier", output=output, activation=activation, background=background)
    elif architecture.endswith("ForSemanticSegmentation"):
        decoding = Semantic(kind="semantic", output=output, activation="softmax", background=background)
    elif architecture.endswith("ForObjectDetection"):
        decoding = _detector(graph, len(names), background)
    elif architecture.endswith("Model") and len(graph.gives[0].shape) == 3:
        decoding = Embedder(kind="embedding", output=output, pooling="first")
    else:
        raise CannotImport(
            f"it is a {architecture}: only …ForImageClassification, …ForSemanticSegmentation, …ForObjectDetection and "
            f"…Model with tokens can be imported; {BY_HAND}"
        )
    size, limits = _size(how)
    return Draft(
        graph=path,
        name=str(config.get("_name_or_path") or folder.resolve().name).rstrip("/").rpartition("/")[2],
        version="1.0.0",
        title=f"{architecture} of {', '.join(label.name for label in labels[:4])}" if labels else architecture,
        made=f"Exported from transformers {config.get('transformers_version', '')}".strip() + ".",
        source=str(config.get("_name_or_path") or folder.resolve().name),
        licence=_licence(folder / "README.md"),
        input=of_pictures(
            graph,
            size,
            _range(how),
            mean=_of_channels(how, "image_mean", graph),
            deviation=_of_channels(how, "image_std", graph),
        ),
        decoding=decoding,
        labels=labels,
        limits=(NEVER_MEASURED, *limits),
    )


def _detector(graph: Graph, classes: int, background: tuple[int, ...]) -> Boxes:
    """Of DETR and those after it: where there is one class more than names, it is that of nothing, by softmax."""
    ports = {one.name: one for one in graph.gives}
    if not {"logits", "pred_boxes"} <= set(ports):
        raise CannotImport(f"its outputs are {', '.join(ports)}, not 'logits' and 'pred_boxes': {BY_HAND}")
    with_nothing = ports["logits"].side(2) == classes + 1
    return Boxes(
        kind="boxes",
        layout="queries",
        boxes="pred_boxes",
        scores="logits",
        activation="softmax" if with_nothing else "sigmoid",
        coordinates="fraction",
        nms_iou=1.0,
        background=(*background, classes) if with_nothing else background,
    )


def _of_channels(how: Mapping[str, Any], name: str, graph: Graph) -> tuple[float, ...]:
    """() where nothing is taken off."""
    if not how.get("do_normalize", True):
        return ()
    count = 1 if graph.takes.side(1) == 1 and len(how.get(name) or ()) == 1 else 3
    return numbers(how.get(name), count, f"{name!r} of preprocessor_config.json")[: graph.takes.side(1) or 3]


def _range(how: Mapping[str, Any]) -> FullRange:
    """0 to 255 by the rescale factor."""
    factor = float(how.get("rescale_factor", 1 / 255)) if how.get("do_rescale", True) else 1.0
    return FullRange(kind="full range", to=(0.0, round(255 * factor, 6)))


def _size(how: Mapping[str, Any]) -> tuple[Size, tuple[str, ...]]:
    """To what images are stretched, and what that leaves unlike the training."""
    wanted: Any = how.get("size") or {}
    if how.get("do_center_crop") and how.get("crop_size"):
        wanted = how["crop_size"]
    if isinstance(wanted, int):
        wanted = {"height": wanted, "width": wanted}
    edge = wanted.get("shortest_edge")
    height, width = wanted.get("height", edge), wanted.get("width", edge)
    if not isinstance(height, int) or not isinstance(width, int):
        raise CannotImport(
            f"'size' of preprocessor_config.json is {wanted!r}, which tells no height and width: {BY_HAND}"
        )
    limits = (CUT_SQUARE,) if how.get("do_center_crop") else (_NOT_SQUARE,) if edge is not None else ()
    return Size(policy="stretch", height=height, width=width), limits


def _licence(card: Path) -> str | None:
    """Of the model card's front matter."""
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    front = text.split("---")[1] if text.startswith("---") and text.count("---") > 1 else ""
    found = re.search(r"^license:\s*['\"]?([\w.-]+)", front, re.MULTILINE)
    return found[1] if found else None
