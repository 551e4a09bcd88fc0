"""Backpressure towards the bucket: preprocess takes no objects while too many bytes wait in later topics.

Knows only lags and sizes. The reasons stand in docs/backpressure.md.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams import metrics
from streams.lag import Lag
from streams.settings import Wires

log = structlog.get_logger()

INTERVAL = 1.0
LATER: tuple[Stage, ...] = ("ground", "retrieve", "describe")


@dataclass(slots=True)
class MeanSize:
    """Mean size in bytes of the last few dozen messages; 0 before the first."""

    value: float = 0.0

    def observe(self, size: int) -> None:
        """Note one message."""
        self.value = size if self.value == 0 else 0.95 * self.value + 0.05 * size


class Lags(Protocol):
    """What tells of the lags of all stages; see `streams.backlog.Backlog`."""

    async def read(self) -> Mapping[Stage, Lag]:
        """The lags now. Raises Unavailable."""
        ...

    async def close(self) -> None:
        """Ask no more."""
        ...


class FlowGate:
    """Open below the low-water mark, closed above the high-water mark, unchanged between them.

    Args:
        wires: the marks.
        lags: tells of the lags; closed with the gate's watch.
    """

    def __init__(self, wires: Wires, lags: Lags) -> None:
        self._wires, self._lags = wires, lags
        self._open = asyncio.Event()
        self._open.set()
        self._mean = MeanSize()
        self._largest = 0.0
        self._waiting_bytes = self._sent = 0
        metrics.HIGH_WATER.set(wires.high_water)

    def observe(self, size: int) -> None:
        """Note the size in bytes of a message sent on. It waits from now on, whenever the broker is asked next."""
        self._mean.observe(size)
        becomes = max(size, round(self._largest))
        self._sent += becomes
        self._judge(self._waiting_bytes + becomes)

    def update(self, lags: Mapping[Stage, Lag], since: int = 0) -> None:
        """Open or close by the bytes that wait in later topics, and those sent `since` the broker was asked.

        What waits in an early topic will wait in a later one if that is slow: it counts as large as it gets.
        """
        later = [lags[stage] for stage in LATER]
        self._largest = max(self._mean.value, *(lag.mean_bytes for lag in later))
        for stage, lag in lags.items():
            # A stage of which no worker runs tells nothing itself.
            metrics.LAG.labels(stage).set(lag.waiting)
        self._judge(round(sum(lag.waiting for lag in later) * self._largest) + since)

    def _judge(self, waiting_bytes: int) -> None:
        self._waiting_bytes = waiting_bytes
        metrics.LATER_BYTES.set(waiting_bytes)
        if waiting_bytes <= self._wires.low_water:
            self._open.set()
        # What is in work when the gate closes still comes.
        elif waiting_bytes + self._wires.in_flight * self._largest > self._wires.high_water:
            self._open.clear()

    @property
    def closed(self) -> bool:
        """True while nothing may be taken."""
        return not self._open.is_set()

    @property
    def reason(self) -> str:
        """For a person, while closed."""
        return f"{self._waiting_bytes >> 20} MiB wait in later topics; goes on at {self._wires.low_water >> 20} MiB"

    async def wait_open(self) -> None:
        """Return at once, or when the gate opens."""
        await self._open.wait()

    async def watch(self) -> None:
        """Keep the gate current until cancelled."""
        unknown = False
        try:
            while True:
                sent = self._sent
                try:
                    self.update(await self._lags.read(), self._sent - sent)
                    unknown = False
                except Unavailable as error:
                    if not unknown:  # Once, however long the broker is away.
                        log.warning("lag unknown", reason=str(error))
                    unknown = True
                await asyncio.sleep(INTERVAL)
        finally:
            await self._lags.close()
