"""An image with its masks, and how many of them are split into what is trained on and what is held out."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from pycocotools import mask as coco

from models.imaging import Source
from schemas.base import Split as GivenSplit
from schemas.failures import TristreamError
from schemas.images import Modality

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]


class BadDataset(TristreamError):
    """Training data that cannot be used.

    It names the file: it is shown to the person who trains, and nowhere else.
    """


@dataclass(frozen=True, slots=True)
class Example:
    """One image and, for each label, a mask of 0 and 1, uint8 (rows, columns).

    `values`: float32 (rows, columns), or (rows, columns, 3) in RGB, in `unit`. `group`: of the patient where it is
    known, else of the study, series or object; kept in memory alone, since it can name a person. `split`: the
    collection's own, where it has one.
    """

    name: str
    group: str = field(repr=False)
    values: FloatImage = field(repr=False)
    unit: str
    masks: Mapping[str, BinaryImage] = field(repr=False)
    inverted: bool = False
    modality: Modality = "unknown"
    organ: str | None = None
    split: GivenSplit | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples that are read when they are asked for, the same ones in the same order each time.

    `files` counts what `read` will go through. `modality`, `organ` and `unit` are what the folder says of all of them.
    """

    kind: str
    labels: tuple[str, ...]
    files: int
    read: Callable[[], Iterator[Example]] = field(repr=False)
    modality: Modality | None = None
    organ: str | None = None
    unit: str | None = None
    source: str | None = None
    """Who made and marked the images, and by which licence, where the folder says it."""


def together(first: Dataset, second: Dataset) -> Dataset:
    """Both, one after the other; groups of one are none of the other's. What the folder says is what `first` says.

    Raises:
        BadDataset: their labels differ.
    """
    if set(first.labels) != set(second.labels):
        raise BadDataset(f"one set marks {', '.join(first.labels)}, the other {', '.join(second.labels)}")

    def read() -> Iterator[Example]:
        for number, one in enumerate((first, second)):
            for example in one.read():
                yield replace(example, group=f"{number} {example.group}", unit=first.unit or example.unit)

    return replace(first, files=first.files + second.files, read=read, source=second.source)


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of examples: to train on, to choose the best epoch by, and held out for the card."""

    training: tuple[int, ...]
    validation: tuple[int, ...]
    held_out: tuple[int, ...]


def split(
    groups: Sequence[str],
    seed: int,
    validation: float = 0.15,
    held_out: float = 0.15,
    given: Sequence[GivenSplit | None] = (),
) -> Split:
    """Whole groups are shared out, so that no patient is on both sides. The same seed and groups give the same split.

    Args:
        groups: of each example.
        seed: of the order of the groups.
        validation: part of the groups, at least one.
        held_out: as `validation`.
        given: the collection's own split of each example. What it tests on or validates on is held out or validated
            on here, with all of its group; if that is fewer than the parts say, the rest fills them.

    Raises:
        BadDataset: there are fewer than three groups, or none is left to train on.
    """
    names = sorted(set(groups))
    if len(names) < 3:
        raise BadDataset(
            f"the images are of {len(names)} patients or objects: at least 3 are needed, to train, choose and test"
        )
    random.Random(seed).shuffle(names)  # noqa: S311  # no secret
    told = set(zip(groups, given, strict=True)) if given else set()
    part: dict[str, str] = {}
    for which, share in (("test", held_out), ("validation", validation)):
        own = [name for name in names if name not in part and (name, which) in told]
        free = [name for name in names if name not in part and not {(name, "test"), (name, "validation")} & told]
        part |= dict.fromkeys(own + free[: max(0, max(1, round(share * len(names))) - len(own))], which)
    if len(part) == len(names):
        raise BadDataset("the parts that are held out leave no image to train on")
    wanted = (None, "validation", "test")
    indices = [tuple(at for at, group in enumerate(groups) if part.get(group) == which) for which in wanted]
    return Split(*indices)


def told_group(source: Source) -> str | None:
    """What a file says that it belongs to: DICOM's Patient ID, else its study or series. Not to be written anywhere."""
    said = source.belonging.header
    return said.patient or said.study or said.series


def decoded(size: tuple[int, int], counts: Any) -> BinaryImage:
    """A COCO run-length encoding as a mask (rows, columns)."""
    plain: Any = {"size": list(size), "counts": counts.encode() if isinstance(counts, str) else counts}
    return np.ascontiguousarray(coco.decode(plain))


def json_of(data: bytes, name: str) -> Any:
    """Raises BadDataset, which names the file."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BadDataset(f"{name}: is not JSON in UTF-8") from None
