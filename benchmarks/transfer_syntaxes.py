"""The files that reading is measured on: one slice and one colour frame in every transfer syntax, and real ones.

Rows of one image differ by syntax alone.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

Samples = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    data: bytes


def slice_of(size: int) -> Samples:
    """Signed 12 bits: smooth organs, noise, air around them."""
    random = np.random.default_rng(0)
    at = np.indices((size, size)) / size - 0.5
    body = (at[0] ** 2 / 0.16 + at[1] ** 2 / 0.2) < 1
    organs = cv2.GaussianBlur(random.normal(0, 1, (size, size)), (0, 0), size / 40) * size / 40 * 150
    values = np.where(body, organs + 40, -1000) + random.normal(0, 12, (size, size))
    return np.clip(np.rint(values), -1024, 3071).astype(np.int16)


def colour_of(size: int) -> Samples:
    """The same in 8-bit colours."""
    grey = np.clip((slice_of(size).astype(float) + 1024) / 8, 0, 255)
    return np.stack([grey, grey * 0.8, grey * 0.6], -1).astype(np.uint8)


def written(samples: Samples, syntax: str, codestream: bytes | None, photometric: str) -> bytes:
    """An object of one frame."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    dataset.Modality = "CT" if samples.ndim == 2 else "OT"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PhotometricInterpretation = photometric
    dataset.SamplesPerPixel = 1 if samples.ndim == 2 else 3
    if samples.ndim == 3:
        dataset.PlanarConfiguration = 0
    else:
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
        dataset.WindowCenter, dataset.WindowWidth = 40, 400
    dataset.Rows, dataset.Columns = samples.shape[:2]
    dataset.BitsAllocated = 8 * samples.itemsize
    dataset.BitsStored = 12 if samples.itemsize == 2 else 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(samples.dtype.kind == "i")
    if codestream is None:
        dataset.PixelData = samples.tobytes()
    else:
        dataset.PixelData = encapsulate([codestream + b"\0" * (len(codestream) % 2)])
        dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB" if codestream is not None or samples.itemsize == 1 else "OW"
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def synthetic(size: int) -> list[Case]:
    """One slice and one colour frame in every syntax that can be written here."""
    grey, colour = slice_of(size), colour_of(size)
    wide = grey.view(np.uint16) & 0xFFF
    lossless = {"lossless": True, "predictor": 1, "bitspersample": 12}
    eight: Samples = (wide >> 4).astype(np.uint8)
    plain = written(grey, ExplicitVRLittleEndian, None, "MONOCHROME2")
    rle = pydicom.dcmread(io.BytesIO(plain))
    rle.compress("1.2.840.10008.1.2.5")
    file = io.BytesIO()
    rle.save_as(file)
    jpeg: Callable[..., Any] = imagecodecs.jpeg8_encode
    j2k: dict[str, Any] = {"codecformat": "j2k", "reversible": True}
    encoded: list[tuple[str, Samples, str, Any, str]] = [
        ("explicit", grey, "1", None, "MONOCHROME2"),
        ("JPEG extended, 12 bits", wide, "4.51", jpeg(wide, 95, bitspersample=12), "MONOCHROME2"),
        ("JPEG baseline, 8 bits", eight, "4.50", jpeg(eight, 95), "MONOCHROME2"),
        ("JPEG lossless SV1", grey, "4.70", jpeg(wide, **lossless), "MONOCHROME2"),
        ("JPEG-LS", grey, "4.80", imagecodecs.jpegls_encode(wide), "MONOCHROME2"),
        ("JPEG-LS near", grey, "4.81", imagecodecs.jpegls_encode(wide, level=2), "MONOCHROME2"),
        ("JPEG 2000", grey, "4.90", imagecodecs.jpeg2k_encode(grey, bitspersample=12, **j2k), "MONOCHROME2"),
        ("JPEG 2000 lossy", grey, "4.91", imagecodecs.jpeg2k_encode(grey, level=60, codecformat="j2k"), "MONOCHROME2"),
        ("HTJ2K", grey, "4.201", imagecodecs.htj2k_encode(grey, reversible=True), "MONOCHROME2"),
        ("explicit, colour", colour, "1", None, "RGB"),
        ("JPEG baseline, colour", colour, "4.50", jpeg(colour, 90, subsampling="422"), "YBR_FULL_422"),
        ("JPEG 2000, colour", colour, "4.90", imagecodecs.jpeg2k_encode(colour, **j2k), "YBR_RCT"),
    ]  # fmt: skip
    cases = [
        Case(
            name,
            written(
                samples,
                f"1.2.840.10008.1.2.{syntax}",
                None if codestream is None else bytes(codestream),
                photometric,
            ),
        )
        for name, samples, syntax, codestream, photometric in encoded
    ]
    return [cases[0], Case("RLE", file.getvalue()), *cases[1:]]


def real() -> list[Case]:
    """Files of pydicom-data, where it is installed."""
    try:
        import data_store
    except ImportError:
        return []
    folder = Path(data_store.__file__).parent / "data"
    names = (
        "MR2_UNCR.dcm",
        "MR2_J2KR.dcm",
        "RG3_J2KR.dcm",
        "JPEG-LL.dcm",
        "OBXXXX1A_rle.dcm",
        "color3d_jpeg_baseline.dcm",
    )
    return [Case(name, (folder / name).read_bytes()) for name in names]
