"""Images that are the same, or nearly: by a perceptual hash of 256 bits, held against any number of others at once.

The hash is that of imagehash (`phash`, 16 x 16: a discrete cosine transform's low frequencies against their median,
Zauner 2010), which a test holds it against.
"""

import io

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft
from PIL import Image

BITS = 256
LOW = 16
"""Frequencies that are looked at along each side."""
SIDE = 64
"""Rows and columns that a picture is reduced to, as imagehash does."""
MOST_DISTANCE = 15
"""Between near duplicates; beyond it, pictures of two patients come near."""
NEAR = 12
"""Bits at most between near duplicates; see docs/datasets.md for how it was chosen."""
_COSINES = np.asarray(scipy.fft.dct(np.eye(SIDE), axis=0))[:LOW]
"""The transform's low frequencies alone, as a matrix: a quarter of the time of the whole transform."""


def perceptual_hash(picture: npt.NDArray[np.uint8]) -> int:
    """The hash of a picture, (rows, columns) grey or (rows, columns, 3) RGB; colour plays no part."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    # To the size that the hash is made at, in one step: reducing by areas is as smooth, and faster for large pictures.
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    low = _COSINES @ small @ _COSINES.T
    # The median of an even number of values: np.median takes as long as all else here.
    middle = np.partition(low.ravel(), (BITS // 2 - 1, BITS // 2))[BITS // 2 - 1 : BITS // 2 + 1]
    return int.from_bytes(np.packbits(low > middle.mean()).tobytes())


def hash_of_file(data: bytes) -> int:
    """The hash of an encoded picture. Raises ValueError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return perceptual_hash(np.asarray(image.convert("RGB")))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture that can be read: {type(error).__name__}") from None


class Hashes:
    """Hashes in the order they came, 32 bytes each in memory, and all looked through at once."""

    def __init__(self) -> None:
        # Word by word, so that most are ruled out by the first 64 bits, which lie together.
        self._words = np.empty((4, 1024), np.uint64)
        self._count = 0

    def add(self, value: int) -> None:
        """Take one down."""
        if self._count == self._words.shape[1]:
            self._words = np.concatenate([self._words, np.empty_like(self._words)], axis=1)
        self._words[:, self._count] = _words(value)
        self._count += 1

    def near(self, value: int, most: int) -> list[int]:
        """Which of them, from 0, differ in at most `most` bits."""
        if not self._count:
            return []
        words = _words(value)
        known = self._words[:, : self._count]
        candidates = np.flatnonzero(np.bitwise_count(known[0] ^ words[0]) <= most)
        if not len(candidates):
            return []
        bits = np.bitwise_count(known[:, candidates] ^ words[:, None]).sum(axis=0, dtype=np.uint16)
        return candidates[bits <= most].tolist()


def _words(value: int) -> npt.NDArray[np.uint64]:
    return np.frombuffer(value.to_bytes(BITS // 8), ">u8").astype(np.uint64)
