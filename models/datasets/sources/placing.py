"""Found images put into a folder that the pipeline reads: links to the files, sidecars and masks beside them."""

import contextlib
import gzip
import io
import json
import os
import shutil
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom.errors import InvalidDicomError

from models.datasets.licences import Licences
from models.datasets.sources import arrays, boxed, dicom, files, listed, slides, texts, volumes
from models.datasets.sources.collections import Collection
from models.datasets.sources.found import Drawn, Find, Found, LeftOut, MaskPart
from models.datasets.sources.outlines import SUFFIXES, drawn, outlines_of
from models.datasets.sources.source_texts import SourceTexts
from models.datasets.sources.unpacked import unpacked
from models.imaging import encode_png

MASKS = ".masks"
CONVERTED = (".gif", ".bmp", ".ppm", ".ppm.gz")
"""Pictures that the pipeline does not read, and that become PNG."""
LOSSY = (".jpg", ".jpeg")
WHITE = (2**8 - 1, 2**16 - 1)
"""Of masks in black and white, whose edges may be grey."""
MOST_LABELS = 255
UNREADABLE = (OSError, ValueError, EOFError, zlib.error, InvalidDicomError, AttributeError, KeyError, struct.error)
"""What libraries raise of pictures and masks that are damaged or cut off."""


@dataclass(frozen=True)
class Placed:
    """One image that is ready, or was; or a file that was left out and why."""

    path: Path
    new: bool = True
    reason: str = ""
    without: Sequence[str] = ()
    """As of what was found: a mask, a row of a table."""


def place(root: Path, collection: Collection, out: Path, licences: Licences | None = None) -> Iterator[Placed]:
    """Put a collection's images into a folder, one after the other; what is there already is passed by.

    Masks come before their sidecar and that before the image, so that a watched folder takes each image up once, with
    what is said of it. An image without a sidecar was broken off and is made anew.

    Args:
        root: where the collection lies, as it was unpacked.
        collection: which.
        out: a folder outside of it.
        licences: of series that a manifest tells the licence of: others are left out. None: all.

    Raises:
        WrongLayout: the folder is not laid out as the collection is.
    """
    if collection.adapter == "dicom":
        yield from _place_dicom(root, collection, out, licences or Licences())
        return
    said = SourceTexts(out)
    for one in unpacked(root, collection, _adapter(collection)):
        if isinstance(one, LeftOut):
            yield Placed(one.path, False, one.reason)
            continue
        target = out / one.name
        if (suffix := _converted(target)) is not None:
            target = target.with_name(f"{target.name[: -len(suffix)]}.png")
        sidecar_path = target.with_name(f"{target.name}.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and _stands(one, target, sidecar_path):
            _tell(one, target, out, said)
            yield Placed(target, False, without=one.without)
            continue
        # Both may be links to one file, and to rename one to the other does nothing then.
        target.unlink(missing_ok=True)
        ready = target.with_name(f".{target.name}.part")
        sidecar = dict(one.sidecar)
        try:
            if one.draw is not None:
                _put_drawn(one.draw(), ready, target.name, sidecar)
            else:
                _put(one.path, ready)
            if one.masks:
                _put_masks(one, target, sidecar)
        except UNREADABLE as error:
            ready.unlink(missing_ok=True)
            yield Placed(one.path, False, f"it cannot be read: {type(error).__name__}")
            continue
        _tell(one, target, out, said)
        _write(sidecar_path, sidecar)
        ready.replace(target)
        yield Placed(target, without=one.without)


def _tell(one: Found, target: Path, out: Path, said: SourceTexts) -> None:
    if one.text:
        said.add(target.relative_to(out).as_posix(), one.text)


def _stands(one: Found, target: Path, sidecar_path: Path) -> bool:
    """Whether an image was made of what is found now: a table or masks may have been unpacked since."""
    try:
        stored = json.loads(sidecar_path.read_bytes())
    except (OSError, ValueError):
        return False
    said: dict[str, Any] = json.loads(json.dumps(one.sidecar))
    if {key: value for key, value in stored.items() if key not in ("mask", "labels")} != said:
        return False
    if "mask" in stored or not one.masks:
        return True
    with contextlib.suppress(*UNREADABLE):  # Its masks may mark nothing.
        _put_masks(one, target, said)
    return "mask" not in said


def _adapter(collection: Collection) -> Find:
    return {
        "files": files.find, "volumes": volumes.find, "texts": texts.find, "pannuke": arrays.pannuke,
        "patchcamelyon": arrays.patchcamelyon, "npz": arrays.npz, "sat-ds": listed.sat_ds, "sa-med2d": listed.sa_med2d,
        "lld-mmri": listed.lld_mmri, "slides": slides.find, "deep-lesion": boxed.deep_lesion, "bhx": boxed.bhx,
        "voc": boxed.voc,
    }[collection.adapter]  # fmt: skip


def _put_drawn(drawn: Drawn | bytes, target: Path, name: str, sidecar: dict[str, Any]) -> None:
    if isinstance(drawn, bytes):
        target.write_bytes(drawn)
        return
    target.write_bytes(encode_png(drawn.pixels))
    if drawn.numbers is None or not drawn.labels:
        return
    mask = target.parent / MASKS / f"{name}.png"
    mask.parent.mkdir(exist_ok=True)
    mask.write_bytes(encode_png(drawn.numbers))
    sidecar["mask"], sidecar["labels"] = f"{MASKS}/{mask.name}", dict(drawn.labels)


def _place_dicom(root: Path, collection: Collection, out: Path, licences: Licences) -> Iterator[Placed]:
    """DICOM says for itself what it is: files are linked, and what else is said stands in each folder's defaults.

    Where a folder holds series of which other things are said, those that differ from its first get a sidecar.
    """
    files, manifest = dicom.files_of(root, collection), dicom.manifest_of(root)
    defaults: dict[Path, dict[str, Any]] = {}
    for path in files:
        said = dicom.sidecar_of(path, collection, manifest)
        if not licences.permit(said["licence"], None if manifest else collection.permits):
            yield Placed(path, False, f"licence not permitted: {said['licence']}")
            continue
        target = out / path.relative_to(root)
        if target.parent not in defaults:
            # Defaults are of the images beside them, not of those in folders below.
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target.parent / "_defaults.json", said)
            defaults[target.parent] = said
        new = not target.exists()
        if new:
            if said != defaults[target.parent]:
                _write(target.with_name(f"{target.name}.json"), said)
            ready = target.with_name(f".{target.name}.part")
            _put(path, ready)
            ready.replace(target)
        yield Placed(target, new)


