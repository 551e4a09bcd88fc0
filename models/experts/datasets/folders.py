"""images/ and masks/: DICOM, NIfTI, PNG, JPEG or TIFF, each image with a mask of the same name before the extension."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from models.experts.datasets.examples import BadDataset, BinaryImage, Dataset, Example, json_of, told_group
from models.imaging import FramePolicy, open_source
from schemas.failures import InvalidInput
from schemas.images import Modality

DESCRIPTION = "dataset.json"
SUFFIXES = (".nii.gz", ".nii", ".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff", "")


class Described(BaseModel):
    """What dataset.json says. All fields may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    modality: Modality | None = None
    organ: str | None = None
    unit: str | None = None
    labels: dict[int, str] = {1: "region"}
    """Of each number in the masks; 0 is background. 255 alone counts as 1."""
    groups: dict[str, str] = {}
    """Patient of each image, by its name without extension."""
    source: str | None = None
    """Who made and marked them, and by which licence: for the card of what learns from them."""


def described(folder: Path) -> Described:
    """Raises BadDataset."""
    path = folder / DESCRIPTION
    if not path.exists():
        return Described()
    try:
        return Described.model_validate(json_of(path.read_bytes(), DESCRIPTION))
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadDataset(f"{DESCRIPTION}: {field or 'the whole'} does not hold what it may") from None


def open_folders(folder: Path) -> Dataset:
    """Raises BadDataset: a mask has no image, an image no mask, or dataset.json is not valid."""
    about = described(folder)
    images, masks = _by_stem(folder / "images"), _by_stem(folder / "masks")
    for name, others, what in (("images", masks, "mask"), ("masks", images, "image")):
        alone = sorted(set(images if name == "images" else masks) - set(others))
        if alone:
            raise BadDataset(f"{name}/{alone[0]}: has no {what} of that name ({len(alone)} such)")
    if not images:
        raise BadDataset("images/: holds no image")
    labels = tuple(dict.fromkeys(about.labels.values()))

    def read() -> Iterator[Example]:
        for stem, path in images.items():
            yield from _frames(path, masks[stem], stem, about)

    return Dataset(
        "image and mask folders", labels, len(images), read, about.modality, about.organ, about.unit, about.source
    )


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise BadDataset(f"{folder.name}/: is not there")
    found: dict[str, Path] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        suffix = next(suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix))
        stem = path.name[: len(path.name) - len(suffix)]
        if stem in found:
            raise BadDataset(f"{folder.name}/{path.name}: {found[stem].name} has the same name before the extension")
        found[stem] = path
    return found


def _frames(path: Path, mask: Path, stem: str, about: Described) -> Iterator[Example]:
    name = f"images/{path.name}"
    try:
        # What text is masked depends on a detector; what is learnt should not.
        source = open_source(path.read_bytes(), FramePolicy(), burned_in=None)
        frames = list(source.frames())
    except InvalidInput as error:
        raise BadDataset(f"{name}: {error}") from None
    try:
        labels = list(open_source(mask.read_bytes(), FramePolicy(), burned_in=None).frames())
    except InvalidInput as error:
        raise BadDataset(f"masks/{mask.name}: {error}") from None
    if len(labels) != len(frames):
        raise BadDataset(f"masks/{mask.name}: has {len(labels)} frames, its image {len(frames)}")
    group = about.groups.get(stem) or told_group(source) or stem
    for frame, numbers in zip(frames, labels, strict=True):
        if numbers.stored.shape != frame.stored.shape[:2]:
            raise BadDataset(f"masks/{mask.name}: is not grey, or not of its image's size")
        where = (
            (frame.metadata.plane, frame.metadata.orientation),
            (numbers.metadata.plane, numbers.metadata.orientation),
        )
        if {frame.metadata.source_format, numbers.metadata.source_format} == {"NIfTI"} and where[0] != where[1]:
            raise BadDataset(f"masks/{mask.name}: lies another way than its image")
        yield Example(
            name=name if len(frames) == 1 else f"{name} frame {frame.index}",
            group=group,
            values=frame.values,
            unit=about.unit or frame.unit,
            masks=_masks(numbers.values, about.labels, mask.name),
            inverted=frame.inverted,
            modality=about.modality or frame.metadata.modality,
            organ=about.organ or frame.metadata.organ,
        )


def _masks(
    values: np.ndarray[Any, np.dtype[np.float32]], labels: Mapping[int, str], name: str
) -> dict[str, BinaryImage]:
    numbers = np.rint(values).astype(np.int64)
    present = set(np.unique(numbers).tolist()) - {0}
    if present == {255} and 255 not in labels:
        numbers, present = np.minimum(numbers, 1), {1}
    if unknown := sorted(present - set(labels)):
        raise BadDataset(f"masks/{name}: holds the number {unknown[0]}, which {DESCRIPTION} gives no label")
    found = {label: np.zeros(numbers.shape, np.uint8) for label in labels.values()}
    for number in present:
        found[labels[number]] |= (numbers == number).astype(np.uint8)
    return found
