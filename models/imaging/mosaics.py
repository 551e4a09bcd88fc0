"""Siemens mosaics: the slices of one MR volume side by side in one frame, taken apart again, each with its own place.

Knows of Siemens' private elements only how many slices there are and which way they follow each other.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.imaging.codecs import Raster, Samples
from models.imaging.errors import UnsupportedPixels
from models.imaging.header import Header, valid
from models.imaging.metadata import modality_of
from models.imaging.neighbours import Placed, Stack, stacks_of

_MOST_TILES = 1024
_CSA2 = b"SV10"
_MOST_TAGS = 1024
_TAG, _ITEM = struct.Struct("<64si4siii"), struct.Struct("<4i")


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How a frame is made of tiles, in the order of its rows.

    Args:
        tiles: how many there are; what is left of the frame is empty.
        across: tiles in a row of them, and rows of them.
        rows: of a tile, px.
        columns: of a tile, px.
        places: of each; empty where the header does not tell where the first lies, or on which side of it the others.
        step_mm: from one to the next; None where the header does not tell.
    """

    tiles: int
    across: int
    rows: int
    columns: int
    places: tuple[Placed, ...]
    step_mm: float | None

    def tile(self, samples: Samples, index: int) -> Samples:
        """One of them, (rows, columns), of the whole frame's samples."""
        top, left = self.corner(index)
        return np.ascontiguousarray(samples[top : top + self.rows, left : left + self.columns])

    def corner(self, index: int) -> tuple[int, int]:
        """Row and column of the whole frame at which one begins."""
        down, right = divmod(index, self.across)
        return down * self.rows, right * self.columns

    def check(self, samples: Samples) -> None:
        """Raises UnsupportedPixels where there is an image beyond the last tile: there are more than it says."""
        for index in range(self.tiles, self.across**2):
            if self.tile(samples, index).any():
                raise UnsupportedPixels("the Siemens mosaic holds more slices than its NumberOfImagesInMosaic says")

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """The tiles one behind the other: in their order where nothing tells on which side the next one lies."""
        if self.places:
            return stacks_of(self.places)
        numbers = tuple(range(self.tiles))
        return (Stack(numbers, tuple(self.step_mm * number for number in numbers) if self.step_mm else ()),)


def mosaic_of(header: Header, raster: Raster, frames: int) -> Mosaic | None:
    """How the object is a mosaic; None where Image Type does not say that it is one.

    Raises:
        UnsupportedPixels: it is one, and how many slices it holds is not told, or not possible.
    """
    if "MOSAIC" not in map(str.upper, header.words("ImageType")) or modality_of(header)[0] != "MR":
        return None
    described = dict(_described(header.private("SIEMENS CSA HEADER", 0x0029, 0x10)))
    tiles = _count(header, described)
    across = math.isqrt(tiles - 1) + 1
    rows, columns = raster.rows // across, raster.columns // across
    # What was measured along the readout; along the other axis it may be more, by oversampling.
    readout = max((valid(header.numbers("AcquisitionMatrix", count=4)) or (0.0,))[:2])
    whole = frames == 1 and raster.samples == 1 and (rows * across, columns * across) == (raster.rows, raster.columns)
    if not whole or (readout and max(rows, columns) % readout):
        raise UnsupportedPixels("the Siemens mosaic cannot be of as many slices as its NumberOfImagesInMosaic says")
    step = header.number("SpacingBetweenSlices")
    step_mm = step if isinstance(step, float) and 0 < step < 1000 else None
    first = _first(header, (raster.rows - rows) / 2, (raster.columns - columns) / 2)
    normal = _normal(first, described) if first is not None and step_mm else None
    places: tuple[Placed, ...] = ()
    if first is not None and normal is not None and step_mm:
        origins = (np.array(first.origin) + normal * step_mm * number for number in range(tiles))
        places = tuple(Placed(first.axes, tuple(map(float, origin)), first.spacing) for origin in origins)
    return Mosaic(tiles, across, rows, columns, places, step_mm)


def _count(header: Header, described: dict[str, tuple[str, ...]]) -> int:
    """Of tiles: where both of Siemens' elements tell, both must tell the same."""
    told = {
        value.decode("ascii", "replace").strip(" \0") if len(value) != 2 else str(struct.unpack(order + "H", value)[0])
        for value in [header.private("SIEMENS MR HEADER", 0x0019, 0x0A)]
        for order in ["<" if header.syntax.is_little_endian else ">"]
        if value
    }
    told |= {value for value in described.get("NumberOfImagesInMosaic", ())[:1] if value}
    if not told:
        raise UnsupportedPixels("the object is a Siemens mosaic without NumberOfImagesInMosaic, so of unknown slices")
    numbers = {int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0 for value in told}
    if len(numbers) != 1 or not 2 <= (count := numbers.pop()) <= _MOST_TILES:
        raise UnsupportedPixels("the Siemens mosaic's NumberOfImagesInMosaic is malformed, or told in two ways")
    return count


def _first(header: Header, above: float, left: float) -> Placed | None:
    """Where the first tile lies: the header tells the corner of a frame as large as the mosaic around its centre.

    Args:
        header: of the object.
        above: rows of the mosaic beyond the tile's, on each side.
        left: columns of the mosaic beyond the tile's, on each side.
    """
    axes, origin, spacing = (
        header.numbers(keyword) for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")
    )
    placed = Placed.told(axes, origin, spacing)
    if placed is None or not placed.is_plausible:
        return None
    right, down = np.array(placed.axes[:3]), np.array(placed.axes[3:])
    corner = np.array(placed.origin) + right * left * placed.spacing[1] + down * above * placed.spacing[0]
    return Placed(placed.axes, tuple(map(float, corner)), placed.spacing)


def _normal(first: Placed, described: dict[str, tuple[str, ...]]) -> NDArray[np.float64] | None:
    """From one tile to the next, of length one: across the plane, to the side that Siemens' header names."""
    across = np.cross(first.axes[:3], first.axes[3:])
    try:
        told = np.array([float(part) for part in described.get("SliceNormalVector", ())[:3]])
    except ValueError:
        return None
    if told.shape != (3,) or not np.isfinite(told).all() or abs(abs(float(told @ across)) - 1) > 0.05:
        return None
    return across / float(np.linalg.norm(across)) * float(np.sign(told @ across))


def _described(csa: bytes | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names and values of a CSA header (NiBabel's description of its two forms); ends where it is damaged."""
    if csa is None or len(csa) < 8:
        return
    second = csa.startswith(_CSA2)
    at = 8 if second else 0
    if len(csa) < at + 8:
        return
    (count,) = struct.unpack_from("<I", csa, at)
    at += 8
    first_items: int | None = None
    for _ in range(min(count, _MOST_TAGS)):
        if at + _TAG.size > len(csa):
            return
        name, _vm, _vr, _kind, items, _mark = _TAG.unpack_from(csa, at)
        at += _TAG.size
        first_items = items if first_items is None else first_items
        values: list[str] = []
        for _ in range(items):
            if at + _ITEM.size > len(csa):
                return
            lengths = _ITEM.unpack_from(csa, at)
            at += _ITEM.size
            length = lengths[1] if second else lengths[0] - first_items
            if not 0 <= length <= len(csa) - at:
                return
            if text := csa[at : at + length].partition(b"\0")[0].decode("ascii", "replace").strip():
                values.append(text)
            at += -(-length // 4) * 4
        yield name.partition(b"\0")[0].decode("ascii", "replace"), tuple(values)
