"""Where a stage stands in each of its partitions: many messages in work, and the offset before which all is done.

Knows nothing of what the work is, and of no broker: `streams/commits.py` tells it.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Partition = tuple[str, int]


@dataclass(slots=True, eq=False)
class Ticket:
    """One delivered message, from delivery to the end of its work."""

    partition: Partition
    offset: int
    done: bool = False


@dataclass(slots=True)
class Standing:
    """Counts a message as done only when all before it in its partition are."""

    division: int = 0
    """How often all was forgotten."""
    held: frozenset[Partition] = frozenset()
    """Partitions that are this worker's."""
    delivered: int = 0
    """Messages, in all."""
    _waiting: dict[Partition, deque[Ticket]] = field(default_factory=dict[Partition, deque[Ticket]])
    _reached: dict[Partition, int] = field(default_factory=dict[Partition, int])
    _committed: dict[Partition, int] = field(default_factory=dict[Partition, int])

    @property
    def in_work(self) -> int:
        """Messages delivered and not finished."""
        return sum(not ticket.done for queue in self._waiting.values() for ticket in queue)

    def has_in_work(self, partition: Partition) -> bool:
        """Whether a message of a partition is delivered and not finished."""
        return bool(self._waiting.get(partition))

    def is_new(self, partition: Partition) -> bool:
        """Whether nothing was delivered of a partition since it was assigned."""
        return partition not in self._waiting

    def deliver(self, partition: Partition, offset: int) -> Ticket:
        """Note that a message was delivered. Must be called in the order of delivery."""
        queue = self._waiting.setdefault(partition, deque())
        while queue and offset <= queue[-1].offset:
            # What was in work is being delivered again, from here on: what lies before is in work as before.
            queue.pop()
        self.delivered += 1
        ticket = Ticket(partition, offset)
        queue.append(ticket)
        return ticket

    def finish(self, ticket: Ticket) -> None:
        """Note that a message is finished."""
        ticket.done = True
        queue = self._waiting.get(ticket.partition)
        while queue and queue[0].done:
            self._reached[ticket.partition] = queue.popleft().offset + 1

    @property
    def due(self) -> dict[Partition, int]:
        """The first offset not done of each partition in which more is done than was committed."""
        return {one: offset for one, offset in self._reached.items() if offset > self._committed.get(one, -1)}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Note that these were committed."""
        self._committed.update(offsets)

    def forget(self, held: Iterable[Partition] = ()) -> None:
        """Forget all: partitions were taken away, or divided anew, and what was in work will be delivered again.

        Args:
            held: those that are this worker's from now on.
        """
        self.division += 1
        self.held = frozenset(held)
        self._waiting.clear()
        self._reached.clear()
        self._committed.clear()
