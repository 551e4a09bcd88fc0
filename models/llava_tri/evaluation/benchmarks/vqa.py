"""VQA-RAD, SLAKE (English) and PathVQA, in the layouts that they are found in.

| layout | VQA-RAD | SLAKE | PathVQA |
| --- | --- | --- | --- |
| as its authors gave it | `VQA_RAD Dataset Public.json`, test by `phrase_type` | `train.json`, `test.json`, `imgs/` | \
`qas/<split>/<split>_qa.pkl` |
| split files, as MEVF and later work use | `trainset.json`, `testset.json` | - | `<split>_vqa.pkl` |
| Hugging Face | `data/<split>-*.parquet` | the same, or `imgs.zip` | `data/<split>-*.parquet` |
| LLaVA-Med | `<split>.json` with `conversations` | the same | the same |
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.llava_tri.evaluation.benchmarks.files import Folder, ParquetPictures, Row, find, pickled_rows, rows_of, text
from models.llava_tri.evaluation.questions import Benchmark, Kind, Question, Read, WrongLayout
from models.llava_tri.evaluation.scores.answers import YES_NO
from models.llava_tri.evaluation.scores.normalise import normalised, words_of

ORGANS = {"abd": "abdomen", "chest": "chest", "head": "head"}
"""VQA-RAD's."""


@dataclass(frozen=True)
class Layout:
    """How one benchmark is told from others, and what its fields are called."""

    name: str
    image: str
    id: str
    organ: str = ""
    modality: str = ""
    topic: str = ""
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    whole: tuple[str, ...] = ()
    """Patterns of a file with all splits, each row of which tells its own."""
    split_of: Callable[[Row], str] = lambda row: ""
    taken: Callable[[Row], bool] = lambda row: True


