"""The boxes, classes and scores of a detector's outputs, whichever way they are laid out. Knows no labels and no image.

Layouts: torchvision's; Ultralytics' with and without suppression in the graph; DETR's queries.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.experts.adapters.classes import probabilities
from models.experts.decodings import Boxes, Instances
from models.experts.inputs import Floats
from models.experts.running import UnfitOutput


@dataclass(frozen=True, slots=True)
class Rows:
    """What a detector tells of one tensor.

    `boxes` (n, 4): left, top, right, bottom in px of the tensor. `classes`, `scores` (n,). `further` (n, k): numbers
    that the layout has beside them, none where there are none.
    """

    boxes: Floats
    classes: Floats
    scores: Floats
    further: Floats


def rows_of(outputs: Sequence[Floats], decoding: Boxes | Instances, sides: Sequence[int]) -> Rows:
    """Rows of the outputs that `decoding.named` names. `sides`: rows and columns of the tensor.

    Raises:
        UnfitOutput: they are not of the layout's shape, or do not belong together.
    """
    further = np.empty((0, 0), np.float32)
    if decoding.layout == "torchvision":
        boxes, classes, scores = outputs[0].reshape(-1, 4), outputs[1].reshape(-1), outputs[2].reshape(-1)
    elif decoding.layout == "queries":
        boxes, classes, scores = _queries(outputs, decoding)
    else:
        boxes, classes, scores, further = _one_table(outputs[0], decoding)
    if not len(boxes) == len(classes) == len(scores) or np.isnan(scores).any():
        raise UnfitOutput
    if decoding.layout != "torchvision" and not (decoding.layout == "rows" and decoding.corners):
        half = boxes[:, 2:] / 2
        boxes = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    if decoding.coordinates == "fraction":
        boxes = boxes * np.asarray([sides[1], sides[0]] * 2, np.float32)
    return Rows(boxes, classes, scores, further)


def _queries(outputs: Sequence[Floats], decoding: Boxes | Instances) -> tuple[Floats, Floats, Floats]:
    boxes, scores = outputs
    if boxes.ndim != 3 or scores.ndim != 3 or len(boxes) != 1 or boxes.shape[2] != 4:
        raise UnfitOutput
    found = probabilities(scores[0], decoding.activation)
    if decoding.activation == "softmax":
        classes = found.argmax(axis=1)
        return boxes[0], classes.astype(np.float32), found[np.arange(len(found)), classes]
    # With a sigmoid a query may be of several classes.
    count = found.shape[1]
    return (
        np.repeat(boxes[0], count, axis=0),
        np.tile(np.arange(count, dtype=np.float32), len(found)),
        found.reshape(-1),
    )


def _one_table(output: Floats, decoding: Boxes | Instances) -> tuple[Floats, Floats, Floats, Floats]:
    if output.ndim != 3 or len(output) != 1:
        raise UnfitOutput
    table = output[0].T if decoding.layout == "yolo" else output[0]
    further, end = decoding.further, table.shape[1] - decoding.further
    if end <= 4 or (decoding.layout == "rows" and end != 6) or (decoding.layout == "yolo-objectness" and end < 6):
        raise UnfitOutput
    rest = table[:, end:] if further else np.empty((len(table), 0), np.float32)
    if decoding.layout == "rows":
        # Of 'rows' score and class come before what is further.
        return table[:, :4], np.round(table[:, 5]), table[:, 4], rest
    by_class = table[:, 4:end] if decoding.layout == "yolo" else table[:, 5:end] * table[:, 4:5]
    classes = by_class.argmax(axis=1)
    return table[:, :4], classes.astype(np.float32), by_class[np.arange(len(table)), classes], rest
