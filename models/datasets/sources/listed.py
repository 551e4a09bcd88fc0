"""Collections whose images and masks a JSON file lists: SAT-DS, SA-Med2D-20M, LLD-MMRI."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Found, LeftOut, MaskPart, WrongFile, WrongLayout
from models.datasets.sources.volumes import SUFFIXES as NIFTI
from models.imaging.nifti import as_shown
from schemas.failures import InvalidInput

NIFTI_HEAD = 544
"""Bytes that hold a header of either version."""
_SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
_MODALITIES = {
    "ct": "CT", "mr": "MR", "mri": "MR", "pet": "PET", "us": "ultrasound", "ultrasound": "ultrasound", "x": "X-ray",
    "xray": "X-ray", "x-ray": "X-ray", "endoscopy": "endoscopy", "dermoscopy": "dermoscopy",
    "fundus": "fundus photography", "microscopy": "microscopy", "histopathology": "histopathology",
}  # fmt: skip
LESIONS = (
    "hepatic haemangioma", "intrahepatic cholangiocarcinoma", "hepatic abscess", "hepatic metastasis", "hepatic cyst",
    "focal nodular hyperplasia", "hepatocellular carcinoma",
)  # fmt: skip
"""LLD-MMRI's categories from 0 on."""
_NUMBERS = {
    "ACDC": (3, 1, 2), "LUNA16": (3, 4, 5),
    **dict.fromkeys(("MM_WHS_CT", "MM_WHS_MRI"), (205, 420, 500, 550, 600, 820, 850)),
}  # fmt: skip
"""SAT-DS's names in its order, by numbers in the masks, where the n-th is not n; as its loader.py reads them."""
_OWN_NAMES = {
    "AMOS22_CT": 14, "AMOS22_MRI": 14, "BTCV": 13, "Brain_Atlas": 95, "BraTS2023_GLI": 3, "BraTS2023_MEN": 3,
    "BraTS2023_MET": 3, "BraTS2023_PED": 3, "BraTS2023_SSA": 3, "CMRxMotion": 3, "COVID19": 3, "CTPelvic1K": 4,
    "Couinaud_Liver": 8, "FLARE22": 13, "MRSpineSeg": 19, "MSD_Hippocampus": 2, "MSD_Prostate": 2, "MyoPS2020": 5,
    "PDDCA": 9, "SegRap2023_Task1": 54, "VerSe": 26, "WORD": 16,
}  # fmt: skip
"""How many of SAT-DS's names are numbers; those after them are unions, and their numbers may mean something else."""
_PATIENTS = {"ACDC": r"patient\d+", "BraTS2023": r"BraTS-[A-Z]+-\d+", "CMRxMotion": r"P\d+"}
"""What is the patient's in SAT-DS's patient_id, which tells frames and visits of one apart in these sets."""
_UNTOLD = (
    "BrainPTM", "CHAOS_MRI", "DAP_Atlas", "HAN_Seg", "NSCLC", "TotalSegmentator_Cardiac", "TotalSegmentator_Muscles",
    "TotalSegmentator_Organs", "TotalSegmentator_Ribs", "TotalSegmentator_Vertebrae", "TotalSegmentator_v2",
)  # fmt: skip
"""Sets of SAT-DS whose masks have a channel a name, or numbers that its loader alone tells: they are not taken."""


def _modality(word: str) -> str | None:
    return _MODALITIES.get(re.split(r"[_ ]", word.lower())[0])


def _below(root: Path, told: str) -> Path | None:
    """The file that a path means, wherever the collection lay when it was written."""
    parts = Path(told).parts
    for start in range(len(parts)):
        path = root.joinpath(*[part for part in parts[start:] if part not in ("/", "..")])
        if path.is_file():
            return path
    return None


