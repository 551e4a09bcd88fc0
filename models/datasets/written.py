"""What stands in the files of a finished data set: every picture of every format, and the answers yes and no."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.datasets.duplicates import in_8_bits
from models.imaging import decode_png
from models.imaging.errors import CorruptPixels


def encoded(folder: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """Format, triplet_id, split and PNG of every picture that is written as one, format by format."""
    for path in sorted(folder.glob("parquet/data/*.parquet")):
        for rows in _row_groups(path, "triplet_id", "images"):
            for row in rows:
                yield "parquet", row["triplet_id"], _split_of(path), row["images"][0]["bytes"]
    for path in sorted(folder.glob("webdataset/*.tar")):
        with tarfile.open(path) as shard:
            for member in shard:
                content = shard.extractfile(member) if member.name.endswith(".png") else None
                if content is not None:
                    name = member.name.removesuffix(".png")
                    yield "webdataset", name, _split_of(path), content.read()
    for pattern in ("*/images/*/*.png", "imagefolder/*/*.png"):
        for path in sorted(folder.glob(pattern)):
            yield path.relative_to(folder).parts[0], path.stem, path.parent.name, path.read_bytes()


def pictures(folder: Path) -> Iterator[tuple[str, str, str, npt.NDArray[np.uint8] | None]]:
    """Format, triplet_id, split and pixels of every picture, format by format; None where they cannot be read.

    Pixels are (rows, columns) grey or (rows, columns, 3) RGB.
    """
    for name, triplet_id, split, data in encoded(folder):
        try:
            yield name, triplet_id, split, in_8_bits(decode_png(data))
        except CorruptPixels:
            yield name, triplet_id, split, None
    for path in sorted(folder.glob("dicom/*/*/image.dcm")):
        import pydicom

        yield "dicom", path.parent.name, path.parent.parent.name, pydicom.dcmread(path).pixel_array
    for path in sorted(folder.glob("nifti/*/*.nii.gz")):
        if not path.name.endswith("_mask.nii.gz"):
            yield "nifti", path.name.removesuffix(".nii.gz"), path.parent.name, _view(path)


def rows(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Format, triplet_id and split of every row of LLaVA's, ms-swift's and ImageFolder's files."""
    for path in sorted(folder.glob("llava/*.json")):
        for item in _lines(path):
            yield "llava", Path(item["image"]).stem, path.stem
    for path in sorted(folder.glob("swift/*.jsonl")):
        for item in _lines(path):
            yield "swift", Path(item["images"][0]).stem, path.stem
    for path in sorted(folder.glob("imagefolder/*/metadata.jsonl")):
        for item in _lines(path):
            yield "imagefolder", Path(item["file_name"]).stem, path.parent.name


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects that stand on a line each, in JSON Lines or in a list."""
    with path.open("rb") as lines:
        for line in lines:
            if (text := line.strip().rstrip(b",").strip(b"[]").strip()) != b"":
                yield json.loads(text)


def _row_groups(path: Path, *columns: str) -> Iterator[list[dict[str, Any]]]:
    """Rows, a group at a time: `iter_batches` over a whole file holds more and more of it."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    for number in range(file.num_row_groups):
        yield file.read_row_group(number, columns=list(columns)).to_pylist()


def _split_of(path: Path) -> str:
    return path.name.rpartition("-")[0]


def _view(path: Path) -> Any:
    import nibabel

    values: Any = np.asanyarray(nibabel.load(path).dataobj)[..., 0].T  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]
    return values if values.dtype.names is None else np.stack([values[name] for name in "RGB"], axis=-1)


def closed_answers(folder: Path) -> Counter[tuple[str, str]]:
    """How often each kind of turn is answered by yes and by no, in the Parquet files."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(folder.glob("parquet/data/*.parquet")):
        for rows in _row_groups(path, "kinds", "messages"):
            for row in rows:
                said = [one["content"][-1]["text"] for one in row["messages"] if one["role"] == "assistant"]
                pairs = zip(row["kinds"], said, strict=True)
                found.update((kind, answer) for kind, answer in pairs if answer in ("Yes", "No"))
    return found
