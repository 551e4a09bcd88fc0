"""Lossless PNG of stored pixels, and back. Knows nothing of DICOM or of what the values mean."""

import struct
import zlib
from typing import Any

import cv2
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from models.imaging.codestreams import PNG_SIGNATURE
from models.imaging.errors import CorruptPixels, failing_as

Stored = NDArray[np.uint8 | np.uint16]
"""(rows, columns) grey, or (rows, columns, 3) RGB."""

_GREY, _RGB = 0, 2
_UP = 2
"""Each byte less the one above it: the filter that on CT, MR and radiographs leaves the least (docs/imaging.md)."""
_LEVEL = 2
"""Of ISA-L: 1 is no faster, 3 takes twice the time for a thousandth less."""


def encode_png(stored: Stored) -> bytes:
    """Encode uint8 or uint16, grey (rows, columns) or RGB (rows, columns, 3), without loss (ISO/IEC 15948)."""
    rows, columns = stored.shape[:2]
    octets = np.ascontiguousarray(stored, stored.dtype.newbyteorder(">")).view(np.uint8).reshape(rows, -1)
    filtered = np.empty((rows, octets.shape[1] + 1), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = octets[0]
    np.subtract(octets[1:], octets[:-1], out=filtered[1:, 1:])
    colour = _GREY if stored.ndim == 2 else _RGB
    header = struct.pack(">IIBBBBB", columns, rows, 8 * stored.dtype.itemsize, colour, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", isal_zlib.compress(filtered, _LEVEL)), (b"IEND", b"")
    return PNG_SIGNATURE + b"".join(part for kind, content in chunks for part in _chunk(kind, content))


def _chunk(kind: bytes, content: bytes) -> tuple[bytes, ...]:
    check = zlib.crc32(content, zlib.crc32(kind))
    return len(content).to_bytes(4), kind, content, check.to_bytes(4)


def decode_png(data: bytes) -> Stored:
    """Decode what `encode_png` made, or any PNG or JPEG: uint8 or uint16, grey or RGB; alpha is dropped.

    Raises:
        CorruptPixels: the decoder could not read it.
    """
    with failing_as(CorruptPixels()):
        # OpenCV answers None to what it cannot read, which its types do not say.
        decoded: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        if decoded is None:
            raise CorruptPixels
        return decoded if decoded.ndim == 2 else cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
