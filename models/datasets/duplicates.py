"""Images that are the same, or nearly: by a perceptual hash of 256 bits, held against any number of others at once."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.imaging.perceptual import BITS, LOW

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


_COLUMNS, _ROWS, _ALL = (np.uint64(mask) for mask in (0x5555_5555_5555_5555, 0x0000_FFFF_0000_FFFF, 2**64 - 1))
"""Bits of every second frequency along a row, of every second row, and of all: a word is four rows of sixteen bits."""
_SEEN_AS = np.array(
    [column ^ row ^ all_ for column in (0, _COLUMNS) for row in (0, _ROWS) for all_ in (0, _ALL)], np.uint64
)
"""What a hash changes by when its picture is mirrored, turned upside down, inverted, or several of these: every second
frequency has the other sign. The median, which bits are held against, moves a little, and a few bits with it."""
_PAIRS = np.uint64(0x3333_3333_3333_3333)


class Hashes:
    """Hashes in the order they came, 48 bytes each in memory, and all looked through at once.

    A picture is known again though it is mirrored, turned by quarters or inverted.
    """

    def __init__(self) -> None:
        # Word by word, so that most are ruled out by the first, which lie together.
        self._words = np.empty((6, 1024), np.uint64)
        self._count = 0

    def add(self, value: int) -> int:
        """Take one down; how many there are now."""
        if self._count == self._words.shape[1]:
            self._words = np.concatenate([self._words, np.empty_like(self._words)], axis=1)
        words = _words(value)
        self._words[:2, self._count], self._words[2:, self._count] = _unmoved(words), words
        self._count += 1
        return self._count

    def near(self, value: int, most: int) -> list[int]:
        """Which of them, from 0, differ in at most `most` bits from a hash, as it is or seen another way."""
        words = _words(value)
        return sorted({*self._near(words, most), *self._near(_transposed(words), most)})

    def _near(self, words: npt.NDArray[np.uint64], most: int) -> list[int]:
        first, second = _unmoved(words)
        known = self._words[:, : self._count]
        candidates = np.flatnonzero(np.bitwise_count(known[0] ^ first) <= most)
        halves = known[:2, candidates] ^ np.array([[first], [second]])
        candidates = candidates[np.bitwise_count(halves).sum(axis=0, dtype=np.uint16) <= most]
        if not len(candidates):
            return []
        differ = known[2:, candidates] ^ words[:, None]
        bits = np.bitwise_count(differ[None] ^ _SEEN_AS[:, None, None]).sum(axis=1, dtype=np.uint16).min(axis=0)
        return candidates[bits <= most].tolist()


def _words(value: int) -> npt.NDArray[np.uint64]:
    return np.frombuffer(value.to_bytes(BITS // 8), ">u8").astype(np.uint64)


def _unmoved(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """128 bits that none of `_SEEN_AS` changes: whether two frequencies that always change together differ.

    Where hashes differ in n bits these differ in at most n.
    """
    pairs = (words ^ (words >> np.uint64(2))) & _PAIRS
    return (pairs[::2] << np.uint64(2)) | pairs[1::2]


def _transposed(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The hash of a picture whose rows are the columns of another one."""
    bits = np.unpackbits(words.astype(">u8").view(np.uint8)).reshape(LOW, LOW)
    return np.packbits(bits.T).view(">u8").astype(np.uint64)