def _write(path: Path, content: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _put(path: Path, target: Path) -> None:
    """A link to the same file where the disk allows one, else a copy: collections are large."""
    target.unlink(missing_ok=True)
    if _converted(path) is not None:
        with _picture(path) as picture:
            picture.convert("RGB" if picture.mode in ("P", "RGB", "RGBA") else "L").save(target, "PNG")
        return
    with contextlib.suppress(OSError):
        os.link(path.resolve(), target)
        return
    shutil.copyfile(path, target)


def _converted(path: Path) -> str | None:
    return next((suffix for suffix in CONVERTED if path.name.lower().endswith(suffix)), None)


def _picture(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(gzip.decompress(path.read_bytes())) if path.suffix == ".gz" else path)


def _put_masks(one: Found, target: Path, sidecar: dict[str, Any]) -> None:
    folder = target.parent / MASKS
    folder.mkdir(exist_ok=True)
    if one.masks[0].path.name.endswith((".nii", ".nii.gz")):
        mask = folder / one.masks[0].path.name
        _put(one.masks[0].path, mask)
        labels = dict(one.masks[0].labels)
    else:
        mask = folder / f"{target.name}.png"
        merged, labels = _merged(one.masks, one.path)
        if not labels:
            return
        Image.fromarray(merged).save(mask)
    sidecar["mask"], sidecar["labels"] = f"{MASKS}/{mask.name}", labels


def _merged(parts: Sequence[MaskPart], picture: Path) -> tuple[npt.NDArray[np.uint8], dict[str, str]]:
    """One mask of several, each label a number; where two lie over each other, the later one."""
    if parts[0].path.suffix in SUFFIXES:
        with Image.open(picture) as image:
            shape = image.height, image.width
        return drawn([one for part in parts for one in outlines_of(part.path)], shape, parts[0].label)
    merged: npt.NDArray[np.uint8] | None = None
    numbers: dict[str, int] = {}
    shape = _marks(picture).shape[:2] if any(part.crops for part in parts) else None
    for part in parts:
        values = _marks(part.path)
        if part.crops and values.shape != shape:
            continue
        if merged is None:
            merged = np.zeros(values.shape, np.uint8)
        if values.shape != merged.shape:
            raise ValueError("masks of one image are of different sizes")
        wanted = part.labels or {"": part.label}
        for number, label in wanted.items():
            inside = _inside(values, part.path) if number == "" else values == int(number)
            if inside.any():
                merged[inside] = numbers.setdefault(label, len(numbers) + 1)
    if merged is None or len(numbers) > MOST_LABELS:
        raise ValueError("no mask, or more labels than a mask holds")
    return merged, {str(number): label for label, number in numbers.items()}


def _inside(values: npt.NDArray[Any], path: Path) -> npt.NDArray[np.bool_]:
    """What a file marks: what is not 0, of instances that are numbered too; of black and white its brighter half."""
    brightest = values.max(initial=0)
    grey = path.suffix.lower() in LOSSY or brightest in WHITE
    return values > (brightest // 2 if grey else 0)


def _marks(path: Path) -> npt.NDArray[Any]:
    """The values of a mask file, (rows, columns)."""
    if path.suffix.lower() == ".dcm":
        return pydicom.dcmread(path).pixel_array
    with _picture(path) as marks:
        return np.asarray(marks.convert("L") if marks.mode not in ("I", "I;16", "P", "L") else marks)
