"""Lossless PNG of stored pixels, and back. Knows nothing of DICOM or of what the values mean."""

from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import CorruptPixels, failing_as

Stored = NDArray[np.uint8 | np.uint16]
"""(rows, columns) grey, or (rows, columns, 3) RGB."""

# Measured on 512 × 512 of CT, MR and chest radiograph, 16 bits: 5.5, 5.1 and 6.6 ms, 163, 209 and 391 kB; with zlib's
# matching instead of runs alone (OpenCV, FILTERED) 5.9, 6.2 and 12.3 ms, 173, 213 and 403 kB.
_SETTINGS: dict[str, Any] = {
    "level": 1,
    "strategy": imagecodecs.PNG.STRATEGY.RLE,
    "filter": imagecodecs.PNG.FILTER.UP,
}


def encode_png(stored: Stored) -> bytes:
    """Encode uint8 or uint16, grey (rows, columns) or RGB (rows, columns, 3), without loss."""
    return bytes(imagecodecs.png_encode(stored, **_SETTINGS))


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
