"""A window of a stream that is never trained on, and what its answers cost a model.

Whole groups (patients, or what else is known to belong together) are held out, by a keyed hash, and the last of what
came of them is the window. Knows nothing of topics.
"""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import io
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from models.datasets.splits import rank
from models.llava_tri.evaluation.scores.intervals import Difference, difference
from models.llava_tri.training.boxes import rewritten
from models.llava_tri.training.examples import Question, asked
from models.llava_tri.training.settings import Boxes

Row = Mapping[str, Any]
"""Of a stream: the columns of the Parquet format, `group`, `authors` and `generation`."""


class Pictures:
    """Pictures of rows, as a training set has them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def picture(self, question: Question) -> Image.Image:
        """The picture that a question is about, in RGB."""
        return picture_of(self._rows[question.row])

    def questions(self, kinds: Iterable[str]) -> list[Question]:
        """Those of some kinds; `*` is every turn of the conversations."""
        wanted = set(kinds)
        return [
            Question(kind, question, answer, at, (row["width"], row["height"]))
            for at, row in enumerate(self._rows)
            for kind, question, answer in asked(row, wanted)
        ]


def picture_of(row: Row) -> Image.Image:
    """The picture of a row, in RGB."""
    (image,) = row["images"]
    return (Image.open(io.BytesIO(image["bytes"])) if isinstance(image, Mapping) else image).convert("RGB")


def held_out(group: str, every: int, key: str) -> bool:
    """Whether a group is one of those that are never trained on: one in `every`, by a keyed hash."""
    return int.from_bytes(rank(key, group)[:8]) % every == 0


class Window:
    """The last held-out rows, `size` at most."""

    def __init__(self, size: int, rows: Iterable[Row] = ()) -> None:
        self.rows: deque[Row] = deque(rows, size)

    def add(self, row: Row) -> None:
        """Take a row; the oldest goes where there is no room."""
        self.rows.append(row)

    def write(self, path: Path) -> None:
        """With its pictures, so that it is the same after a stop."""
        rows = [{**row, "images": [{"bytes": _png(row), "path": None}]} for row in self.rows]
        pq.write_table(pa.Table.from_pylist(rows), path)

    @classmethod
    def read(cls, path: Path, size: int) -> "Window":
        """As it was written."""
        return cls(size, pq.read_table(path).to_pylist())


def _png(row: Row) -> bytes:
    (image,) = row["images"]
    if isinstance(image, Mapping):
        return image["bytes"]
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Losses:
    """Of each question of a window, nats a token of its answer; `units` are the groups of their pictures."""

    values: tuple[float, ...]
    units: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Over questions."""
        return sum(self.values) / len(self.values)

    def less(self, other: "Losses") -> Difference:
        """How much lower these are than others of the same questions."""
        return difference(other.values, self.values, self.units)


def losses_of(
    model: Any, processor: Any, window: Window, kinds: Iterable[str], boxes: Boxes, resized: Callable[[Any], Any]
) -> Losses | None:
    """What the answers of a window cost a model as it is; None where it has no question of these kinds."""
    rows = list(window.rows)
    pictures = Pictures(rows)
    found: list[float] = []
    units: list[str] = []
    training = model.training
    model.eval()
    for one in pictures.questions(kinds):
        question, answer = (rewritten(text, one.size, boxes, resized) for text in (one.question, one.answer))
        found.append(answer_loss(model, processor, pictures.picture(one), question, answer))
        units.append(rows[one.row]["group"])
    model.train(training)
    return Losses(tuple(found), tuple(units)) if found else None


def answer_loss(model: Any, processor: Any, picture: Image.Image | None, question: str, answer: str) -> float:
    """Mean negative log probability of a token of an answer after its question and picture, in nats."""
    content = [{"type": "image"}] * (picture is not None) + [{"type": "text", "text": question}]
    before = [{"role": "user", "content": content}]
    said = [*before, {"role": "assistant", "content": [{"type": "text", "text": answer}]}]
    images = {} if picture is None else {"images": [picture]}
    prompt = processor.apply_chat_template(before, add_generation_prompt=True)
    length = processor(text=[prompt], **images, return_tensors="pt")["input_ids"].shape[1]
    inputs = processor(text=[processor.apply_chat_template(said)], **images, return_tensors="pt").to(model.device)
    labels = inputs["input_ids"].clone()
    labels[:, :length] = -100
    with torch.inference_mode():
        return float(model(**inputs, labels=labels).loss)
