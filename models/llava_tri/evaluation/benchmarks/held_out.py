"""A data set's own held-out split, as `tristream dataset build` wrote it in Parquet or COCO: what triplets know.

From Parquet: questions of every kind (closed, open, class, box) and captions. From COCO: the box of each region that is
alone of its name, with its mask, so that a box can be scored as a segmentation too.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from models.datasets.cards import INDEX
from models.datasets.index import groups_by_triplet
from models.datasets.instructions.offers import phrasings
from models.llava_tri.evaluation.benchmarks.files import find, json_of, parquet
from models.llava_tri.evaluation.questions import Benchmark, Corners, Kind, Mask, Question, WrongLayout
from models.llava_tri.evaluation.scores.answers import YES_NO
from models.llava_tri.evaluation.scores.boxes import read_box
from models.llava_tri.evaluation.scores.normalise import normalised

CLASSES = (
    "modality", "modality-choice", "plane", "organ", "organ-choice", "disease", "side", "place", "count",
)  # fmt: skip
"""Kinds of questions whose answers are labels."""
CAPTION = "Describe this image in one sentence."
_WITHIN = re.compile(r" of the \w+(?: as displayed)?$")
GROUND = "Where is the {name}? Answer with one box."


def held_out(at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """Questions of a split of a built data set; the others of its train split may be learned from.

    Raises:
        WrongLayout: the folder holds no data set with Parquet.
        BadIndex: its index is damaged.
    """
    reader = _Rows(at)
    found = reader.questions(split)
    if found is None:
        raise WrongLayout(
            f"held-out: no parquet/data/{split}-*.parquet in the folder: a data set of `tristream dataset build` with "
            "--format parquet is expected, with images in that split"
        )
    train = (reader.questions("train") if split != "train" else None) or []
    asked, known = _with_options(found, train), _with_options(train, found)
    return Benchmark(f"held-out {_name(at)}", split, asked, reader.read, known, reader.source)


def _name(at: Path) -> str:
    path = at / "dataset.json"
    if not path.is_file():
        raise WrongLayout("held-out: no dataset.json in the folder: what `tristream dataset build` wrote is expected")
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


class _Rows:
    def __init__(self, at: Path) -> None:
        self._at = at
        self._places: dict[str, tuple[Path, int]] = {}
        self._patients = groups_by_triplet(at) if (at / INDEX).is_file() else {}
        self.source: dict[str, str] = {}

    def read(self, key: str) -> bytes | None:
        import pyarrow.parquet as pq

        if key not in self._places:
            return None
        path, number = self._places[key]
        file, before = pq.ParquetFile(path), 0
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            if number < before + size:
                column = file.read_row_group(group, columns=["images"])["images"]
                return column[number - before].as_py()[0]["bytes"]
            before += size
        return None

    def questions(self, split: str) -> list[Question] | None:
        columns = ["messages", "kinds", "caption", "triplet_id", "modality", "organ", "width", "height"]
        found: list[Question] = []
        for path in find(self._at, (f"parquet/data/{split}-*.parquet", f"data/{split}-*.parquet")):
            self.source[path.name] = "tristream dataset build, Parquet"
            file = parquet(path, columns)
            for number, row in enumerate(file.read(columns=columns).to_pylist()):
                self._places[row["triplet_id"]] = path, number
                found += _of_row(row, self._patients.get(row["triplet_id"], ""))
        return found or None


def _of_row(row: dict[str, Any], patient: str) -> Iterator[Question]:
    key: str = row["triplet_id"]
    modality, organ = row["modality"] or "", row["organ"] or ""
    texts = ["".join(part["text"] or "" for part in message["content"]) for message in row["messages"]]
    for number, (kind, asked, answer) in enumerate(zip(row["kinds"], texts[::2], texts[1::2], strict=True)):
        if kind in ("caption", "description"):
            continue  # The caption of every image is asked for below.
        box: Corners | None = None
        scored: Kind = "open"
        options: tuple[str, ...] = ()
        rights = (answer,)
        if kind == "phrase-to-box":
            scored, box = "box", read_box(answer, "px", row["height"], row["width"])
            if box is None or answer.count("[") > 1:
                continue
        elif "[" in asked + answer:
            continue  # Boxes in the question are written as the data set has them, not as the model reads them.
        elif normalised(answer) in YES_NO:
            scored, options = "closed", YES_NO
        elif kind in CLASSES and (label := _label(kind, answer)) is not None:
            scored, rights = "class", (label,)
        yield Question(
            f"{key}-{number}", (key,), asked, rights, scored, options=options, box=box,
            modality=modality, organ=organ, topic=kind, patient=patient,
        )  # fmt: skip
    if (caption := row["caption"]) is not None:
        name = f"{key}-caption"
        yield Question(
            name, (key,), CAPTION, (caption,), "text",
            modality=modality, organ=organ, topic="caption", patient=patient,
        )  # fmt: skip


@cache
def _phrasings(kind: str) -> list[re.Pattern[str]]:
    """Answers of a kind, each with its label as the one group."""
    found: list[re.Pattern[str]] = []
    for one in phrasings()[kind].get("answer", []):
        *before, place, after = re.split(r"(\{\w+\})", one)
        # "There {are} {n}." has its label last, and a word before it that goes by the label.
        before = (r"\w+" if part.startswith("{") else re.escape(part) for part in before)
        article = r"(?:an? )?" if place.startswith("{a_") else ""
        label = "".join(before) + article + "(.+?)" + re.escape(after.rstrip("."))
        found.append(re.compile(label + r"\.?", re.IGNORECASE))
    return found


def _label(kind: str, answer: str) -> str | None:
    """The label that an answer gives, without the words around it; of several phrasings that fit, the shortest."""
    labels = [match[1] for one in _phrasings(kind) if (match := one.fullmatch(answer)) is not None]
    if not labels:
        return None
    # What a place lies in (the sector, the body) goes by the kind of image: whoever knows that has not found the place.
    return normalised(_WITHIN.sub("", min(labels, key=len)))


def _with_options(questions: Sequence[Question], known: Sequence[Question]) -> list[Question]:
    """The questions, those for a label with the labels of their topic."""
    labels: dict[str, set[str]] = {}
    for one in (*questions, *known):
        if one.kind == "class":
            labels.setdefault(one.topic, set()).add(one.answers[0])
    return [replace(one, options=tuple(sorted(labels[one.topic]))) if one.kind == "class" else one for one in questions]


# ── boxes with masks ──


def grounding(at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """Name → box of every region that is the only one of its name in its image, with its mask.

    Raises:
        WrongLayout: the folder holds no data set with COCO.
    """
    source: dict[str, str] = {}
    folder = at / "coco"

    def questions(name: str) -> list[Question]:
        path = folder / "annotations" / f"instances_{name}.json"
        if not path.is_file():
            if name == split:
                raise WrongLayout(
                    f"grounding: no coco/annotations/instances_{split}.json in the folder: a data set of `tristream "
                    "dataset build` with --format coco is expected"
                )
            return []
        source[path.name] = "tristream dataset build, COCO"
        return list(_regions(json_of(path), path))

    def read(key: str) -> bytes | None:
        path = folder / "images" / key
        return path.read_bytes() if path.is_file() else None

    asked = questions(split)
    train = questions("train") if split != "train" else []
    return Benchmark(f"grounding {_name(at)}", split, asked, read, train, source)


def _regions(whole: Any, path: Path) -> Iterator[Question]:
    try:
        names = {one["id"]: one["name"] for one in whole["categories"]}
        pictures = {one["id"]: one for one in whole["images"]}
        alone: dict[tuple[int, int], list[Any]] = {}
        for one in whole["annotations"]:
            alone.setdefault((one["image_id"], one["category_id"]), []).append(one)
        for (image, category), some in alone.items():
            if len(some) > 1:
                continue
            picture, one = pictures[image], some[0]
            rows, columns = picture["height"], picture["width"]
            left, top, width, height = one["bbox"]
            box = (left / columns, top / rows, (left + width) / columns, (top + height) / rows)
            yield Question(
                str(one["id"]),
                (picture["file_name"],),
                GROUND.format(name=names[category]),
                (json.dumps(one["bbox"]),),
                "box",
                box=box,
                mask=Mask(rows, columns, one["segmentation"]["counts"]),
                topic=names[category],
                patient=picture.get("patient_id") or "",
            )
    except (KeyError, TypeError) as error:
        raise WrongLayout(f"{path.name}: COCO's images, annotations and categories are expected: {error}") from None