def sat_ds(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """One JSON object a line: image, mask, label (names of the numbers in the mask), modality, dataset, …

    Raises:
        WrongLayout: there is no *.jsonl, or a line of one lacks `image`.
    """
    lists = sorted(root.rglob("*.jsonl"))
    if not lists:
        raise WrongLayout(f"{collection.title} lists its volumes in *.jsonl, and none is below the folder")
    for listed in lists:
        with listed.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    row: dict[str, Any] = orjson.loads(line)
                    image, mask, names = row["image"], row.get("mask"), row.get("label") or []
                except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
                    raise WrongLayout(
                        f"{listed.name}, line {number}: expected an object with image, mask and label"
                    ) from None
                path = _below(root, image)
                if path is None:
                    yield LeftOut(root / Path(image).name, "the image is not in the folder")
                    continue
                if not path.name.endswith(NIFTI):
                    yield LeftOut(path, "not a NIfTI file")
                    continue
                dataset = str(row.get("dataset") or listed.stem)
                said = collection.said(
                    source=f"{dataset} (by SAT-DS)",
                    modality=_modality(str(row.get("modality") or "")),
                    patient=f"{dataset}:{_patient(dataset, str(row.get('patient_id') or path.name))}",
                    series=f"{dataset}:{path.name}",
                    split=_SPLITS.get(str(row.get("official_split") or "")),
                )
                marks = _below(root, str(mask)) if mask else None
                labels = _labels(dataset, [str(name) for name in names])
                masks = (MaskPart(marks, labels=labels),) if marks is not None and labels else ()
                yield Found(path, path.relative_to(root).as_posix(), said, masks)


def _patient(dataset: str, told: str) -> str:
    match = re.match(next((pattern for name, pattern in _PATIENTS.items() if dataset.startswith(name)), ""), told)
    return (match and match[0]) or told


def _labels(dataset: str, names: list[str]) -> dict[str, str]:
    """Names by number."""
    if dataset in _UNTOLD:
        return {}
    numbers = _NUMBERS.get(dataset) or range(1, _OWN_NAMES.get(dataset, len(names)) + 1)
    return {str(number): name for number, name in zip(numbers, names, strict=False)}


def sa_med2d(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """SAMed2D_v1.json: masks by image; names `modality--data set--case--place.png`, classes as numbers in masks' names.

    Raises:
        WrongLayout: one of its two JSON files is not there.
    """
    listed, mapping = (_one(root, name, collection) for name in ("SAMed2D_v1.json", "SAMed2D_v1_class_mapping_id.json"))
    base = next((one for one in (root, *root.glob("*/")) if (one / "images").is_dir()), root)
    for image, masks in sorted(listed.items()):
        path = _below(base, image)
        parts = Path(image).stem.split("--")
        if path is None or len(parts) < 4:
            yield LeftOut(root / image, "the image is not in the folder, or not named as the collection's are")
            continue
        modality, dataset, case = parts[:3]
        names = _names(dict(mapping.get(dataset) or {}))
        found: list[MaskPart] = []
        for mask in masks:
            there = _below(base, mask)
            number = re.search(r"--(\d+)_\d+\.png$", mask)
            if there is not None and number is not None:
                found.append(MaskPart(there, names.get(int(number[1]), "annotated region").replace("_", " ")))
        said = collection.said(
            source=f"{dataset} (by SA-Med2D-20M)",
            modality=_modality(modality),
            patient=f"{dataset}:{case}",
            series=f"{dataset}:{case}",
        )
        yield Found(path, path.relative_to(base).as_posix(), said, found)


def _names(told: dict[str, Any]) -> dict[int, str]:
    """Classes by number, whichever of the two stands first."""
    pairs = [(key, name) if key.isdigit() else (str(name), key) for key, name in told.items()]
    return {int(number): str(name) for number, name in pairs if number.isdigit()}


def _one(root: Path, name: str, collection: Collection) -> dict[str, Any]:
    path = next(iter(sorted(root.rglob(name))), None)
    if path is None:
        raise WrongLayout(f"{collection.title} comes with {name}, which is not below the folder")
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        raise WrongLayout(f"{name} of {collection.title} is not JSON") from None
    if not isinstance(found, dict):
        raise WrongLayout(f"{name} of {collection.title} holds no object")
    return found  # pyright: ignore[reportUnknownVariableType]


def lld_mmri(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """labels/Annotation.json: Annotation_info by patient, phases with lesions' category and 2D boxes by slice.

    Volumes lie as images/<patient>/<study>/<series>.nii.gz; or renamed, with the patient first and the phase last.

    Raises:
        WrongLayout: there is no JSON file with Annotation_info, or no volume.
    """
    listed, patients = _annotated(root, collection)
    volumes = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*.nii*")) if path.is_file()}
    if not volumes:
        raise WrongLayout(f"{collection.title} is read of NIfTI volumes, and none is below the folder")
    for patient, phases in patients.items():
        for told in phases:
            phase, mine = str(told.get("phase")), _volumes_of(patient, told, volumes)
            if len(mine) != 1:
                yield LeftOut(listed, "no volume, or several, of a patient and a phase")
                continue
            try:
                lesions = list((told.get("annotation") or {}).get("lesion", {}).values())
                boxes = list(_boxes(lesions, _head(mine[0])))
                kinds = {LESIONS[int(one["category"])] for one in lesions if 0 <= int(one["category"]) < len(LESIONS)}
            except (KeyError, TypeError, AttributeError, ValueError):
                yield LeftOut(listed, "what is told of a phase is not in the collection's form")
                continue
            except (InvalidInput, OSError, EOFError, zlib.error) as error:
                yield LeftOut(mine[0], f"it cannot be read: {type(error).__name__}")
                continue
            said = collection.said(
                patient=patient,
                series=f"{patient}:{phase}",
                boxes=boxes,
                disease=kinds.pop() if len(kinds) == 1 else None,
            )
            yield Found(mine[0], mine[0].relative_to(root).as_posix(), said)


def _annotated(root: Path, collection: Collection) -> tuple[Path, dict[str, Any]]:
    for path in sorted(root.rglob("*.json")):
        try:
            document: Any = orjson.loads(path.read_bytes())
        except orjson.JSONDecodeError:
            raise WrongFile(f"{path.name} of {collection.title} is not JSON to its end") from None
        if isinstance(document, dict) and isinstance(document.get("Annotation_info"), dict):  # pyright: ignore[reportUnknownMemberType]
            return path, document["Annotation_info"]  # pyright: ignore[reportUnknownVariableType]
    raise WrongLayout(f"{collection.title} comes with a JSON file of Annotation_info, which is not below the folder")


def _volumes_of(patient: str, told: Mapping[str, Any], volumes: Mapping[str, Path]) -> list[Path]:
    name = f"/{patient}/{told.get('studyUID')}/{told.get('seriesUID')}.nii"
    return [path for at, path in volumes.items() if name in f"/{at}"] or [
        path
        for path in volumes.values()
        if path.name.startswith((f"{patient}_", f"{patient}.")) and _has_phase(path.name, str(told.get("phase")))
    ]


def _has_phase(name: str, phase: str) -> bool:
    stem = name.removesuffix(".gz").removesuffix(".nii").removesuffix("_0000")
    return stem.endswith(tuple(f"_{phase.replace(' ', between)}" for between in (" ", "_", "")))


def _head(path: Path) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        return file.read(NIFTI_HEAD)


def _boxes(lesions: list[dict[str, Any]], head: bytes) -> Iterator[dict[str, Any]]:
    """Of voxels counted in the file's own order, as boxes of what is shown."""
    for box in (box for lesion in lesions for box in (lesion.get("bbox") or {}).get("2D_box") or ()):
        left, top, right, bottom = (round(float(box[key])) for key in ("x_min", "y_min", "x_max", "y_max"))
        slice_ = int(box["slice_idx"])
        if right > left >= 0 and bottom > top >= 0:
            columns, rows, frames = as_shown(head, (left, top, slice_), (right, bottom, slice_ + 1))
            for frame in frames:
                yield {
                    "x": columns.start, "y": rows.start, "width": len(columns), "height": len(rows), "label": "lesion",
                    "frame": frame,
                }  # fmt: skip
