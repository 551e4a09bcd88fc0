"""Image–text collections: pictures, and the source's own text of each, which is kept apart and never taken for ours.

A table (CSV, TSV, Parquet), JSON (a list) or JSON Lines file names the picture and the text of each row, in columns
that the collection declares; Open-I's reports are XML files. Parquet may hold the pictures themselves.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from defusedxml import ElementTree
from PIL import Image

from models.datasets.sources.collections import Collection, Texts
from models.datasets.sources.found import Drawn, Found, LeftOut, WrongLayout

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
_OPEN_I = ("FINDINGS", "IMPRESSION")
"""Parts of a report that speak of the image."""


def find(root: Path, collection: Collection) -> Iterator[Found | LeftOut]:
    """Every picture that a list names, with its text.

    Raises:
        WrongLayout: no list is there, or it lacks a column.
    """
    texts = collection.texts
    if texts is None:
        raise WrongLayout(f"{collection.title} declares no texts")
    lists = sorted(path for path in root.glob(texts.file) if path.is_file())
    if not lists:
        raise WrongLayout(f"{collection.title} comes with {texts.file}, which is not in the folder")
    pictures = _Pictures(root)
    splits = {path: _split(path.relative_to(root).as_posix(), texts) for path in lists}
    divided = set[Path]()
    # Where lists of splits lie beside a list of all, that tells nothing more.
    for listed in sorted(lists, key=lambda path: splits[path] is None):
        split = splits[listed]
        for number, row in enumerate(_rows(listed, texts, collection)):
            held, text = row.get(texts.image), str(row.get(texts.text) or "").strip()
            columns = {name: str(row[column]) for name, column in texts.columns.items() if row.get(column)}
            sidecar = collection.said(**{"split": split, **columns})
            if isinstance(held, Mapping):  # as `datasets` keeps pictures
                name = Path(str(held.get("path") or row.get("id") or f"{listed.stem}-{number:07}")).stem
                draw = partial(_decoded, held.get("bytes") or b"")
                yield Found(listed, f"{listed.stem}/{name}.png", sidecar, draw=draw, text=text)
                continue
            path = pictures.named(str(held or ""), texts.suffix)
            if path is None:
                yield LeftOut(listed, "a picture that the list names is not in the folder")
            elif not text:
                yield LeftOut(path, "the source says nothing of it")
            elif split is not None or path not in divided:
                if split is not None:
                    divided.add(path)
                yield Found(path, path.relative_to(root).as_posix(), sidecar, text=text)


def _split(name: str, texts: Texts) -> str | None:
    return next((said for word, said in texts.splits.items() if word in name), None)


class _Pictures:
    """Pictures below a folder, by name and by stem."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_name: dict[str, Path] = {}
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in PICTURES:
                self._by_name.setdefault(path.name, path)
                self._by_name.setdefault(path.stem, path)

    def named(self, told: str, suffix: str) -> Path | None:
        if not told:
            return None
        path = self._root / f"{told}{suffix}"
        if path.is_file() and self._root in path.parents:
            return path
        name = Path(told).name
        return self._by_name.get(f"{name}{suffix}") or self._by_name.get(name)


def _rows(path: Path, texts: Texts, collection: Collection) -> Iterator[Mapping[str, Any]]:
    wrong = WrongLayout(f"{path.name} of {collection.title} has no {texts.image} and {texts.text}")
    try:
        if path.suffix in (".csv", ".tsv", ".txt"):
            with path.open(encoding="utf-8-sig", newline="") as lines:
                rows = csv.DictReader(
                    lines,
                    fieldnames=list(texts.header) or None,
                    delimiter="," if path.suffix == ".csv" else "\t",
                )
                if not {texts.image, texts.text} <= set(rows.fieldnames or ()):
                    raise wrong
                yield from rows
        elif path.suffix == ".parquet":
            import pyarrow.parquet as pq

            file = pq.ParquetFile(path)
            if not {texts.image, texts.text} <= set(file.schema_arrow.names):
                raise wrong
            for batch in file.iter_batches(batch_size=16):
                yield from batch.to_pylist()
        elif path.suffix == ".jsonl":
            with path.open("rb") as lines:
                yield from (_checked(orjson.loads(line), texts, wrong) for line in lines if line.strip())
        elif path.suffix == ".xml":
            yield from _report(path)
        else:
            yield from (_checked(row, texts, wrong) for row in orjson.loads(path.read_bytes()))
    except (ValueError, TypeError, OSError, ElementTree.ParseError) as error:
        if isinstance(error, WrongLayout):
            raise
        raise WrongLayout(f"{path.name} of {collection.title} cannot be read: {type(error).__name__}") from None


def _checked(row: Any, texts: Texts, wrong: WrongLayout) -> Mapping[str, Any]:
    """A row of JSON; of a conversation (LLaVA-Med) the answers are the text."""
    if not isinstance(row, dict) or texts.image not in row:
        raise wrong
    said = row.get(texts.text, row.get(texts.misspelt))
    if said is None:
        raise wrong
    if isinstance(said, list):
        answers = [str(one["value"]) for one in said if isinstance(one, dict) and one.get("from") == "gpt"]
        return {**row, texts.text: "\n".join(answers)}
    return {**row, texts.text: said}


def _report(path: Path) -> Iterator[Mapping[str, Any]]:
    """One row an image of an Open-I report."""
    root = ElementTree.parse(path).getroot()
    if root is None:
        return
    parts = [
        (one.text or "").strip() for one in root.iter("AbstractText") if (one.get("Label") or "").upper() in _OPEN_I
    ]
    for image in root.iter("parentImage"):
        yield {"image": image.get("id") or "", "text": "\n".join(part for part in parts if part), "report": path.stem}


def _decoded(data: bytes) -> Drawn:
    with Image.open(io.BytesIO(data)) as picture:
        grey = picture.mode in ("L", "1", "I;16", "I")
        values = np.asarray(picture.convert("L" if grey else "RGB"))
    return Drawn(values)
