"""The pictures of a benchmark held against those that a model was trained on, as data sets are held against
evaluation sets: though cropped, mirrored, inverted or of other contrast (models/datasets/copies.py).
"""

import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.datasets.copies import NEAR_COPY, Originals
from models.datasets.duplicates import decoded
from models.datasets.folders import files_below
from models.datasets.written import encoded
from models.llava_tri.evaluation.benchmarks.files import PICTURES
from models.llava_tri.evaluation.questions import Benchmark, WrongLayout

LOOKED_AT = (
    f"the decoded pixels, and perceptual hashes of 256 bits (phash) that differ in {NEAR_COPY} bits at most, also "
    "without up to a fifth of a picture's edges, mirrored, inverted or of other contrast; of a data set of `tristream "
    "dataset build` its train split, as training opens no other; pictures that were turned, drawn over or cut by more "
    "are not seen, nor other images of the same patients, nor what a base model was trained on before"
)
"""What the audit can tell, for reports."""
Learnt = npt.NDArray[np.uint8] | int
"""A picture of a data set: its pixels, (rows, columns, 3) RGB, or its perceptual hash where they are not at hand."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture of the benchmark that stands in a data set of the model's lineage; exact: pixel by pixel."""

    picture: str
    dataset: str
    exact: bool


@dataclass(frozen=True)
class Leakage:
    """What came of the audit.

    Args:
        datasets: how many pictures were looked at in each data set.
        pictures: of the benchmark that could be read.
        unread: of the benchmark that are not there.
        hits: the benchmark's pictures that were found.
        missing: data sets that the model's lineage names and that were not looked through.
        generation: of the text that the model learned from, by its lineage; None: nothing told it.
    """

    datasets: Mapping[str, int]
    pictures: int
    unread: int
    hits: tuple[Hit, ...]
    missing: tuple[str, ...] = ()
    generation: int | None = None

    @property
    def complete(self) -> bool:
        """Whether it speaks for every picture: of all data sets, and of all that are asked about."""
        return bool(self.datasets) and all(self.datasets.values()) and not self.unread and not self.missing

    @property
    def leaked(self) -> frozenset[str]:
        """Keys of the pictures that were found."""
        return frozenset(hit.picture for hit in self.hits)


def of_dataset(folder: Path) -> Iterator[Learnt]:
    """What is learnt from a data set of `tristream dataset build`: its train split. Of another folder, all pictures.

    A data set whose pictures were removed is known by the perceptual hashes of its index alone.
    """
    index = folder / "index.jsonl"
    if not index.is_file():
        for path in files_below(folder):
            if path.suffix.lower() in PICTURES and (picture := _read(path.read_bytes())) is not None:
                yield picture
        return
    seen: set[str] = set()
    for triplet_id, split, data in _encoded(folder):
        if split == "train" and triplet_id not in seen and (picture := _read(data)) is not None:
            seen.add(triplet_id)
            yield picture
    with index.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                if row["split"] == "train" and row["triplet_id"] not in seen:
                    yield int(row["hash"], 16)
            except (ValueError, KeyError, TypeError):
                raise WrongLayout(f"index.jsonl, line {number}: not as `tristream dataset build` writes it") from None


def _encoded(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    import pyarrow as pa

    try:
        for _, triplet_id, split, data in encoded(folder):
            yield triplet_id, split, data
    except (pa.ArrowException, tarfile.TarError, OSError) as error:
        raise WrongLayout(
            f"{folder.name}: pictures of the data set cannot be read, so they cannot be looked through: {error}"
        ) from None


def _read(data: bytes | None) -> npt.NDArray[np.uint8] | None:
    """An encoded picture; None where it cannot be read."""
    try:
        return decoded(data) if data is not None else None
    except ValueError:
        return None


def audit(
    benchmark: Benchmark,
    lineage: Mapping[str, Iterable[Learnt]],
    tell: Callable[[int], None] = lambda _: None,
    *,
    missing: tuple[str, ...] = (),
    generation: int | None = None,
) -> Leakage:
    """Look for each picture of a benchmark in every data set.

    Args:
        benchmark: whose pictures, those of the split that is asked.
        lineage: pictures of every data set that the model learned from, by its name.
        tell: is told how many pictures were looked at.
        missing: data sets of the lineage that are not at hand.
        generation: of the text that the model learned from; None: nothing tells it.
    """
    originals, keys, pixels = Originals(), list[str](), list[bytes]()
    for key in benchmark.pictures:
        if (picture := _read(benchmark.read(key))) is not None:
            originals.add(picture)
            keys.append(key)
            pixels.append(_digest(picture))
    hits: dict[tuple[str, str], Hit] = {}
    datasets: dict[str, int] = {}
    for name, learnt in lineage.items():
        datasets[name] = 0
        for one in learnt:
            datasets[name] += 1
            tell(sum(datasets.values()))
            for number in originals.near_hash(one) if isinstance(one, int) else originals.near(one):
                key = keys[number]
                known = hits.get((key, name))
                exact = not isinstance(one, int) and _digest(one) == pixels[number]
                hits[key, name] = Hit(key, name, exact or (known is not None and known.exact))
    unread = len(benchmark.pictures) - len(keys)
    return Leakage(datasets, len(keys), unread, tuple(hits[place] for place in sorted(hits)), missing, generation)


def _digest(picture: npt.NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).digest()


def own_train(benchmark: Benchmark) -> int:
    """How many pictures of the split that is asked the benchmark's own train split asks about too, by their keys."""
    known = {key for one in benchmark.train for key in one.images}
    return sum(key in known for key in benchmark.pictures)
