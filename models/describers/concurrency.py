"""How many requests a server gets at once: twice as many each round until it first has enough, then one more while it
keeps up and half as many when it does not (AIMD).

Additive increase, multiplicative decrease: Chiu and Jain, Analysis of the increase and decrease algorithms for
congestion avoidance in computer networks, 1989. Slow start: Jacobson, Congestion avoidance and control, 1988. Knows
nothing of HTTP or of what is asked.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Concurrency:
    """A bound on work at once that follows what the other side can take.

    Args:
        most: never more than this.
        queue: requests waiting at the server above which it gets fewer.
    """

    def __init__(self, most: int, queue: int = 4) -> None:
        if most < 1:
            raise ValueError("at least one request must be allowed at once")
        self._most, self._queue = most, queue
        self._allowed = 1.0
        self._doubling = True
        self._waiting = self._at_work = 0
        self._generation = 0
        self._changed = asyncio.Condition()

    @property
    def allowed(self) -> int:
        """Requests that may be at work at once now."""
        return int(self._allowed)

    @property
    def at_work(self) -> int:
        """Requests at work."""
        return self._at_work

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[int]:
        """Wait for a place and hold it. What it gives is for `overloaded`: the state of things when the work began."""
        async with self._changed:
            self._waiting += 1
            try:
                await self._changed.wait_for(lambda: self._at_work < self.allowed)
            finally:
                self._waiting -= 1
            self._at_work += 1
        try:
            yield self._generation
        finally:
            self._at_work -= 1
            async with self._changed:
                self._changed.notify_all()

    def succeeded(self) -> None:
        """For every full round of successes one more at once, or twice as many at first, where that was the bound."""
        if self._waiting or self._at_work >= self.allowed:
            self._allowed = min(self._most, self._allowed + (1 if self._doubling else 1 / self._allowed))

    def overloaded(self, began: int) -> None:
        """Half as many at once; once for all that began before the last time, as they all met the same overload."""
        if began == self._generation:
            self._generation += 1
            self._doubling = False
            self._allowed = max(1.0, self._allowed / 2)

    def queued(self, waiting: float) -> None:
        """The server says how many requests wait in it."""
        if waiting > self._queue:
            self.overloaded(self._generation)
