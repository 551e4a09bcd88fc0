"""Parquet in TRL's conversational form: `images` and `messages`, readable by `datasets` without code.

Boxes are written in px, as left, top, right, bottom, with the image's size beside them in `width` and `height`.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets.conversations import Split
from models.datasets.formats.base import Example
from models.datasets.formats.rows import FEATURES, row_of

ROWS, ROW_BYTES = 128, 8_000_000
"""Of a row group at most, and of its pictures: a reader that shuffles takes as many into memory at once."""
SHARD_BYTES = 400_000_000

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_MESSAGE = pa.struct(
    [("role", pa.string()), ("content", pa.list_(pa.struct([("type", pa.string()), ("text", pa.string())])))]
)
SCHEMA = pa.schema(
    [
        ("images", pa.list_(_IMAGE)),
        ("messages", pa.list_(_MESSAGE)),
        ("kinds", pa.list_(pa.string())),
        ("caption", pa.string()),
        ("description", pa.string()),
        ("triplet_id", pa.string()),
        ("image_id", pa.string()),
        ("modality", pa.string()),
        ("organ", pa.string()),
        ("disease", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": FEATURES}})},
)

_TEXTS = [
    "messages.list.element.role", "messages.list.element.content.list.element.type", "kinds.list.element", "modality",
    "organ", "disease", "width", "height",
]  # fmt: skip
"""Columns in which values come again and again."""


class Parquet:
    """Writes data/<split>-00000.parquet and on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._shards: dict[Split, _Shard] = {}

    def write(self, example: Example) -> None:
        """One row an image."""
        shard = self._shards.get(example.split)
        if shard is None or shard.full:
            number = 0 if shard is None else shard.number + 1
            if shard is not None:
                shard.close()
            shard = self._shards[example.split] = _Shard(self._folder, example.split, number)
        shard.add(example.png, row_of(example.triplet, example.conversation))

    def close(self) -> None:
        """As Writer has it."""
        for shard in self._shards.values():
            shard.close()


class _Shard:
    def __init__(self, folder: Path, split: Split, number: int) -> None:
        self.number = number
        self._path = folder / f"{split}-{number:05}.parquet"
        # Pictures are compressed already, and the text is little beside them; a dictionary of pictures, or the least of
        # them, would serve nobody and takes as long as to write them.
        texts: Any = _TEXTS  # its stubs know no lists
        self._writer = pq.ParquetWriter(
            self._path, SCHEMA, compression="none", use_dictionary=texts, write_statistics=texts
        )
        self._pictures: list[bytes] = []
        self._rows: list[dict[str, Any]] = []
        self._held = 0

    @property
    def full(self) -> bool:
        return self._path.stat().st_size >= SHARD_BYTES

    def add(self, picture: bytes, row: dict[str, Any]) -> None:
        self._pictures.append(picture)
        self._rows.append(row)
        self._held += len(picture)
        if len(self._rows) == ROWS or self._held >= ROW_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        names = pa.array([f"{row['triplet_id']}.png" for row in self._rows])
        pictures = pa.StructArray.from_arrays([pa.array(self._pictures, pa.binary()), names], fields=list(_IMAGE))
        columns = pa.Table.from_pylist(self._rows, schema=SCHEMA.remove(0))
        offsets = pa.array(range(len(self._rows) + 1), pa.int32())
        table = columns.add_column(0, SCHEMA.field(0), pa.ListArray.from_arrays(offsets, pictures))
        self._writer.write_table(table.cast(SCHEMA))
        self._pictures, self._rows, self._held = [], [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()
