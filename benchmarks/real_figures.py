"""How regions agree with a reader's mask: Dice, parts found, false regions, AJI, F1. Knows no file and no expert."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.experts.calibration import TOUCHED

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of regions of one name with one truth.

    `best`: Dice of the best single region; `union`: of all together; `recall`: share of the truth's parts that
    some region touches; `false`: regions that touch none; `aji`, `f1`: of regions as instances.
    """

    best: float
    union: float
    recall: float
    false: int
    aji: float
    f1: float


def dice(first: Mask, second: Mask) -> float:
    """Of two masks; 1 where both are empty."""
    there = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / there if there else 1.0


def agreement(regions: Sequence[Mask], truth: Mask) -> Agreement:
    """Of the regions of one image with its truth, which is not empty; all uint8 (rows, columns)."""
    number, parts = cv2.connectedComponents(truth, connectivity=8)
    union = np.zeros_like(truth)
    for region in regions:
        union |= region
    shared = np.stack([np.bincount(parts[one > 0], minlength=number) for one in regions] or [np.zeros(number, int)])
    areas = np.bincount(parts.ravel(), minlength=number)
    sizes = np.asarray([int(one.sum()) for one in regions] or [0])
    # A region over several parts is held against all of these together, and each of these is found by it.
    touched = (shared > 0) & (np.arange(number) > 0)
    inside = (shared * touched).sum(axis=1)
    covered = inside / np.maximum(sizes + (areas * touched).sum(axis=1) - inside, 1)
    alone = shared / np.maximum(sizes[:, None] + areas[None, :] - shared, 1)
    hit = touched & ((alone >= TOUCHED) | ((covered >= TOUCHED)[:, None] & (shared >= 0.5 * areas[None, :])))
    return Agreement(
        best=max((dice(one, truth) for one in regions), default=0.0),
        union=dice(union, truth),
        recall=float(hit.any(axis=0)[1:].mean()),
        false=int(np.count_nonzero(covered < TOUCHED)) if regions else 0,
        aji=_aji(alone[:, 1:], shared[:, 1:], areas[1:], sizes),
        f1=_f1(alone[:, 1:], len(regions)),
    )


def _aji(
    iou: NDArray[np.float64], shared: NDArray[np.int64], areas: NDArray[np.int64], sizes: NDArray[np.int64]
) -> float:
    """Aggregated Jaccard index: Kumar et al., IEEE Trans. Med. Imaging 36, 2017."""
    both, either, used = 0, 0, np.zeros(len(sizes), bool)
    for part in range(len(areas)):
        nearest = int(iou[:, part].argmax())
        if iou[nearest, part] == 0:
            either += int(areas[part])
            continue
        both += int(shared[nearest, part])
        either += int(areas[part] + sizes[nearest] - shared[nearest, part])
        used[nearest] = True
    return both / max(1, either + int(sizes[~used].sum()))


def _f1(iou: NDArray[np.float64], found: int) -> float:
    """A match is an IoU of more than 0.5, of which there is one at most for each."""
    return 2 * int((iou > 0.5).sum()) / max(1, found + iou.shape[1])
