"""The pictures of a benchmark held against those that a model was trained on: the same pixels, and nearly the same.

What it finds is by hashes of whole pictures: a crop, a turn or another slice of the same patient is not seen.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from models.datasets.duplicates import NEAR, Hashes
from models.datasets.written import encoded
from models.imaging.perceptual import perceptual_hash
from models.llava_tri.evaluation.benchmarks.files import PICTURES
from models.llava_tri.evaluation.questions import Benchmark, WrongLayout

LOOKED_AT = (
    f"SHA-256 of the decoded pixels, and perceptual hashes of 256 bits (phash) that differ in {NEAR} bits at most; "
    "of a data set of `tristream dataset build` its train split, as training opens no other; cropped, turned or "
    "heavily edited copies, and other images of the same patients, are not seen, nor is what a base model "
    "was trained on before"
)
"""What the audit can tell, for reports."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of one picture: exact, empty where its pixels are not at hand, and perceptual."""

    exact: str
    near: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture of the benchmark that stands in a data set of the model's lineage; bits: of the nearest, 0 if exact."""

    picture: str
    dataset: str
    exact: bool
    bits: int


@dataclass(frozen=True)
class Leakage:
    """What came of the audit.

    Args:
        datasets: how many pictures were looked at in each data set.
        pictures: of the benchmark that could be read.
        unread: of the benchmark that are not there.
        hits: the benchmark's pictures that were found.
        missing: data sets that the model's lineage names and that were not looked through.
    """

    datasets: Mapping[str, int]
    pictures: int
    unread: int
    hits: tuple[Hit, ...]
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it speaks for every picture: of all data sets, and of all that are asked about."""
        return bool(self.datasets) and all(self.datasets.values()) and not self.unread and not self.missing

    @property
    def leaked(self) -> frozenset[str]:
        """Keys of the pictures that were found."""
        return frozenset(hit.picture for hit in self.hits)


def fingerprint(data: bytes) -> Fingerprint | None:
    """Of an encoded picture; None where it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    exact = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return Fingerprint(exact, perceptual_hash(pixels))


def of_dataset(folder: Path) -> Iterator[Fingerprint]:
    """Of what is learnt from a data set of `tristream dataset build`: its train split. Of another folder, all pictures.

    A data set whose pictures were removed is known by the perceptual hashes of its index alone.
    """
    index = folder / "index.jsonl"
    if not index.is_file():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in PICTURES and (found := fingerprint(path.read_bytes())) is not None:
                yield found
        return
    seen: set[str] = set()
    for _, triplet_id, split, data in encoded(folder):
        if split == "train" and triplet_id not in seen and (found := fingerprint(data)) is not None:
            seen.add(triplet_id)
            yield found
    for number, line in enumerate(index.read_bytes().splitlines(), 1):
        try:
            row = json.loads(line)
            if row["split"] == "train" and row["triplet_id"] not in seen:
                yield Fingerprint("", int(row["hash"], 16))
        except (ValueError, KeyError, TypeError):
            raise WrongLayout(f"index.jsonl, line {number}: not as `tristream dataset build` writes it") from None


def audit(
    benchmark: Benchmark,
    lineage: Mapping[str, Iterable[Fingerprint]],
    tell: Callable[[int], None] = lambda _: None,
    *,
    missing: tuple[str, ...] = (),
) -> Leakage:
    """Look for each picture of a benchmark in every data set.

    Args:
        benchmark: whose pictures, those of the split that is asked.
        lineage: pictures of every data set that the model learned from, by its name.
        tell: is told how many pictures were looked at.
        missing: data sets of the lineage that are not at hand.
    """
    exact: dict[str, list[str]] = {}
    near, of_hash = Hashes(), list[tuple[str, int]]()
    unread = 0
    for key in benchmark.pictures:
        data = benchmark.read(key)
        found = fingerprint(data) if data is not None else None
        if found is None:
            unread += 1
            continue
        exact.setdefault(found.exact, []).append(key)
        near.add(found.near)
        of_hash.append((key, found.near))
    hits: dict[tuple[str, str], Hit] = {}
    datasets: dict[str, int] = {}
    for name, pictures in lineage.items():
        datasets[name] = 0
        for one in pictures:
            datasets[name] += 1
            tell(sum(datasets.values()))
            for key in exact.get(one.exact, ()):
                hits[key, name] = Hit(key, name, True, 0)
            for number in near.near(one.near, NEAR):
                key, value = of_hash[number]
                bits = (value ^ one.near).bit_count()
                known = hits.get((key, name))
                if known is None or (not known.exact and bits < known.bits):
                    hits[key, name] = Hit(key, name, False, bits)
    read = len(benchmark.pictures) - unread
    return Leakage(datasets, read, unread, tuple(hits[place] for place in sorted(hits)), missing)


def own_train(benchmark: Benchmark) -> int:
    """How many pictures of the split that is asked the benchmark's own train split asks about too, by their keys."""
    known = {key for one in benchmark.train for key in one.images}
    return sum(key in known for key in benchmark.pictures)
