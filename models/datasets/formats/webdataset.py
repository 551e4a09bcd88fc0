"""WebDataset: tar shards with <id>.png, <id>.json (the conversation and the triplet without its picture), <id>.txt."""

import io
import tarfile
from pathlib import Path

import orjson

from models.datasets.conversations import Split, corners, listed
from models.datasets.formats.base import Example
from schemas.shapes import Box

SHARD_BYTES = 400_000_000


class WebDataset:
    """Writes <split>-000000.tar and on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._shards: dict[Split, tuple[int, tarfile.TarFile]] = {}

    def write(self, example: Example) -> None:
        """One sample an image."""
        number, shard = self._shards.get(example.split) or (-1, None)
        if shard is None or shard.offset >= SHARD_BYTES:
            if shard is not None:
                shard.close()
            number += 1
            path = self._folder / f"{example.split}-{number:06}.tar"
            shard = tarfile.TarFile(path, "w", format=tarfile.USTAR_FORMAT)
            self._shards[example.split] = (number, shard)
        triplet = example.triplet.model_dump_json(exclude={"image": {"data"}})
        conversation = [
            dict(zip(("kind", "question", "answer"), (turn.kind, *turn.rendered(_box)), strict=True))
            for turn in example.conversation.turns
        ]
        data = orjson.dumps({"conversation": conversation, "triplet": orjson.Fragment(triplet)})
        for suffix, content in (
            ("png", example.png), ("json", data), ("txt", example.triplet.description.description.encode())
        ):  # fmt: skip
            member = tarfile.TarInfo(f"{example.name}.{suffix}")
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))

    def close(self) -> None:
        """As Writer has it."""
        for _, shard in self._shards.values():
            shard.close()


def _box(box: Box) -> str:
    return listed(corners(box))
