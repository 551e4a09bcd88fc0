"""The pictures of a triplet, and outlines of its regions to draw over them."""

import math
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import pybase64
from pycocotools import mask as coco

from schemas.images import Pixels
from schemas.regions import Region
from schemas.triplets import Triplet

LARGEST_SIDE = 1280
"""Of a picture as it is shown, px."""
THUMBNAIL = 360
SMALL = 256
"""Longest side up to which pixels are shown as squares."""
_QUALITY = (cv2.IMWRITE_WEBP_QUALITY, 90)
_PNG = b"\x89PNG\r\n\x1a\n"

Array = npt.NDArray[np.uint8]


class NoPicture(ValueError):
    """A triplet's pixels are not what it says they are."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file to be written."""

    suffix: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outline:
    """A region as it is drawn, in px of the image."""

    path: str
    tag: tuple[float, float]
    """The point that lies farthest within it."""
    contours: Sequence[npt.NDArray[np.int32]]


def aspect(triplet: Triplet) -> float:
    """Height of a pixel over its width, as it is shown."""
    spacing = triplet.metadata.spacing
    found = spacing.row_mm / spacing.column_mm if spacing else triplet.metadata.pixel_aspect_ratio or 1.0
    return found if math.isfinite(found) and 0.05 < found < 20 else 1.0


def decoded(pixels: Pixels) -> tuple[bytes, Array] | None:
    """The PNG file of an image, and its values of 8 bits; None where the pixels lie elsewhere.

    Raises:
        NoPicture: it is no PNG file of the size that the triplet tells.
    """
    if pixels.data is None:
        return None
    try:
        png = pybase64.b64decode(pixels.data, validate=True)
    except ValueError:
        raise NoPicture("its image is not base64") from None
    # Looked at before the file is decoded: a small file can unfold to gigabytes.
    if not png.startswith(_PNG) or len(png) < 24 or struct.unpack(">II", png[16:24]) != (pixels.columns, pixels.rows):
        raise NoPicture("its image is no PNG file of its rows and columns")
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise NoPicture("its image is a PNG file that cannot be decoded")
    return png, np.asarray(image // 256 if image.dtype == np.uint16 else image, np.uint8)


def shown(png: bytes, image: Array) -> Picture:
    """The picture: the file itself, or a smaller one where it is large."""
    side = max(image.shape[:2])
    if side <= LARGEST_SIDE:
        return Picture("png", png)
    return _webp(_scaled(image, LARGEST_SIDE / side, 1.0))


def thumbnail(image: Array, aspect: float, drawn: Sequence[tuple[str, Outline]]) -> Picture:
    """The picture made small, with regions outlined in their colours (#rrggbb)."""
    rows, columns = image.shape[0] * aspect, image.shape[1]
    scale = min(THUMBNAIL / max(rows, columns), 4.0)
    small = _scaled(image, scale, aspect)
    small = np.repeat(small[:, :, None], 3, axis=2) if small.ndim == 2 else np.ascontiguousarray(small[:, :, :3])
    for colour, outline in reversed(drawn):
        bgr = [int(colour[start : start + 2], 16) for start in (5, 3, 1)]
        # In sixteenths of a px, the centre of the first one at 0.
        lines = [
            np.round(((contour + 0.5) * (scale, scale * aspect) - 0.5) * 16).astype(np.int32)
            for contour in outline.contours
        ]
        cv2.polylines(small, lines, True, bgr, thickness=1, lineType=cv2.LINE_AA, shift=4)
    return _webp(small)


def outline(region: Region, rows: int, columns: int) -> Outline:
    """The outline of a region of an image of `rows` × `columns` px.

    Raises:
        NoPicture: the mask is not of the image's size, cannot be decoded, or is empty.
    """
    if region.mask.size != (rows, columns):
        raise NoPicture(f"the mask of {region.region_id} is not of its image's size")
    mask = _mask(region)
    x, y, width, height = (int(number) for number in cv2.boundingRect(mask))
    if not width:
        raise NoPicture(f"the mask of {region.region_id} is empty")
    part = np.pad(mask[y : y + height, x : x + width], 1)
    found, _ = cv2.findContours(part, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE, offset=(x - 1, y - 1))
    tolerance = max(0.0, max(rows, columns) / LARGEST_SIDE - 1) / 2  # Less than is seen of it.
    contours = [np.asarray(cv2.approxPolyDP(one, tolerance, True), np.int32)[:, 0] for one in found]
    distance = cv2.distanceTransform(part, cv2.DIST_L2, 3)
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    path = "".join("M" + "L".join(f"{px + 0.5:g} {py + 0.5:g}" for px, py in one) + "Z" for one in contours)
    return Outline(path, (float(column) + x - 0.5, float(row) + y - 0.5), contours)


def _mask(region: Region) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pycocotools decodes through numpy's old __array__
        try:
            mask = np.ascontiguousarray(cast(Any, coco).decode(region.mask.rle), np.uint8)
        except ValueError:
            mask = None
    if mask is None or mask.max() > 1:  # Runs that end too early leave what lay in memory before.
        raise NoPicture(f"the mask of {region.region_id} cannot be decoded")
    return mask


def _scaled(image: Array, scale: float, aspect: float) -> Array:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * aspect * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    return cast(Array, cv2.resize(image, size, interpolation=way))


def _webp(image: Array) -> Picture:
    return Picture("webp", cv2.imencode(".webp", image, _QUALITY)[1].tobytes())
