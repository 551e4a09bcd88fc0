"""Groups over splits: never torn, as the shares say, the same each time, and never out of a test set."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from models.datasets.splits import Group, Shares, rank
from models.datasets.splits import assign as cut


def groups(seed: int, n: int) -> list[Group]:
    """Groups of 1 to 20 images in four strata of very different sizes."""
    chance = random.Random(seed)
    strata = chance.choices(("CT/a", "CT/b", "MR/c", "PET/d"), (60, 30, 9, 1), k=n)
    return [Group(f"g{number}", stratum, chance.randint(1, 20)) for number, stratum in enumerate(strata)]


def assign(members: Sequence[Group], shares: Shares, key: str) -> dict[str, str]:
    """Splits of groups that come in the order of their rank."""
    totals: Counter[str] = Counter()
    for group in members:
        totals[group.stratum] += group.images * (group.given is None)
    return dict(cut(sorted(members, key=lambda group: rank(key, group.key)), totals, shares))


@pytest.mark.parametrize("seed", range(5))
def test_each_stratum_has_its_shares(seed: int) -> None:
    """To within the largest group, of the images of each stratum."""
    members = groups(seed, 800)
    splits = assign(members, Shares(0.1, 0.2), "key")
    assert set(splits) == {group.key for group in members}
    for stratum in {group.stratum for group in members}:
        of = [group for group in members if group.stratum == stratum]
        total = sum(group.images for group in of)
        for split, share in (("validation", 0.1), ("test", 0.2)):
            found = sum(group.images for group in of if splits[group.key] == split)
            assert abs(found - share * total) <= 20, (stratum, split)


def test_order_does_not_matter_and_the_key_does() -> None:
    """The same set is split the same way, in whatever order it comes."""
    members = groups(1, 300)
    splits = assign(members, Shares(), "key")
    assert assign(members[::-1], Shares(), "key") == splits
    assert assign(members, Shares(), "another") != splits


def test_what_a_collection_tests_on_is_never_trained_on() -> None:
    """Nor what it trains on tested on."""
    members = [Group("a", "CT", 5, "test"), Group("b", "CT", 5, "train"), Group("c", "CT", 5, "train")]
    assert assign(members, Shares(0.5, 0.4), "key") == {"a": "test", "b": "train", "c": "train"}


def test_one_group_alone_is_trained_on() -> None:
    """A stratum that cannot be divided has no test."""
    assert assign([Group("a", "CT", 5)], Shares(0.5, 0.4), "key") == {"a": "train"}


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.1), (0.1, 1.0)])
def test_shares_that_leave_nothing_are_refused(shares: tuple[float, float]) -> None:
    """Something is left for training."""
    with pytest.raises(ValueError, match="training"):
        Shares(*shares)
