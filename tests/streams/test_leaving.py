"""Consumers that stop while a fetch of theirs fails."""

import asyncio
from typing import Any, cast

import pytest

from streams.leaving import leave


class Client:
    closed = False

    async def close(self) -> None:
        self.closed = True


class Consumer:
    """As aiokafka's is: it lets out the cancellation of a fetch that it has cancelled itself."""

    def __init__(self) -> None:
        self._client = Client()

    async def stop(self) -> None:
        fetch = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        fetch.cancel()
        await fetch
        await self._client.close()


async def test_a_cancelled_fetch_is_not_taken_for_the_own_end() -> None:
    """Whoever stops it goes on, and its connections are closed."""
    consumer = Consumer()
    await leave(cast("Any", consumer))
    assert consumer._client.closed  # pyright: ignore[reportPrivateUsage]


async def test_to_be_cancelled_is_still_to_be_cancelled() -> None:
    """It ends, after the connections are closed."""
    consumer = Consumer()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await leave(cast("Any", consumer))

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert consumer._client.closed  # pyright: ignore[reportPrivateUsage]
