"""The files that are mutated: pydicom's own, and pictures made here. Their texts hold a word that must never come out.

A new format joins by a line in `made`, or by a folder given to `seeds`.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import data_store
import numpy as np
import pydicom
from pydicom.uid import UID

from models.imaging import encode_png

TOKEN = b"ZQXJ"
"""Planted wherever a file says who or what it shows, and in the file's own name."""
MOST_BYTES = 600_000
"""Larger files are left out: they add time, and no other code."""

ROOTS = (Path(pydicom.__file__).parent / "data", Path(data_store.__file__).parent / "data")

# Elements of free text and names (PS3.6): study, series, institution, people, ids, comments.
_TEXTS = (
    (0x08, 0x50), (0x08, 0x80), (0x08, 0x81), (0x08, 0x90), (0x08, 0x1010), (0x08, 0x1030), (0x08, 0x103E),
    (0x08, 0x1040), (0x08, 0x1050), (0x08, 0x1070), (0x10, 0x10), (0x10, 0x20), (0x10, 0x1040), (0x10, 0x4000),
    (0x18, 0x10), (0x18, 0x15), (0x18, 0x1030), (0x20, 0x10), (0x20, 0x4000), (0x32, 0x1060), (0x40, 0x254),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to mutate."""

    name: str
    data: bytes
    syntax: str
    """Name of its transfer syntax, or of its format."""


def seeds(folders: Iterable[Path] = ()) -> list[Seed]:
    """All seeds in a stable order; files below `folders` come after the usual ones."""
    found = list(_usual())
    for folder in folders:
        paths = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
        found += [_seed(path.name, path.read_bytes()) for path in paths]
    return found


@cache
def _usual() -> tuple[Seed, ...]:
    paths = [path for root in ROOTS for path in sorted(root.rglob("*")) if path.is_file()]
    files = [path for path in paths if path.suffix not in (".py", ".pyc", ".json", ".txt", ".dump")]
    small = [path for path in files if path.stat().st_size <= MOST_BYTES]
    return tuple([_seed(path.name, path.read_bytes()) for path in small] + [_seed(*each) for each in made()])


def made() -> list[tuple[str, bytes]]:
    """Files of formats of which no library brings samples."""
    grey = (np.add.outer(np.arange(96), np.arange(128)) * 113 % 65536).astype(np.uint16)
    colour = np.dstack([grey >> 8, grey & 255, grey >> 4 & 255]).astype(np.uint8)
    jpeg: Callable[[np.ndarray, int], bytes] = lambda pixels, progressive: cv2.imencode(  # noqa: E731
        ".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive]
    )[1].tobytes()
    return [
        ("grey16.png", encode_png(grey)),
        ("grey8.png", encode_png((grey >> 8).astype(np.uint8))),
        ("colour.png", encode_png(colour)),
        ("colour.jpg", jpeg(colour, 0)),
        ("progressive.jpg", jpeg(colour, 1)),
        ("grey.jpg", jpeg(colour[..., 0], 0)),
    ]


def _seed(name: str, data: bytes) -> Seed:
    return Seed(name, planted(data), syntax_of(data))


def syntax_of(data: bytes) -> str:
    """Name of a DICOM file's transfer syntax, or of another format, by its bytes alone."""
    at = data.find(b"\x02\x00\x10\x00UI", 0, 4000)
    if at >= 0:
        (length,) = struct.unpack_from("<H", data, at + 6)
        return UID(data[at + 8 : at + 8 + length].decode("ascii", "replace").strip("\0 ")).name
    signatures = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"\x1f\x8b": "gzip"}
    return next((name for start, name in signatures.items() if data.startswith(start)), "no transfer syntax named")


def planted(data: bytes) -> bytes:
    """The same file, of the same length where it is DICOM, with TOKEN wherever a text tells something."""
    if data.startswith(b"\x89PNG"):
        text = b"tEXt" + b"Author\0" + TOKEN * 4
        chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
        return data[:33] + chunk + data[33:]
    if data.startswith(b"\xff\xd8\xff"):
        return data[:2] + b"\xff\xfe" + struct.pack(">H", 2 + len(TOKEN) * 4) + TOKEN * 4 + data[2:]
    spoiled = bytearray(data)
    for group, number in _TEXTS:
        for order in "<>":
            tag = struct.pack(order + "HH", group, number)
            at = data.find(tag, 0, 100_000)
            if at < 0 or at + 12 > len(data):
                continue
            explicit = data[at + 4 : at + 6].isalpha()
            (length,) = struct.unpack_from(order + ("H" if explicit else "I"), data, at + (6 if explicit else 4))
            if 4 <= length <= min(1024, len(data) - at - 8):
                spoiled[at + 8 : at + 8 + length] = (TOKEN * (length // 4 + 1))[:length]
    return bytes(spoiled)
