"""Examples as arrays of one size on the disk, read once: what is bad is found before anything is learnt."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.experts.datasets import BadDataset, Dataset, Example
from models.experts.training.settings import Normalisation, Subject
from models.experts.training.unet import Normalise
from schemas.base import Split
from schemas.images import Modality


@dataclass(frozen=True, slots=True)
class Prepared:
    """Normalised images, float32 (n, channels, side, side), each at the upper left; masks, uint8, as many a label."""

    images: npt.NDArray[np.float32] = field(repr=False)
    masks: npt.NDArray[np.uint8] = field(repr=False)
    sizes: tuple[tuple[int, int], ...] = field(repr=False)
    groups: tuple[str, ...] = field(repr=False)
    splits: tuple[Split | None, ...]
    labels: tuple[str, ...]
    unit: str
    modality: Modality
    organ: str | None
    normalisation: Normalisation
    areas: dict[str, tuple[int, ...]] = field(repr=False)
    """For each label the areas of its connected parts, px of the images as they came."""
    most: dict[str, int]
    """For each label the most parts in one image."""
    digest: str

    def inside(self, index: int) -> Tensor:
        """1 where there is image, 0 where it was padded; bool (1, side, side)."""
        side = self.images.shape[-1]
        found = torch.zeros((1, side, side), dtype=torch.bool)
        found[:, : self.sizes[index][0], : self.sizes[index][1]] = True
        return found


def prepare(
    dataset: Dataset, folder: Path, side: int, subject: Subject, tell: Callable[[int], None] = lambda _: None
) -> Prepared:
    """Read all examples and write them into `folder`.

    Raises:
        BadDataset: an image or mask cannot be read, images differ in unit, channels or modality, the modality is not
            known, or nothing is marked.
    """
    first: Example | None = None
    how: Normalisation | None = None
    sizes: list[tuple[int, int]] = []
    groups: list[str] = []
    splits: list[Split | None] = []
    areas: dict[str, list[int]] = {label: [] for label in dataset.labels}
    most = dict.fromkeys(dataset.labels, 0)
    digest = hashlib.sha256(repr((dataset.labels, side)).encode())
    channels, modality = 1, subject.modality
    with (folder / "images.raw").open("wb") as images, (folder / "masks.raw").open("wb") as masks:
        for example in dataset.read():
            if first is None or how is None:
                first, channels = example, 3 if example.values.ndim == 3 else 1
                how = Normalisation.fit(example.unit, channels)
                modality = modality or example.modality
                if modality == "unknown":
                    raise BadDataset("the images do not tell their modality: say it with --modality")
            _same(first, example)
            image = _normalised(example, how, side)
            marked = _masks(example, dataset.labels, side)
            for label in dataset.labels:
                parts = cv2.connectedComponentsWithStats(example.masks[label])[2][1:, cv2.CC_STAT_AREA]
                areas[label] += [int(area) for area in parts]
                most[label] = max(most[label], len(parts))
            sizes.append((image.shape[1], image.shape[2]))
            groups.append(example.group)
            splits.append(example.split)
            square = np.zeros((channels, side, side), np.float32)
            square[:, : image.shape[1], : image.shape[2]] = image
            for data, file in ((square.tobytes(), images), (marked.tobytes(), masks)):
                file.write(data)
                digest.update(data)
            tell(len(sizes))
    if first is None or how is None or modality is None:
        raise BadDataset("there is no image")
    if unmarked := [label for label in dataset.labels if not areas[label]]:
        raise BadDataset(f"nothing is marked as {unmarked[0]!r} in any image: take the label away, or mark it")
    shape = (len(sizes), channels, side, side)
    return Prepared(
        images=np.memmap(folder / "images.raw", np.float32, "r", shape=shape),
        masks=np.memmap(folder / "masks.raw", np.uint8, "r", shape=(len(sizes), len(dataset.labels), side, side)),
        sizes=tuple(sizes),
        groups=tuple(groups),
        splits=tuple(splits),
        labels=dataset.labels,
        unit=first.unit,
        modality=modality,
        organ=subject.organ or dataset.organ or first.organ,
        normalisation=how,
        areas={label: tuple(found) for label, found in areas.items()},
        most=most,
        digest=digest.hexdigest(),
    )


def _same(first: Example, one: Example) -> None:
    told = (
        ("channels", 3 if first.values.ndim == 3 else 1, 3 if one.values.ndim == 3 else 1),
        ("unit", first.unit, one.unit),
        ("modality", first.modality, one.modality),
    )
    for what, here, there in told:
        if here != there:
            raise BadDataset(f"{one.name}: its {what} is {there}, that of {first.name} {here}; keep them apart")


def _normalised(example: Example, how: Normalisation, side: int) -> npt.NDArray[np.float32]:
    values = -example.values if example.inverted and how.kind == "z-score" else example.values
    rows, columns = values.shape[:2]
    scale = min(1.0, side / max(rows, columns))
    if scale < 1:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        values = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
    if not np.isfinite(values).all():
        raise BadDataset(f"{example.name}: holds values that are no numbers")
    planes = np.ascontiguousarray(np.atleast_3d(values).transpose(2, 0, 1)[None], np.float32)
    return Normalise(how)(torch.from_numpy(planes))[0].numpy()


def _masks(example: Example, labels: tuple[str, ...], side: int) -> npt.NDArray[np.uint8]:
    found = np.zeros((len(labels), side, side), np.uint8)
    for at, label in enumerate(labels):
        mask = example.masks[label]
        rows, columns = mask.shape
        scale = min(1.0, side / max(rows, columns))
        if scale < 1:
            size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
            mask = (cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) >= 0.5).astype(np.uint8)
        found[at, : mask.shape[0], : mask.shape[1]] = mask
    return found
