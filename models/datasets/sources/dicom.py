"""Collections of DICOM files, from IDC and TCIA: each file says what it is, and a manifest beside them whose it is.

Manifests are tables of series: what idc-index's `index` gives as CSV (`SeriesInstanceUID`, `collection_id`,
`source_DOI`, `license_short_name`), the metadata.csv of TCIA's retriever, and what TCIA's API tells of series.
"""

import csv
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import WrongLayout

MANIFESTS = ("*.csv", "*.tsv")
_SERIES = ("SeriesInstanceUID", "Series UID", "Series Instance UID")
_COLLECTION = ("collection_id", "Collection", "Collection Name")
_LICENCE = ("license_short_name", "License Name", "LicenseName")
_PAGE = ("source_DOI", "Data Description URI")
_WORDS = {
    "attribution": "BY", "noncommercial": "NC", "noderivs": "ND", "noderivatives": "ND", "sharealike": "SA",
}  # fmt: skip
_VERSION = re.compile(r"\b\d\.\d\b")
_SHORT = re.compile(r"CC[ -](BY(?:-(?:NC|ND|SA|NC-SA|NC-ND))?)[ -](\d\.\d)", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """What a manifest says of a series; empty where it does not."""

    collection: str = ""
    licence: str = ""


def files_of(root: Path, collection: Collection) -> list[Path]:
    """The DICOM files below a folder.

    Raises:
        WrongLayout: there is none.
    """
    found = [path for path in sorted(root.rglob("*")) if path.is_file() and _is_dicom(path)]
    if not found:
        raise WrongLayout(f"{collection.title} is of DICOM files, and none is in the folder")
    return found


def sidecar_of(path: Path, collection: Collection, manifest: Mapping[str, Said]) -> dict[str, Any]:
    """What is said of a file: of all files of the collection, or of its series where a manifest tells."""
    said = manifest.get(_series(path), Said()) if manifest else Said()
    source = f"{collection.title}: {said.collection}" if said.collection else collection.title
    return {"source": source, "licence": said.licence or collection.licence, **collection.sidecar}


def manifest_of(root: Path) -> dict[str, Said]:
    """What the tables directly in a folder say of each series; those that name no series are passed over.

    Raises:
        WrongLayout: a table of series has a row that is cut off.
    """
    found: dict[str, Said] = {}
    for path in sorted(path for pattern in MANIFESTS for path in root.glob(pattern)):
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t" if path.suffix == ".tsv" else ",")
            series = _column(rows.fieldnames or (), _SERIES)
            if series is None:
                continue
            names, licences, pages = (
                _column(rows.fieldnames or (), of) for of in (_COLLECTION, _LICENCE, _PAGE)
            )  # fmt: skip
            for number, row in enumerate(rows, start=2):
                if not row[series]:
                    raise WrongLayout(f"{path.name}, line {number}: no {series} stands there")
                told, page = (row.get(one or "") or "" for one in (names, pages))
                found[row[series].strip()] = Said(
                    ", ".join(part.strip() for part in (told, page) if part.strip()),
                    licence_named(row.get(licences or "") or ""),
                )
    return found


def licence_named(text: str) -> str:
    """A licence by its SPDX identifier, where its name is one of Creative Commons'; else as it stands."""
    text = text.strip()
    if (short := _SHORT.fullmatch(text)) is not None:
        return f"CC-{short[1].upper()}-{short[2]}"
    if text.lower().startswith("creative commons attribution") and (version := _VERSION.search(text)):
        said = [_WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _WORDS]
        return f"CC-{'-'.join(said)}-{version[0]}"
    return text


def _column(there: Any, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in there), None)


def _series(path: Path) -> str:
    """Of a file that begins as DICOM; empty where it cannot be read, which preprocess will say."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"])
        return str(header.get("SeriesInstanceUID", ""))
    except (OSError, ValueError, KeyError, AttributeError, EOFError, struct.error, InvalidDicomError):
        return ""


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
