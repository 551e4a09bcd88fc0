"""DICOM lookup tables of grey values: the Modality LUT and the VOI LUT (PS3.3 C.11.1.1 and C.11.2.1.1).

Knows nothing of images.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import library_errors
from models.imaging.malformed import valid

if TYPE_CHECKING:
    from pydicom import Dataset

    from models.imaging.header import Header


@dataclass(frozen=True, slots=True)
class Lookup:
    """Values below `first` are taken as `first`, those beyond the last entry as the last."""

    first: int
    bits: int
    """Of an entry; its highest is 2**bits - 1."""
    entries: NDArray[np.uint16] = field(repr=False)

    def apply(self, samples: NDArray[Any]) -> NDArray[np.uint16]:
        """Integers of any type; same shape."""
        index = samples.astype(np.int64) - self.first
        return self.entries[np.clip(index, 0, self.entries.size - 1)]


def read_lookup(header: Header, item: Dataset, *, signed: bool) -> Lookup | None:
    """The table in an item of a LUT sequence; None where it is malformed.

    Args:
        header: of the object, for the byte order.
        item: with LUT Descriptor and LUT Data.
        signed: whether the values that are looked up can be negative: the descriptor's second value is one of them,
            and its VR is often wrong.
    """
    descriptor = [int(value) for value in valid(header.numbers("LUTDescriptor", item, count=3)) or ()]
    if not descriptor or not 8 <= descriptor[2] <= 16:
        return None
    count, first, bits = descriptor[0] % 2**16 or 2**16, descriptor[1] % 2**16, descriptor[2]
    if signed and first >= 2**15:
        first -= 2**16
    try:
        value = item["LUTData"].value
        if isinstance(value, bytes):
            words = np.frombuffer(value, "<u2" if header.syntax.is_little_endian else ">u2")
            # Entries of 8 bits are two to a word, or one for all that the standard says.
            entries = words.astype("<u2").view(np.uint8) if bits == 8 and len(value) < 2 * count else words
        else:
            entries = np.atleast_1d(np.asarray(value))
        entries = entries[:count].astype(np.uint16)
    except library_errors():
        return None
    return Lookup(first, bits, entries) if entries.size == count else None
