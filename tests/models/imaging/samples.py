"""What tests of imaging are made with: where pydicom's own files lie, and whether their peer is there."""

import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import data_store
import numpy as np
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

DATA = Path(pydicom.__file__).parent / "data"
MORE_DATA = Path(data_store.__file__).parent / "data"
MakeDicom = Callable[..., bytes]
Sample = Callable[[str], bytes]

# On CI the peer must be there: a test that skips itself proves nothing.
needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmj2pnm") is None and os.environ.get("CI") != "true", reason="DCMTK is not installed"
)


def with_octets(data: bytes, **values: bytes) -> bytes:
    """A DICOM file with values as they are given, which pydicom itself would not write."""
    dataset = pydicom.dcmread(BytesIO(data))
    for keyword, value in values.items():
        padded = value + b" " * (len(value) % 2)
        tag = Tag(tag_for_keyword(keyword) or 0)
        dataset[tag] = RawDataElement(tag, dictionary_VR(tag), len(padded), padded, 0, False, True)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def with_private(data: bytes, group: int, creator: str, values: dict[int, tuple[str, object]]) -> bytes:
    """A DICOM file with private elements."""
    dataset = pydicom.dcmread(BytesIO(data))
    block = dataset.private_block(group, creator, create=True)
    for last, (vr, value) in values.items():
        block.add_new(last, vr, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def distinct_copies(folder: Path, count: int) -> Path:
    """Small slices in a new folder, each of other pixels, so that each is an object and a triplet of its own."""
    folder.mkdir()
    source = pydicom.dcmread(DATA / "test_files" / "CT_small.dcm")
    for number in range(count):
        pixels = source.pixel_array.copy()
        pixels[0, :2] = divmod(number, 256)
        source.PixelData = pixels.tobytes()
        source.save_as(folder / f"{number:03}.dcm")
    return folder


def characters_shown(burned: np.ndarray, clean: np.ndarray, labels: np.ndarray) -> set[int]:
    """Characters that differ from what is behind them: white on white is no text."""
    difference = np.abs(burned.astype(int) - clean.astype(int)).reshape(*labels.shape, -1).max(axis=2)
    return {label for label in range(1, labels.max() + 1) if difference[labels == label].mean() >= 20}


def characters_covered(mask: np.ndarray, labels: np.ndarray) -> set[int]:
    """Characters of whose ink nine tenths or more are masked."""
    return {label for label in range(1, labels.max() + 1) if mask[labels == label].mean() >= 0.9}
