"""Coded data whose last bytes no decoder needs: they are set to zero.

What stands between the last coded sample and the next marker is passed over by decoders, and so can be anything. Where
that is, only decoding tells. Knows nothing of formats.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.imaging.errors import LIBRARY_ERRORS, CorruptPixels, failing_as

_FEWEST = 4
"""Bytes that are looked at. Of coded data fewer can be needless by chance: bits that fill the last byte."""


def without_surplus(coded: bytes, decode: Callable[[bytes], Any]) -> bytes:
    """Coded data of the same length, the longest end that changes no sample set to zero.

    Args:
        coded: the data of a scan, a restart interval or a tile.
        decode: its samples.

    Raises:
        CorruptPixels: it cannot be decoded as it is.
    """
    with failing_as(CorruptPixels()):
        expected = np.asarray(decode(coded))

    def needless(count: int) -> bool:
        try:
            return np.array_equal(np.asarray(decode(_blanked(coded, count))), expected)
        except LIBRARY_ERRORS:
            return False

    if len(coded) <= _FEWEST or not needless(_FEWEST):
        return coded
    least, most = _FEWEST, 2 * _FEWEST
    while most < len(coded) and needless(most):
        least, most = most, 2 * most
    most = min(most, len(coded) + 1)
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if needless(middle) else (least, middle)
    return _blanked(coded, least)


def _blanked(coded: bytes, count: int) -> bytes:
    return coded[: len(coded) - count] + bytes(count)
