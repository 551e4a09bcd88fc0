"""Encapsulated pixel data (PS3.5 A.4): one codestream a frame out of its fragments, and back with true offset tables.

Knows nothing of what a codestream is made of.
"""

import struct
from collections.abc import Sequence

from pydicom import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames

from models.imaging.errors import CorruptPixels, TruncatedFile, WrongPixelLength, failing_as

_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")


def codestreams(dataset: Dataset, value: bytes, frames: int) -> list[bytes]:
    """The codestream of each frame, its fragments joined.

    Args:
        dataset: with the Extended Offset Table, where it has one.
        value: of the pixel data element.
        frames: how many there must be.

    Raises:
        TruncatedFile, CorruptPixels: no sequence of items.
        WrongPixelLength: fewer fragments than frames.
    """
    table, *fragments = _items(value)
    if len(fragments) < frames:
        raise WrongPixelLength(f"{frames} frames are in {len(fragments)} fragments of compressed pixel data")
    if frames == 1:
        return [b"".join(fragments)]
    if len(fragments) == frames:
        return fragments
    with failing_as(CorruptPixels()):
        words = [dataset.get(keyword) for keyword in _TABLES]
        extended = (words[0], words[1]) if all(words) and not table else None
        found = list(generate_frames(value, number_of_frames=frames, extended_offsets=extended))
    if len(found) != frames:
        raise WrongPixelLength(f"{frames} frames are announced, and {len(found)} found in the compressed pixel data")
    return found


def store_codestreams(dataset: Dataset, streams: Sequence[bytes]) -> None:
    """Put codestreams back, each in a fragment of its own, with the kind of offset table that the object had."""
    element = dataset["PixelData"]
    if any(keyword in dataset for keyword in _TABLES):
        element.value, offsets, lengths = encapsulate_extended(list(streams))
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = offsets, lengths
    else:
        fits = sum(map(len, streams)) + 9 * len(streams) < 2**32
        element.value = encapsulate(list(streams), has_bot=fits)
    element.VR, element.is_undefined_length = "OB", True


def _items(value: bytes) -> list[bytes]:
    """Values of all items up to the delimiter or the end; the first is the Basic Offset Table."""
    found: list[bytes] = []
    at = 0
    while at + 8 <= len(value) and value[at : at + 4] != _DELIMITER:
        (length,) = struct.unpack_from("<I", value, at + 4)
        if value[at : at + 4] != _ITEM:
            raise CorruptPixels
        at += 8 + length
        if at > len(value):
            raise TruncatedFile
        found.append(value[at - length : at])
    if not found:
        raise CorruptPixels
    return found
