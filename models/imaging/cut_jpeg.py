"""Whether a JPEG codestream that has its end marker ends before its image does: decoders fill up what is missing.

libjpeg warns, and gives the middle grey. Knows nothing of files.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import LIBRARY_ERRORS

_END = b"\xff\xd9"
# Bits of both kinds, in no order, and no marker: what is read on by a decoder that lacks data.
_MORE = bytes(range(7, 250, 3)) * 2
_LAST = 4


def is_cut(
    codestream: bytes,
    samples: NDArray[Any],
    middle: int,
    decode: Callable[[bytes], Any],
) -> bool:
    """Whether the last samples are not those that were coded.

    Asked of the decoder only where it looks so: data that is whole gives the same image with more behind it.

    Args:
        codestream: with its end marker.
        samples: (rows, columns) or (rows, columns, channels), as decoded from it.
        middle: what stands for 0 in the coded samples, half of their range.
        decode: the samples of a codestream.
    """
    end = codestream.rfind(_END)
    if (samples[-1, -_LAST:] != middle).any():
        return False
    try:
        return not np.array_equal(decode(codestream[:end] + _MORE + codestream[end:]), samples)
    except LIBRARY_ERRORS:
        return True
