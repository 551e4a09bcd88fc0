"""Acknowledgement in order: many messages in work at once, yet the committed offset never passes one still in work.

Faust commits by the acknowledgements it is given, so they are given in the order of offsets, partition by partition.
Knows nothing of what the work is.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Partition = tuple[str, int]


@dataclass(slots=True, eq=False)
class Ticket:
    """One delivered message, from delivery to acknowledgement."""

    partition: Partition
    offset: int
    acknowledge: Callable[[], object]
    done: bool = False


@dataclass(slots=True)
class OrderedAcks:
    """Holds back the acknowledgement of a finished message until all before it in its partition are finished."""

    _waiting: dict[Partition, deque[Ticket]] = field(default_factory=dict)

    @property
    def in_work(self) -> int:
        """Messages delivered and not finished."""
        return sum(not ticket.done for queue in self._waiting.values() for ticket in queue)

    def deliver(self, partition: Partition, offset: int, acknowledge: Callable[[], object]) -> Ticket:
        """Note that a message was delivered. Must be called in the order of delivery."""
        queue = self._waiting.setdefault(partition, deque())
        if queue and offset <= queue[-1].offset:
            # The partition was taken away and came back: what was in work before is being delivered again.
            queue.clear()
        ticket = Ticket(partition, offset, acknowledge)
        queue.append(ticket)
        return ticket

    def finish(self, ticket: Ticket) -> None:
        """Note that a message is finished, and acknowledge all that are now finished without a gap."""
        ticket.done = True
        queue = self._waiting.get(ticket.partition)
        while queue and queue[0].done:
            queue.popleft().acknowledge()

    def revoke(self, partitions: set[Partition]) -> None:
        """Forget partitions that now belong to another worker: it will do their unfinished messages again."""
        for partition in partitions:
            self._waiting.pop(partition, None)
