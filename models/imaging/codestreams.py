"""The outer structure of PNG, JPEG, JPEG 2000 and RLE data: is it whole, and how large is the image?

Decoders fill a cut image with grey and say nothing, and trust sizes before they allocate; so both are looked at first.
Knows nothing of DICOM and decodes no pixels.
"""

import re
import struct
import zlib
from itertools import pairwise
from typing import Literal, NamedTuple

from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels, WrongPixelLength

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
J2K_START = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "

# Within entropy-coded data FF is followed by 00 (stuffing), D0-D7 (restart), another FF (fill), or the next marker.
# JPEG-LS stuffs a bit instead: there FF is followed by a byte below 80.
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_LOSSLESS, _JPEG_LS = 0xC3, 0xF7
_APP0, _APP14 = 0xE0, 0xEE
_COD, _START_OF_TILE = 0x52, 0x90
_TILE_PART = b"\xff\x90\x00\x0a"
RLE_PADDING = b"\0\x80"
"""Bytes that encoders fill up segments with: of 00 two stand for a zero, and 80 stands for nothing (PS3.5 G.3)."""

Codestream = Literal["JPEG", "JPEG-LS", "JPEG 2000", "RLE"]


class Extent(NamedTuple):
    """What a codestream says of its own image."""

    rows: int
    columns: int
    components: int
    precision: int
    """Bits per sample."""
    colour: Literal["RGB", "YBR"] | None = None
    """The colour space of the samples, where the codestream itself tells; for JPEG 2000 that of the decoded ones."""
    lossless: bool = False
    """JPEG of process 14. Others do not tell here."""


def check_dimensions(found: tuple[int, int], wanted: tuple[int, int] | None) -> None:
    """A codestream must be of the image that a header describes: decoders allocate what it says itself.

    Args:
        found: its rows and columns.
        wanted: those of the header; None: none is known.

    Raises:
        WrongPixelLength: they are others.
    """
    if wanted is not None and found != wanted:
        raise WrongPixelLength(
            f"its codestream is of {found[0]} rows and {found[1]} columns, its header of {wanted[0]} and {wanted[1]}"
        )


def png_size(data: bytes) -> tuple[int, int]:
    """Rows and columns of a whole PNG file (ISO/IEC 15948, 5.3: every chunk and its CRC is checked).

    Raises:
        TruncatedFile: it ends before its IEND chunk.
        CorruptPixels: a checksum is wrong, or the first chunk is not IHDR.
        UnsupportedPixels: it is animated.
    """
    at, size = len(PNG_SIGNATURE), None
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise TruncatedFile
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise CorruptPixels
        if size is None:
            if kind != b"IHDR" or length != 13:
                raise CorruptPixels
            columns, rows = struct.unpack_from(">II", data, at + 8)
            size = (rows, columns)
        if kind == b"acTL":
            raise UnsupportedPixels("animated PNG is not taken")
        if kind == b"IEND":
            return size
        at = end
    raise TruncatedFile


def jpeg_extent(data: bytes) -> Extent:
    """Of a whole JPEG or JPEG-LS codestream (ISO/IEC 10918-1, B.1; 14495-1, C.1).

    Raises:
        TruncatedFile: it ends before its end-of-image marker.
        CorruptPixels: its markers make no sense.
    """
    at, size, adobe, jfif = 2, None, None, False
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        fill, marker = data[at], data[at + 1]
        # Between segments: no stray bytes, and no marker without a length (TEM, RST).
        if fill != 0xFF or not (0xC0 <= marker <= 0xCF or marker >= 0xD9):
            raise CorruptPixels
        if marker == 0xD9:
            if size is None:
                raise CorruptPixels
            return size
        if marker == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        if marker in _START_OF_FRAME:
            if len(content) < 6 or len(content) < 6 + 3 * content[5]:
                raise TruncatedFile
            precision, rows, columns, components = struct.unpack_from(">BHHB", content)
            colour = _jpeg_colour(marker, content[6:], adobe, jfif) if components == 3 else None
            size = Extent(rows, columns, components, precision, colour, lossless=marker == _LOSSLESS)
        elif marker == _APP0 and content.startswith(b"JFIF\0"):
            jfif = True
        elif marker == _APP14 and content.startswith(b"Adobe") and len(content) >= 12:
            adobe = content[11]
        at += 2 + length
        if marker == 0xDA:
            found = _MARKER.search(data, at)
            if found is None:
                raise TruncatedFile
            at = found.start()
    raise TruncatedFile


