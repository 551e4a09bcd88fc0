"""Standing: the offset that is committed never passes a message still in work."""

import random

from streams.ordered import Standing, Ticket


def deliver(standing: Standing, *offsets: int, partition: int = 0) -> list[Ticket]:
    return [standing.deliver(("t", partition), offset) for offset in offsets]


def test_a_slow_message_holds_back_all_after_it() -> None:
    """While one message is in work, nothing behind it counts."""
    standing = Standing()
    first, slow, *fast = deliver(standing, *range(300))
    for ticket in (first, *fast):
        standing.finish(ticket)
    assert standing.due == {("t", 0): 1}
    standing.finish(slow)
    assert standing.due == {("t", 0): 300}


def test_any_order_of_finishing_counts_in_order() -> None:
    """What is due passes nothing unfinished, whatever the order of finishing, gaps of compaction included."""
    rng = random.Random(7)
    for _ in range(50):
        standing = Standing()
        offsets = sorted(rng.sample(range(1000), 40))
        tickets = deliver(standing, *offsets)
        unfinished = set(offsets)
        rng.shuffle(tickets)
        for ticket in tickets:
            standing.finish(ticket)
            unfinished.discard(ticket.offset)
            before = [offset for offset in offsets if offset < min(unfinished, default=1000)]
            assert standing.due == ({("t", 0): before[-1] + 1} if before else {})
        assert standing.in_work == 0


def test_partitions_do_not_wait_for_each_other() -> None:
    """A slow message holds back its own partition only."""
    standing = Standing()
    deliver(standing, 0, partition=0)
    (other,) = deliver(standing, 100, partition=1)
    standing.finish(other)
    assert standing.due == {("t", 1): 101}


def test_what_was_committed_is_due_no_more() -> None:
    """Until more is done."""
    standing = Standing()
    first, second = deliver(standing, 10, 11)
    standing.finish(first)
    standing.commit(standing.due)
    assert standing.due == {}
    standing.finish(second)
    assert standing.due == {("t", 0): 12}


def test_work_of_a_partition_that_was_taken_away_counts_for_nothing() -> None:
    """What finishes afterwards leaves the offsets to the new owner."""
    standing = Standing()
    first, second = deliver(standing, 10, 11)
    standing.finish(second)
    standing.forget()
    standing.finish(first)
    assert standing.due == {}
    assert standing.is_new(("t", 0))


def test_redelivery_starts_afresh() -> None:
    """When a partition comes back, finishing an old delivery does not stand for the new one."""
    standing = Standing()
    old_slow, old_fast = deliver(standing, 10, 11)
    standing.finish(old_fast)
    new_slow, new_fast = deliver(standing, 10, 11)
    standing.finish(old_slow)
    standing.finish(new_fast)
    assert standing.due == {}
    standing.finish(new_slow)
    assert standing.due == {("t", 0): 12}


def test_what_lies_before_a_redelivery_is_still_in_work() -> None:
    """When the last of several messages comes a second time, those before it hold it back as before."""
    standing = Standing()
    first, _ = deliver(standing, 10, 11)
    (again,) = deliver(standing, 11)
    standing.finish(again)
    assert standing.due == {}
    standing.finish(first)
    assert standing.due == {("t", 0): 12}
