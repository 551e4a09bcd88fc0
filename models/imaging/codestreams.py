"""The outer structure of PNG, JPEG and JPEG 2000 data: is it whole, and how large is the image?

Decoders fill a cut image with grey and say nothing, and trust sizes before they allocate; so both are looked at first.
Knows nothing of DICOM and decodes no pixels.
"""

import re
import struct
import zlib
from typing import NamedTuple

from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8\xff"
J2K_START = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  "

# Within entropy-coded data FF is followed by 00 (stuffing), D0-D7 (restart), another FF (fill), or the next marker.
# JPEG-LS stuffs a bit instead: there FF is followed by a byte below 80.
_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


class Extent(NamedTuple):
    """What a codestream says of its own image."""

    rows: int
    columns: int
    components: int
    precision: int
    """Bits per sample."""


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
    at, size = 2, None
    while at + 4 <= len(data) or data[at : at + 2] == b"\xff\xd9":
        fill, marker = data[at], data[at + 1]
        # Between segments: no stray bytes, and no marker without a length (TEM, RST). GDCM aborts the process on those.
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
        if marker in _START_OF_FRAME:
            if at + 10 > len(data):
                raise TruncatedFile
            precision, rows, columns, components = struct.unpack_from(">BHHB", data, at + 4)
            size = Extent(rows, columns, components, precision)
        at += 2 + length
        if marker == 0xDA:
            found = _MARKER.search(data, at)
            if found is None:
                raise TruncatedFile
            at = found.start()
    raise TruncatedFile


def j2k_extent(data: bytes) -> Extent:
    """Of a whole JPEG 2000 codestream, bare or in a JP2 file (ISO/IEC 15444-1, A.5.1).

    Raises:
        TruncatedFile: its end-of-codestream marker is not at its end.
        CorruptPixels: it has no image-size marker.
    """
    start = data.find(J2K_START) if data.startswith(_JP2_SIGNATURE) else 0
    if start < 0 or not data.startswith(J2K_START, start):
        raise CorruptPixels
    if start + 43 > len(data):
        raise TruncatedFile
    right, bottom, left, top = struct.unpack_from(">IIII", data, start + 8)
    # DICOM pads a fragment to an even length: by rule with a zero, in practice with FF and more of them too.
    if not data.rstrip(b"\x00\xff").endswith(b"\xff\xd9"):
        raise TruncatedFile
    components, precision = struct.unpack_from(">HB", data, start + 40)
    return Extent(bottom - top, right - left, components, (precision & 0x7F) + 1)
