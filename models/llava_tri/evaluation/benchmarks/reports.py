"""Captions and reports: IU X-ray, and ROCO and ROCOv2, as they lie on disk.

| set | layout |
| --- | --- |
| IU X-ray | R2Gen's `annotation.json` with its split, and `images/` |
| ROCO | `<split>/radiology/captions.txt` (id, tab, caption), and `images/` beside it |
| ROCOv2 | `<split>_captions.csv` (ID, Caption), and the pictures; or Hugging Face's `<split>-*.parquet` |
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.llava_tri.evaluation.benchmarks.files import Folder, ParquetPictures, find, json_of, table_of, text
from models.llava_tri.evaluation.questions import Benchmark, Question, WrongLayout

REPORT = "Write the findings of this chest X-ray as a radiology report."
CAPTION = "Describe this image in one sentence."


def iu_xray(at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """Reports of chest films, one or two views each, by R2Gen's split.

    Raises:
        WrongLayout: `annotation.json` is not there, or holds something else.
    """
    path = next(iter(find(at, ("annotation.json", "**/annotation.json"))), None)
    if path is None:
        raise WrongLayout("IU X-ray: no annotation.json in the folder: R2Gen's file with its splits is expected")
    whole = json_of(path)
    if not isinstance(whole, dict):
        raise WrongLayout(f"{path.name}: an object with the splits train, val and test is expected")

    def questions(name: str) -> list[Question]:
        rows: Any = whole.get({"validation": "val"}.get(name, name), [])  # pyright: ignore[reportUnknownMemberType]
        return [_report(row, path, number) for number, row in enumerate(rows)]

    train = questions("train") if split != "train" else []
    return Benchmark("IU X-ray", split, questions(split), Folder(images or at), train, {path.name: "R2Gen"})


def _report(row: Any, path: Path, number: int) -> Question:
    views = row.get("image_path") if isinstance(row, dict) else None  # pyright: ignore[reportUnknownMemberType]
    if not isinstance(views, list) or not views:
        raise WrongLayout(f"{path.name}: report {number} has no list 'image_path' of its pictures")
    name, report = text(row, "id", path), text(row, "report", path)
    keys = tuple(str(view) for view in views)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return Question(name, keys, REPORT, (report,), "text", modality="X-ray", organ="chest")


def roco(at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """Captions of figures of open-access papers.

    Raises:
        WrongLayout: none of the layouts is there.
    """
    reader = _Roco(at, images or at)
    found = reader.questions(split)
    if found is None:
        raise WrongLayout(
            f"ROCO: no captions of split {split!r} in the folder: {split}_captions.csv, {split}/radiology/captions.txt "
            f"or {split}-*.parquet are expected"
        )
    train = reader.questions("train") if split != "train" else []
    return Benchmark("ROCO", split, found, reader.read, train or [], reader.source)


class _Roco:
    def __init__(self, at: Path, images: Path) -> None:
        self._at = at
        self._folder, self._parquet = Folder(images), ParquetPictures()
        self.source: dict[str, str] = {}

    def read(self, key: str) -> bytes | None:
        return self._parquet(key) or self._folder(key)

    def questions(self, split: str) -> list[Question] | None:
        tables = (f"{split}_captions.csv", f"**/{split}_captions.csv", f"{split}/radiology/captions.txt")
        paths = find(self._at, (*tables, f"**/{split}/radiology/captions.txt", f"**/{split}-*.parquet"))
        rows = [row for path in paths for row in self._rows(path)]
        ids = [name for name, _, _ in rows]
        unique = len(set(ids)) == len(ids)
        return [
            Question(name if unique else f"{split}-{number}", (key,), CAPTION, (caption,), "text")
            for number, (name, key, caption) in enumerate(rows)
        ] or None

    def _rows(self, path: Path) -> Iterator[tuple[str, str, str]]:
        """Id, key of the picture, caption."""
        if path.suffix == ".parquet":
            self.source[path.name] = "Hugging Face"
            for row in self._parquet.rows(path, ("image_id", "caption")):
                yield str(row["image_id"]), row["image"], str(row["caption"]).strip()
        elif path.suffix == ".csv":
            self.source[path.name] = "ROCOv2"
            for row in table_of(path, ("ID", "Caption")):
                yield row["ID"], row["ID"], row["Caption"].strip()
        else:
            self.source[path.name] = "ROCO"
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                name, tab, caption = line.partition("\t")
                if not tab:
                    raise WrongLayout(f"{path.name}, line {number}: an id, a tab and a caption are expected")
                yield name.strip(), name.strip(), caption.strip()
