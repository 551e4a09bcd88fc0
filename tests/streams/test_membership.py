"""Partitions that no worker holds: said after a moment, and not said of what is as it should be."""

import pytest

from streams.lag import Membership, Position
from streams.membership import ENDED_AFTER, SAID_AFTER, PartitionWatch
from streams.settings import Wires

WAITING = {number: Position(0, 3, 5) for number in range(4)}
DONE = {number: Position(0, 5, 5) for number in range(4)}
NOBODY, ALL = Membership(True, 1, frozenset()), Membership(True, 1, frozenset(range(4)))


class Look:
    """A watch under a clock of its own."""

    def __init__(self) -> None:
        self.now, self.ended = 0.0, list[str]()
        self._watch = PartitionWatch("ground", Wires(), lambda: 0.0, self.ended.append, clock=lambda: self.now)

    def at(self, second: float, positions: dict[int, Position], membership: Membership) -> str:
        self.now = second
        self._watch.update(positions, membership)
        return self._watch.reason


def test_messages_that_no_worker_comes_for_are_said_and_end_the_worker() -> None:
    """In words, with how many; and when nothing mends it the worker ends, once, to be started again."""
    look = Look()
    assert look.at(0, WAITING, NOBODY) == ""
    assert "8 messages wait in 4 of 4 partitions of 'images' that no worker holds" in look.at(
        SAID_AFTER, WAITING, NOBODY
    )
    assert not look.ended
    look.at(ENDED_AFTER, WAITING, NOBODY)
    assert len(look.ended) == 1


@pytest.mark.parametrize(
    ("positions", "membership"),
    [(WAITING, ALL), (DONE, NOBODY), ({0: WAITING[0], 1: DONE[1]}, Membership(True, 1, frozenset({0})))],
    ids=["all are held", "nothing waits", "what waits is held"],
)
def test_a_worker_that_stands_by_is_as_it_should_be(positions: dict[int, Position], membership: Membership) -> None:
    """Beyond the last partition, or with nothing to do, a worker has none and is ready."""
    look = Look()
    assert not any(look.at(second, positions, membership) for second in (0, SAID_AFTER, ENDED_AFTER, 10 * ENDED_AFTER))
    assert not look.ended


def test_a_group_that_is_dividing_its_partitions_decides_nothing() -> None:
    """What was wrong before stays wrong, and what was right right, until it is settled."""
    look = Look()
    dividing = Membership(False, 2, frozenset())
    assert not any(look.at(second, WAITING, dividing) for second in (0, ENDED_AFTER))
    look.at(20, WAITING, NOBODY)
    assert look.at(20 + SAID_AFTER, WAITING, dividing)
    assert look.at(30, WAITING, ALL) == ""
