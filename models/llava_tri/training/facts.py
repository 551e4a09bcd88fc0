"""Facts of pictures by triplet, from files of triplets that are too large to be held."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from models.llava_tri.training.settings import BadRun
from models.statements import Facts
from schemas.triplets import Triplet

HELD = 256
"""Triplets whose facts are at hand; those of others are read again."""


class FactsOnDisk(Mapping[str, Facts]):
    """By triplet_id. Where a triplet stands twice, the later one counts, as on the topic.

    Args:
        paths: JSON Lines, not compressed.

    Raises:
        BadRun: a file cannot be read, or has a line that is no triplet.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._places: dict[str, tuple[Path, int]] = {}
        self._held: OrderedDict[str, Facts] = OrderedDict()
        found = hashlib.sha256()
        for path in map(Path, paths):
            at = 0
            try:
                with path.open("rb") as lines:
                    for number, line in enumerate(lines, 1):
                        found.update(line)
                        if line.strip():
                            self._places[_id_of(line, path, number)] = path, at
                        at += len(line)
            except OSError:
                raise BadRun(f"the triplets {path.name!r} cannot be read") from None
        self.digest = found.hexdigest()[:32]
        """Of all lines, as 32 hexadecimal digits."""

    def __getitem__(self, triplet_id: str) -> Facts:
        if triplet_id in self._held:
            self._held.move_to_end(triplet_id)
            return self._held[triplet_id]
        path, at = self._places[triplet_id]
        with path.open("rb") as lines:
            lines.seek(at)
            facts = Facts.of_triplet(Triplet.model_validate_json(lines.readline()))
        self._held[triplet_id] = facts
        if len(self._held) > HELD:
            self._held.popitem(last=False)
        return facts

    def __contains__(self, triplet_id: object) -> bool:
        return triplet_id in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _id_of(line: bytes, path: Path, number: int) -> str:
    try:
        return str(orjson.loads(line)["triplet_id"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BadRun(f"line {number} of {path.name!r} is no triplet; is the file compressed?") from None
