"""Detectors (torchvision, YOLO): boxes with a class and a score. A box is the region that fills it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from models.experts.adapters.classes import least
from models.experts.candidates import Candidate, Component
from models.experts.decodings import Boxes, Instances, Label
from models.experts.inputs import Floats, Prepared
from models.experts.running import Expert, Found, Sight, UnfitOutput


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in px of the working copy: left, top, right, bottom. `row`: its place in the outputs of its tensor."""

    corners: tuple[float, float, float, float]
    label: Label
    score: float
    tensor: int
    row: int


def find_boxes(expert: Expert, sight: Sight) -> Found:
    """The best boxes of each label, those that overlap a better one left out."""
    decoding = cast(Boxes, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    found: list[Detection] = []
    for tensor in range(len(prepared.batch)):
        boxes, classes, scores = _read(expert, decoding, prepared, tensor)
        if decoding.coordinates == "fraction":
            height, width = prepared.batch.shape[2:]
            boxes = boxes * np.asarray([width, height, width, height], np.float32)
        found += detections(expert, prepared, tensor, boxes, classes, scores)
    kept, left_out = chosen(found, decoding, prepared)
    return Found([_candidate(expert, one, prepared) for one in kept], left_out)


def _read(expert: Expert, decoding: Boxes, prepared: Prepared, tensor: int) -> tuple[Floats, Floats, Floats]:
    """Of one tensor: corners (n, 4) in px or parts of the input, class and score of each."""
    batch = prepared.batch[tensor : tensor + 1]
    others = {name: one[tensor : tensor + 1] for name, one in prepared.others.items()}
    if decoding.layout == "torchvision":
        boxes, classes, scores = expert.run(batch, [decoding.boxes, decoding.labels, decoding.scores], others)
        return boxes.reshape(-1, 4), classes.reshape(-1), scores.reshape(-1)
    (output,) = expert.run(batch, [decoding.output], others)
    if output.ndim != 3 or len(output) != 1:
        raise UnfitOutput
    rows = output[0].T if decoding.layout == "yolo" else output[0]
    first = 4 if decoding.layout == "yolo" else 5
    if rows.shape[1] <= first:
        raise UnfitOutput
    by_class = rows[:, first:] if decoding.layout == "yolo" else rows[:, first:] * rows[:, 4:5]
    classes = by_class.argmax(axis=1)
    half = rows[:, 2:4] / 2
    corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
    return corners, classes.astype(np.float32), by_class[np.arange(len(rows)), classes]


def detections(
    expert: Expert, prepared: Prepared, tensor: int, boxes: Floats, classes: Floats, scores: Floats
) -> Iterator[Detection]:
    """Those of a label with a sufficient score, within the image."""
    decoding = cast(Boxes | Instances, expert.manifest.decoding)
    if not len(boxes) == len(classes) == len(scores):
        raise UnfitOutput
    labels = {label.index: label for label in expert.manifest.labels}
    (top, left), (rows, columns) = prepared.origins[tensor], prepared.working
    for row in np.flatnonzero(np.isfinite(boxes).all(axis=1) & np.isfinite(scores)):
        label = labels.get(int(classes[row]))
        if label is None or scores[row] < least(label, decoding.threshold):
            continue
        x0, y0, x1, y1 = (float(value) for value in boxes[row])
        corners = (max(0.0, x0 + left), max(0.0, y0 + top), min(columns, x1 + left), min(rows, y1 + top))
        if corners[0] < corners[2] and corners[1] < corners[3]:
            yield Detection(corners, label, float(scores[row]), tensor, int(row))


def chosen(found: list[Detection], decoding: Boxes | Instances, prepared: Prepared) -> tuple[list[Detection], int]:
    """The best of each label after non-maximum suppression, and how many more there were."""
    down, across = prepared.scale
    smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
    kept: list[Detection] = []
    left_out = 0
    for index in sorted({one.label.index for one in found}):
        of_label = [one for one in found if one.label.index == index and _area(one) * down * across >= smallest]
        boxes = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in (one.corners for one in of_label)]
        # Scores were compared with their thresholds before: 0 lets all of them in.
        order = cv2.dnn.NMSBoxes(boxes, [one.score for one in of_label], 0.0, decoding.nms_iou)
        best = [of_label[int(n)] for n in np.asarray(order).reshape(-1)]
        kept += best[: decoding.max_regions]
        left_out += max(0, len(best) - decoding.max_regions)
    return kept, left_out


def _area(one: Detection) -> float:
    x0, y0, x1, y1 = one.corners
    return (x1 - x0) * (y1 - y0)


def _candidate(expert: Expert, one: Detection, prepared: Prepared) -> Candidate:
    down, across = prepared.scale
    x0, y0, x1, y1 = one.corners
    left, top = (min(int(x0 * across + 1e-3), prepared.size[1] - 1), min(int(y0 * down + 1e-3), prepared.size[0] - 1))
    right, bottom = (max(left + 1, -int(-(x1 * across - 1e-3) // 1)), max(top + 1, -int(-(y1 * down - 1e-3) // 1)))
    crop = np.ones((min(bottom, prepared.size[0]) - top, min(right, prepared.size[1]) - left), np.uint8)
    decoding = cast(Boxes, expert.manifest.decoding)
    rule = f"box around a predicted {one.label.name}, its score at least {least(one.label, decoding.threshold):g}"
    component = Component(left, top, crop, crop.size, one.score)
    return Candidate(
        component, one.label.name, rule + prepared.note, expert.manifest.expert, code=one.label.code, boxed=True
    )
