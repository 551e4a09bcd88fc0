"""Copies of pictures, though cropped, turned by quarters, inverted or brightened: for sets that nothing may be near.

An original is hashed whole and without up to a fifth of its edges, as it is and mirrored; another picture whole and
without up to an eighth of its own. One of both is compared whole. What is turned is known where it was not cropped
as well. docs/datasets.md says what that finds, and what not.
"""

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import NEAR, Hashes
from models.imaging.perceptual import BITS, COSINES, LOW, SIDE, perceptual_hash

NEAR_COPY = 44
"""Bits at most between a copy and what it was made of. Of 483 real images that were held against the 315 of VQA-RAD one
was taken for a picture that it is not."""
_REDUCED = 256
"""Rows and columns that a picture is reduced to before it is cropped."""
_EDGES = (0.0, 0.045, 0.09)
_Cuts = tuple[tuple[float, ...], ...]
ORIGINALS: _Cuts = (
    *itertools.product(_EDGES, _EDGES, _EDGES, _EDGES),
    *((cut,) * 4 for cut in (0.02, 0.03, 0.06, 0.12, 0.15, 0.18)),
)
"""What is left out of originals: parts of the width at the left, of the height at the top, and so on clockwise."""
OTHERS: _Cuts = (
    (0, 0, 0, 0),
    *((cut,) * 4 for cut in (0.03, 0.06, 0.09, 0.12)),
    *(
        (left * cut, top * cut, right * cut, bottom * cut)
        for cut in (0.04, 0.08)
        for left, top, right, bottom in itertools.product((0, 1), repeat=4)
        if 1 <= left + top + right + bottom <= 2
    ),
)
_MIRRORED = np.where(np.arange(LOW) % 2, -1.0, 1.0)
"""A mirrored picture has the same frequencies, every second one of them with the other sign."""
_Words = npt.NDArray[np.uint64]


class Originals:
    """Pictures, some 6 KB each, that others are held against; numbered from 0 as they came."""

    def __init__(self) -> None:
        self._cropped: list[_Words] = []
        self._whole: list[_Words] = []
        self._turned = Hashes()

    def add(self, picture: npt.NDArray[np.uint8]) -> None:
        """Take one down: (rows, columns) grey or (rows, columns, 3) RGB."""
        low = _low(picture, ORIGINALS)
        words = _words(np.concatenate((low, low * _MIRRORED)))
        self._cropped.append(words)
        self._whole.append(words[:, :: len(ORIGINALS)])
        self._turned.add(perceptual_hash(picture))

    def near(self, picture: npt.NDArray[np.uint8]) -> list[int]:
        """Those that a picture is a copy of, or a part of, or that are a part of it."""
        words = _words(_low(picture, OTHERS))
        return sorted({*self._like(words[:, :1], words), *self._turned.near(perceptual_hash(picture), NEAR)})

    def near_hash(self, value: int) -> list[int]:
        """The same of a picture of which there is no more than its perceptual hash: not those that are a part of it."""
        words = np.frombuffer(value.to_bytes(BITS // 8), np.uint64)[:, None]
        return sorted({*self._like(words, words), *self._turned.near(value, NEAR)})

    def _like(self, whole: _Words, cropped: _Words) -> list[int]:
        """Those of which a part is near the whole of another one, or the whole near a part of it."""
        if not self._cropped:
            return []
        if len(self._cropped) > 1:
            self._cropped = [np.concatenate(self._cropped, axis=1)]
            self._whole = [np.concatenate(self._whole, axis=1)]
        whole, cropped = (np.concatenate((words, ~words), axis=1) for words in (whole, cropped))
        found = _near(self._cropped[0], whole) // (2 * len(ORIGINALS))
        return np.unique(np.concatenate((found, _near(self._whole[0], cropped) // 2))).tolist()


def _low(picture: npt.NDArray[np.uint8], cuts: _Cuts) -> npt.NDArray[np.float64]:
    """The low frequencies of a picture without each of these edges, (cuts, LOW, LOW)."""
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    reduced = cv2.resize(grey, (_REDUCED, _REDUCED), interpolation=cv2.INTER_AREA)
    small = np.empty((len(cuts), SIDE, SIDE), np.float64)
    for number, cut in enumerate(cuts):
        left, top, right, bottom = (round(part * _REDUCED) for part in cut)
        inside = reduced[top : _REDUCED - bottom, left : _REDUCED - right]
        small[number] = cv2.resize(inside, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return COSINES @ small @ COSINES.T


def _words(low: npt.NDArray[np.float64]) -> _Words:
    """Hashes as columns of four words."""
    flat = low.reshape(len(low), BITS)
    bits = np.packbits(flat > np.median(flat, axis=1, keepdims=True), axis=1)
    return np.ascontiguousarray(bits.view(np.uint64).T)


def _near(known: _Words, asked: _Words) -> npt.NDArray[np.intp]:
    """Which of the known ones are near one of those asked for. Half of the bits rule most out."""
    half = np.bitwise_count(known[0] ^ asked[0][:, None]) + np.bitwise_count(known[1] ^ asked[1][:, None])
    which, place = np.nonzero(half <= NEAR_COPY)
    rest = np.bitwise_count(known[2:, place] ^ asked[2:, which]).sum(axis=0, dtype=np.uint16)
    return place[half[which, place] + rest <= NEAR_COPY]
