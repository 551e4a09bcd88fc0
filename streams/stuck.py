"""Messages that wait in a partition that this worker holds, although it has nothing in work.

The last messages of a partition can be dropped on their way through Faust with none behind them that would show it
(`streams/commits.py`), and a rebalance can end without messages flowing again. A worker that sees so ends, to be
started again where its group stands. A large message on a thin wire is none of both: it was not handed out, and either
others are, or nobody else can read it soon. Knows nothing of the work.
"""

import time
from collections.abc import Callable, Mapping

import structlog

from schemas.failures import Unavailable
from streams.commits import Group
from streams.lag import Position
from streams.ordered import Partition, Standing

log = structlog.get_logger()

STUCK_AFTER = 300.0
"""Seconds that messages wait so until it is looked into."""


class StuckWatch:
    """Looks at one worker's partitions again and again.

    Args:
        topic: of its stage, on the wires.
        standing: of its stage.
        group: of its stage.
        end: called with the reason when messages are stuck.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        topic: str,
        standing: Standing,
        group: Group,
        end: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topic, self._standing, self._group, self._end, self._clock = topic, standing, group, end, clock
        self._since: dict[tuple[Partition, int, int], float] = {}
        self._delivered, self._delivered_at = -1, 0.0

    async def look(self, positions: Mapping[int, Position]) -> None:
        """Take note of where the stage stands in each partition."""
        standing, now = self._standing, self._clock()
        if standing.delivered != self._delivered:
            self._delivered, self._delivered_at = standing.delivered, now
        waiting = {
            # One that goes on, or comes back after a division, waits anew.
            (partition, place.committed, standing.division): place
            for number, place in positions.items()
            if (partition := (self._topic, number)) in standing.held
            and place.committed < place.end
            and not standing.has_in_work(partition)
        }
        self._since = {one: self._since.get(one, now) for one in waiting}
        if standing.in_work:
            return  # They may wait behind it.
        for one, place in waiting.items():
            if now - self._since[one] >= STUCK_AFTER:
                del self._since[one]
                await self._judge(one[0], place)

    async def _judge(self, partition: Partition, place: Position) -> None:
        try:
            kept = await self._group.first_kept(partition, place.committed, place.end)
            position = await self._group.position(partition)
        except Unavailable as error:
            log.warning("not known whether messages are stuck", partition=partition[1], reason=str(error))
            return
        if kept is None or self._standing.delivered != self._delivered:
            return
        if position > kept:
            self._end(f"messages from {kept} on of {partition[0]}/{partition[1]} were passed by")
        elif self._clock() - self._delivered_at >= STUCK_AFTER:
            self._end(
                f"messages from {kept} on wait in {partition[0]}/{partition[1]}, and this worker, which holds it, has "
                f"been given none for {STUCK_AFTER:.0f} s"
            )
