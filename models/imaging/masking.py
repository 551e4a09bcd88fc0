"""Pixels filled so that nothing in them can be read, and what must not be filled. Knows no text and no files."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.imaging.text import Box
from schemas.images import SourceAnnotation

_RING = 3

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom exclusive."""


def median(around: NDArray[Any]) -> Any:
    """Of each channel."""
    return np.median(around, axis=0)


def masked(stored: NDArray[Any], boxes: Sequence[Box], level: Callable[[NDArray[Any]], Any] = median) -> NDArray[Any]:
    """A copy with each box filled flat, per channel, with the median, or another `level`, of what is around.

    A flat fill leaves nothing to be read; its level, that of what is beside it, makes no bright or dark finding.
    """
    copy, hidden = stored.copy(), covered(stored.shape, boxes, ())
    for left, top, right, bottom, _ in boxes:
        near = np.s_[max(0, top - _RING) : bottom + _RING, max(0, left - _RING) : right + _RING]
        around = stored[near][~hidden[near]]
        copy[top:bottom, left:right] = level(around) if around.size else stored.min(axis=(0, 1))
    return copy


def covered(shape: tuple[int, ...], boxes: Sequence[Box], regions: tuple[Rectangle, ...]) -> NDArray[np.bool_]:
    """(rows, columns): where boxes lie, or what lies outside all regions."""
    found = np.full(shape[:2], bool(regions))
    for left, top, right, bottom in regions:
        found[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = False
    for left, top, right, bottom, _ in boxes:
        found[top:bottom, left:right] = True
    return found


def marked_in(annotations: Sequence[SourceAnnotation], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(rows, columns): what the source marks as regions, by masks or boxes."""
    found = np.zeros(shape[:2], bool)
    for one in annotations:
        if one.mask is not None and one.mask.size == shape[:2]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools decodes through numpy's old __array__
                found |= np.asarray(cast(Any, coco).decode(one.mask.rle), bool)
        elif one.box is not None:
            x, y, width, height = one.box.x, one.box.y, one.box.width, one.box.height
            found[y : y + height, x : x + width] = True
    return found


def apart_from(box: Box, kept: NDArray[np.bool_]) -> Iterator[Box]:
    """What of a box is not to be kept, (rows, columns) of the picture, as boxes that do not overlap."""
    open_at: dict[tuple[int, int], int] = {}
    for row in range(box.top, box.bottom + 1):
        runs: set[tuple[int, int]] = set()
        if row < box.bottom:
            free = np.concatenate(([False], ~kept[row, box.left : box.right], [False])).astype(np.int8)
            starts, ends = (np.flatnonzero(np.diff(free) == step) + box.left for step in (1, -1))
            runs = set(zip(starts.tolist(), ends.tolist(), strict=True))
        for left, right in sorted(open_at.keys() - runs):
            yield Box(left, open_at.pop((left, right)), right, row, box.score)
        for run in runs - open_at.keys():
            open_at[run] = row
