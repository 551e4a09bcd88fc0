"""ICC profiles (ISO 15076-1): where PNG, JPEG and DICOM keep them, and colours brought to sRGB by Little CMS.

Nothing of a profile is passed on. Knows nothing of what an image shows.
"""

import struct
import zlib
from functools import lru_cache

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from models.imaging.codestreams import PNG_SIGNATURE
from models.imaging.header import Header
from models.imaging.png import Stored

MOST_BYTES = 2**22
"""Of a profile; a larger one, or one that is damaged, counts as none."""
_JPEG_APP2, _JPEG_SCAN = 0xE2, 0xDA
_JPEG_KIND = b"ICC_PROFILE\0"
_SAME = 1
"""Levels of 255 within which a profile is taken for sRGB itself."""


def to_srgb(stored: Stored, profile: bytes | None) -> Stored:
    """RGB (rows, columns, 3) in sRGB, relative colorimetric or as the profile's maker wished; grey stays as it is.

    A profile of sRGB changes nothing, and neither does one that cannot be used: such colours are taken as sRGB.
    """
    if stored.ndim != 3 or not profile or len(profile) > MOST_BYTES or not _changes(profile):
        return stored
    return _transformed(stored, profile)


def png_profile(data: bytes) -> bytes | None:
    """That of a PNG file whose chunks were checked (ISO/IEC 15948, 11.3.3.3)."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"iCCP":
            _name, _, rest = data[at + 8 : at + 8 + length].partition(b"\0")
            try:
                return zlib.decompressobj().decompress(rest[1:], MOST_BYTES + 1)
            except zlib.error:
                return None
        if kind == b"IDAT":
            return None
        at += 12 + length
    return None


def jpeg_profile(data: bytes) -> bytes | None:
    """That of a JPEG file whose markers were checked, from its numbered parts (ISO 15076-1, B.4)."""
    at, parts = 2, dict[int, bytes]()
    while at + 4 <= len(data) and data[at + 1] != _JPEG_SCAN:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        if data[at + 1] == _JPEG_APP2 and content.startswith(_JPEG_KIND) and len(content) > len(_JPEG_KIND) + 2:
            parts[content[len(_JPEG_KIND)]] = content[len(_JPEG_KIND) + 2 :]
        at += 2 + length
    return b"".join(part for _, part in sorted(parts.items())) or None


def dicom_profile(header: Header) -> bytes | None:
    """ICC Profile (0028,2000), of a slide that of its optical paths where they have but one (PS3.3 C.11.15)."""
    found = {header.octets("ICCProfile", path) for path in header.items("OpticalPathSequence")} - {None}
    return header.octets("ICCProfile") or (found.pop() if len(found) == 1 else None)


@lru_cache(maxsize=8)
def _changes(profile: bytes) -> bool:
    steps = np.linspace(0, 255, 17).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(17, -1, 3)
    try:
        changed = _transformed(colours, profile)
    except RuntimeError:  # what imagecodecs makes of Little CMS' refusals
        return False
    return int(np.abs(changed.astype(np.int16) - colours).max()) > _SAME


def _transformed(stored: NDArray[np.uint8 | np.uint16], profile: bytes) -> NDArray[np.uint8 | np.uint16]:
    # Simplified for speed, 16 bits are up to 9 levels of 255 off near black; 8 bits are exact, and 13 times as fast.
    flags = imagecodecs.CMS.FLAGS.NOOPTIMIZE if stored.dtype == np.uint16 else None
    return imagecodecs.cms_transform(stored, profile, _srgb(), colorspace="rgb", outcolorspace="rgb", flags=flags)


@lru_cache(maxsize=1)
def _srgb() -> bytes:
    return imagecodecs.cms_profile("srgb")
