"""ICC profiles (ICC.1:2022) written anew from the colours that they give: of the old one's bytes none is taken over.

Little CMS reads a profile as it does for showing an image, and is asked for colours. What gives those of sRGB or Adobe
RGB becomes that profile as Little CMS makes it; any other one of three primaries and curves, or where that does not
do, of a table, computed from the colours. Knows nothing of images.
"""

import struct
from functools import lru_cache
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

_MOST = 2**22
"""Bytes of a profile: a larger one is used by nobody (models.imaging.colour)."""
_STANDARD = ("srgb", "adobergb")
_SAME = 1
"""Levels of 255 in sRGB within which a profile is one of these."""
_POINTS, _CURVE = 31, 1021
"""A side of a table, and points of a curve. Those in use have 2^n or 2^n + 1: but for the ends and the middle, no point
is also one of theirs."""
_STEP = 16
"""Of the numbers written, of 65,536: no two letters can stand beside each other."""
_HEADER, _D50 = 128, bytes.fromhex("0000f6d6000100000000d32d")
_WORDS = {b"desc": b"desc\0\0\0\0\0\0\0\1" + bytes(79), b"cprt": b"text\0\0\0\0\0"}
"""A description and a copyright, which every profile must have: empty."""


def bare_profile(profile: bytes) -> bytes | None:
    """A profile of the same colours and nothing else; None if it is none of RGB, or cannot be used."""
    if not _HEADER <= len(profile) <= _MOST or profile[16:20] != b"RGB " or profile[8] not in (2, 4):
        return None
    return _rewritten(profile)


@lru_cache(maxsize=8)
def _rewritten(profile: bytes) -> bytes | None:
    try:
        shown = _shown(profile)
        standards = (_undated(imagecodecs.cms_profile(name)) for name in _STANDARD)
        found = next((standard for standard in standards if _alike(standard, shown)), None) or _matrix(profile)
        return found if _alike(found, shown) else _table(profile)
    except (RuntimeError, ValueError):  # what imagecodecs makes of Little CMS' refusals
        return None


def _grid(points: int) -> NDArray[np.float64]:
    """(points², points, 3): colours from 0 to 1, the last channel fastest."""
    steps = np.linspace(0, 1, points)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(points**2, points, 3)


def _asked(colours: NDArray[np.float64], profile: bytes, space: str, form: str, kind: str) -> NDArray[Any]:
    """What a profile makes of colours."""
    to = imagecodecs.cms_profile(space)
    return imagecodecs.cms_transform(colours, profile, to, colorspace="rgb", outcolorspace=form, outdtype=kind)


def _alike(profile: bytes, shown: NDArray[np.int16]) -> bool:
    return int(np.abs(_shown(profile) - shown).max()) <= _SAME


def _shown(profile: bytes) -> NDArray[np.int16]:
    """The colours of a grid in sRGB."""
    return _asked(_grid(17), profile, "srgb", "rgb", "u1").astype(np.int16)


def _coarse(values: NDArray[Any]) -> NDArray[np.int64]:
    return np.minimum(np.rint(np.asarray(values, np.float64) / _STEP).astype(np.int64) * _STEP, 2**16 - 1)


def _matrix(profile: bytes) -> bytes:
    """A profile of three primaries, and of how much of each a value gives (8.3.3)."""
    steps = np.linspace(0, 1, _CURVE)
    lines = np.zeros((3, _CURVE, 3))
    for channel in range(3):
        lines[channel, :, channel] = steps
    found = _asked(lines, profile, "xyz", "xyz", "f8")
    elements: dict[bytes, bytes] = {}
    for channel, name in enumerate((b"r", b"g", b"b")):
        primary = found[channel, -1]
        share = found[channel] @ primary / (primary @ primary)
        elements[name + b"XYZ"] = b"XYZ \0\0\0\0" + np.rint(primary * 2**16).astype(">i4").tobytes()
        points = _coarse(np.maximum.accumulate(share) * (2**16 - 1)).astype(">u2")
        elements[name + b"TRC"] = b"curv\0\0\0\0" + struct.pack(">I", _CURVE) + points.tobytes()
    return _written(b"XYZ ", elements)


def _table(profile: bytes) -> bytes:
    """A profile of one table from RGB to CIELAB (8.3.2), as lut16Type (10.10) writes it.

    Values go to the table's points by the lightness of the grey that they make: points lie where colours change.
    """
    grey = np.repeat(np.linspace(0, 1, _CURVE)[None, :, None], 3, axis=2)
    light = np.maximum.accumulate(_asked(grey, profile, "lab2", "labv2", "f8")[0, :, 0])
    light = (light - light[0]) / max(light[-1] - light[0], 1e-6)
    points = np.interp(_grid(_POINTS), light, np.linspace(0, 1, _CURVE))
    colours = _coarse(_asked(points, profile, "lab2", "labv2", "u2")).astype(">u2")
    one = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 16)
    head = b"mft2" + struct.pack(">4x4B", 3, 3, _POINTS, 0) + one + struct.pack(">HH", _CURVE, 2)
    curve = _coarse(light * (2**16 - 1)).astype(">u2").tobytes() * 3
    return _written(b"Lab ", {b"A2B0": head + curve + colours.tobytes() + struct.pack(">HH", 0, 0xFFFF) * 3})


def _written(space: bytes, elements: dict[bytes, bytes]) -> bytes:
    """An input profile (PS3.3 C.11.15.1.1) of version 2.4, whose black readers take from its numbers."""
    elements = _WORDS | {b"wtpt": b"XYZ \0\0\0\0" + _D50} | elements
    at, table, body = _HEADER + 4 + 12 * len(elements), bytearray(struct.pack(">I", len(elements))), bytearray()
    for signature, element in elements.items():
        table += struct.pack(">4sII", signature, at + len(body), len(element))
        body += element + bytes(-len(element) % 4)
    head = struct.pack(">I", at + len(body)) + bytes(4) + b"\2\x40\0\0scnrRGB " + space + bytes(12)
    return head + b"acsp" + bytes(28) + _D50 + bytes(48) + table + body


def _undated(profile: bytes) -> bytes:
    """Without the time at which it was made, and its digest."""
    return profile[:24] + bytes(12) + profile[36:84] + bytes(44) + profile[_HEADER:]
