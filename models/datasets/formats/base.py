"""What every format shares: an example, where its picture lies, and files that are whole or not there."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from models.datasets.conversations import Conversation, Split
from schemas.triplets import Triplet


@dataclass(frozen=True)
class Example:
    """One image of a data set."""

    split: Split
    triplet: Triplet
    png: bytes
    conversation: Conversation

    @property
    def name(self) -> str:
        """Of its picture, without a suffix."""
        return self.triplet.triplet_id


class Writer(Protocol):
    """Writes examples in one format. What it needs in memory does not grow with their number."""

    def write(self, example: Example) -> None:
        """Take an example."""
        ...

    def close(self) -> None:
        """Make all files whole."""
        ...


def put_picture(folder: Path, example: Example) -> str:
    """Write the picture as <split>/<name>.png below `folder`, and tell that path."""
    path = folder / example.split / f"{example.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(example.png)
    return f"{example.split}/{path.name}"


class JsonList:
    """A JSON array that is written item by item."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._file.write("[")
        self._first = True

    def add(self, item: Any) -> None:
        """Append one."""
        self._file.write(("\n" if self._first else ",\n") + json.dumps(item, ensure_ascii=False))
        self._first = False

    def close(self) -> None:
        """End the array."""
        self._file.write("\n]\n")
        self._file.close()


class JsonObject:
    """A JSON object of texts that is written key by key."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8")
        self._file.write("{")
        self._first = True

    def add(self, key: str, value: str) -> None:
        """Write one; each key comes once."""
        self._file.write(("\n" if self._first else ",\n") + f"{json.dumps(key)}: {json.dumps(value)}")
        self._first = False

    def close(self) -> None:
        """End the object."""
        self._file.write("\n}\n")
        self._file.close()


class JsonLines:
    """One JSON object a line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("w", encoding="utf-8")

    def add(self, item: Any) -> None:
        """Append one."""
        self._file.write(json.dumps(item, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """End the file."""
        self._file.close()
