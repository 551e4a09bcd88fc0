"""How a consumer leaves its broker. Knows nothing of what it read."""

import asyncio

from aiokafka import AIOKafkaConsumer


async def leave(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer, and close all of its connections.

    aiokafka (0.14, `Fetcher.close`) awaits fetches that it has cancelled itself, and lets their cancellation out: to
    whoever stops the consumer it looks as if somebody had cancelled them, and its connections stay open.
    """
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        await consumer._client.close()  # pyright: ignore[reportPrivateUsage] - no other way to it
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
