"""The picture that a model is shown: the rendered view with regions outlined and named, or with crops beside it.

Outlines are thin and beside the region rather than in it, and names stand where no region is, so that what is outlined
stays as it was.
"""

from typing import Any

import cv2
import numpy as np
import pybase64
from numpy.typing import NDArray
from pycocotools import mask as coco

from models.describers.settings import Shown
from models.imaging.png import decode_png, encode_png
from schemas.images import Pixels
from schemas.regions import Region

LONGEST = 1024
"""px of the longest side: what a model of 28 px patches still reads in about a thousand tokens."""
SHORTEST = 336
"""px to which small images are enlarged, so that names beside outlines can be read."""
COLOURS = ((255, 64, 64), (64, 200, 255), (255, 210, 0), (120, 255, 120), (255, 120, 255), (255, 150, 40))
MARGIN = 0.25
"""Part of a region's size that is shown around it in a crop."""
LETTERS = 0.5
"""Size of names, of OpenCV's simplex font."""
GAP = 4
"""px between a region's box and its name, and around a name."""
DRAWING = 1
"""Raised when the same regions would be drawn otherwise by a change of code."""

Rgb = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Rectangle = tuple[int, int, int, int]
"""x, y, width, height, px."""


def picture(view: Pixels, regions: tuple[Region, ...], shown: Shown) -> bytes:
    """PNG of the view, RGB, 8 bits; wider by crops, or higher by a strip of names for which there was no free place.

    Args:
        view: with its pixels in it.
        regions: drawn with their names, as many as there are `COLOURS`; the whole image is not.
        shown: `outlines` over the image; `crops` of the regions to its right; or `plain`.
    """
    image = _rgb(decode_png(pybase64.b64decode(view.data or "")))
    outlined = [region for region in regions if region.kind != "whole image"][: len(COLOURS)]
    image, scale = _sized(image)
    if shown == "plain" or not outlined:
        return encode_png(image)
    if shown == "crops":
        return encode_png(_with_crops(image, outlined, scale))
    return encode_png(_with_outlines(image, outlined))


def _rgb(stored: NDArray[Any]) -> Rgb:
    eight = stored if stored.dtype == np.uint8 else (stored >> 8).astype(np.uint8)
    return np.ascontiguousarray(eight if eight.ndim == 3 else np.repeat(eight[..., None], 3, axis=2))


def _sized(image: Rgb) -> tuple[Rgb, float]:
    longest, shortest = max(image.shape[:2]), min(image.shape[:2])
    scale = min(LONGEST / longest, max(1.0, SHORTEST / shortest))
    if scale == 1.0:
        return image, 1.0
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), np.uint8), scale


def _with_outlines(image: Rgb, regions: list[Region]) -> Rgb:
    masks = [_mask(region, image.shape[:2]) for region in regions]
    covered = np.zeros(image.shape[:2], np.uint8)
    for mask, colour in zip(masks, COLOURS, strict=False):
        around = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), np.uint8)
        edge = np.asarray(cv2.dilate(mask, np.ones((3, 3), np.uint8)), np.uint8)
        image[(around > 0) & (edge == 0)] = colour
        covered |= around
    left: list[int] = []
    for n in sorted(range(len(regions)), key=lambda n: int(masks[n].sum())):
        name = regions[n].region_id
        place = free_place(covered, cv2.boundingRect(masks[n]), _extent(name))
        if place is None:
            left.append(n)
            continue
        x, y, width, height = place
        covered[y : y + height, x : x + width] = 1
        _write(image, name, (x + GAP, y + height - GAP), COLOURS[n])
    return _with_strip(image, [(regions[n].region_id, COLOURS[n]) for n in sorted(left)]) if left else image


def _mask(region: Region, shape: tuple[int, ...]) -> Mask:
    mask = np.asarray(coco.decode(region.mask.rle), np.uint8)
    if mask.shape != shape:
        mask = np.asarray(cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST), np.uint8)
    return mask


def _extent(name: str) -> tuple[int, int]:
    """Width and height, px, of a name with the gap around it."""
    (width, height), below = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, LETTERS, 3)
    return width + 2 * GAP, height + below + 2 * GAP


def free_place(covered: Mask, box: Any, extent: tuple[int, int]) -> Rectangle | None:
    """The place nearest to a box where a name covers nothing; None where there is none in the image.

    Args:
        covered: rows × columns, uint8: not 0 where a region or another name is.
        box: x, y, width, height of what is named, px.
        extent: width and height of the name, px.
    """
    rows, columns = covered.shape
    width, height = extent
    if width > columns or height > rows:
        return None
    # Pixels that are covered in the rectangle whose upper left corner is at (y, x).
    sums = cv2.integral(covered)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    ys, xs = np.nonzero(inside == 0)
    if not len(ys):
        return None
    x, y, across, down = box
    # Distance of the name's rectangle to the box, along both axes; the place above its corner comes first of equals.
    beyond_x = np.maximum(np.maximum(x - (xs + width), xs - (x + across)), 0)
    beyond_y = np.maximum(np.maximum(y - (ys + height), ys - (y + down)), 0)
    nearest = np.lexsort((np.abs(xs - x), ys, beyond_x + beyond_y))[0]
    return int(xs[nearest]), int(ys[nearest]), width, height


def _with_strip(image: Rgb, names: list[tuple[str, tuple[int, int, int]]]) -> Rgb:
    """The image with names in their outlines' colours below it."""
    height = max(_extent(name)[1] for name, _ in names)
    rows: list[Rgb] = []
    x = image.shape[1]
    for name, colour in names:
        width = _extent(name)[0]
        if x + width > image.shape[1]:
            rows.append(np.zeros((height, max(image.shape[1], width), 3), np.uint8)[:, : image.shape[1]])
            x = 0
        _write(rows[-1], name, (x + GAP, height - GAP), colour)
        x += width
    return np.concatenate([image, *rows], axis=0)


def _write(image: Rgb, name: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    for width, tone in ((3, (0, 0, 0)), (1, colour)):
        cv2.putText(image, name, place, cv2.FONT_HERSHEY_SIMPLEX, LETTERS, tone, width, cv2.LINE_AA)


def _with_crops(image: Rgb, regions: list[Region], scale: float) -> Rgb:
    """Each region enlarged beside the image, under its name."""
    rows, columns = image.shape[:2]
    heading = max(_extent(region.region_id)[1] for region in regions)
    side = max(48, rows // max(2, len(regions)) - heading)
    shown = regions[: max(1, rows // (side + heading))]
    beside = np.zeros((rows, side, 3), np.uint8)
    for n, (region, colour) in enumerate(zip(shown, COLOURS, strict=False)):
        box = region.box
        reach = MARGIN * max(box.width, box.height) + 2
        left, top = max(0, int((box.x - reach) * scale)), max(0, int((box.y - reach) * scale))
        right = min(columns, int((box.x + box.width + reach) * scale) + 1)
        bottom = min(rows, int((box.y + box.height + reach) * scale) + 1)
        crop = image[top:bottom, left:right]
        fit = min(side / crop.shape[0], side / crop.shape[1])
        size = (max(1, int(crop.shape[1] * fit)), max(1, int(crop.shape[0] * fit)))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        start = n * (side + heading) + heading
        crop = crop[: max(0, rows - start)]
        beside[start : start + crop.shape[0], : crop.shape[1]] = crop
        if start <= rows:
            _write(beside, region.region_id, (GAP, start - GAP), colour)
    return np.concatenate([image, beside], axis=1)
