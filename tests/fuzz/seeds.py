"""The files that are mutated: pydicom's own, and pictures made here. Their texts hold a word that must never come out.

A new format joins by a line in `made`, or by a folder given to `seeds`.
"""

import gzip
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import data_store
import imagecodecs
import nibabel
import numpy as np
import pydicom
import tifffile
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

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
    """Files of formats and transfer syntaxes of which no library brings samples."""
    grey = (np.add.outer(np.arange(96), np.arange(128)) * 113 % 65536).astype(np.uint16)
    grey8 = (grey >> 8).astype(np.uint8)
    colour = np.dstack([grey >> 8, grey & 255, grey >> 4 & 255]).astype(np.uint8)
    pictures = {
        "grey16.png": encode_png(grey),
        "grey8.png": encode_png(grey8),
        "colour.png": encode_png(colour),
        "colour.jpg": _jpeg(colour),
        "progressive.jpg": _jpeg(colour, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "grey.jpg": _jpeg(grey8),
    }
    encoded = {
        "htj2k-lossless": (HTJ2KLossless, grey, imagecodecs.htj2k_encode(grey, reversible=True)),
        "htj2k-colour": (HTJ2KLossless, colour, imagecodecs.htj2k_encode(colour, reversible=True)),
        "htj2k-lossy": (HTJ2K, grey8, imagecodecs.htj2k_encode(grey8, reversible=False)),
        "jpeg-12": (JPEGExtended12Bit, grey >> 4, imagecodecs.jpeg8_encode(grey >> 4, 90, bitspersample=12)),
        "jpeg-lossless": (JPEGLossless, grey, imagecodecs.jpeg8_encode(grey, lossless=True, bitspersample=16)),
        "jpeg-ls-colour": (JPEGLSLossless, colour, imagecodecs.jpegls_encode(colour)),
        "jpeg-ls-near": (JPEGLSNearLossless, grey, imagecodecs.jpegls_encode(grey, level=3)),
        "j2k-colour": (JPEG2000, colour, imagecodecs.jpeg2k_encode(colour, level=40, codecformat="j2k")),
    }
    pages: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        f"{compression}.tif": (grey8, {"compression": compression})
        for compression in ("zlib", "lzw", "packbits", "jpeg", "jpeg2000", "zstd", "lzma")
    } | {
        "plain.tif": (grey, {}),
        "predicted.tif": (grey, {"compression": "zlib", "predictor": True}),
        "float.tif": (grey.astype(np.float32), {"byteorder": ">"}),
        "big.tif": (grey, {"bigtiff": True}),
        "bits.tif": (grey8 > 128, {}),
        "tiles.tif": (colour, {"compression": "jpeg", "tile": (32, 32), "photometric": "rgb"}),
        "planes.tif": (np.moveaxis(colour, 2, 0), {"planarconfig": "separate", "photometric": "rgb"}),
        "pages.tif": (np.stack([grey] * 4), {}),
    }
    volume = (np.arange(20 * 24 * 6) % 250).reshape(20, 24, 6)
    return [
        *pictures.items(),
        *((f"{name}.dcm", _dicom(*parts)) for name, parts in encoded.items()),
        *((name, _tiff(pixels, options)) for name, (pixels, options) in pages.items()),
        *((f"{kind}.nii", _nifti(volume.astype(kind))) for kind in ("i2", "u1", "f4")),
        ("i2.nii.gz", gzip.compress(_nifti(volume.astype("i2")), mtime=0)),
    ]


def _jpeg(pixels: np.ndarray, *settings: int) -> bytes:
    return cv2.imencode(".jpg", pixels, settings)[1].tobytes()


def _dicom(syntax: UID, pixels: np.ndarray, codestream: bytes) -> bytes:
    """A DICOM object of three frames that are one codestream."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.4", "1.2.3"
    dataset.PatientName = dataset.StudyDescription = "A text to be planted in"
    dataset.Modality, dataset.NumberOfFrames = "OT", 3
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    dataset.PixelData = encapsulate([codestream] * 3)
    dataset["PixelData"].VR = "OB"
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def _tiff(pixels: np.ndarray, options: dict[str, Any]) -> bytes:
    file = BytesIO()
    told = {"description": TOKEN.decode() * 4, "software": TOKEN.decode() * 2, "datetime": "2000:01:01 00:00:00"}
    tifffile.imwrite(file, pixels, metadata=None, **{"photometric": "minisblack"} | told | options)
    return file.getvalue()


def _nifti(voxels: np.ndarray) -> bytes:
    volume = nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 3.0, 1.0]))
    volume.header["descrip"] = TOKEN * 4
    return volume.to_bytes()


def _seed(name: str, data: bytes) -> Seed:
    return Seed(name, planted(data), syntax_of(data))


def syntax_of(data: bytes) -> str:
    """Name of a DICOM file's transfer syntax, or of another format, by its bytes alone."""
    at = data.find(b"\x02\x00\x10\x00UI", 0, 4000)
    if at >= 0:
        (length,) = struct.unpack_from("<H", data, at + 6)
        return UID(data[at + 8 : at + 8 + length].decode("ascii", "replace").strip("\0 ")).name
    if data[344:347] == b"n+1":
        return "NIfTI"
    signatures = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II": "TIFF", b"MM": "TIFF", b"\x1f\x8b": "gzip"}
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
