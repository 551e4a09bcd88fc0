"""The picture that a model is shown: the rendered view with regions outlined and numbered, or with crops beside it.

Outlines are thin and beside the region rather than in it, so that what is outlined stays as it was.
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
"""px to which small images are enlarged, so that numbers beside outlines can be read."""
COLOURS = ((255, 64, 64), (64, 200, 255), (255, 210, 0), (120, 255, 120), (255, 120, 255), (255, 150, 40))
CROPS = 4
MARGIN = 0.25
"""Part of a region's size that is shown around it in a crop."""

Rgb = NDArray[np.uint8]


def picture(view: Pixels, regions: tuple[Region, ...], shown: Shown) -> bytes:
    """PNG of the view, RGB, 8 bits.

    Args:
        view: with its pixels in it.
        regions: drawn by their number; the whole image is not.
        shown: `outlines` over the image; `crops` of the largest regions to its right; or `plain`.
    """
    image = _rgb(decode_png(pybase64.b64decode(view.data or "")))
    outlined = [region for region in regions if region.kind != "whole image"]
    image, scale = _sized(image)
    if shown == "plain" or not outlined:
        return encode_png(image)
    if shown == "crops":
        return encode_png(_with_crops(image, outlined[:CROPS], scale))
    for number, region in enumerate(outlined):
        _outline(image, region, scale, COLOURS[number % len(COLOURS)])
    return encode_png(image)


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


def _outline(image: Rgb, region: Region, scale: float, colour: tuple[int, int, int]) -> None:
    rle: Any = {"size": list(region.mask.size), "counts": region.mask.counts.encode()}
    mask = np.asarray(coco.decode(rle), np.uint8)
    if mask.shape != image.shape[:2]:
        mask = cv2.resize(mask, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_NEAREST)
    around = np.asarray(cv2.dilate(mask, np.ones((5, 5), np.uint8)), np.uint8)
    edge = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    image[(around > 0) & (np.asarray(edge) == 0)] = colour
    x = min(max(0, round(region.box.x * scale)), image.shape[1] - 24)
    y = round(region.box.y * scale) - 5
    place = (x, y if y > 14 else min(image.shape[0] - 4, round((region.box.y + region.box.height) * scale) + 16))
    for width, tone in ((3, (0, 0, 0)), (1, colour)):
        cv2.putText(image, region.region_id, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, tone, width, cv2.LINE_AA)


def _with_crops(image: Rgb, regions: list[Region], scale: float) -> Rgb:
    rows, columns = image.shape[:2]
    side = max(48, rows // max(2, len(regions)))
    beside = np.zeros((rows, side, 3), np.uint8)
    for number, region in enumerate(regions):
        box = region.box
        reach = MARGIN * max(box.width, box.height) + 2
        left, top = max(0, int((box.x - reach) * scale)), max(0, int((box.y - reach) * scale))
        right = min(columns, int((box.x + box.width + reach) * scale) + 1)
        bottom = min(rows, int((box.y + box.height + reach) * scale) + 1)
        crop = image[top:bottom, left:right]
        fit = min(side / crop.shape[0], side / crop.shape[1])
        size = (max(1, int(crop.shape[1] * fit)), max(1, int(crop.shape[0] * fit)))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        start = number * side
        if start + crop.shape[0] > rows:
            break
        beside[start : start + crop.shape[0], : crop.shape[1]] = crop
        for width, tone in ((3, (0, 0, 0)), (1, COLOURS[0])):
            cv2.putText(
                beside, region.region_id, (3, start + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.5, tone, width, cv2.LINE_AA
            )
    return np.concatenate([image, beside], axis=1)
