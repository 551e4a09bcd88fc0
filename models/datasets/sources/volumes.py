"""Volumes with masks: nnU-Net's raw folders and those of the Medical Segmentation Decathlon, which they grew from.

Images lie in imagesTr and imagesTs, masks in labelsTr and labelsTs under the same name; dataset.json names labels and
channels. nnU-Net has one file a channel (`case_0000.nii.gz`), the Decathlon one for all.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Found, LeftOut, MaskPart, WrongFile, WrongLayout

SUFFIXES = (".nii.gz", ".nii")
_CHANNEL = re.compile(r"_(\d{4})$")
_SPLITS = {"imagesTr": "train", "imagesTs": "test", "imagesVal": "validation", "imagesVa": "validation"}
_BACKGROUND = "0"


def find(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Every volume below a folder, one channel after the other.

    Raises:
        WrongLayout: there is no imagesTr, or dataset.json is none.
    """
    if not (root / "imagesTr").is_dir():
        raise WrongLayout(f"{collection.title} has its images in imagesTr, which is not in the folder")
    described = _described(root)
    labels = _labels(described) or collection.labels
    by_channel = _by_channel(root)
    for folder, split in _SPLITS.items():
        for path in sorted((root / folder).glob("*")):
            suffix = next((one for one in SUFFIXES if path.name.endswith(one)), None)
            if suffix is None or path.name.startswith("."):
                if not path.name.startswith("."):
                    yield LeftOut(path, "not a NIfTI file")
                continue
            stem = path.name.removesuffix(suffix)
            channel = _CHANNEL.search(stem) if by_channel else None
            case = stem[: channel.start()] if channel else stem
            mask = root / folder.replace("images", "labels") / f"{case}{suffix}"
            modality = collection.modality_of(path.name)
            if modality is None and not collection.modalities:
                modality = _modality(described, channel[1] if channel else "0")
            sidecar = collection.said(modality=modality, patient=case, split=split, series=stem)
            masks = (MaskPart(mask, labels=labels),) if mask.is_file() and labels else ()
            without = (
                () if masks or split == "test" else (f"a mask in {mask.parent.name}, or a dataset.json with labels",)
            )
            yield Found(path, path.relative_to(root).as_posix(), sidecar, masks, without=without)


def _by_channel(root: Path) -> bool:
    """Whether the four digits that names end with are a channel's, as nnU-Net has them, and not a case's (AMOS)."""
    stems = {folder: {_stem(path) for path in (root / folder).glob("*.nii*")} for folder in ("imagesTr", "labelsTr")}
    if stems["labelsTr"]:
        return not stems["imagesTr"] & stems["labelsTr"]
    return any(stem.endswith("_0000") for stem in stems["imagesTr"])


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


def _described(root: Path) -> Mapping[str, Any]:
    path = root / "dataset.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_bytes())
    except ValueError:
        raise WrongFile("dataset.json is not JSON to its end") from None
    if not isinstance(found, dict):
        raise WrongFile("dataset.json holds no object")
    return found  # pyright: ignore[reportUnknownVariableType]


def _labels(described: Mapping[str, Any]) -> dict[str, str]:
    """Names by number: version 1 has numbers first, version 2 names; a region of several numbers is none of them."""
    found: dict[str, str] = {}
    for key, value in dict(described.get("labels") or {}).items():
        number, name = (key, value) if str(key).isdigit() else (value, key)
        if isinstance(number, int | str) and str(number).isdigit() and str(number) != _BACKGROUND:
            found[str(number)] = str(name)
    return found


def _modality(described: Mapping[str, Any], channel: str) -> str | None:
    names = dict(described.get("channel_names") or described.get("modality") or {})
    name = str(names.get(str(int(channel)), ""))
    if re.search(r"\bCT\b", name):
        return "CT"
    if re.search(r"\bPET\b", name):
        return "PET"
    return "MR" if re.search(r"MR|T1|T2|FLAIR|ADC|DWI", name, re.IGNORECASE) else None
