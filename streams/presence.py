"""A worker's word on itself, on the `stages` topic, and what another process says there under the same name.

Two processes under one name would take the partitions from each other for ever (static membership, KIP-345), do
everything twice, and fail to commit it: the older ends, and says so. Knows nothing of the work.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import TopicPartition
from faust.exceptions import ProducerSendError

from schemas.stages import StageState
from streams.codec import Context, UnreadableMessage, decode, encode, headers
from streams.lag import METADATA_AGE_MS
from streams.leaving import leave
from streams.outgoing import Send
from streams.security import for_aiokafka
from streams.settings import Wires
from streams.topics import STAGES

log = structlog.get_logger()

INTERVAL = 2.0
"""Seconds between two words; and until a broker that was away is asked again."""
WINDOW = 60.0
"""Seconds over which a rate is told."""


class Presence:
    """Tells the other processes of this worker, and listens to what they say under its name.

    Args:
        state: what the worker is doing.
        wires: where.
        send: sends one message; see `streams.outgoing.Send`.
        end: called with the reason once a younger process works under this worker's name.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        state: Callable[[], StageState],
        wires: Wires,
        send: Send,
        end: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state, self._wires, self._send, self._end, self._clock = state, wires, send, end, clock
        self.instance, self.started_at = secrets.token_hex(8), datetime.now(UTC)
        self._done: deque[tuple[float, int]] = deque()

    def word(self) -> StageState:
        """What the worker is doing, and who and how fast it is."""
        return self._state().model_copy(
            update={"instance": self.instance, "started_at": self.started_at, "per_second": self._rate()}
        )

    def replaced_by(self, other: StageState) -> bool:
        """Whether another word under this worker's name is that of a younger process."""
        if not other.instance or other.instance == self.instance or other.started_at is None:
            return False
        return (other.started_at, other.instance) > (self.started_at, self.instance)

    async def tell(self) -> None:
        """Say it every few seconds until cancelled."""
        while True:
            self._note(self._state().done)
            word = self.word()
            try:
                await self._send(
                    STAGES.on(self._wires), word.worker, encode(word), headers(word, word.stage, Context())
                )
            except (KafkaError, ProducerSendError) as error:
                log.warning("state not written", stage=word.stage, reason=type(error).__name__)
            await asyncio.sleep(INTERVAL)

    async def listen(self) -> None:
        """Listen until cancelled."""
        worker = self._state().worker
        while True:
            try:
                async with aclosing(_said(worker, self._wires)) as said:
                    async for value in said:
                        try:
                            replaced = self.replaced_by(decode(StageState, value))
                        except UnreadableMessage:
                            continue
                        if replaced:
                            self._end(
                                f"another process has started under this worker's name, {self._wires.worker!r}, and "
                                "works in its place: give each its own TRISTREAM_WORKER"
                            )
            except KafkaError as error:
                log.warning("names of other workers unknown", reason=type(error).__name__)
            await asyncio.sleep(INTERVAL)

    def _note(self, done: int) -> None:
        now = self._clock()
        self._done.append((now, done))
        while now - self._done[0][0] > WINDOW:
            self._done.popleft()

    def _rate(self) -> float | None:
        if len(self._done) < 2:
            return None
        (since, before), (now, done) = self._done[0], self._done[-1]
        return round((done - before) / (now - since), 3) if now > since else None


async def _said(worker: str, wires: Wires) -> AsyncGenerator[bytes | None]:
    """What is said under a worker's name from now on."""
    topic, key = STAGES.on(wires), worker.encode()
    options: dict[str, Any] = {
        **for_aiokafka(wires),
        "enable_auto_commit": False,
        "metadata_max_age_ms": METADATA_AGE_MS,
    }
    consumer = AIOKafkaConsumer(topic, **options)
    try:
        await consumer.start()
        numbers = sorted(consumer.partitions_for_topic(topic) or ())
        if not numbers:
            raise KafkaError(f"there is no topic {topic!r}")
        place = TopicPartition(topic, DefaultPartitioner()(key, numbers, numbers))
        consumer.unsubscribe()
        consumer.assign([place])
        await consumer.seek_to_end(place)
        async for message in consumer:
            if message.key == key:
                yield message.value
    finally:
        await leave(consumer)