def _splits(**more: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    known = {split: (f"data/{split}-*.parquet", f"{split}-*.parquet", f"**/{split}-*.parquet") for split in _NAMES}
    return {split: (*more.get(split, ()), f"{split}.json", f"**/{split}.json", *known[split]) for split in _NAMES}


_NAMES = ("train", "validation", "test")

VQA_RAD = Layout(
    "VQA-RAD",
    image="image_name",
    id="qid",
    organ="image_organ",
    topic="question_type",
    whole=("VQA_RAD*Public.json", "**/VQA_RAD*Public.json"),
    split_of=lambda row: "test" if str(row.get("phrase_type", "")).startswith("test") else "train",
    splits=_splits(
        train=("trainset.json", "**/trainset.json", "*rad*train.json"),
        test=("testset.json", "**/testset.json", "*rad*test.json"),
    ),
)
SLAKE = Layout(
    "SLAKE",
    image="img_name",
    id="qid",
    organ="location",
    modality="modality",
    topic="content_type",
    splits=_splits(
        train=("*slake*train.json",), validation=("validate.json", "**/validate.json", "*slake*validate.json"),
        test=("*slake*test.json",),
    ),
    taken=lambda row: row.get("q_lang", "en") == "en",
)  # fmt: skip
PATH_VQA = Layout(
    "PathVQA",
    image="image",
    id="question_id",
    topic="question_type",
    splits=_splits(
        train=("qas/train/train_qa.pkl", "**/train_qa.pkl", "**/train_vqa.pkl"),
        validation=("qas/val/val_qa.pkl", "**/val_qa.pkl", "**/val_vqa.pkl"),
        test=("qas/test/test_qa.pkl", "**/test_qa.pkl", "**/test_vqa.pkl"),
    ),
)


def load(layout: Layout, at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """One split of a benchmark, with its train split beside it where that is there.

    Args:
        layout: of the benchmark.
        at: its folder.
        split: that is asked.
        images: folder of its pictures, where they lie elsewhere.

    Raises:
        WrongLayout: it does not lie there as its loader knows it.
    """
    reader = _Reader(layout, at, images or at)
    questions = reader.questions(split)
    if questions is None:
        patterns = ", ".join(dict.fromkeys((*layout.whole, *layout.splits.get(split, ()))))
        raise WrongLayout(f"{layout.name}: no file of split {split!r} in the folder: one of {patterns} is expected")
    train = reader.questions("train") if split != "train" else []
    return Benchmark(layout.name, split, questions, reader.read, train or [], reader.source)


class _Reader:
    def __init__(self, layout: Layout, at: Path, images: Path) -> None:
        self._layout, self._at = layout, at
        self._parquet = ParquetPictures()
        self._folder = Folder(images)
        self.source: dict[str, str] = {}

    @property
    def read(self) -> Read:
        return lambda key: self._parquet(key) or self._folder(key)

    def questions(self, split: str) -> list[Question] | None:
        layout = self._layout
        rows: list[tuple[Row, Path]] = []
        for path in find(self._at, layout.whole):
            rows += [(row, path) for row in self._rows(path) if layout.split_of(row) == split]
        if not rows:
            for path in find(self._at, layout.splits.get(split, ())):
                rows += [(row, path) for row in self._rows(path)]
        if not rows:
            return None
        rows = [(row, path) for row, path in rows if layout.taken(row)]
        ids = [str(row.get(layout.id, row.get("id", ""))) for row, _ in rows]
        if len(set(ids)) < len(ids):  # Several distributions number within an image, or not at all.
            ids = [f"{split}-{number}" for number in range(len(ids))]
        return [self._question(name, row, path) for name, (row, path) in zip(ids, rows, strict=True)]

    def _rows(self, path: Path) -> Iterable[Row]:
        if path.suffix == ".parquet":
            self.source[path.name] = "Hugging Face; it tells no answer types: yes and no are closed, all else is open"
            return self._parquet.rows(path, ("question", "answer"))
        if path.suffix == ".pkl":
            self.source[path.name] = "pickled, as its authors gave it; yes and no are closed, all else is open"
            return [_of_pickle(row, path) for row in pickled_rows(path)]
        rows = rows_of(path)
        if rows and "conversations" in rows[0]:
            self.source[path.name] = "LLaVA-Med"
            return [_of_conversation(row, path) for row in rows]
        self.source[path.name] = "JSON"
        return rows

    def _question(self, name: str, row: Row, path: Path) -> Question:
        layout = self._layout
        asked, answer = text(row, "question", path), text(row, "answer", path)
        key = str(row["image"]) if "image" in row else text(row, layout.image, path)
        told = str(row.get("answer_type", "")).strip().upper()
        kind, options = _kind(told, asked, answer)
        return Question(
            id=name,
            images=(key,),
            text=asked,
            answers=(answer,),
            kind=kind,
            options=options,
            modality=str(row.get(layout.modality, "")).strip(),
            organ=_organ(str(row.get(layout.organ, ""))),
            topic=str(row.get(layout.topic, "")).strip().upper().replace(" ", ""),
        )


def _organ(told: str) -> str:
    plain = told.strip().lower().replace("_", " ")
    return ORGANS.get(plain, plain)


def _kind(told: str, asked: str, answer: str) -> tuple[Kind, tuple[str, ...]]:
    """Closed or open, as the benchmark tells; where it does not, yes and no are closed."""
    plain = normalised(answer)
    if plain in YES_NO and told != "OPEN":
        return "closed", YES_NO
    if told == "CLOSED":
        return "closed", tuple(dict.fromkeys((plain, *alternatives(asked))))
    return "open", ()


_OR = re.compile(r"([\w-]+),? or (?:(?:a|an|the|just) )?([\w-]+)", re.IGNORECASE)


def alternatives(asked: str) -> tuple[str, ...]:
    """Words on both sides of each "or" of a question: what its answer could be too."""
    return tuple(normalised(word) for pair in _OR.findall(asked) for word in pair if words_of(word))


def _of_conversation(row: Row, path: Path) -> Row:
    try:
        asked, answer = (turn["value"] for turn in row["conversations"][:2])
    except (KeyError, TypeError, ValueError):
        raise WrongLayout(f"{path.name}: 'conversations' of a question and its answer are expected") from None
    asked = str(asked).replace("<image>", " ").strip()
    return {**row, "question": asked, "answer": answer, "image": text(row, "image", path)}


def _of_pickle(row: Row, path: Path) -> Row:
    """PathVQA's own rows have image, question and answer; those prepared for training img_id, sent and label."""
    if "sent" not in row:
        return row
    label = row.get("label")
    if not isinstance(label, dict) or not label:
        raise WrongLayout(f"{path.name}: 'label' with the answer as its key is expected beside 'sent'")
    return {**row, "question": row["sent"], "answer": next(iter(label)), "image": text(row, "img_id", path)}  # pyright: ignore[reportUnknownArgumentType]
