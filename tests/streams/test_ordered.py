"""OrderedAcks: the committed offset never passes a message still in work."""

import random

from streams.ordered import OrderedAcks, Ticket


def deliver(acks: OrderedAcks, acknowledged: list[int], *offsets: int, partition: int = 0) -> list[Ticket]:
    return [acks.deliver(("t", partition), offset, lambda o=offset: acknowledged.append(o)) for offset in offsets]


def test_a_slow_message_holds_back_all_after_it() -> None:
    """While one message is in work, nothing behind it is acknowledged."""
    acks, acknowledged = OrderedAcks(), list[int]()
    slow, *fast = deliver(acks, acknowledged, *range(300))
    for ticket in fast:
        acks.finish(ticket)
    assert acknowledged == []
    acks.finish(slow)
    assert acknowledged == list(range(300))


def test_any_order_of_finishing_acknowledges_in_order() -> None:
    """Acknowledgements come in the order of offsets, whatever the order of finishing, gaps of compaction included."""
    rng = random.Random(7)
    for _ in range(50):
        acks, acknowledged = OrderedAcks(), list[int]()
        offsets = sorted(rng.sample(range(1000), 40))
        tickets = deliver(acks, acknowledged, *offsets)
        rng.shuffle(tickets)
        for ticket in tickets:
            acks.finish(ticket)
            assert acknowledged == offsets[: len(acknowledged)]
        assert acknowledged == offsets
        assert acks.in_work == 0


def test_partitions_do_not_wait_for_each_other() -> None:
    """A slow message holds back its own partition only."""
    acks, acknowledged = OrderedAcks(), list[int]()
    deliver(acks, acknowledged, 0, partition=0)
    (other,) = deliver(acks, acknowledged, 100, partition=1)
    acks.finish(other)
    assert acknowledged == [100]


def test_work_of_a_revoked_partition_acknowledges_nothing() -> None:
    """What finishes after its partition was taken away leaves the offsets to the new owner."""
    acks, acknowledged = OrderedAcks(), list[int]()
    first, second = deliver(acks, acknowledged, 10, 11)
    acks.finish(second)
    acks.revoke({("t", 0)})
    acks.finish(first)
    assert acknowledged == []


def test_redelivery_starts_afresh() -> None:
    """When a partition comes back, finishing an old delivery does not stand for the new one."""
    acks, acknowledged = OrderedAcks(), list[int]()
    old_slow, old_fast = deliver(acks, acknowledged, 10, 11)
    acks.finish(old_fast)
    new_slow, new_fast = deliver(acks, acknowledged, 10, 11)
    acks.finish(old_slow)
    acks.finish(new_fast)
    assert acknowledged == []
    acks.finish(new_slow)
    assert acknowledged == [10, 11]
