"""Boxes in answers: read, and held against the right one."""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from pycocotools import mask as coco

from models.llava_tri.evaluation.questions import Corners, Mask

Scale: TypeAlias = Literal["parts", "thousandths", "px"]
"""What a model writes its boxes in: 0 to 1 (LLaVA), 0 to 1000 (Qwen3-VL), or px of the picture (Qwen2.5-VL)."""

_NUMBER = r"\s*(-?\d+(?:\.\d+)?)\s*"
_BOX = re.compile(rf"[\[(]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[\])]")


def read_box(answer: str, scale: Scale, rows: int, columns: int) -> Corners | None:
    """The first box in an answer, cut to the picture; None where there is none or it has no area.

    Args:
        answer: with four numbers in brackets: left, top, right, bottom.
        scale: of the numbers.
        rows, columns: of the picture, px.
    """
    found = _BOX.search(answer)
    if found is None:
        return None
    x, y = {"parts": (1.0, 1.0), "thousandths": (1000.0, 1000.0), "px": (float(columns), float(rows))}[scale]
    left, top, right, bottom = (
        min(1.0, max(0.0, float(value) / whole)) for value, whole in zip(found.groups(), (x, y, x, y), strict=True)
    )
    return (left, top, right, bottom) if right > left and bottom > top else None


def middle_box(boxes: Sequence[Corners]) -> Corners | None:
    """In the middle of the picture, as wide and as high as the median box; None of no boxes."""
    if not boxes:
        return None
    wide, high = np.median([(right - left, down - up) for left, up, right, down in boxes], axis=0).tolist()
    return (1 - wide) / 2, (1 - high) / 2, (1 + wide) / 2, (1 + high) / 2


def write_box(box: Corners, scale: Scale, rows: int, columns: int) -> str:
    """A box as a model would write it."""
    if scale == "parts":
        return "[" + ", ".join(f"{value:.3f}" for value in box) + "]"
    x, y = (1000, 1000) if scale == "thousandths" else (columns, rows)
    return "[" + ", ".join(str(round(value * whole)) for value, whole in zip(box, (x, y, x, y), strict=True)) + "]"


def overlap(one: Corners | None, other: Corners) -> float:
    """Intersection over union of two boxes, 0 to 1; 0 where there is no first one."""
    if one is None:
        return 0.0
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = width * height
    return both / (_area(one) + _area(other) - both)


def _area(box: Corners) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def dice_as_mask(box: Corners | None, mask: Mask) -> float:
    """Dice of a filled box against a mask, 0 to 1: what a box is worth as a segmentation; 0 where there is none."""
    if box is None:
        return 0.0
    counts = {"size": [mask.rows, mask.columns], "counts": mask.counts.encode()}
    region = np.asarray(coco.decode(counts), dtype=bool)  # pyright: ignore[reportArgumentType]
    filled = np.zeros_like(region)
    left, top, right, bottom = box
    filled[
        round(top * mask.rows) : round(bottom * mask.rows), round(left * mask.columns) : round(right * mask.columns)
    ] = 1
    both = int((filled & region).sum())
    return 2 * both / (int(filled.sum()) + int(region.sum())) if both else 0.0
