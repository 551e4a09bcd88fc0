"""Questions and answers to train on, from data sets as `tristream dataset build --format parquet` writes them.

A set is opened only if it keeps its promises: files as their hashes say, the training split alone, no group in two
splits, and no text that a model wrote unless that is asked for. Pictures are decoded when they are needed.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from models.datasets.build import REPORT
from models.datasets.cards import INDEX
from models.datasets.conversations import Split
from models.datasets.index import entries, groups_by_triplet
from models.datasets.instructions.offers import phrasings
from models.datasets.lines import generation_of, is_composed
from models.llava_tri.training.settings import BadRun

CROISSANT = "croissant.json"
SHARDS = "parquet/data"
REGIONS = "coco/annotations/instances_{split}.json"


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one picture, which is row `row` of the split; `size` is its width and height, px."""

    kind: str
    question: str
    answer: str
    row: int
    size: tuple[int, int]


class TrainingSet:
    """A data set that passed its checks.

    Args:
        folder: of the set.
        model_written: take text of models too.
        split: train, or for measuring validation or test.
        cache: a folder for the pictures in a form of random access; None: beside the set.

    Raises:
        BadRun: a promise is broken, or the set has no Parquet.
    """

    def __init__(
        self, folder: Path, *, model_written: bool = False, split: Split = "train", cache: Path | None = None
    ) -> None:
        self.folder, self.split = folder, split
        self._cache = cache or folder.with_name(f"{folder.name}.pictures")
        self._pictures: Any = None
        self.report = _json(folder / REPORT)
        told = _json(folder / CROISSANT)
        self.digest = hashlib.sha256((folder / CROISSANT).read_bytes()).hexdigest()[:32]
        self.shards = sorted((folder / SHARDS).glob(f"{split}-*.parquet"))
        if not self.shards:
            raise BadRun(f"data set {folder.name!r} has no {split} split in Parquet: build it with --format parquet")
        self._hashes = {one["contentUrl"]: one["sha256"] for one in told["distribution"] if "sha256" in one}
        for path in (folder / INDEX, *self.shards):
            self._check_hash(path)
        lineages = [json.loads(one) for one in self.report["lineages"]]
        self.describers = sorted({one["describer"] for one in lineages})
        authors = {*self.describers, *(name for by in self.report.get("authors", ()) for name in by.split(", "))}
        self.generation = generation_of(authors, max((one.get("generation", 0) for one in lineages), default=0))
        """Of its text: 0 where no language model wrote any."""
        if self.generation and not model_written:
            written = min(one for one in authors if not is_composed([one]))
            raise BadRun(
                f"texts of data set {folder.name!r} were written by {written} (generation {self.generation}): a model "
                "that learns from a model's text learns its errors; say model_written = true (or --model-written) "
                "where that is meant"
            )
        self._check_splits()

    def _check_hash(self, path: Path) -> None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self._hashes.get(path.relative_to(self.folder).as_posix()):
            raise BadRun(f"{path.name} of data set {self.folder.name!r} is not the file that its card tells of")

    def _check_splits(self) -> None:
        splits: dict[str, str] = {}
        groups: dict[str, str] = {}
        for row in entries(self.folder):
            splits[row["triplet_id"]] = row["split"]
            if groups.setdefault(row["group"], row["split"]) != row["split"]:
                raise BadRun(f"data set {self.folder.name!r} has a group in two splits: build it anew")
        for path in self.shards:
            ids = pq.read_table(path, columns=["triplet_id"]).column(0).to_pylist()
            if any(splits.get(one) != self.split for one in ids):
                raise BadRun(f"{path.name} of data set {self.folder.name!r} has rows of another split than its index")

    def questions(self, kinds: Iterable[str]) -> Iterator[Question]:
        """Those of some kinds, in the order of the set; `*` is every turn of the conversations.

        Captions and descriptions are asked for of every picture, whatever its conversation ends with.
        """
        wanted = set(kinds)
        columns = ["messages", "kinds", "caption", "description", "triplet_id", "width", "height"]
        row = 0
        for path in self.shards:
            for batch in pq.ParquetFile(path).iter_batches(columns=columns):
                for told in batch.to_pylist():
                    for kind, question, answer in asked(told, wanted):
                        yield Question(kind, question, answer, row, (told["width"], told["height"]))
                    row += 1

    def picture(self, question: Question) -> Image.Image:
        """The picture that a question is about, in RGB."""
        return self.picture_of_row(question.row)

    def picture_of_row(self, row: int) -> Image.Image:
        """The picture of a row of the split, in RGB."""
        if self._pictures is None:
            self._pictures = self._mapped()
        return self._pictures[row]["images"][0].convert("RGB")

    def triplet_ids(self) -> list[str]:
        """Of the rows of the split, in their order."""
        tables = (pq.read_table(path, columns=["triplet_id"]) for path in self.shards)
        return [one for table in tables for one in table.column(0).to_pylist()]

    def groups(self) -> list[str]:
        """Of the rows of the split, in their order: what is known of the patient."""
        of_triplet = groups_by_triplet(self.folder)
        return [of_triplet[one] for one in self.triplet_ids()]

    def regions(self) -> Any:
        """COCO's images, annotations and categories of the split.

        Raises:
            BadRun: the set has no COCO, or it is not the file that the card tells of.
        """
        path = self.folder / REGIONS.format(split=self.split)
        if not path.is_file():
            raise BadRun(f"data set {self.folder.name!r} has no regions in COCO: build it with --format coco too")
        self._check_hash(path)
        return _json(path)

    def _mapped(self) -> Any:
        # As Arrow in a file that is mapped, for training asks for rows in any order, and Parquet reads 128 at a time.
        from datasets import Dataset

        # `datasets` says that it takes paths, and takes strings alone.
        paths: Any = [str(path) for path in self.shards]
        return Dataset.from_parquet(paths, columns=["images"], cache_dir=str(self._cache))


def asked(row: Mapping[str, Any], wanted: set[str]) -> Iterator[tuple[str, str, str]]:
    """Kind, question and answer of the turns of a row that are wanted; see `TrainingSet.questions`."""
    turns = iter(row["messages"])
    for kind, question, answer in zip(row["kinds"], turns, turns, strict=True):
        if kind in wanted or ("*" in wanted and kind not in wanted):
            yield kind, _text(question), _text(answer)
    for kind in ("caption", "description"):
        if kind in wanted and kind not in row["kinds"] and row[kind]:
            phrases = phrasings()[kind]["ask"]
            yield kind, phrases[int(row["triplet_id"][:8], 16) % len(phrases)], row[kind]


def lazily(count: int, row: Callable[[int], Mapping[str, Any]]) -> Any:
    """A `datasets.Dataset` of so many rows, each made when it is asked for."""
    from datasets import Dataset

    def rows(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        made = [row(at) for at in batch["at"]]
        return {name: [one[name] for one in made] for name in made[0]}

    return Dataset.from_dict({"at": list(range(count))}).with_transform(rows)


def _text(message: Mapping[str, Any]) -> str:
    return next(part["text"] for part in message["content"] if part["type"] == "text")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise BadRun(f"{path.parent.name!r} is no data set: it has no {path.name} that can be read") from None
