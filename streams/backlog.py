"""The lags of all stages with the size of what waits: messages grow and shrink on their way. Asks the broker."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.dead_letters import Stage
from streams.lag import INPUTS, METADATA_AGE_MS, Lag, LagReader, Position, lag_of
from streams.leaving import leave
from streams.security import for_aiokafka
from streams.settings import Wires

KEPT = 16
_GOLDEN = 0.618034
PATIENCE = 2.0


class Backlog:
    """Asks one broker for lags, and weighs one waiting message of each stage at each turn. For one event loop.

    Args:
        wires: which cluster.
        weighed: stages whose waiting messages are weighed.
    """

    def __init__(self, wires: Wires, weighed: Sequence[Stage]) -> None:
        self._wires, self._reader = wires, LagReader(wires)
        self._sizes: dict[Stage, deque[int]] = {stage: deque(maxlen=KEPT) for stage in weighed}
        self._turn = 0
        self._consumer: AIOKafkaConsumer | None = None

    async def close(self) -> None:
        """Leave the broker."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await leave(consumer)
        await self._reader.close()

    async def read(self) -> dict[Stage, Lag]:
        """The lag of every stage that consumes.

        Raises:
            Unavailable: the broker does not answer.
        """
        self._turn += 1
        positions = await self._reader.positions(*INPUTS)
        return {stage: await self._weighed(stage, found) for stage, found in positions.items()}

    async def _weighed(self, stage: Stage, positions: Mapping[int, Position]) -> Lag:
        lag, sizes = lag_of(positions), self._sizes.get(stage)
        if sizes is None:
            return lag
        if lag.waiting and (size := await self._size(stage, positions, lag.waiting)):
            sizes.append(size)
        return Lag(lag.done, lag.waiting, fmean(sizes) if sizes else 0.0)

    async def _size(self, stage: Stage, positions: Mapping[int, Position], waiting: int) -> int:
        # Steps of the golden ratio spread over what waits, however much that is.
        left = int(waiting * (self._turn * _GOLDEN % 1))
        for number, position in positions.items():
            here = max(0, position.end - position.committed)
            if left < here:
                place = TopicPartition(INPUTS[stage].on(self._wires), number)
                try:
                    return await self._size_at(place, position.committed + left)
                except (KafkaError, TimeoutError):
                    return 0
            left -= here
        return 0

    async def _size_at(self, place: TopicPartition, offset: int) -> int:
        consumer = await self._connected()
        consumer.assign([place])
        try:
            consumer.seek(place, offset)
            async with asyncio.timeout(PATIENCE):
                return len((await consumer.getone()).value or b"")
        finally:
            consumer.unsubscribe()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **for_aiokafka(self._wires),
                metadata_max_age_ms=METADATA_AGE_MS,
                enable_auto_commit=False,
                # One message is wanted: a broker gives the first batch even where it is larger than this.
                max_partition_fetch_bytes=1,
            )
            try:
                await consumer.start()
            except BaseException:
                await leave(consumer)
                raise
            self._consumer = consumer
        return self._consumer
