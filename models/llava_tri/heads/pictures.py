"""Pictures of a built data set with their labels, patients and masks, and which of them are learnt from.

A set is opened as training opens it, with the same promises; its test split stays the test split. Its other splits are
one here: a sixth of their patients choose the best epoch.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from models.datasets.cards import INDEX
from models.datasets.conversations import SPLITS
from models.datasets.index import entries
from models.datasets.splits import rank
from models.llava_tri.training.examples import SHARDS, TrainingSet
from models.llava_tri.training.settings import BadRun

CHOOSING = 1 / 6
"""Of the groups that are not for testing: the best epoch is chosen by them."""
BINS = 32
KEY = "heads"
"""Of the hash by which groups choose the best epoch, and by which a large set is thinned."""


@dataclass(frozen=True, slots=True)
class Region:
    """What is marked in a picture: its label, the kind of region, COCO's compressed run lengths."""

    label: str
    kind: str
    size: tuple[int, int]
    counts: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the set: `row` of its split; `group` is the patient, or the least that is known to belong together.

    A label that nothing tells is empty.
    """

    triplet_id: str
    test: bool
    row: int
    group: str
    source: str
    modality: str
    organ: str
    disease: str
    regions: tuple[Region, ...]
    opened: TrainingSet = field(repr=False, compare=False)

    def rgb(self) -> npt.NDArray[np.uint8]:
        """(rows, columns, 3), as the describer saw it."""
        return np.asarray(self.opened.picture_of_row(self.row))


@dataclass(frozen=True, slots=True)
class Parts:
    """Indices of pictures: to train on, to choose the best epoch by, and to test on."""

    training: tuple[int, ...]
    choosing: tuple[int, ...]
    test: tuple[int, ...]


def parts_of(pictures: Sequence[Picture]) -> Parts:
    """A sixth of the groups choose the best epoch, the first by a keyed hash; none that has a third of the images."""
    of_group: dict[str, list[int]] = defaultdict(list)
    for at, one in enumerate(pictures):
        if not one.test:
            of_group[one.group].append(at)
    most = sum(map(len, of_group.values())) / 3
    small = [name for name, some in of_group.items() if len(some) < most]
    chosen = set(sorted(small, key=lambda name: rank(KEY, name))[: max(1, round(CHOOSING * len(of_group)))])
    choosing = [at for name in chosen for at in of_group[name]]
    rest = (at for name, some in of_group.items() if name not in chosen for at in some)
    test = tuple(at for at, one in enumerate(pictures) if one.test)
    return Parts(tuple(sorted(rest)), tuple(sorted(choosing)), test)


class HeadSet:
    """A data set, opened for heads.

    Args:
        folder: of the set, with Parquet, and COCO where masks are wanted.
        cache: a folder for pictures in a form of random access.
        most: pictures to learn from and to test on, each at most; a large set is thinned by a keyed hash.

    Raises:
        BadRun: a promise of the set is broken, or it has no test split in Parquet.
    """

    def __init__(self, folder: Path, cache: Path, most: int) -> None:
        index = _index(folder)
        self.pictures: list[Picture] = []
        for split in SPLITS:
            if split == "validation" and not list((folder / SHARDS).glob("validation-*.parquet")):
                continue
            # What a model wrote is in the texts, and no text is learnt here.
            opened = TrainingSet(folder, split=split, model_written=True, cache=cache)
            self.digest = opened.digest
            regions = _regions(opened)
            rows = (row for path in opened.shards for row in _labels(path))
            self.pictures += [
                Picture(
                    row["triplet_id"], split == "test", at, told["group"], told["source"], row["modality"] or "",
                    row["organ"] or "", row["disease"] or "", tuple(regions.get(row["triplet_id"], ())), opened,
                )
                for at, row in enumerate(rows)
                if (told := index[row["triplet_id"]])
            ]  # fmt: skip
        self.all = len(self.pictures)
        self.pictures = [*self._few(most, test=False), *self._few(most, test=True)]

    def _few(self, most: int, *, test: bool) -> list[Picture]:
        ranked = sorted((one for one in self.pictures if one.test == test), key=lambda one: rank(KEY, one.triplet_id))
        kept = {one.triplet_id for one in ranked[:most]}
        return [one for one in self.pictures if one.triplet_id in kept and one.test == test]


def _index(folder: Path) -> dict[str, Any]:
    if not (folder / INDEX).is_file():
        raise BadRun(f"{folder.name!r} is no data set of `tristream dataset build`: it has no {INDEX}")
    return {entry["triplet_id"]: entry for entry in entries(folder)}


def _labels(path: Path) -> Iterator[Mapping[str, Any]]:
    yield from pq.read_table(path, columns=["triplet_id", "modality", "organ", "disease"]).to_pylist()


def _regions(opened: TrainingSet) -> dict[str, list[Region]]:
    if not (opened.folder / "coco").is_dir():
        return {}
    told = opened.regions()
    names = {one["id"]: one["name"] for one in told["categories"]}
    ids = {one["id"]: one["triplet_id"] for one in told["images"]}
    found: dict[str, list[Region]] = defaultdict(list)
    for one in told["annotations"]:
        shape = one["segmentation"]
        region = Region(names[one["category_id"]], one["kind"], tuple(shape["size"]), shape["counts"])
        found[ids[one["image_id"]]].append(region)
    return found


def squares(pictures: Sequence[Picture], side: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Pictures as squares, (n, 3, side, side), and of each what can be told without looking at what it shows.

    The latter are logarithms of rows and columns, how coloured it is, and the square roots of the shares of 32 grey
    levels: (n, 35).
    """
    images = np.zeros((len(pictures), 3, side, side), np.uint8)
    bare = np.zeros((len(pictures), 3 + BINS), np.float32)
    for at, one in enumerate(pictures):
        rgb = one.rgb()
        images[at] = np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)).transpose(2, 0, 1)
        # By OpenCV: NumPy takes a tenth of a second for a picture of a million px.
        channels = cv2.split(rgb)
        colour = cv2.mean(cv2.subtract(reduce(cv2.max, channels), reduce(cv2.min, channels)))[0] / 255
        grey = cv2.transform(rgb, np.full((1, 3), 1 / 3))
        shares = cv2.calcHist([grey], [0], None, [BINS], (0, 256)).ravel() / grey.size
        bare[at] = [*np.log(rgb.shape[:2]), colour, *np.sqrt(shares)]
    return images, bare
