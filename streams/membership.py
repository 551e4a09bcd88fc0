"""Messages that wait where nobody comes for them: partitions that a stage's consumer group has given to no worker.

A group can be settled and hold nothing: when the worker that divides the partitions asked for them while the broker
was between two lives, or when a worker's part in the group ended without a word. Each worker watches for it, says that
it is not ready, and ends when nothing mends it, so that whoever started it starts it again. Knows nothing of the work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog

from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams import metrics
from streams.lag import INPUTS, LagReader, Membership, Position, lag_of
from streams.settings import Wires

log = structlog.get_logger()

INTERVAL = 2.0
SAID_AFTER, ENDED_AFTER = 3.0, 30.0
"""Seconds that messages wait in partitions without a worker until a worker says so; until it ends."""


async def _tell_nobody(_: Mapping[int, Position]) -> None:
    pass


class PartitionWatch:
    """Looks at a stage's group and lag again and again.

    Args:
        stage: one that consumes.
        wires: where.
        mean_bytes: of a message of its input.
        end: called with the reason when nothing has mended it in time.
        tell: is told each time where the stage stands in each partition.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        stage: Stage,
        wires: Wires,
        mean_bytes: Callable[[], float],
        end: Callable[[str], None],
        tell: Callable[[Mapping[int, Position]], Awaitable[None]] = _tell_nobody,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stage: Stage = stage
        self._wires, self._mean_bytes, self._end, self._tell, self._clock = wires, mean_bytes, end, tell, clock
        self._since: float | None = None
        self._found = self._away = ""

    @property
    def reason(self) -> str:
        """For a person, while messages wait where nobody comes for them, or the broker is away; else empty."""
        waited = 0.0 if self._since is None else self._clock() - self._since
        return self._away or (self._found if waited >= SAID_AFTER else "")

    def update(self, positions: Mapping[int, Position], membership: Membership) -> None:
        """Take note of where the stage stands and who works on it."""
        waiting = {number: place.end - place.committed for number, place in positions.items()}
        orphans = {number: count for number, count in waiting.items() if count > 0 and number not in membership.held}
        if not membership.settled:
            return  # It is just dividing them: what was true before is not yet false.
        if not orphans:
            self._since, self._found = None, ""
            return
        if self._since is None:
            self._since = self._clock()
        self._found = (
            f"{sum(orphans.values())} messages wait in {len(orphans)} of {len(positions)} partitions of "
            f"{INPUTS[self._stage].on(self._wires)!r} that no worker holds"
        )
        if self._clock() - self._since >= ENDED_AFTER:
            self._end(f"{self._found}, for {ENDED_AFTER:.0f} s")

    async def run(self) -> None:
        """Look until cancelled."""
        async with LagReader(self._wires) as reader:
            while True:
                try:
                    positions = (await reader.positions(self._stage))[self._stage]
                    membership = await reader.membership(self._stage)
                except Unavailable as error:
                    # Nobody holds a partition of a broker that is away.
                    if not self._away:
                        log.warning("lag unknown", reason=str(error))
                    self._since, self._away = None, str(error)
                else:
                    self._away = ""
                    lag = lag_of(positions)
                    metrics.LAG.labels(self._stage).set(lag.waiting)
                    metrics.LAG_BYTES.labels(self._stage).set(round(lag.waiting * self._mean_bytes()))
                    self.update(positions, membership)
                    await self._tell(positions)
                await asyncio.sleep(INTERVAL)
