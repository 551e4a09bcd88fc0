"""A hash that pictures which are nearly the same have nearly in common. Knows nothing of what is held against what.

It is that of imagehash (`phash`, 16 x 16: a discrete cosine transform's low frequencies against their median,
Zauner 2010), which a test holds it against.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 256
LOW = 16
"""Frequencies that are looked at along each side."""
SIDE = 64
"""Rows and columns that a picture is reduced to, as imagehash does."""
_PLACES, _FREQUENCIES = np.meshgrid(np.arange(SIDE), np.arange(LOW))
COSINES: NDArray[np.float64] = 2 * np.cos(np.pi * _FREQUENCIES * (2 * _PLACES + 1) / (2 * SIDE))
"""The transform's low frequencies alone (DCT-II), as a matrix: a quarter of the time of the whole transform."""


def perceptual_hash(picture: NDArray[np.uint8]) -> int:
    """The hash of a picture, (rows, columns) grey or (rows, columns, 3) RGB; colour plays no part."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    # To the size that the hash is made at, in one step: reducing by areas is as smooth, and faster for large pictures.
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    low = COSINES @ small @ COSINES.T
    # The median of an even number of values: np.median takes as long as all else here.
    middle = np.partition(low.ravel(), (BITS // 2 - 1, BITS // 2))[BITS // 2 - 1 : BITS // 2 + 1]
    return int.from_bytes(np.packbits(low > middle.mean()).tobytes())