def _jpeg_colour(process: int, components: bytes, adobe: int | None, jfif: bool) -> Literal["RGB", "YBR"] | None:
    """Of three components, as libjpeg reads it, but where that would guess, None.

    An Adobe marker says it, then the letters R, G, B as component identifiers; JFIF means YBR. Nobody
    subsamples green and blue. JFIF is of the DCT processes only: writers put it on lossless RGB too.
    """
    if process == _JPEG_LS:
        return None
    if adobe is not None:
        return "YBR" if adobe == 1 else "RGB"
    if bytes(components[0::3]).upper() == b"RGB":
        return "RGB"
    subsampled = components[1] != components[4]
    return "YBR" if subsampled or (jfif and process != _LOSSLESS) else None


def j2k_start(data: bytes) -> int:
    """Offset of the codestream: after the boxes of a JP2 file, which DICOM forbids and some writers leave in.

    Raises:
        CorruptPixels: there is none.
    """
    start = data.find(J2K_START) if data.startswith(_JP2_SIGNATURE) else 0
    if start < 0 or not data.startswith(J2K_START, start):
        raise CorruptPixels
    return start


def j2k_extent(data: bytes) -> Extent:
    """Of a whole JPEG 2000 or HTJ2K codestream, bare or in a JP2 file (ISO/IEC 15444-1, A.5.1 and A.6.1).

    Raises:
        TruncatedFile: its end-of-codestream marker is neither at its end nor behind the last of its tile-parts.
        CorruptPixels: it lacks its size or its coding style.
    """
    start = j2k_start(data)
    if start + 43 > len(data):
        raise TruncatedFile
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    # DICOM pads a fragment to an even length: by rule with a zero, in practice with FF and more of them too.
    if not data.rstrip(b"\x00\xff").endswith(b"\xff\xd9") and not _has_end(data, start):
        raise TruncatedFile
    components, precision = struct.unpack_from(">HB", data, start + 40)
    at = start + 2
    while at + 14 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_TILE:
        if data[at + 1] == _COD:
            colour = "RGB" if data[at + 8] and components == 3 else None
            return Extent(bottom - top, right - left, components, (precision & 0x7F) + 1, colour)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise CorruptPixels


def _has_end(data: bytes, start: int) -> bool:
    """Whether tile-parts, by the lengths that they tell, lead to the end-of-codestream marker (15444-1, A.4.2)."""
    at = data.find(_TILE_PART, start)
    while data.startswith(_TILE_PART, at) and at + 12 <= len(data):
        length = int.from_bytes(data[at + 6 : at + 10], "big")
        if length < 14:
            return False
        at += length
    return data.startswith(b"\xff\xd9", at)


def rle_segments(data: bytes, segments: int) -> list[bytes]:
    """The segments of an RLE frame (PS3.5 G.5), padding and all.

    Offsets behind those that the header counts are of no account, and so are segments too many that hold nothing.

    Raises:
        TruncatedFile: it ends before the last of them starts.
        WrongPixelLength: it has another number of them.
        CorruptPixels: they overlap, or it is no such frame.
    """
    if len(data) < 64:
        raise TruncatedFile
    count, *offsets = struct.unpack_from("<16I", data)
    another = WrongPixelLength(f"its RLE header counts {count} segments, and the image has {segments}")
    if not 1 <= count <= 15:
        raise CorruptPixels
    if count < segments:
        raise another
    used = offsets[:segments]
    if used[0] != 64 or any(one >= two for one, two in pairwise(used)):
        raise CorruptPixels
    if used[-1] >= len(data):
        raise TruncatedFile
    beyond = sorted(offset for offset in offsets[segments:count] if offset > used[-1])
    if any(data[start:end].strip(RLE_PADDING) for start, end in pairwise((*beyond, len(data)))):
        raise another
    return [data[start:end] for start, end in pairwise((*used, *beyond[:1], len(data)))][:segments]


def kind_of(data: bytes) -> Codestream | None:
    """What a codestream is by its first bytes; None where they tell nothing."""
    if data.startswith(JPEG_START):
        at = 2
        while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in _START_OF_FRAME:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        return "JPEG-LS" if data[at + 1 : at + 2] == bytes([_JPEG_LS]) else "JPEG"
    if data.startswith((J2K_START, _JP2_SIGNATURE)):
        return "JPEG 2000"
    if len(data) > 64 and 1 <= data[0] <= 15 and data[1:8] == b"\0\0\0\x40\0\0\0":
        return "RLE"
    return None


def segment_content(data: bytes, at: int) -> bytes:
    """What a marker segment holds, without its length, which stands at `at` (ITU-T T.81, B.1.1.4; T.800, A.1.3).

    Raises:
        TruncatedFile: the data end within it.
        CorruptPixels: it is said to be shorter than its own length.
    """
    length = int.from_bytes(data[at : at + 2], "big")
    content = data[at + 2 : at + length]
    if length < 2 or len(content) != length - 2:
        raise TruncatedFile if length >= 2 else CorruptPixels
    return content
