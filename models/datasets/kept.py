"""What an earlier data set did with its images, so that a later one tests on and trains on the same."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from models.datasets.cards import INDEX
from models.datasets.conversations import Split
from schemas.failures import InvalidInput

GROUPS = "groups.json"


class NotKept(InvalidInput):
    """The folder holds no data set of ours, or a damaged one."""


class KeptImage(NamedTuple):
    """An image of an earlier data set: its content, its perceptual hash, and its group there."""

    image_id: str
    hash: int
    group: str


@dataclass(frozen=True)
class Kept:
    """Splits of groups by all names that they had, and the images: a copy may come back under another name."""

    groups: Mapping[str, Split] = field(default_factory=dict[str, Split])
    images: Iterable[KeptImage] = ()

    @classmethod
    def of(cls, folder: Path) -> "Kept":
        """Of a finished data set; its index is read when the images are asked for.

        Raises:
            NotKept: there is none in the folder.
        """
        try:
            groups: dict[str, Split] = json.loads((folder / GROUPS).read_bytes())
            # Read as a whole once, so that a damaged line ends a build before it has begun.
            sum(1 for _ in _images(folder / INDEX))
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            raise NotKept(f"holds no data set: its {GROUPS} or {INDEX} is not there, or damaged") from None
        return cls(groups, _images(folder / INDEX))


def _images(index: Path) -> Iterator[KeptImage]:
    with index.open("rb") as lines:
        for line in lines:
            entry = json.loads(line)
            yield KeptImage(entry["image_id"], int(entry["hash"], 16), entry["group"])
