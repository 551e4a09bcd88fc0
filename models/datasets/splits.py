"""Which split a group goes to. A group is what must not be torn apart: a patient, else a study, series or object.

Within a stratum (modality and disease) groups are ordered by a keyed hash and the shares are cut off the end, so that
splits are alike as far as groups allow, and the same set with the same key is split the same way.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from models.datasets.conversations import Split

STRICTEST: tuple[Split, ...] = ("test", "validation", "train")
"""Of a group that collections put in several splits the first of these holds: what one tests on is not trained on."""


_CUT: tuple[Split, ...] = ("test", "validation")


@dataclass(frozen=True, slots=True)
class Group:
    """What one group brings. `given`: by its collection, or by an earlier data set; it stays as it is."""

    key: str
    stratum: str
    images: int
    given: Split | None = None


@dataclass(frozen=True)
class Shares:
    """How much of the images each split gets, 0 to 1; the rest is for training."""

    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.validation < 1 and 0 <= self.test < 1 and self.validation + self.test < 1):
            raise ValueError("the shares of validation and test are between 0 and 1, and leave something for training")


def strictest(splits: Iterable[Split]) -> Split | None:
    """Which of several splits holds for a group; None where there are none."""
    found = set(splits)
    return next((split for split in STRICTEST if split in found), None)


def rank(key: str, group: str) -> bytes:
    """Where a group stands among those that splits are cut off; another key gives another order."""
    return hashlib.blake2b(f"{key}:{group}".encode()).digest()


def assign(groups: Iterable[Group], totals: Mapping[str, int], shares: Shares) -> Iterator[tuple[str, Split]]:
    """The split of each group, one by one: memory does not grow with their number.

    A split that is given is kept; of groups without one, as many images as the shares say go to each split of their
    stratum, test first. A stratum too small for a split has none there.

    Args:
        groups: each key once, in the order of `rank`.
        totals: images of each stratum in groups that no split is given for.
        shares: of the images.
    """
    left: dict[str, dict[Split, int]] = {
        stratum: {"test": round(total * shares.test), "validation": round(total * shares.validation)}
        for stratum, total in totals.items()
    }
    for group in groups:
        if group.given is not None:
            yield group.key, group.given
            continue
        free = left[group.stratum]
        # A group goes where it brings a split nearer to its share than that is without it.
        split: Split | None = next((name for name in _CUT if 2 * free[name] > group.images), None)
        if split is None or group.images == totals[group.stratum]:
            yield group.key, "train"
        else:
            free[split] -= group.images
            yield group.key, split
