"""The index of a finished data set, a line an image. Knows nothing of who asks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.datasets.cards import INDEX
from schemas.failures import InvalidInput

NEEDED = {"triplet_id", "group", "split"}


class BadIndex(InvalidInput):
    """A line of an index is not as `dataset build` writes it. Its text names the line and quotes nothing of it."""

    def __init__(self, line: int) -> None:
        super().__init__(f"{INDEX}, line {line}: not as `tristream dataset build` writes it; build the data set anew")


def entries(folder: Path) -> Iterator[dict[str, Any]]:
    """What the index of a data set says of each image; `triplet_id`, `group` and `split` are there.

    Raises:
        BadIndex: a line is damaged.
        OSError: there is no index that can be read.
    """
    with (folder / INDEX).open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry: Any = json.loads(line)
            except ValueError:
                raise BadIndex(number) from None
            if not isinstance(entry, dict) or not entry.keys() >= NEEDED:  # pyright: ignore[reportUnknownMemberType]
                raise BadIndex(number)
            yield entry


def groups_by_triplet(folder: Path) -> dict[str, str]:
    """The group of each triplet: what is known of its patient. Raises as `entries`."""
    return {entry["triplet_id"]: entry["group"] for entry in entries(folder)}
