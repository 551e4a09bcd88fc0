"""Heads that an earlier run taught, kept as they end: who breaks off goes on with the next one."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from models.llava_tri.heads.result import Row, Skipped

Heads = TypeAdapter(list[Annotated[Row | Skipped, Field(union_mode="left_to_right")]])


class Kept:
    """A file of heads, JSON Lines, each under all that decided what came of it.

    Args:
        path: of the file, which is made when the first head ends.
        decided: by what heads came about, but for which head it is: data, settings, versions.
    """

    def __init__(self, path: Path, decided: Mapping[str, Any]) -> None:
        self._path, self._decided = path, decided
        self._known: dict[str, list[Row | Skipped]] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        self._end = "" if text.endswith("\n") or not text else "\n"
        for line in text.splitlines():
            try:
                told = json.loads(line)
                self._known[told["key"]] = Heads.validate_python(told["heads"])
            except (ValueError, KeyError, TypeError, ValidationError):
                continue  # Broken off while it was written, or by another version: it is taught again.

    def find(self, head: Sequence[str]) -> list[Row | Skipped] | None:
        """What came of a head, told by what it is of."""
        return self._known.get(self._key(head))

    def keep(self, head: Sequence[str], came: Sequence[Row | Skipped]) -> None:
        """Keep what came of a head; it stands there when this returns."""
        row = {"key": self._key(head), "heads": Heads.dump_python(list(came), mode="json")}
        with self._path.open("a", encoding="utf-8") as lines:
            lines.write(self._end + json.dumps(row, ensure_ascii=False) + "\n")
        self._end = ""

    def _key(self, head: Sequence[str]) -> str:
        return hashlib.sha256(json.dumps([self._decided, list(head)], sort_keys=True).encode()).hexdigest()
