"""Exports of Ultralytics: one ONNX file whose metadata tell of names, size and task."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from models.experts.contracts import FullRange, Size
from models.experts.decodings import Boxes, Classifier
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
    """Detectors and classifiers. Raises CannotImport of other tasks."""
    told = graph.told
    names = cast(Mapping[Any, Any], _literal(told["names"], dict, "names"))
    labels, background = labelled({int(index): str(name) for index, name in names.items()})
    sides = cast(list[int], _literal(told["imgsz"], list, "imgsz"))
    height, width = (sides * 2)[:2]
    task, output = told["task"], graph.gives[0]
    limits: tuple[str, ...] = ()
    if task == "detect":
        if output.shape[1:] and output.side(1) != 4 + len(names):
            raise CannotImport(
                f"its output {output.name!r} is {list(output.shape)}, not (1, {4 + len(names)}, boxes): export it "
                "again with 'yolo export model=… format=onnx nms=False end2end=False'"
            )
        size = Size(policy="letterbox", height=height, width=width, anchor="centre", fill=GREY)
        decoding = Boxes(kind="boxes", layout="yolo", output=output.name, threshold=0.25, nms_iou=0.7,
                         background=background)  # fmt: skip
    elif task == "classify":
        size = Size(policy="stretch", height=height, width=width)
        decoding = Classifier(kind="classifier", output=output.name, activation="none", background=background)
        limits = (CUT_SQUARE,)
    else:
        raise CannotImport(f"its task is {task!r}: only 'detect' and 'classify' can be imported; {BY_HAND}")
    return Draft(
        graph=path,
        name=path.stem,
        version=told.get("version", "1.0.0"),
        title=told.get("description") or f"Ultralytics {task}",
        made=f"Exported by Ultralytics {told.get('version', '')}, {told.get('date', 'undated')}.",
        source=told.get("docs") or "https://docs.ultralytics.com",
        # What Ultralytics writes is the licence of its own code, under which it puts what is trained by it.
        licence=told.get("license"),
        input=of_pictures(graph, size, FullRange(kind="full range")),
        decoding=decoding,
        labels=labels,
        limits=(NEVER_MEASURED, *limits),
    )


def _literal(text: str, kind: type, what: str) -> object:
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        found = None
    if not isinstance(found, kind) or not found:
        raise CannotImport(f"its metadata {what!r} cannot be read ({text[:60]!r}): {BY_HAND}")
    return found
