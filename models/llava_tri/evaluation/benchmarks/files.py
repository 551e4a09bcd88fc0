"""Files of a benchmark as its distributors laid them: found, read, and pictures looked up in folders and zips.

Everything that does not lie as expected is a `WrongLayout` that names the file.
"""

import csv
import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from models.datasets.folders import files_below
from models.llava_tri.evaluation.questions import WrongLayout

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
Row = Mapping[str, Any]


def find(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of the first pattern that finds any, sorted; none where no pattern does."""
    for pattern in patterns:
        if found := sorted(path for path in folder.glob(pattern) if path.is_file()):
            return found
    return []


def json_of(path: Path) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise WrongLayout(f"{path.name} is no JSON: {error}") from None


def rows_of(path: Path) -> list[Row]:
    """The objects of a JSON array, or of JSON lines."""
    found: Any
    if path.suffix == ".jsonl":
        try:
            found = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        except ValueError as error:
            raise WrongLayout(f"{path.name} is no JSON Lines: {error}") from None
    else:
        found = json_of(path)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):  # pyright: ignore[reportUnknownVariableType]
        raise WrongLayout(f"{path.name}: an array of objects is expected, one a question")
    return found


def table_of(path: Path, columns: Sequence[str], delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file with a head that has these columns."""
    # A row that ends early has empty cells at its end.
    rows = csv.DictReader(io.StringIO(lines_of(path)), delimiter=delimiter, restval="")
    if missing := [one for one in columns if one not in (rows.fieldnames or ())]:
        raise WrongLayout(f"{path.name}: no column {missing[0]!r}; {', '.join(columns)} are expected")
    return list(rows)


def lines_of(path: Path) -> str:
    """The whole of a text file in UTF-8, with or without its mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongLayout(f"{path.name} is no text in UTF-8: {error}") from None


def text(row: Row, field: str, path: Path) -> str:
    """A field of a row as text: numbers stand unquoted in some distributions, and NaN where pandas had nothing."""
    value = row.get(field)
    if value is None or value != value:
        raise WrongLayout(f"{path.name}: an object without {field!r} stands there; it has {', '.join(sorted(row))}")
    if not isinstance(value, str | int | float):
        raise WrongLayout(f"{path.name}: {field!r} of an object is no text: {str(value)[:60]}")
    return str(value).strip()


class _Plain(pickle.Unpickler):
    """Reads pickles of lists, dictionaries, texts and numbers; a pickle that names any code is refused unread."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")


def pickled_rows(path: Path) -> list[Row]:
    """The dictionaries of a pickled list. Nothing that is in the file can run."""
    try:
        found = _Plain(io.BytesIO(path.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise WrongLayout(f"{path.name} is no pickle of plain values: {error}") from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):  # pyright: ignore[reportUnknownVariableType]
        raise WrongLayout(f"{path.name}: a pickled list of dictionaries is expected, one a question")
    return found


class Folder:
    """Pictures of a folder and of the zips in it, by their file name or the end of their path, with or without suffix.

    Args:
        folder: that is searched, with all below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, key: str) -> bytes | None:
        """The bytes of a picture; None where it is not there."""
        places = self._places.get(PurePosixPath(key).stem, ())
        wanted = PurePosixPath(key.replace("\\", "/")).parts
        for parts, archive in places:
            whole = parts[-len(wanted) :]
            if whole == wanted or (*whole[:-1], PurePosixPath(whole[-1]).stem) == wanted:
                if archive is None:
                    return self._folder.joinpath(*parts).read_bytes()
                with zipfile.ZipFile(archive) as opened:
                    return opened.read("/".join(parts))
        return None

    @cached_property
    def _places(self) -> dict[str, list[tuple[tuple[str, ...], Path | None]]]:
        found: dict[str, list[tuple[tuple[str, ...], Path | None]]] = {}
        for path in files_below(self._folder):
            if path.suffix.lower() in PICTURES:
                found.setdefault(path.stem, []).append((path.relative_to(self._folder).parts, None))
            elif path.suffix.lower() == ".zip":
                for inner in map(PurePosixPath, _names(path)):
                    if inner.suffix.lower() in PICTURES:
                        found.setdefault(inner.stem, []).append((inner.parts, path))
        return found


def _names(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as opened:
            return opened.namelist()
    except zipfile.BadZipFile as error:
        raise WrongLayout(f"{path.name} is no whole zip: {error}; fetch it anew, or take it away") from None


class ParquetPictures:
    """Pictures that stand in rows of Parquet files, by the SHA-256 of their bytes: the same picture is one picture."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[Path, int, int]] = {}
        self._group: tuple[tuple[Path, int], list[Any]] | None = None

    def __call__(self, key: str) -> bytes | None:
        """The bytes of a picture; None where it is not there."""
        import pyarrow.parquet as pq

        place = self._places.get(key)
        if place is None:
            return None
        path, group, row = place
        # Questions about one picture follow one another mostly: the last row group is kept.
        if self._group is None or self._group[0] != (path, group):
            column = pq.ParquetFile(path).read_row_group(group, columns=["image"])["image"]
            self._group = ((path, group), column.to_pylist())
        return self._group[1][row]["bytes"]

    def rows(self, path: Path, columns: Sequence[str]) -> Iterator[Row]:
        """The rows of a file, with the key of its picture as `image`."""
        for group, row, values in _parquet_rows(path, ("image", *columns)):
            data: bytes | None = (values["image"] or {}).get("bytes")
            if data is None:
                raise WrongLayout(f"{path.name}: a row without bytes of its image; paths alone cannot be followed")
            key = hashlib.sha256(data).hexdigest()[:32]
            self._places.setdefault(key, (path, group, row))
            yield {**values, "image": key}


def parquet(path: Path, columns: Sequence[str]) -> "ParquetFile":
    """A Parquet file that has these columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise WrongLayout(f"{path.name} is no Parquet: {error}") from None
    if missing := [one for one in columns if one not in file.schema_arrow.names]:
        raise WrongLayout(f"{path.name}: no column {missing[0]!r}; {', '.join(columns)} are expected")
    return file


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    file = parquet(path, columns)
    for group in range(file.num_row_groups):
        for row, values in enumerate(file.read_row_group(group, columns=list(columns)).to_pylist()):
            yield group, row, values
