"""Boxes that are turned about their centre: which of them are the same, and the pixels that they fill.

Llerena et al., Gaussian bounding boxes and probabilistic intersection-over-union, 2021: by this YOLO's turned boxes are
trained and suppressed.
"""

from typing import cast

import numpy as np
import numpy.typing as npt

from models.experts.candidates import BinaryImage, boxed_part

Boxes5 = npt.NDArray[np.float64]
"""(n, 5): x and y of the centre, width, height, and the angle in radians, clockwise as it is seen."""


def apart(boxes: Boxes5, scores: npt.NDArray[np.float64], iou: float) -> npt.NDArray[np.int64]:
    """Indices of the boxes that resemble no better one by `iou` or more, the best first."""
    order = np.argsort(-scores, kind="stable")
    alike = np.triu(_probabilistic_iou(boxes[order]), k=1)
    return order[(alike < iou).all(axis=0)]


def _probabilistic_iou(boxes: Boxes5) -> npt.NDArray[np.float64]:
    """(n, n): 1 less the Hellinger distance of the normal distributions that have the boxes' moments."""
    x, y, width, height, angle = boxes.T
    along, across = width**2 / 12, height**2 / 12
    cos, sin = np.cos(angle), np.sin(angle)
    a, b, c = along * cos**2 + across * sin**2, along * sin**2 + across * cos**2, (along - across) * cos * sin
    determinant = np.maximum(a * b - c * c, 1e-12)
    sum_a, sum_b, sum_c = (one[:, None] + one[None, :] for one in (a, b, c))
    of_sum = np.maximum(sum_a * sum_b - sum_c**2, 1e-12)
    dx, dy = x[:, None] - x[None, :], y[:, None] - y[None, :]
    mahalanobis = (sum_a * dy**2 + sum_b * dx**2 - 2 * sum_c * dx * dy) / of_sum
    distance = mahalanobis / 4 + np.log(of_sum / (4 * np.sqrt(np.outer(determinant, determinant)))) / 2
    return 1 - np.sqrt(np.clip(1 - np.exp(-distance), 0, 1))


def filled(box: Boxes5, scale: tuple[float, float], size: tuple[int, int]) -> tuple[int, int, BinaryImage] | None:
    """Left, top, and the pixels of one box (5,) in an image of `size` (rows, columns); None where it is beside it.

    `scale`: px of the image for one of the box's, down and across.
    """
    x, y, width, height, angle = (float(value) for value in box)
    cos, sin = np.cos(angle), np.sin(angle)
    # Half of what the box reaches, across and down, in its own px; then the pixels that this is of the image.
    reach = np.abs([width * cos, width * sin]) / 2 + np.abs([height * sin, height * cos]) / 2
    middle, px = np.array([x, y]), np.array([scale[1], scale[0]])
    left, top = (int(value) for value in np.maximum(np.floor((middle - reach) * px), 0))
    right, bottom = (int(value) for value in np.minimum(np.ceil((middle + reach) * px), size[::-1]))
    if left >= right or top >= bottom:
        return None
    across = (np.arange(left, right) + 0.5) / px[0] - x
    down = ((np.arange(top, bottom) + 0.5) / px[1] - y)[:, None]
    inside = np.abs(across * cos + down * sin) <= width / 2
    inside &= np.abs(down * cos - across * sin) <= height / 2
    part = boxed_part(cast(BinaryImage, inside.view(np.uint8)))
    return part and (left + part[1], top + part[2], part[0])
