"""RLE frames (PS3.5 Annex G) written anew: each segment decodes to what it must, and nothing stands around them."""

import struct

from models.imaging.codestreams import rle_segments
from models.imaging.errors import TruncatedFile

_HEADER = 64
_NOTHING = 128


def rewritten_rle(data: bytes, segments: int, length: int) -> bytes:
    """A frame of the same bytes.

    Args:
        data: header and segments.
        segments: how many there must be: bytes of a sample by samples of a pixel.
        length: bytes that each decodes to.

    Raises:
        TruncatedFile: a segment ends early.
        CorruptPixels, WrongPixelLength: the header announces others.
    """
    found, places = bytearray(), list[int]()
    for segment in rle_segments(data, segments):
        places.append(_HEADER + len(found))
        found += _rewritten(segment, length)
    return struct.pack("<16I", len(places), *places, *(0,) * (15 - len(places))) + found


def _rewritten(segment: bytes, length: int) -> bytes:
    """Runs up to the last byte that is needed, padded to an even length (PS3.5 G.3.1)."""
    found, at = bytearray(), 0
    while length > 0:
        if at + 1 >= len(segment):
            raise TruncatedFile
        head = segment[at]
        if head == _NOTHING:
            at += 1
        elif head < _NOTHING:
            count = min(head + 1, length)
            if at + 1 + count > len(segment):
                raise TruncatedFile
            found.append(count - 1)
            found += segment[at + 1 : at + 1 + count]
            at, length = at + head + 2, length - count
        else:
            count = min(257 - head, length)
            found += bytes((257 - count if count > 1 else 0, segment[at + 1]))
            at, length = at + 2, length - count
    return bytes(found) + bytes(len(found) % 2)
