"""Samples: pydicom's own files, and small DICOM objects made here."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import DataElement, Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from benchmarks.deidentify import NamedBySamples, remembering
from models.imaging import burned_in
from tests.models.imaging.samples import DATA, MORE_DATA, MakeDicom


@pytest.fixture(scope="module", autouse=True)
def pictures_are_looked_at_once() -> Iterator[None]:
    """Text in the same picture is the same each time, and looking for it is most of the time that these tests take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(burned_in, "find_text", remembering(burned_in.find_text))
        patch.setattr(burned_in, "Clip", NamedBySamples)
        yield


@pytest.fixture
def sample() -> Callable[[str], bytes]:
    """The bytes of one of pydicom's files, by name."""

    def read(name: str) -> bytes:
        found = [path for path in (DATA / "test_files" / name, MORE_DATA / name) if path.exists()]
        return found[0].read_bytes()

    return read


@pytest.fixture
def make_dicom() -> MakeDicom:
    """Write a DICOM object around an array; keywords set elements, delete them by None, or give them whole."""

    def make(array: np.ndarray, *, syntax: UID = ExplicitVRLittleEndian, **elements: Any) -> bytes:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        dataset.SOPInstanceUID = "1.2.3"
        dataset.Modality = "CT"
        colour = array.shape[-1] == 3
        dataset.SamplesPerPixel = 3 if colour else 1
        dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
        if colour:
            dataset.PlanarConfiguration = 0
        planes = array.shape[:-1] if colour else array.shape
        if len(planes) == 3:
            dataset.NumberOfFrames = planes[0]
        dataset.Rows, dataset.Columns = planes[-2:]
        dataset.BitsAllocated = dataset.BitsStored = array.dtype.itemsize * 8
        dataset.HighBit = dataset.BitsStored - 1
        if array.dtype.kind == "f":
            dataset.FloatPixelData = array.tobytes()
        else:
            dataset.PixelRepresentation = int(array.dtype.kind == "i")
            dataset.PixelData = array.tobytes() + b"\0" * (array.nbytes % 2)
            dataset["PixelData"].VR = "OW" if array.dtype.itemsize > 1 else "OB"
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            elif isinstance(value, DataElement):
                dataset.add(value)
            else:
                setattr(dataset, keyword, value)
        file = BytesIO()
        pydicom.dcmwrite(file, dataset, enforce_file_format=True)
        return file.getvalue()

    return make
