"""Messages that wait in a partition that is held: what is stuck ends the worker, and what only takes long does not."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from schemas.failures import Unavailable
from streams.lag import Position
from streams.ordered import Partition, Standing
from streams.stuck import STUCK_AFTER, StuckWatch

HERE, THERE = ("images", 0), ("images", 1)
WAITING = {0: Position(0, 20, 25), 1: Position(0, 7, 7)}


@dataclass
class Broker:
    """Keeps messages of the first partition, and has handed out those before `position`."""

    kept: int | None = 20
    position_here: int = 20
    readable: bool = True
    meanwhile: Callable[[], object] = lambda: None

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        raise AssertionError(offsets)

    async def begins(self, partition: Partition) -> int:
        raise AssertionError(partition)

    async def first_kept(self, partition: Partition, first: int, before: int) -> int | None:
        assert (partition, first, before) == (HERE, 20, 25)
        self.meanwhile()
        if not self.readable:
            raise Unavailable("TimeoutError")
        return self.kept

    async def position(self, partition: Partition) -> int:
        assert partition == HERE
        return self.position_here


@dataclass
class Worker:
    """A worker that holds two partitions, under a clock of its own."""

    broker: Broker
    now: float = 1000.0
    ended: list[str] = field(default_factory=list[str])
    standing: Standing = field(default_factory=Standing)

    def __post_init__(self) -> None:
        self.standing.forget({HERE, THERE})
        self._watch = StuckWatch("images", self.standing, self.broker, self.ended.append, lambda: self.now)

    def look(self, after: float, positions: Mapping[int, Position] = WAITING) -> str:
        self.now += after
        asyncio.run(self._watch.look(positions))
        return "".join(self.ended)

    def do_one(self, partition: Partition, offset: int) -> None:
        self.standing.finish(self.standing.deliver(partition, offset))


def test_messages_that_were_handed_out_and_dropped_end_the_worker() -> None:
    """After a while, although other partitions have their messages done."""
    worker = Worker(Broker(position_here=25))
    assert worker.look(0) == ""
    worker.do_one(THERE, 7)
    assert worker.look(STUCK_AFTER - 1) == ""
    worker.do_one(THERE, 8)
    assert worker.look(1) == "messages from 20 on of images/0 were passed by"


def test_a_worker_that_is_given_nothing_although_there_is_something_ends() -> None:
    """As after a rebalance of which Faust let no messages flow again."""
    worker = Worker(Broker())
    assert worker.look(0) == ""
    assert worker.look(STUCK_AFTER - 1) == ""
    assert "messages from 20 on wait in images/0" in worker.look(1)
    assert "given none for 300 s" in worker.look(0)


def test_a_message_that_others_hold_up_is_waited_for() -> None:
    """On a thin wire one partition's large messages come long after another's."""
    worker = Worker(Broker())
    worker.look(0)
    worker.do_one(THERE, 7)
    assert worker.look(STUCK_AFTER) == ""
    assert worker.look(1) == ""
    assert worker.look(STUCK_AFTER) != ""


@pytest.mark.parametrize("position", [20, 25])
def test_a_message_that_nobody_can_read_soon_is_waited_for(position: int) -> None:
    """It may be as large as messages get; once it can be read, what is stuck is told."""
    worker = Worker(Broker(position_here=position, readable=False))
    worker.look(0)
    assert worker.look(STUCK_AFTER) == ""
    worker.broker.readable = True
    assert worker.look(1) == ""
    assert worker.look(STUCK_AFTER) != ""


def test_what_is_behind_messages_in_work_is_waited_for() -> None:
    """In its own partition and in others: Faust hands out what there is room for."""
    for partition in (HERE, THERE):
        worker = Worker(Broker(position_here=25))
        ticket = worker.standing.deliver(partition, 20)
        worker.look(0)
        assert worker.look(10 * STUCK_AFTER) == ""
        worker.standing.finish(ticket)
        worker.look(0)
        assert worker.look(STUCK_AFTER) != ""


def test_what_comes_while_it_is_looked_into_is_not_stuck() -> None:
    """A message that took its time, and is there at last."""
    worker = Worker(Broker(position_here=25))
    worker.broker.meanwhile = lambda: worker.standing.deliver(HERE, 20)
    worker.look(0)
    assert worker.look(STUCK_AFTER) == ""


def test_what_moves_is_not_stuck() -> None:
    """A partition that goes on, is divided anew, is another's, is empty, or holds a gap at its end."""
    going, divided, others, empty, gap = (Worker(Broker(position_here=25)) for _ in range(5))
    others.standing.forget({THERE})
    gap.broker.kept = None
    for number in range(10):
        assert going.look(STUCK_AFTER - 1, {0: Position(0, number, 25)}) == ""
        divided.standing.forget({HERE})
        assert divided.look(STUCK_AFTER - 1) == ""
        assert others.look(STUCK_AFTER) == ""
        assert empty.look(STUCK_AFTER, {0: Position(0, 25, 25)}) == ""
        assert gap.look(STUCK_AFTER) == ""
