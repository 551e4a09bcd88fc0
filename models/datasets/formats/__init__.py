"""Formats that examples are written in, each readable by its own library without code of ours."""

from collections.abc import Callable, Mapping
from pathlib import Path

from models.datasets.formats.base import Example as Example
from models.datasets.formats.base import JsonObject as JsonObject
from models.datasets.formats.base import Writer as Writer
from models.datasets.formats.coco import Coco
from models.datasets.formats.imagefolder import ImageFolder
from models.datasets.formats.llava import Llava
from models.datasets.formats.swift import Swift
from models.datasets.formats.webdataset import WebDataset


def _parquet(folder: Path) -> Writer:
    from models.datasets.formats.parquet import Parquet  # pyarrow takes its time, and only here is it used

    return Parquet(folder)


def _dicom(folder: Path) -> Writer:
    from models.datasets.formats.dicom import Dicom

    return Dicom(folder)


def _nifti(folder: Path) -> Writer:
    from models.datasets.formats.nifti import Nifti

    return Nifti(folder)


FORMATS: Mapping[str, Callable[[Path], Writer]] = {
    "parquet": _parquet,
    "llava": Llava,
    "swift": Swift,
    "webdataset": WebDataset,
    "coco": Coco,
    "imagefolder": ImageFolder,
    "dicom": _dicom,
    "nifti": _nifti,
}
"""By the names that the command line takes."""
