"""From score maps to candidates: components at the size of the image, apart from what is masked. Measures nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from schemas.images import ImageMetadata, MaskedBox
from schemas.regions import Box, Code

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]

_LABELLING = cv2.CCL_BBDT
"""The default algorithm of OpenCV 5.0 takes three times as long on one thread."""


@dataclass(frozen=True, slots=True)
class Component:
    """A connected part of a thresholded map, at the image's own size. `crop` (height, width) holds 0 and 1.

    `score`: None where the graph gives none.
    """

    x: int
    y: int
    crop: BinaryImage
    area_px: int
    score: float | None

    @property
    def box(self) -> Box:
        """Of the whole crop."""
        height, width = self.crop.shape
        return Box(x=self.x, y=self.y, width=width, height=height)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What another told, and an expert was asked to outline. `expert`: name@version, or 'source'. `box`: around it."""

    expert: str
    box: Box


@dataclass(frozen=True, slots=True)
class Candidate:
    """A component with the words of the rule that found it.

    `contrast` is what these words claim of the region's mean against its surroundings: +1 higher, -1 lower, 0 nothing.
    `boxed`: nothing is known of its form, and its mask fills its box. `proposal`: whose box it was outlined for.
    """

    component: Component
    label: str
    rule: str
    expert: str
    contrast: int = 0
    code: Code | None = None
    boxed: bool = False
    proposal: Proposal | None = None


def filled(crop: BinaryImage) -> BinaryImage:
    """The mask with its holes filled: background that does not reach the crop's edge (4 neighbours) is a hole."""
    around = cv2.copyMakeBorder(crop, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(around, None, (0, 0), 2)
    return (around[1:-1, 1:-1] != 2).view(np.uint8)


def mean(values: FloatImage, mask: cv2.typing.MatLike) -> float | None:
    """Of `values` (rows, columns) where `mask` is 1; None where it is nowhere."""
    number = cv2.countNonZero(mask)
    # cv2.mean takes three times as long over a mask.
    return cv2.sumElems(cv2.copyTo(values, mask))[0] / number if number else None


def foreground(mask: BinaryImage, min_part_of_largest: float, margin: float) -> BinaryImage:
    """The larger components of `mask` (rows, columns) of 0 and 1, holes filled; what touches the image's edge is none.

    `margin`: part of the longest side that is taken off along the outline, though not along the image's own edge.
    """
    # With all of OpenCV's statistics it would take twice as long.
    number, labels = cv2.connectedComponentsWithAlgorithm(mask, 8, cv2.CV_32S, _LABELLING)
    areas = np.bincount(labels[mask.view(np.bool_)], minlength=number)
    keep = areas >= max(1.0, min_part_of_largest * areas.max())
    body = filled(mask if keep[1:].all() else keep.view(np.uint8).take(cast(npt.NDArray[np.int32], labels)))
    reach = round(margin * max(mask.shape))
    if reach == 0:
        return body
    return cast(BinaryImage, cv2.erode(body, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)))


def components(
    score: FloatImage, mask: BinaryImage, size: tuple[int, int], min_area_px: float, most: int
) -> tuple[list[Component], int]:
    """The largest `most` components of `mask` of at least `min_area_px`, and how many more there are.

    `score` and `mask` share a working size (rows, columns); components come at `size`, areas are counted there.
    """
    # Most masks fill a small part of the image: only that part is labelled.
    x0, y0, filled_columns, filled_rows = cv2.boundingRect(mask)
    if filled_columns == 0:
        return [], 0
    part = mask[y0 : y0 + filled_rows, x0 : x0 + filled_columns]
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(part, 8, cv2.CV_32S, _LABELLING)
    scale = (size[0] / mask.shape[0]) * (size[1] / mask.shape[1])
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas * scale >= min_area_px)
    order = kept[np.argsort(-stats[kept, cv2.CC_STAT_AREA], kind="stable")]
    found: list[Component] = []
    for label in order[:most]:
        x, y, width, height = (int(n) for n in stats[label, :4])
        part = (labels[y : y + height, x : x + width] == label).view(np.uint8)
        x, y = x + x0, y + y0
        strength = mean(score[y : y + height, x : x + width], part)
        component = placed(part, x, y, mask.shape, size, strength or 0.0)
        if component is not None:
            found.append(component)
    return found, max(len(order) - most, 0)


