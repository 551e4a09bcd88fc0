"""Images that are the same, or nearly: by a perceptual hash of 256 bits, held against any number of others at once."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.imaging.perceptual import BITS

MOST_DISTANCE = 40
"""Between near duplicates; beyond it, fundus pictures of two patients come near."""
NEAR = 24
"""Bits at most between near duplicates; see docs/datasets.md for how it was chosen."""


def decoded(data: bytes) -> npt.NDArray[np.uint8]:
    """The pixels of an encoded picture, (rows, columns, 3) RGB. Raises ValueError where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"not a picture that can be read: {type(error).__name__}") from None


def in_8_bits(stored: npt.NDArray[np.uint8 | np.uint16]) -> npt.NDArray[np.uint8]:
    """A picture as it is hashed."""
    return (stored if stored.dtype == np.uint8 else stored >> 8).astype(np.uint8, copy=False)


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
