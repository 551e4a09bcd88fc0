"""Whether numbers are the letters of a text: what is planted in binary attributes reads as words, measurements do not.

Knows nothing of attributes.
"""

import re

import numpy as np
from pydicom import DataElement

_RUN = re.compile(rb"[A-Za-z0-9 ^=._-]{8,}")
_TYPES = {
    "US": "<u2", "SS": "<i2", "UL": "<u4", "SL": "<i4", "UV": "<u8", "SV": "<i8", "FL": "<f4", "FD": "<f8",
}  # fmt: skip


def reads_as_text(octets: bytes, size: int, *, table: bool = True) -> bool:
    """Eight or more letters, digits and signs of names in a row, which no table of values would be.

    Tables of 8 and 16 bits rise and fall through such bytes too: a row that only rises, only falls, or whose words
    have equal halves, is none.

    Args:
        octets: the numbers' bytes, in either order.
        size: of a number in bytes.
        table: they may be such a table.
    """
    for run in _RUN.finditer(octets):
        if size > 2 or not table:
            return True
        first = -(-run.start() // size) * size
        words = np.frombuffer(octets[first : first + (run.end() - first) // size * size], f"<u{size}").astype(int)
        words = words if size == 1 else words[words % 256 != words // 256]
        window = 8 // size
        for at in range(words.size - window + 1):
            steps = np.diff(words[at : at + window])
            if (steps > 0).any() and (steps < 0).any():
                return True
    return False


def numbers_read_as_text(element: DataElement) -> bool:
    """The same of an element of a binary number's VR."""
    kind = _TYPES.get(str(element.VR))
    if kind is None or element.is_empty:
        return False
    values: object = element.value
    octets = np.atleast_1d(np.asarray(values)).astype(kind).tobytes()
    return reads_as_text(octets, np.dtype(kind).itemsize, table=False)
