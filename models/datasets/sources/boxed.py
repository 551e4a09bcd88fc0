"""Collections whose boxes and values no table tells plainly: DeepLesion, BHX over CQ500, and the XML of Pascal VOC."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from defusedxml import ElementTree
from pydicom.errors import InvalidDicomError

from models.datasets.sources.collections import Collection
from models.datasets.sources.ct import ct_file
from models.datasets.sources.found import Found, LeftOut, WrongLayout
from models.datasets.sources.tables import lines_of, rows_of

LESIONS = {
    "1": "bone lesion", "2": "abdominal lesion", "3": "mediastinal lesion", "4": "liver lesion", "5": "lung lesion",
    "6": "kidney lesion", "7": "lesion", "8": "pelvic lesion",
}  # fmt: skip
"""DeepLesion's coarse types, which validation and test images alone have (-1: none is told); 7 is of soft tissue."""
HU_OFFSET = 32768
"""Of DeepLesion's PNG: HU = value - 32768."""
_NOTHING = "the collection marks nothing on it"
_SPLITS = {"1": "train", "2": "validation", "3": "test"}
_BHX = ("3_Extrapolation_to_Selected_Series.csv", "2_Extrapolation_to_All_Series.csv", "1_Initial_Manual_Labeling.csv")
_VOC_SPLITS = {"train": "train", "val": "validation", "test": "test"}


