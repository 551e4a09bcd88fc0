"""Pictures of sets that one will evaluate on, as they lie on disk: VQA-RAD, SLAKE, PathVQA, or any pictures."""

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import decoded
from models.datasets.folders import files_below
from schemas.failures import InvalidInput

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
ONLY: dict[str, tuple[str, ...]] = {"slake": ("source.*",)}
"""Names of files that are the set's pictures, where its folders hold others: SLAKE's masks lie beside each source."""
_COLUMNS = ("image", "images")


class NoPictures(InvalidInput):
    """A folder holds no picture of the evaluation set."""


class BadPicture(InvalidInput):
    """A file of an evaluation set is no picture. Its text names it below the set's folder."""

    def __init__(self, name: str, file: str) -> None:
        super().__init__(f"{file} of the evaluation set {name} cannot be read: mend it, or take it out of the folder")


def decoded_of(name: str, pictures: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """File name and pixels of each picture of an evaluation set. Raises BadPicture."""
    for file, data in pictures:
        try:
            picture = decoded(data)
        except ValueError:
            raise BadPicture(name, file) from None
        yield file, picture


def pictures_of(name: str, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Path below the folder and encoded picture, of files and of Parquet files as `datasets` writes them.

    Args:
        name: of the set; known ones are read by their layout.
        folder: where it was unpacked.

    Raises:
        NoPictures: there is none.
        BadPicture: one cannot be read.
    """
    only = ONLY.get(name.lower().replace("_", "-"), ("*",))
    found = False
    for path in files_below(folder):
        told = path.relative_to(folder).as_posix()
        if path.suffix.lower() in PICTURES and any(fnmatch.fnmatchcase(path.name, one) for one in only):
            found = True
            try:
                data = path.read_bytes()
            except OSError:
                raise BadPicture(name, told) from None
            yield told, data
        elif path.suffix == ".parquet":
            for number, data in enumerate(_in_parquet(path)):
                found = True
                yield f"{told}:{number}", data
    if not found:
        raise NoPictures(
            f"no picture of the evaluation set {name} is in its folder: expected {', '.join(only)} or Parquet"
        )


def _in_parquet(path: Path) -> Iterator[bytes]:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    column = next((name for name in _COLUMNS if name in file.schema_arrow.names), None)
    if column is None:
        return
    for batch in file.iter_batches(batch_size=64, columns=[column]):
        for row in batch.to_pylist():
            held: Any = row[column]
            for one in held if isinstance(held, list) else [held]:
                if one and one.get("bytes"):
                    yield one["bytes"]
