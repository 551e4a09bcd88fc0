"""Marks of an annotation object, put on the pixels of a frame. Knows nothing of the objects that hold them."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from models.imaging.errors import InvalidAnnotations
from models.imaging.given.concepts import Named
from models.imaging.header import Header, Malformed, valid
from models.imaging.planes import Instance, Plane

SAME_MM = 0.1
"""From a plane within which things lie in it, where nothing says in which image they lie."""
OFF_MM = 1.0
"""From the image that a mark names beyond which it is not believed."""

MaskArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """The frame that is asked about."""

    image: Instance
    index: int
    shape: tuple[int, int]
    plane: Plane | None


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What an annotation object marks in one frame: bool (rows, columns), with at least one pixel."""

    named: Named
    mask: MaskArray


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Given:
    """One annotation object."""

    names: frozenset[str]
    """UIDs of images, and of frames of reference, of which it may mark something."""
    about: frozenset[str]
    """The same, and of those of which it speaks beside them."""
    on: Callable[[Target], Iterator[Mark | None]]
    """Its marks on a frame; None for each that is no area. Raises an InvalidInput."""


@dataclass(frozen=True, slots=True, repr=False)
class Meant:
    """Images that a mark names, and of which frames of theirs it is; an empty set: of any."""

    images: dict[str, frozenset[int]]

    def includes(self, target: Target) -> bool:
        """Whether a frame is meant by its name. Of several frames, where no number is told: perhaps."""
        numbers = self.images.get(target.image.uid)
        return numbers is not None and (not numbers or target.index + 1 in numbers)

    def tells_frame(self, target: Target) -> bool:
        """Whether the names alone tell which frame is meant."""
        return target.image.frames == 1 or bool(self.images.get(target.image.uid))


def meant_by(header: Header, items: Iterable[Dataset]) -> Meant:
    """Of items of a SOP instance reference macro (PS3.3 10.8, 10.3)."""
    images: dict[str, frozenset[int]] = {}
    for item in items:
        if uid := header.text("ReferencedSOPInstanceUID", item):
            numbers = header.numbers("ReferencedFrameNumber", item)
            if isinstance(numbers, Malformed) and not numbers.empty:
                raise InvalidAnnotations("has a Referenced Frame Number that is no number")
            images[uid] = images.get(uid, frozenset()) | {int(number) for number in valid(numbers) or ()}
    return Meant(images)


def lies_in(points: NDArray[np.float64], plane: Plane | None, within: float) -> bool:
    """Whether all points, (n, 3) mm, lie in a plane."""
    return plane is not None and bool((plane.seen(points)[1] <= within).all())


def resampled(mask: MaskArray, plane: Plane | None, target: Target) -> MaskArray:
    """A mask on the target's pixels: of each the value of the nearest pixel of the mask's plane, False outside it.

    Raises:
        InvalidAnnotations: nothing tells how one lies on the other, or they do not lie in one plane.
    """
    if plane is None or target.plane is None:
        if mask.shape != target.shape:
            raise InvalidAnnotations("marks pixels of an image of another size, and nothing tells how it lies on it")
        return mask
    places, distances = plane.seen(target.plane.corners(target.shape))
    if distances.max() > OFF_MM:
        raise InvalidAnnotations("names an image that lies in another plane")
    rows, columns = target.shape
    right = (places[1] - places[0]) / max(columns - 1, 1)
    down = (places[2] - places[0]) / max(rows - 1, 1)
    if mask.shape == target.shape and np.allclose((places[0], right, down), ((0, 0), (1, 0), (0, 1)), atol=1e-3):
        return mask
    row, column = np.arange(rows)[:, None], np.arange(columns)[None]
    # Halves go one way everywhere, whatever the last digits of the header's numbers are.
    x, y = (
        np.floor(places[0][axis] + column * right[axis] + row * down[axis] + 0.5 + 1e-6).astype(np.int64)
        for axis in (0, 1)
    )
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    found = np.zeros(target.shape, np.bool_)
    found[inside] = mask[y[inside], x[inside]]
    return found


def filled(polygons: Iterable[NDArray[np.float64]], shape: tuple[int, int]) -> MaskArray:
    """Pixels whose centres lie within an odd number of polygons, (n, 2) columns and rows each, of any direction.

    A polygon within another is a hole, and a channel walked there and back encloses nothing (PS3.3 C.8.8.6.3). A
    centre on an edge belongs to the polygon on its right, or below. OpenCV draws the outline as well, which makes small
    regions half as large again (benchmarks/given.py).
    """
    rows, columns = shape
    crossings = np.zeros((rows, columns + 1), np.int64)
    for polygon in polygons:
        starts, ends = polygon, np.roll(polygon, -1, axis=0)
        steep = starts[:, 1] != ends[:, 1]
        starts, ends = starts[steep], ends[steep]
        first = np.clip(np.ceil(np.minimum(starts[:, 1], ends[:, 1])), 0, rows).astype(np.int64)
        last = np.clip(np.ceil(np.maximum(starts[:, 1], ends[:, 1])), 0, rows).astype(np.int64)
        counts = last - first
        edge = np.repeat(np.arange(len(counts)), counts)
        row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        slope = (ends[:, 0] - starts[:, 0]) / (ends[:, 1] - starts[:, 1])
        column = starts[edge, 0] + (row - starts[edge, 1]) * slope[edge]
        np.add.at(crossings, (row, np.clip(np.ceil(column), 0, columns).astype(np.int64)), 1)
    return np.cumsum(crossings, axis=1)[:, :-1] % 2 == 1


def ellipse(centre: NDArray[np.float64], one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """(360, k) points of an ellipse by its centre and two half axes, (k,) each."""
    angles = np.arange(360)[:, None] * (math.tau / 360)
    return centre + np.cos(angles) * one + np.sin(angles) * other
