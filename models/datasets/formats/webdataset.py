"""WebDataset: tar shards with <id>.png, <id>.json (the conversation and the triplet without its picture), <id>.txt."""

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
        self._shards: dict[Split, _Shard] = {}

    def write(self, example: Example) -> None:
        """One sample an image."""
        shard = self._shards.get(example.split)
        if shard is None or shard.bytes >= SHARD_BYTES:
            number = 0 if shard is None else shard.number + 1
            if shard is not None:
                shard.close()
            shard = self._shards[example.split] = _Shard(self._folder, example.split, number)
        triplet = example.triplet.model_dump_json(exclude={"image": {"data"}})
        conversation = [
            dict(zip(("kind", "question", "answer"), (turn.kind, *turn.rendered(_box)), strict=True))
            for turn in example.conversation.turns
        ]
        data = orjson.dumps({"conversation": conversation, "triplet": orjson.Fragment(triplet)})
        for suffix, content in (
            ("png", example.png), ("json", data), ("txt", example.triplet.description.description.encode())
        ):  # fmt: skip
            shard.add(f"{example.name}.{suffix}", content)

    def close(self) -> None:
        """As Writer has it."""
        for shard in self._shards.values():
            shard.close()


class _Shard:
    """A tar whose members are written as they come: `TarFile` copies each in pieces, and remembers it to the end."""

    def __init__(self, folder: Path, split: Split, number: int) -> None:
        self.number, self.bytes = number, 0
        self._file = (folder / f"{split}-{number:06}.tar").open("wb")

    def add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        for part in (member.tobuf(tarfile.USTAR_FORMAT), content, bytes(-len(content) % tarfile.BLOCKSIZE)):
            self.bytes += self._file.write(part)

    def close(self) -> None:
        # Two empty blocks, then up to a whole record (POSIX.1, ustar).
        end = self.bytes + 2 * tarfile.BLOCKSIZE
        self._file.write(bytes(2 * tarfile.BLOCKSIZE + -end % tarfile.RECORDSIZE))
        self._file.close()


def _box(box: Box) -> str:
    return listed(corners(box))
