"""Text within bytes that stay: comments in JPEG and JPEG 2000 codestreams, descriptions in ICC profiles.

Overwritten with zeros where they stand, so that no length or offset changes. Nothing is decoded.
"""

import struct
from collections.abc import Iterator

_ITEM = b"\xfe\xff\x00\xe0"
_SOI, _SOC = b"\xff\xd8", b"\xff\x4f"
_START_OF_SCAN, _START_OF_TILE = 0xDA, 0x90
_JPEG_COMMENT, _J2K_COMMENT = 0xFE, 0x64
# Application segments hold cameras' and exporters' texts, but for JFIF (0), JPEG-LS colour (8) and Adobe's colour (14).
_APPLICATION = {0xE0 + number for number in range(16)} - {0xE0, 0xE8, 0xEE}

_ICC_HEADER = 128
_ICC_NUMBERS = {
    b"XYZ ", b"curv", b"para", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet", b"sf32", b"uf32", b"ui08", b"ui16", b"ui32",
    b"meas", b"view", b"sig ", b"chrm", b"cicp",
}  # fmt: skip
"""Types of ICC tags (ICC.1:2022, 10) that hold numbers; the others can hold text or dates."""


def without_comments(encapsulated: bytes) -> bytes:
    """Encapsulated pixel data (PS3.5 A.4) with the text in each codestream's header overwritten; the same if none."""
    found: bytearray | None = None
    for start, end in _fragments(encapsulated):
        for at, to in _texts(encapsulated, start, end):
            if any(encapsulated[at:to]):
                found = found or bytearray(encapsulated)
                found[at:to] = bytes(to - at)
    return encapsulated if found is None else bytes(found)


def _fragments(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while data[at : at + 4] == _ITEM and at + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, at + 4)
        yield at + 8, min(at + 8 + length, len(data))
        at += 8 + length


def _texts(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where text stands in the marker segments before the first scan (T.81, B.1.1.4) or tile (T.800, A.4)."""
    jpeg = data[at : at + 2] == _SOI
    if not jpeg and data[at : at + 2] != _SOC:
        return
    at += 2
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == (_START_OF_SCAN if jpeg else _START_OF_TILE):
            return
        to = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if jpeg and (marker == _JPEG_COMMENT or marker in _APPLICATION):
            yield at + 4, min(to, end)
        elif not jpeg and marker == _J2K_COMMENT:
            # Two bytes say whether it is text or bytes.
            yield at + 6, min(to, end)
        at = to


def bare_profile(profile: bytes) -> bytes | None:
    """An ICC profile with its numbers alone: no texts, dates, device names or loose bytes; None if it is none."""
    if profile[36:40] != b"acsp" or len(profile) < _ICC_HEADER + 4:
        return None
    size, count = int.from_bytes(profile[:4], "big"), int.from_bytes(profile[_ICC_HEADER : _ICC_HEADER + 4], "big")
    table = _ICC_HEADER + 4 + 12 * count
    if not table <= size <= len(profile) or count > 200:
        return None
    found = bytearray(len(profile))
    found[:table] = profile[:table]
    # Preferred CMM, date, maker, model, creator, and the identifier over all of it (ICC.1:2022, 7.2).
    for start, end in ((4, 8), (24, 36), (48, 56), (80, 128)):
        found[start:end] = bytes(end - start)
    for entry in range(_ICC_HEADER + 4, table, 12):
        signature = profile[entry : entry + 4]
        start, length = struct.unpack_from(">II", profile, entry + 4)
        if not (table <= start and start + length <= size and signature.isalnum()):
            return None
        # The type itself stays, so that a reader finds an empty text and not a broken tag.
        end = start + (length if profile[start : start + 4] in _ICC_NUMBERS else min(length, 8))
        found[start:end] = profile[start:end]
    return bytes(found)
