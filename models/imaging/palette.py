"""Palettes of colour images: tables of 8 and 16 bits, plain or in segments, for signed indices too.

PS3.3 C.7.6.3.1.5 and C.7.9. pydicom's own way wraps indices around where a palette of 8 bits has more than 256 entries,
and takes the first value that is mapped as its VR has it, which is often wrong. Knows nothing of images.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import CorruptPalette, UnsupportedPixels, failing_as
from models.imaging.header import Header

_COLOURS = ("Red", "Green", "Blue")
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Table:
    """Values below `first` take the first entry, those beyond the last entry the last."""

    first: int
    bits: int
    entries: NDArray[np.uint16] = field(repr=False)


def coloured(samples: NDArray[Any], header: Header) -> NDArray[np.uint8]:
    """The colours of palette indices.

    Args:
        samples: (rows, columns), integers of up to 16 bits, signed or not.
        header: of the object, with its palette.

    Returns:
        (rows, columns, 3) in RGB. Entries of more than 8 bits lose those below.

    Raises:
        CorruptPalette: a table is missing, or not as its descriptor says.
        UnsupportedPixels: the indices are no integers of up to 16 bits.
    """
    if samples.dtype.kind not in "iu" or samples.dtype.itemsize > 2:
        raise UnsupportedPixels("its palette indices have more than 16 bits, or are no whole numbers")
    kind, size = samples.dtype.kind, samples.dtype.itemsize
    tables = [_read(header, colour, signed=kind == "i") for colour in _COLOURS]
    bits = _depth(tables)
    values = np.arange(2 ** (8 * size)).astype(f"u{size}").view(f"{kind}{size}").astype(np.int32)
    colours = np.empty((values.size, 3), np.uint8)
    for channel, table in enumerate(tables):
        entries = table.entries[np.clip(values - table.first, 0, table.entries.size - 1)].astype(np.uint32)
        colours[:, channel] = np.minimum(entries, 2**bits - 1) << 8 >> bits
    indices = np.ascontiguousarray(samples).view(f"u{size}")
    if size == 1:
        # A third of the time that NumPy takes.
        found: NDArray[Any] = cv2.applyColorMap(indices, colours[:, None])
        return found
    return np.take(colours, indices, axis=0)


def _depth(tables: Sequence[_Table]) -> int:
    """Bits of an entry: 8 where entries of 16 bits hold values of 8, as some write them, else the image is black."""
    highest = max(int(table.entries.max()) for table in tables)
    return 8 if highest < 2**8 else next(bits for bits in (tables[0].bits, 16) if highest < 2**bits)


def _read(header: Header, colour: str, *, signed: bool) -> _Table:
    dataset = header.dataset
    with failing_as(CorruptPalette(colour)):
        described = dataset[f"{colour}PaletteColorLookupTableDescriptor"].value
        # The first two are written as signed or unsigned, whatever they are.
        count, first, bits = (int(value) % 2**16 for value in described)
        first -= 2**16 if signed and first >= 2**15 else 0
        count = count or 2**16
        if not 8 <= bits <= 16:
            raise ValueError
        keyword = f"{colour}PaletteColorLookupTableData"
        if keyword in dataset:
            entries = _stored(header, keyword, lambda size: bits > 8 or size >= 2 * count)
        else:
            units = _stored(header, f"Segmented{keyword}", lambda _size: bits > 8)
            entries = np.array(_expanded(units.tolist(), words=bits > 8, most=count), np.uint16)
        if entries.size < count:
            raise ValueError
        return _Table(first, bits, entries[:count])


def _stored(header: Header, keyword: str, words: Callable[[int], bool]) -> NDArray[np.uint16]:
    """Units of a table as they are stored: of 8 bits two to a word, or one for all that the standard says.

    Args:
        header: of the object.
        keyword: of the table.
        words: whether a table of so many bytes has a word for each of them.
    """
    element = header.dataset[keyword]
    if not isinstance(element.value, bytes):
        return np.atleast_1d(np.asarray(element.value)).astype(np.uint16)
    little = header.syntax.is_little_endian or element.VR == "OB"
    pairs = np.frombuffer(element.value[: len(element.value) // 2 * 2], "<u2" if little else ">u2").astype("<u2")
    return (pairs if words(len(element.value)) else pairs.view(np.uint8)).astype(np.uint16)


def _expanded(units: Sequence[int], *, words: bool, most: int) -> list[int]:
    """The entries that segments stand for (C.7.9.2). Raises IndexError, ValueError."""
    found: list[int] = []

    def expand(at: int, count: int | None, *, within: bool) -> None:
        while at + 1 < len(units) and count != 0 and len(found) < most:
            opcode, length = units[at], units[at + 1]
            at += 2
            if opcode == _DISCRETE:
                found.extend(units[at : at + length])
                at += length
            elif opcode == _LINEAR:
                start, end = found[-1], units[at]
                found.extend(np.rint(np.linspace(start, end, length + 1)[1:]).astype(int).tolist())
                at += 1
            elif opcode == _INDIRECT and not within:
                # Its offset is in bytes of a table of 8 bits, in words of one of 16, as every writer seen has it.
                offset = bytes(units[at : at + 4]) if not words else struct.pack("<2H", *units[at : at + 2])
                expand(struct.unpack("<I", offset)[0], length, within=True)
                at += 2 if words else 4
            else:
                raise ValueError
            count = None if count is None else count - 1

    expand(0, None, within=False)
    return found
