"""Parquet in TRL's conversational form: `images` and `messages`, readable by `datasets` without code.

Boxes are written in px, as left, top, right, bottom, with the image's size beside them in `width` and `height`.
"""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.datasets.conversations import Split, corners, listed
from models.datasets.formats.base import Example
from schemas.shapes import Box

ROWS = 128
"""Of a row group: a reader that shuffles takes as many into memory at once."""
SHARD_BYTES = 400_000_000

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_MESSAGE = pa.struct(
    [("role", pa.string()), ("content", pa.list_(pa.struct([("type", pa.string()), ("text", pa.string())])))]
)
_TEXT = {"dtype": "string", "_type": "Value"}
_FEATURES = {
    "images": {"feature": {"_type": "Image"}, "_type": "List"},
    "messages": {
        "feature": {"role": _TEXT, "content": {"feature": {"type": _TEXT, "text": _TEXT}, "_type": "List"}},
        "_type": "List",
    },
    "kinds": {"feature": _TEXT, "_type": "List"},
    **dict.fromkeys(("caption", "description", "triplet_id", "image_id", "modality", "organ", "disease"), _TEXT),
    "width": {"dtype": "int32", "_type": "Value"},
    "height": {"dtype": "int32", "_type": "Value"},
}
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
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)


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
        messages: list[dict[str, Any]] = []
        for turn in example.conversation.turns:
            question, answer = turn.rendered(_box)
            asked: list[dict[str, str | None]] = [{"type": "text", "text": question}]
            if not messages:
                asked.insert(0, {"type": "image", "text": None})
            messages.append({"role": "user", "content": asked})
            messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
        triplet = example.triplet
        caption = triplet.description.caption
        shard.add(
            example.png,
            {
                "messages": messages,
                "kinds": list(example.conversation.kinds),
                "caption": caption.text if caption else None,
                "description": triplet.description.description,
                "triplet_id": triplet.triplet_id,
                "image_id": triplet.image_id,
                "modality": triplet.metadata.modality,
                "organ": triplet.metadata.organ,
                "disease": triplet.metadata.disease,
                "width": triplet.image.columns,
                "height": triplet.image.rows,
            },
        )

    def close(self) -> None:
        """As Writer has it."""
        for shard in self._shards.values():
            shard.close()


def _box(box: Box) -> str:
    return listed(corners(box))


class _Shard:
    def __init__(self, folder: Path, split: Split, number: int) -> None:
        self.number = number
        self._path = folder / f"{split}-{number:05}.parquet"
        # Pictures are compressed already, and the text is little beside them.
        self._writer = pq.ParquetWriter(self._path, SCHEMA, compression="none")
        self._pictures: list[bytes] = []
        self._rows: list[dict[str, Any]] = []

    @property
    def full(self) -> bool:
        return self._path.stat().st_size >= SHARD_BYTES

    def add(self, picture: bytes, row: dict[str, Any]) -> None:
        self._pictures.append(picture)
        self._rows.append(row)
        if len(self._rows) == ROWS:
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
        self._pictures, self._rows = [], []

    def close(self) -> None:
        self._flush()
        self._writer.close()
