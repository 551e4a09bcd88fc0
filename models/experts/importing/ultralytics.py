"""Exports of Ultralytics: one ONNX file whose metadata tell of names, size and task."""

import ast
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from models.experts.contracts import FullRange, Size
from models.experts.decodings import Boxes, Classifier, Decoding, Instances, Semantic
from models.experts.importing.draft import (
    BY_HAND,
    CUT_SQUARE,
    NEVER_MEASURED,
    CannotImport,
    Draft,
    Graph,
    labelled,
    of_pictures,
)

GREY = 114 / 255
"""With which letterboxes are filled."""


def recognises(graph: Graph) -> bool:
    """Whether its metadata are those that Ultralytics writes."""
    return {"names", "task", "imgsz"} <= set(graph.told)


def draft(path: Path, graph: Graph) -> Draft:
    """Detectors, of masks and turned boxes too, segmenters and classifiers. Raises CannotImport of other tasks."""
    told = graph.told
    names = cast(Mapping[Any, Any], _literal(told["names"], dict, "names"))
    labels, background = labelled({int(index): str(name) for index, name in names.items()})
    sides = cast(list[int], _literal(told["imgsz"], list, "imgsz"))
    height, width = (sides * 2)[:2]
    task, output = told["task"], graph.gives[0]
    limits: tuple[str, ...] = ()
    decoding: Decoding
    size = Size(policy="letterbox", height=height, width=width, anchor="centre", fill=GREY)
    if task in ("detect", "segment", "obb", "pose"):
        decoding = _detector(graph, task, len(names), background)
        if decoding.coordinates == "fraction":  # Of RT-DETR, whose images are brought to its size as they are.
            size = Size(policy="stretch", height=height, width=width)
        limits = ("The points of a pose are not read.",) if task == "pose" else ()
    elif task == "semantic":
        decoding = Semantic(kind="semantic", output=output.name, numbers=True, background=background)
    elif task == "classify":
        size = Size(policy="stretch", height=height, width=width)
        decoding = Classifier(kind="classifier", output=output.name, activation="none", background=background)
        limits = (CUT_SQUARE,)
    else:
        raise CannotImport(f"its task is {task!r}, of which nothing can be imported; {BY_HAND}")
    return Draft(
        graph=path,
        name=path.stem,
        version=told.get("version", "1.0.0"),
        title=told.get("description", "").strip() or f"Ultralytics {task}",
        made=f"Exported by Ultralytics {told.get('version', '')}, {told.get('date', 'undated')}.",
        source=told.get("docs") or "https://docs.ultralytics.com",
        # What Ultralytics writes is the licence of its own code, under which it puts what is trained by it.
        licence=told.get("license"),
        input=of_pictures(graph, size, FullRange(kind="full range")),
        decoding=decoding,
        labels=labels,
        limits=(NEVER_MEASURED, *limits),
    )


def _detector(graph: Graph, task: str, classes: int, background: tuple[int, ...]) -> Boxes | Instances:
    """By the shape of its output: (1, 4 + classes + further, boxes), or suppressed, (1, boxes, 6 + further)."""
    output, further = graph.gives[0], _further(graph, task)
    first, last = output.side(1), output.side(2)
    if first is None and last is None:  # Open axes: a graph that suppresses says so.
        suppressed = graph.told.get("end2end") == "True" or "'nms': True" in graph.told.get("args", "")
    else:
        suppressed = last == 6 + further and first != 4 + classes + further
        if not suppressed and first != 4 + classes + further:
            raise CannotImport(
                f"its output {output.name!r} is {list(output.shape)}, neither (1, {4 + classes + further}, boxes) nor "
                f"(1, boxes, {6 + further}): export it again with 'yolo export model=… format=onnx nms=False'"
            )
    layout = "rows" if suppressed else "yolo"
    whole = graph.told.get("head") == "RTDETRDecoder"
    told: dict[str, Any] = {
        "layout": layout,
        "output": output.name,
        "threshold": 0.25,
        "nms_iou": 1.0 if suppressed else 0.7,
        "further": further,
        "background": background,
        "corners": not (suppressed and (whole or task == "obb")),
        "coordinates": "fraction" if whole else "px",
    }
    if task == "segment":
        return Instances(kind="instances", masks=graph.gives[1].name, **told)
    return Boxes(kind="boxes", turned=task == "obb", **told)


def _further(graph: Graph, task: str) -> int:
    """Numbers of a box beside its place and classes: weights of masks, points, or an angle."""
    if task == "segment":
        count = graph.gives[1].side(1) if len(graph.gives) > 1 else None
        if count is None:
            raise CannotImport(f"it has no second output of masks of a known number: {BY_HAND}")
        return count
    if task == "pose":
        shape = cast(list[int], _literal(graph.told.get("kpt_shape", ""), list, "kpt_shape"))
        return math.prod(shape)
    return 1 if task == "obb" else 0


def _literal(text: str, kind: type, what: str) -> object:
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        found = None
    if not isinstance(found, kind) or not found:
        raise CannotImport(f"its metadata {what!r} cannot be read ({text[:60]!r}): {BY_HAND}")
    return found
