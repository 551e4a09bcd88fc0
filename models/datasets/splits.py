"""Which split a group goes to. A group is what must not be torn apart: a patient, else a study, series or object.

Within a stratum (modality and disease) groups are ordered by a keyed hash and the shares are cut off the end, so that
splits are alike as far as groups allow, and the same set with the same key is split the same way.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.datasets.conversations import SPLITS, Split

STRICTEST: tuple[Split, ...] = ("test", "validation", "train")
"""Of a group that collections put in several splits the first of these holds: what one tests on is not trained on."""


_CUT: tuple[Split, ...] = ("test", "validation")


@dataclass(frozen=True, slots=True)
class Group:
    """What one group brings."""

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


def assign(
    groups: Iterable[Group], shares: Shares, key: str, kept: Mapping[str, Split] | None = None
) -> dict[str, Split]:
    """The split of each group.

    A split that a collection gives is kept; of groups without one, as many images as the shares say go to each split
    of their stratum, test first. A stratum too small for a split has none there.

    Args:
        groups: each key once.
        key: another one gives other splits.
        kept: splits of an earlier data set, which stay as they are; test in either one stays test.
    """
    found: dict[str, Split] = {}
    strata: defaultdict[str, list[Group]] = defaultdict(list)
    for group in groups:
        earlier = kept.get(group.key) if kept else None
        fixed = strictest(split for split in (group.given, earlier) if split is not None)
        if fixed is None:
            strata[group.stratum].append(group)
        else:
            found[group.key] = fixed
    for members in strata.values():
        total = sum(group.images for group in members)
        left: dict[Split, int] = {"test": round(total * shares.test), "validation": round(total * shares.validation)}
        for group in sorted(members, key=lambda one: hashlib.blake2b(f"{key}:{one.key}".encode()).digest()):
            # A group goes where it brings a split nearer to its share than that is without it.
            split: Split | None = next((name for name in _CUT if 2 * left[name] > group.images), None)
            if split is None or group.images == total:
                found[group.key] = "train"
            else:
                left[split] -= group.images
                found[group.key] = split
    return found


def by_split(splits: Mapping[str, Split]) -> dict[Split, int]:
    """How many groups each split has."""
    return {split: sum(one == split for one in splits.values()) for split in SPLITS}
