"""ICC profiles (ICC.1:2022) written anew from their numbers: no texts, dates, devices, loose bytes or unknown tags.

Colours come out of what is left as they did. Knows nothing of images.
"""

import struct
from collections.abc import Sequence
from math import prod

import numpy as np

from models.imaging.deidentify.lettered import reads_as_text

_HEADER = 128
_CLASSES = (b"scnr", b"mntr", b"prtr", b"link", b"spac", b"abst")
_SPACES = (b"XYZ ", b"Lab ", b"Luv ", b"YCbr", b"Yxy ", b"RGB ", b"GRAY", b"HSV ", b"HLS ", b"CMYK", b"CMY ")
_D50 = bytes.fromhex("0000f6d6000100000000d32d")
_PLACED = {b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"}
_CURVES = {b"rTRC", b"gTRC", b"bTRC", b"kTRC"}
_TABLES = {b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt"}
# What every profile must have: a description and a copyright, here of one empty text.
_EMPTY = b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", 0, 28)
_EMPTY_OLD = {b"desc": b"desc\0\0\0\0\0\0\0\1" + bytes(79), b"cprt": b"text\0\0\0\0\0"}
_PARAMETERS = (1, 3, 4, 5, 7)
_MOST_TAGS = 200


def bare_profile(profile: bytes) -> bytes | None:
    """A profile of the same colours and nothing else; None if it is none."""
    try:
        return _rebuilt(profile)
    except (struct.error, IndexError, ValueError):
        return None


def _rebuilt(profile: bytes) -> bytes | None:
    count = struct.unpack_from(">I", profile, _HEADER)[0]
    if profile[36:40] != b"acsp" or count > _MOST_TAGS:
        return None
    major = profile[8]
    elements = {b"desc": _EMPTY, b"cprt": _EMPTY} if major >= 4 else dict(_EMPTY_OLD)
    for entry in range(_HEADER + 4, _HEADER + 4 + 12 * count, 12):
        signature, start, length = struct.unpack_from(">4sII", profile, entry)
        if start + length > len(profile):
            return None
        element = _element(signature, profile[start : start + length])
        if element is not None:
            elements[signature] = element
    header = _header(profile, major)
    return None if header is None or len(elements) == 2 else _written(header, elements)


def _header(profile: bytes, major: int) -> bytes | None:
    class_, space, connection = profile[12:16], profile[16:20], profile[20:24]
    (intent,) = struct.unpack_from(">I", profile, 64)
    if major not in (2, 4) or class_ not in _CLASSES or space not in _SPACES or connection not in _SPACES or intent > 3:
        return None
    version = bytes((major, profile[9] if profile[9] >> 4 <= 4 and profile[9] & 15 == 0 else 0, 0, 0))
    head = bytes(8) + version + class_ + space + connection + bytes(12) + b"acsp" + bytes(24)
    return head + struct.pack(">I", intent) + _D50 + bytes(48)


def _written(header: bytes, elements: dict[bytes, bytes]) -> bytes:
    """Elements of the same bytes share their place, as in most profiles."""
    at, places, body = _HEADER + 4 + 12 * len(elements), dict[bytes, int](), bytearray()
    table = bytearray(struct.pack(">I", len(elements)))
    for signature, element in elements.items():
        if element not in places:
            places[element] = at + len(body)
            body += element + bytes(-len(element) % 4)
        table += struct.pack(">4sII", signature, places[element], len(element))
    return struct.pack(">I", at + len(body)) + header[4:] + table + body


def _element(signature: bytes, data: bytes) -> bytes | None:
    """The numbers of a tag; None where it is not known, or has none."""
    kind = data[:4]
    if signature in _PLACED and kind == b"XYZ ":
        return _exact(data, 20)
    if signature == b"chad" and kind == b"sf32":
        return _exact(data, 44)
    if signature in _CURVES and kind in (b"curv", b"para"):
        return _curve(data)
    if signature in _TABLES:
        return _tables(kind, data)
    return None


def _exact(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise ValueError
    return data[:4] + bytes(4) + data[8:length]


def _curve(data: bytes) -> bytes:
    if data[:4] == b"curv":
        found = _exact(data, 12 + 2 * struct.unpack_from(">I", data, 8)[0])
        if reads_as_text(np.frombuffer(found[12:], ">u2").astype("<u2").tobytes(), 2):
            raise ValueError
        return found
    if data[:4] != b"para":
        raise ValueError
    (kind,) = struct.unpack_from(">H", data, 8)
    found = _exact(data, 12 + 4 * _PARAMETERS[kind])
    return found[:10] + bytes(2) + found[12:]


def _tables(kind: bytes, data: bytes) -> bytes | None:
    inputs, outputs, points = data[8], data[9], data[10]
    if not (1 <= inputs <= 4 and 1 <= outputs <= 4):
        raise ValueError
    if kind == b"mft1":
        found = _exact(data, 48 + 256 * inputs + points**inputs * outputs + 256 * outputs)
    elif kind == b"mft2":
        before, after = struct.unpack_from(">HH", data, 48)
        found = _exact(data, 52 + 2 * (before * inputs + points**inputs * outputs + after * outputs))
    else:
        return _lut(kind, data, inputs, outputs) if kind in (b"mAB ", b"mBA ") else None
    return found[:11] + bytes(1) + found[12:]


def _lut(kind: bytes, data: bytes, inputs: int, outputs: int) -> bytes:
    """lutAToBType and lutBToAType (10.12 and 10.13): their parts one behind the other."""
    b, matrix, m, clut, a = struct.unpack_from(">5I", data, 12)
    near, far = (outputs, inputs) if kind == b"mAB " else (inputs, outputs)
    parts = [
        _curves(data, b, near),
        data[matrix : matrix + 48] if matrix else b"",
        _curves(data, m, near),
        _grid(data, clut, inputs, outputs) if clut else b"",
        _curves(data, a, far),
    ]
    if matrix and len(parts[1]) < 48:
        raise ValueError
    at, offsets = 32, list[int]()
    for part in parts:
        offsets.append(at if part else 0)
        at += len(part)
    return kind + bytes(4) + bytes((inputs, outputs, 0, 0)) + struct.pack(">5I", *offsets) + b"".join(parts)


def _curves(data: bytes, at: int, count: int) -> bytes:
    found = bytearray()
    for _ in range(count if at else 0):
        curve = _curve(data[at:])
        padding = -len(curve) % 4
        found += curve + bytes(padding)
        at += len(curve) + padding
    return bytes(found)


def _grid(data: bytes, at: int, inputs: int, outputs: int) -> bytes:
    points: Sequence[int] = data[at : at + inputs]
    size = data[at + 16]
    length = prod(points) * outputs * size
    values = data[at + 20 : at + 20 + length]
    if size not in (1, 2) or len(values) < length or not length:
        raise ValueError
    return bytes(points) + bytes(16 - inputs) + bytes((size, 0, 0, 0)) + values + bytes(-length % 4)
