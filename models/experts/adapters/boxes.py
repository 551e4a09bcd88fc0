"""Detectors (torchvision, YOLO, DETR): boxes with a class and a score. A box is the region that fills it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from models.experts.adapters.classes import least
from models.experts.adapters.rows import Rows, rows_of
from models.experts.adapters.turned import Boxes5, apart, filled
from models.experts.candidates import BinaryImage, Candidate, Component
from models.experts.decodings import Boxes, Instances, Label
from models.experts.inputs import Prepared
from models.experts.running import Expert, Found, Sight


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in px of the working copy: left, top, right, bottom, turned by `angle` radians about its centre.

    `row`: its place in the outputs of its tensor.
    """

    corners: tuple[float, float, float, float]
    label: Label
    score: float
    tensor: int
    row: int
    angle: float = 0.0

    @property
    def turned(self) -> Boxes5:
        """As `turned.Boxes5`."""
        x0, y0, x1, y1 = self.corners
        return np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, self.angle])


def find_boxes(expert: Expert, sight: Sight) -> Found:
    """The best boxes of each label, those that overlap a better one left out."""
    decoding = cast(Boxes, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    found: list[Detection] = []
    for tensor in range(len(prepared.batch)):
        others = {name: one[tensor : tensor + 1] for name, one in prepared.others.items()}
        outputs = expert.run(prepared.batch[tensor : tensor + 1], decoding.named, others)
        found += detections(expert, prepared, tensor, rows_of(outputs, decoding, prepared.batch.shape[2:]))
    kept, left_out = chosen(found, decoding, prepared)
    outlined = (_turned(expert, one, prepared) if decoding.turned else _upright(expert, one, prepared) for one in kept)
    return Found([one for one in outlined if one is not None], left_out)


def detections(expert: Expert, prepared: Prepared, tensor: int, rows: Rows) -> Iterator[Detection]:
    """Those of a label with a sufficient score that reach into the image, as the graph tells them."""
    decoding = cast(Boxes | Instances, expert.manifest.decoding)
    turned = isinstance(decoding, Boxes) and decoding.turned
    labels = {label.index: label for label in expert.manifest.labels}
    lowest = min(least(label, decoding.threshold) for label in labels.values())
    (top, left), (down, across) = prepared.origins[tensor], prepared.working
    for row in np.flatnonzero(np.isfinite(rows.boxes).all(axis=1) & (rows.scores >= lowest)):
        label = labels.get(int(rows.classes[row]))
        if label is None or rows.scores[row] < least(label, decoding.threshold):
            continue
        x0, y0, x1, y1 = (float(value) for value in rows.boxes[row])
        corners = (x0 + left, y0 + top, x1 + left, y1 + top)
        angle = float(rows.further[row, -1]) if turned else 0.0
        inside = turned or (
            max(0.0, corners[0]) < min(across, corners[2]) and max(0.0, corners[1]) < min(down, corners[3])
        )
        if inside and x0 < x1 and y0 < y1 and math.isfinite(angle):
            yield Detection(corners, label, float(rows.scores[row]), tensor, int(row), angle)


def chosen(found: list[Detection], decoding: Boxes | Instances, prepared: Prepared) -> tuple[list[Detection], int]:
    """The best of each label after non-maximum suppression, and how many more there were.

    Boxes are compared as the graph tells them, and cut to the image after that, as their own libraries do.
    """
    down, across = prepared.scale
    smallest = max(decoding.min_area_px, decoding.min_area_fraction * prepared.size[0] * prepared.size[1])
    turned = isinstance(decoding, Boxes) and decoding.turned
    kept: list[Detection] = []
    left_out = 0
    for index in sorted({one.label.index for one in found}):
        of_label = [one for one in found if one.label.index == index]
        scores = [one.score for one in of_label]
        if turned:
            order = apart(np.stack([one.turned for one in of_label]), np.asarray(scores), decoding.nms_iou)
        else:
            # Scores were compared with their thresholds before: 0 lets all of them in.
            boxes = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in (one.corners for one in of_label)]
            order = cv2.dnn.NMSBoxes(boxes, scores, 0.0, decoding.nms_iou)
        best = [of_label[int(n)] for n in np.asarray(order).reshape(-1)]
        if not turned:  # What is cut off a turned box is not told by its corners.
            best = [_within(one, prepared) for one in best]
        best = [one for one in best if _area(one) * down * across >= smallest]
        kept += best[: decoding.max_regions]
        left_out += max(0, len(best) - decoding.max_regions)
    return kept, left_out


def _within(one: Detection, prepared: Prepared) -> Detection:
    (x0, y0, x1, y1), (rows, columns) = one.corners, prepared.working
    return replace(one, corners=(max(0.0, x0), max(0.0, y0), min(float(columns), x1), min(float(rows), y1)))


def _area(one: Detection) -> float:
    x0, y0, x1, y1 = one.corners
    return (x1 - x0) * (y1 - y0)


def _upright(expert: Expert, one: Detection, prepared: Prepared) -> Candidate:
    left, top, right, bottom = box_px(one, prepared)
    return _candidate(expert, one, prepared, left, top, np.ones((bottom - top, right - left), np.uint8))


def box_px(one: Detection, prepared: Prepared) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels of the image that a box reaches into, right and bottom exclusive."""
    down, across = prepared.scale
    rows, columns = prepared.size
    x0, y0, x1, y1 = one.corners
    left, top = (min(int(x0 * across + 1e-3), columns - 1), min(int(y0 * down + 1e-3), rows - 1))
    right, bottom = (max(left + 1, -int(-(x1 * across - 1e-3) // 1)), max(top + 1, -int(-(y1 * down - 1e-3) // 1)))
    return left, top, min(right, columns), min(bottom, rows)


def _turned(expert: Expert, one: Detection, prepared: Prepared) -> Candidate | None:
    """The part of a turned box that lies in the image, filled; None where none does."""
    part = filled(one.turned, prepared.scale, prepared.size)
    return part and _candidate(expert, one, prepared, *part)


def _candidate(expert: Expert, one: Detection, prepared: Prepared, left: int, top: int, crop: BinaryImage) -> Candidate:
    decoding = cast(Boxes, expert.manifest.decoding)
    rule = f"box around a predicted {one.label.name}, its score at least {least(one.label, decoding.threshold):g}"
    component = Component(left, top, crop, int(cv2.countNonZero(crop)), one.score)
    return Candidate(
        component, one.label.name, rule + prepared.note, expert.manifest.expert, code=one.label.code, boxed=True
    )
