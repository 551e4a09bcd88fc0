"""Backpressure towards the bucket: preprocess takes no objects while too many bytes wait in later topics.

Knows only lags and sizes. The reasons stand in docs/backpressure.md.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


class FlowGate:
    """Open below the low-water mark, closed above the high-water mark, unchanged between them.

    Args:
        wires: the marks.
        read: asks for the lags; blocking.
    """

    def __init__(self, wires: Wires, read: Callable[[], Mapping[Stage, Lag]]) -> None:
        self._wires, self._read = wires, read
        self._open = asyncio.Event()
        self._open.set()
        self._mean = MeanSize()
        self._waiting_bytes = 0
        metrics.HIGH_WATER.set(wires.high_water)

    def observe(self, size: int) -> None:
        """Note the size in bytes of a message sent on: what waits is taken to be as large where that is not known."""
        self._mean.observe(size)

    def update(self, lags: Mapping[Stage, Lag]) -> None:
        """Open or close by the bytes that wait in later topics."""
        later = [lags[stage] for stage in LATER]
        self._waiting_bytes = round(sum(lag.waiting * (lag.mean_bytes or self._mean.value) for lag in later))
        for stage, lag in lags.items():
            # A stage of which no worker runs tells nothing itself.
            metrics.LAG.labels(stage).set(lag.waiting)
        metrics.LATER_BYTES.set(self._waiting_bytes)
        if self._waiting_bytes > self._wires.high_water:
            self._open.clear()
        elif self._waiting_bytes <= self._wires.low_water:
            self._open.set()

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
        while True:
            try:
                self.update(await asyncio.to_thread(self._read))
            except Unavailable as error:
                log.warning("lag unknown", reason=str(error))
            await asyncio.sleep(INTERVAL)
