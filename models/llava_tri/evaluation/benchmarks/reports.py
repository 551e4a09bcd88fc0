"""Captions and reports: IU X-ray, and ROCO and ROCOv2, as they lie on disk.

| set | layout |
| --- | --- |
| IU X-ray | R2Gen's `annotation.json` with its split, and `images/`; Kaggle's `indiana_reports.csv` and \
`indiana_projections.csv`; Open-i's `ecgen-radiology/*.xml` |
| ROCO | `<split>/radiology/captions.txt` (id, tab, caption), and `images/` beside it |
| ROCOv2 | `<split>_captions.csv` (ID, Caption), and the pictures; or Hugging Face's `<split>-*.parquet` |
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defusedxml import DefusedXmlException, ElementTree

from models.llava_tri.evaluation.benchmarks.files import (
    Folder,
    ParquetPictures,
    find,
    json_of,
    lines_of,
    table_of,
    text,
)
from models.llava_tri.evaluation.questions import Benchmark, Question, WrongLayout

REPORT = "Write the findings of this chest X-ray as a radiology report."
CAPTION = "Describe this image in one sentence."


def iu_xray(at: Path, split: str = "test", images: Path | None = None) -> Benchmark:
    """Findings of chest films, one or more views each: by R2Gen's split, or all of those that lie in another layout.

    Only R2Gen's file tells a split. As Kaggle and Open-i have it, every study with findings is asked under the name
    `all`, whatever split is wanted, and there is no other part to learn from.

    Raises:
        WrongLayout: none of the layouts is there, or a file holds something else.
    """
    pictures = Folder(images or at)
    path = next(iter(find(at, ("annotation.json", "**/annotation.json"))), None)
    if path is None:
        asked, source = _unsplit(at)
        return Benchmark("IU X-ray", "all", asked, pictures, [], source)
    whole = json_of(path)
    if not isinstance(whole, dict):
        raise WrongLayout(f"{path.name}: an object with the splits train, val and test is expected")

    def questions(name: str) -> list[Question]:
        rows: Any = whole.get({"validation": "val"}.get(name, name), [])  # pyright: ignore[reportUnknownMemberType]
        if not isinstance(rows, list):
            raise WrongLayout(f"{path.name}: {name!r} is no list of reports")
        return [_report(row, path, number) for number, row in enumerate(rows)]

    train = questions("train") if split != "train" else []
    return Benchmark("IU X-ray", split, questions(split), pictures, train, {path.name: "R2Gen"})


def _unsplit(at: Path) -> tuple[list[Question], dict[str, str]]:
    """All studies with findings and pictures, and where they were read: Kaggle's tables or Open-i's XML."""
    tables = [find(at, (name, f"**/{name}")) for name in ("indiana_reports.csv", "indiana_projections.csv")]
    if all(tables):
        studies = _of_tables(tables[0][0], tables[1][0])
        source = {tables[0][0].name: "Kaggle; it tells no split"}
    elif papers := find(at, ("ecgen-radiology/*.xml", "**/ecgen-radiology/*.xml")):
        studies = [_of_xml(path) for path in papers]
        source = {f"{len(papers)} files *.xml": "Open-i; it tells no split"}
    else:
        raise WrongLayout(
            "IU X-ray: none of R2Gen's annotation.json, Kaggle's indiana_reports.csv with indiana_projections.csv, and "
            "Open-i's ecgen-radiology/*.xml is in the folder"
        )
    return [
        Question(name, views, REPORT, (findings,), "text", modality="X-ray", organ="chest")
        for name, views, findings in studies
        if views and findings
    ], source


def _of_tables(reports: Path, projections: Path) -> list[tuple[str, tuple[str, ...], str]]:
    views: defaultdict[str, list[str]] = defaultdict(list)
    for row in table_of(projections, ("uid", "filename")):
        views[row["uid"]].append(row["filename"])
    rows = table_of(reports, ("uid", "findings"))
    return [(row["uid"], tuple(views[row["uid"]]), row["findings"].strip()) for row in rows]


def _of_xml(path: Path) -> tuple[str, tuple[str, ...], str]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (ElementTree.ParseError, DefusedXmlException) as error:
        raise WrongLayout(f"{path.name} is no XML: {error}") from None
    told = (one.text or "" for one in root.iter("AbstractText") if one.get("Label", "").upper() == "FINDINGS")
    return path.stem, tuple(one.get("id", "") for one in root.iter("parentImage")), " ".join(told).strip()


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
            for number, line in enumerate(lines_of(path).splitlines(), 1):
                name, tab, caption = line.partition("\t")
                if not tab:
                    raise WrongLayout(f"{path.name}, line {number}: an id, a tab and a caption are expected")
                yield name.strip(), name.strip(), caption.strip()