def placed(
    crop: BinaryImage, x: int, y: int, working: tuple[int, ...], size: tuple[int, int], score: float
) -> Component | None:
    """A mask at (x, y) of a working copy, brought to the image's size; None where nothing of it is left."""
    if size != working:
        y, down = _at_full_size(y, crop.shape[0], working[0], size[0])
        x, across = _at_full_size(x, crop.shape[1], working[1], size[1])
        crop = crop[:, across][down]
        if size[0] < working[0] or size[1] < working[1]:  # Its edges may have fallen between pixels.
            if (part := boxed_part(crop)) is None:
                return None
            crop, x, y = part[0], x + part[1], y + part[2]
    area = int(cv2.countNonZero(crop))
    return Component(x, y, crop, area, score) if area else None


def boxed_part(mask: BinaryImage) -> tuple[BinaryImage, int, int] | None:
    """A mask within its box, and where that lies (x, y); None where it is empty."""
    x, y, width, height = cv2.boundingRect(mask) if mask.size else (0, 0, 0, 0)
    return (np.ascontiguousarray(mask[y : y + height, x : x + width]), x, y) if width else None


def _at_full_size(start: int, length: int, working: int, full: int) -> tuple[int, npt.NDArray[np.int64]]:
    """First full-size index that falls on working pixels [start, start + length), and the working index of each."""
    first, end = -(-start * full // working), -(-(start + length) * full // working)
    return first, np.arange(first, end) * working // full - start


def unmasked(size: tuple[int, ...], metadata: ImageMetadata) -> BinaryImage | None:
    """(rows, columns) of 0 where text was masked and 1 elsewhere; None where none was.

    What is masked is no finding, and its values are not the image's.
    """
    return apart_from(metadata.pixel_cleaning.boxes if metadata.pixel_cleaning else (), size)


def apart_from(boxes: tuple[MaskedBox, ...], size: tuple[int, ...]) -> BinaryImage | None:
    """(rows, columns) of 0 in the boxes and 1 elsewhere; None without boxes, or where nothing else is."""
    if not boxes:
        return None
    visible = np.ones(size[:2], np.uint8)
    for box in boxes:
        visible[box.top : box.bottom, box.left : box.right] = 0
    return visible if visible.any() else None


def apart_from_masked(candidates: list[Candidate], visible: BinaryImage | None) -> list[Candidate]:
    """Candidates without their masked pixels; those of which more than half are masked are dropped."""
    if visible is None:
        return candidates
    kept: list[Candidate] = []
    for one in candidates:
        part = one.component
        height, width = part.crop.shape
        crop = part.crop & visible[part.y : part.y + height, part.x : part.x + width]
        area = int(cv2.countNonZero(crop))
        if area == part.area_px:
            kept.append(one)
        elif 2 * area >= part.area_px:
            x, y, width, height = cv2.boundingRect(crop)
            crop = np.ascontiguousarray(crop[y : y + height, x : x + width])
            kept.append(replace(one, component=Component(part.x + x, part.y + y, crop, area, part.score)))
    return kept


def lying_in(
    candidates: list[Candidate], others: Iterable[Candidate], size: tuple[int, ...], part: float
) -> list[Candidate]:
    """Candidates of whose pixels at least `part` lie in those of the others; of an image of `size` (rows, columns)."""
    there = np.zeros(size[:2], np.uint8)
    for one in (other.component for other in others):
        height, width = one.crop.shape
        there[one.y : one.y + height, one.x : one.x + width] |= one.crop
    kept: list[Candidate] = []
    for candidate in candidates:
        one = candidate.component
        height, width = one.crop.shape
        shared = cv2.countNonZero(there[one.y : one.y + height, one.x : one.x + width] & one.crop)
        if shared >= part * one.area_px:
            kept.append(candidate)
    return kept
