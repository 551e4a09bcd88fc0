"""Lossless PNG of stored pixels, and back. Knows nothing of DICOM or of what the values mean."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import CorruptPixels, failing_as

Stored = NDArray[np.uint8 | np.uint16]
"""(rows, columns) grey, or (rows, columns, 3) RGB."""

# Measured on a 512 × 512 CT slice against OpenCV's default: 8 bits 2.4 ms and 43 kB (52 kB), 16 bits 6.2 ms and
# 173 kB (8.1 ms, 174 kB). No compression at all takes 0.4 and 0.7 ms, but 263 and 525 kB on every topic.
_SETTINGS: dict[Any, tuple[int, int]] = {
    np.dtype(np.uint8): (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    np.dtype(np.uint16): (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED),
}
_COMMON = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)


def encode_png(stored: Stored) -> bytes:
    """Encode uint8 or uint16, grey (rows, columns) or RGB (rows, columns, 3), without loss."""
    swapped: Any = stored if stored.ndim == 2 else cv2.cvtColor(stored, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".png", swapped, (*_COMMON, *_SETTINGS[stored.dtype]))
    return data.tobytes()


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
