"""External data of ONNX files: weights kept in files of their own, which are read from below the graph's folder only.

ONNX Runtime, given bytes, would look for them where the process runs. Knows nothing of what graphs do: of the format
(onnx.proto3) only the way to the tensors is known here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from models.protobuf import fields_of

Part = Literal["model", "training", "function", "graph", "node", "attribute", "sparse", "tensor"]

_PARTS: dict[Part, dict[int, Part]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Of each message that can hold tensors, the numbers of the fields that do."""
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1


@dataclass(frozen=True, slots=True)
class Graph:
    """The bytes of an ONNX file and of the files that it names, by their paths below its folder."""

    data: bytes = field(repr=False)
    external: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @property
    def digest(self) -> str:
        """Of the external data, in hexadecimal; empty where there is none."""
        if not self.external:
            return ""
        parts = [(name, hashlib.sha256(data).hexdigest()) for name, data in sorted(self.external.items())]
        return hashlib.sha256(repr(parts).encode()).hexdigest()


class NoExternalData(Exception):
    """A file that a graph names cannot be had; says which, and why."""


def read_graph(path: Path) -> Graph:
    """An ONNX file with its external data.

    Raises:
        OSError: the file itself cannot be read.
        NoExternalData: one that it names lies elsewhere, or is not there.
    """
    data = path.read_bytes()
    return Graph(data, {name: place.read_bytes() for name, place in external_files(path, data).items()})


def external_files(path: Path, data: bytes) -> dict[str, Path]:
    """Where the files lie that an ONNX file names, by their names in it.

    Raises:
        NoExternalData: one lies elsewhere than below its folder, by a link too, or is not there.
    """
    found: dict[str, Path] = {}
    for name in named_in(data):
        place = path.parent / name
        below = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts and "\0" not in name
        if not below or not place.resolve().is_relative_to(path.parent.resolve()):
            raise NoExternalData(
                f"{path.name} names external data outside its folder ({name!r}), which is not read: "
                "export it again with its data beside it"
            )
        if not place.is_file():
            raise NoExternalData(f"{path.name} names external data that is not there: put {name!r} beside it")
        found[name] = place
    return found


def named_in(data: bytes) -> list[str]:
    """The names of the files of external data in an ONNX file, each once; of what is none, those before that."""
    names: dict[str, None] = {}
    waiting: list[tuple[Part, memoryview]] = [("model", memoryview(data))]
    try:
        while waiting:
            part, content = waiting.pop()
            if part == "tensor":
                names |= dict.fromkeys(_of_tensor(content))
                continue
            for number, value, _ in fields_of(content):
                if number in _PARTS[part] and isinstance(value, memoryview):
                    waiting.append((_PARTS[part][number], value))
    except (IndexError, ValueError):  # Whoever loads it says so.
        pass
    return sorted(names)


def _of_tensor(content: memoryview) -> Iterator[str]:
    entries: dict[str, str] = {}
    external = False
    for number, value, _ in fields_of(content):
        if number == _EXTERNAL_DATA and isinstance(value, memoryview):
            entry = {key: bytes(word).decode() for key, word, _ in fields_of(value) if isinstance(word, memoryview)}
            entries[entry.get(1, "")] = entry.get(2, "")
        elif number == _DATA_LOCATION:
            external = value == _EXTERNAL
    if external and "location" in entries:
        yield entries["location"]
