"""Images that are the same, or nearly: by a perceptual hash of 256 bits, found by any number of them at once.

The hash is that of imagehash (`phash`, 16 x 16: a discrete cosine transform's low frequencies against their median,
Zauner 2010), which a test holds it against. Two hashes that differ in at most 15 bits have one of sixteen parts of 16
bits in common, so looking those up misses none.
"""

import io
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft
from PIL import Image

BITS = 256
PARTS = 16
LOW = 16
"""Frequencies that are looked at along each side."""
SIDE = 64
"""Rows and columns that a picture is reduced to, as imagehash does."""
MOST_DISTANCE = 15
"""Above it, the parts no longer find every pair."""
NEAR = 12
"""Bits at most between near duplicates; see docs/datasets.md for how it was chosen."""


def perceptual_hash(picture: npt.NDArray[np.uint8]) -> int:
    """The hash of a picture, (rows, columns) grey or (rows, columns, 3) RGB; colour plays no part."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    # To the size that the hash is made at, in one step: reducing by areas is as smooth, and faster for large pictures.
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    low = np.asarray(scipy.fft.dct(scipy.fft.dct(small, axis=0)[:LOW], axis=1))[:, :LOW]
    return int.from_bytes(np.packbits(low > np.median(low)).tobytes())


def hash_of_file(data: bytes) -> int:
    """The hash of an encoded picture. Raises ValueError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return perceptual_hash(np.asarray(image.convert("RGB")))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture that can be read: {type(error).__name__}") from None


def parts(value: int) -> Iterator[int]:
    """The sixteen parts of a hash, each with its place in the upper bits, so that parts of two places never meet."""
    for place in range(PARTS):
        yield place << 16 | (value >> 16 * place) & 0xFFFF


def distance(one: int, other: int) -> int:
    """Bits that differ."""
    return (one ^ other).bit_count()
