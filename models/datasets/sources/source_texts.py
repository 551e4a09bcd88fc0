"""The file of what the source itself says of images: for pairing and evaluation. It goes no further than this file."""

import hashlib
import json
import os
from pathlib import Path

NAME = "source_text.jsonl"


class SourceTexts:
    """Lines that are added once each, whatever an earlier run left of the file.

    A picture may have several. Of each line a hash stands in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._there: set[bytes] | None = None

    def add(self, image: str, text: str) -> None:
        """Write a line, unless it is there."""
        line = json.dumps({"image": image, "source_text": text}, ensure_ascii=False).encode() + b"\n"
        there = self._there
        if there is None:
            there = self._there = self._read()
        if (known := _hash(line)) not in there:
            there.add(known)
            with self._path.open("ab") as file:
                file.write(line)

    def _read(self) -> set[bytes]:
        """Hashes of the lines that are there. What a run left of a line that broke off within it is cut away."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        found: set[bytes] = set()
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    found.add(_hash(line))
                    whole += len(line)
        os.truncate(self._path, whole)
        return found


def _hash(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=8).digest()