def deep_lesion(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Images_png/000001_01_01/109.png, of 16 bits, and DL_info.csv; slices without a mark are left.

    Each becomes a DICOM file, which says that its values are HU, as no PNG can.

    Raises:
        WrongLayout: DL_info.csv is not there or lacks a column, or no slice that it names is.
    """
    columns = ("File_name", "Patient_index", "Study_index", "Series_ID", "Bounding_boxes", "Spacing_mm_px_")
    rows: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(
        root, "DL_info.csv", (*columns, "DICOM_windows", "Coarse_lesion_type", "Train_Val_Test"), collection
    ):
        rows[row["File_name"]].append(row)
    seen = 0
    for path in sorted(root.glob("**/*_*_*/*.png")):
        told = rows.get(f"{path.parent.name}_{path.name}")
        if told is None:
            yield LeftOut(path, _NOTHING)
            continue
        seen += 1
        first = told[0]
        study = f"{first['Patient_index']}/{first['Study_index']}"
        said = collection.said(
            patient=first["Patient_index"],
            study=study,
            series=f"{study}/{first['Series_ID']}",
            split=_SPLITS.get(first["Train_Val_Test"]),
            boxes=[box for row in told if (box := _lesion(row)) is not None],
        )
        yield Found(path, f"{path.parent.name}/{path.stem}.dcm", said, draw=partial(_slice, path, first))
    if not seen:
        raise WrongLayout(f"{collection.title} has slices as Images_png/000001_01_01/109.png, and none was found")


def _lesion(row: Mapping[str, str]) -> dict[str, Any] | None:
    corners = _numbers(row["Bounding_boxes"])
    if len(corners) != 4:
        return None
    box = _box(corners[0], corners[1], corners[2] - corners[0], corners[3] - corners[1])
    return box and {**box, "label": LESIONS.get(row["Coarse_lesion_type"], "lesion")}


def _slice(path: Path, row: Mapping[str, str]) -> bytes:
    values: Any = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 2:
        raise ValueError("not a grey PNG of 16 bits")
    spacing, window = _numbers(row["Spacing_mm_px_"]), _numbers(row["DICOM_windows"])
    return ct_file(
        values,
        intercept=-HU_OFFSET,
        spacing=(spacing[1], spacing[0]),
        window=(window[0], window[1]) if window else None,
    )


def bhx(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """CQ500's DICOM files with one of BHX's tables beside or above them, found by SOP Instance UID.

    Raises:
        WrongLayout: no table of BHX is there, or no DICOM file that it names.
    """
    name = next((one for one in _BHX if any(root.glob(f"**/{one}"))), None)
    if name is None:
        raise WrongLayout(f"{collection.title} comes with {_BHX[0]}, and none of its tables is below the folder")
    boxes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(root, name, ("SOPInstanceUID", "data", "labelName"), collection):
        if (box := _drawn_by_hand(row["data"])) is not None:
            label = row["labelName"].lower()
            boxes[row["SOPInstanceUID"]].append({**box, "label": f"{label} haemorrhage"})
    seen = 0
    for path in sorted(root.glob("**/*.dcm")):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"])
        except (InvalidDicomError, OSError):
            yield LeftOut(path, "not a DICOM file")
            continue
        marked = boxes.get(str(header.get("SOPInstanceUID", "")))
        if marked is None:
            yield LeftOut(path, _NOTHING)
            continue
        seen += 1
        yield Found(path, path.relative_to(root).as_posix(), collection.said(boxes=marked))
    if not seen:
        raise WrongLayout(f"{collection.title} marks CQ500's DICOM files, and none that {name} names was found")


def _drawn_by_hand(text: str) -> dict[str, int] | None:
    """A box as BHX writes it: a Python dictionary; other marks (lines, none) give None."""
    try:
        told = ast.literal_eval(text)
        return _box(*(float(told[name]) for name in ("x", "y", "width", "height")))
    except (ValueError, SyntaxError, KeyError, TypeError):
        return None


def voc(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """JPEGImages with Annotations of the same name (Pascal VOC), and ImageSets/Main for the splits.

    Raises:
        WrongLayout: there is no picture in JPEGImages.
    """
    splits = {
        line.strip(): split
        for name, split in _VOC_SPLITS.items()
        for path in root.glob(f"**/ImageSets/Main/{name}.txt")
        for line in lines_of(path, collection)
    }
    pictures = sorted(root.glob("**/JPEGImages/*.jpg"))
    if not pictures:
        raise WrongLayout(f"{collection.title} has its pictures in JPEGImages, and none is below the folder")
    for path in pictures:
        marks = path.parents[1] / "Annotations" / f"{path.stem}.xml"
        if not marks.is_file():
            yield LeftOut(path, _NOTHING)
            continue
        try:
            boxes = list(_objects(marks))
        except (ElementTree.ParseError, ValueError):
            yield LeftOut(path, "its annotation cannot be read")
            continue
        said = collection.said(split=splits.get(path.stem), boxes=boxes)
        yield Found(path, path.relative_to(root).as_posix(), said)


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """Boxes of a VOC file. Its pixels count from 1, and the last one is within."""
    root = ElementTree.parse(path).getroot()
    for one in root.iter("object") if root is not None else ():
        edges = [float(one.findtext(f"bndbox/{name}") or "nan") for name in ("xmin", "ymin", "xmax", "ymax")]
        left, top, right, bottom = edges
        # Some tools count from 0: a 0 there is the first pixel too.
        box = _box(max(left - 1, 0), max(top - 1, 0), right - max(left - 1, 0), bottom - max(top - 1, 0))
        if box is not None:
            yield {**box, "label": one.findtext("name") or "annotated region"}


def _rows(root: Path, name: str, columns: tuple[str, ...], collection: Collection) -> Iterator[dict[str, str]]:
    path = next(iter(sorted(root.glob(f"**/{name}"))), None)
    if path is None:
        raise WrongLayout(f"{collection.title} comes with {name}, which is not below the folder")
    yield from rows_of(path, columns, collection)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",") if part.strip()]


def _box(x: float, y: float, width: float, height: float) -> dict[str, int] | None:
    """In whole pixels, cut at the left and upper edge; None where nothing is left of it."""
    left, top = max(round(x), 0), max(round(y), 0)
    right, bottom = round(x + width), round(y + height)
    if right <= left or bottom <= top:
        return None
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}
