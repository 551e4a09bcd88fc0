"""What an operator tells workers, by the topic `control`: a stage that dead letters have paused shall go on.

Only a paused worker listens, so that the others have no connection more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.control import Resume
from schemas.dead_letters import Stage
from streams.codec import UnreadableMessage, decode
from streams.lag import METADATA_AGE_MS
from streams.leaving import leave
from streams.security import for_aiokafka
from streams.settings import Wires
from streams.topics import CONTROL

log = structlog.get_logger()

INTERVAL = 2.0
"""Seconds until a broker that was away is asked again."""

Told = Callable[[Stage, datetime, Wires], Awaitable[None]]
"""Returns once a stage is told to go on after a time."""


class Stopping(Protocol):
    """A stage that dead letters can pause."""

    stage: Stage

    async def until_stopped(self) -> datetime:
        """When it was paused, once it is."""
        ...

    async def until_going(self) -> None:
        """Once it goes on by itself."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...


async def heed(runner: Stopping, wires: Wires, told: "Told | None" = None) -> None:
    """Have a stage go on whenever it is paused and an operator says so, until cancelled."""
    while True:
        since = await runner.until_stopped()
        waits = [
            asyncio.ensure_future(each)
            for each in ((told or resumed)(runner.stage, since, wires), runner.until_going())
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if waits[0].done():
                waits[0].result()
                log.info("told to go on", stage=runner.stage)
                runner.resume()
        finally:
            for each in waits:
                each.cancel()


async def resumed(stage: Stage, since: datetime, wires: Wires) -> None:
    """Return once a stage is told to go on, be it already; at times from `since`. Outlasts a broker that is away."""
    while True:
        try:
            await _told(stage, since, wires)
        except KafkaError as error:
            log.warning("an operator's word would not be heard", reason=type(error).__name__)
            await asyncio.sleep(INTERVAL)
        else:
            return


async def _told(stage: Stage, since: datetime, wires: Wires) -> None:
    topic = CONTROL.on(wires)
    options: dict[str, Any] = {
        **for_aiokafka(wires),
        "enable_auto_commit": False,
        "metadata_max_age_ms": METADATA_AGE_MS,
    }
    consumer = AIOKafkaConsumer(topic, **options)
    try:
        await consumer.start()
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not places:
            raise KafkaError(f"there is no topic {topic!r}")
        consumer.unsubscribe()
        consumer.assign(places)
        moment = int(since.astimezone(UTC).timestamp() * 1000)
        # The ends first: a word that is written while this asks lies behind them.
        ends = await consumer.end_offsets(places)
        for place, found in (await consumer.offsets_for_times(dict.fromkeys(places, moment))).items():
            consumer.seek(place, found.offset if found else ends[place])
        async for message in consumer:
            try:
                word = decode(Resume, message.value)
            except UnreadableMessage:
                continue
            if word.stage == stage and word.told_at >= since:
                return
    finally:
        await leave(consumer)
