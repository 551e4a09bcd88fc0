"""How long messages have waited: when the first that is not done was written, by stage. Asks the broker."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.dead_letters import Stage
from streams.lag import INPUTS, Position
from streams.leaving import leave
from streams.security import for_aiokafka
from streams.settings import Wires

PATIENCE = 3.0
LOOKED_AT = 16
"""Partitions of a stage of which the first message is read, those with most waiting: messages can be large."""


async def oldest(wires: Wires, positions: Mapping[Stage, Mapping[int, Position]]) -> dict[Stage, float]:
    """When the oldest message that waits was written, in seconds since 1970, for each stage that has one.

    What cannot be read in a few seconds is left out.
    """
    wanted: dict[TopicPartition, tuple[Stage, int]] = {}
    for stage, places in positions.items():
        waiting = sorted((place.committed - place.end, number) for number, place in places.items())
        for behind, number in waiting[:LOOKED_AT]:
            if behind < 0:
                wanted[TopicPartition(INPUTS[stage].on(wires), number)] = stage, places[number].committed
    found: dict[Stage, float] = {}
    if not wanted:
        return found
    # A broker gives the first batch even where it is larger than this.
    consumer = AIOKafkaConsumer(**for_aiokafka(wires), enable_auto_commit=False, max_partition_fetch_bytes=1)
    try:
        with suppress(KafkaError, TimeoutError):  # What was found until then is told.
            async with asyncio.timeout(PATIENCE):
                await consumer.start()
                consumer.assign(list(wanted))
                for place, (_, offset) in wanted.items():
                    consumer.seek(place, offset)
                while wanted:
                    for place, messages in (await consumer.getmany(timeout_ms=500)).items():
                        if place in wanted and messages:
                            stage, _ = wanted.pop(place)
                            found[stage] = min(found.get(stage, float("inf")), messages[0].timestamp / 1000)
                            consumer.pause(place)
    finally:
        await leave(consumer)
    return found
