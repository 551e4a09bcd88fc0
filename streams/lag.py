"""Where each stage stands in its topic, and which partitions its workers hold: committed offsets against the ends.

aiokafka asks, because librdkafka's admin client can end the whole process when a broker leaves while it is being asked
(confluentinc/librdkafka#4605). Knows nothing of what is done with it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import stamina
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.structs import TopicPartition

from schemas.base import Message
from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams.leaving import leave
from streams.security import for_aiokafka
from streams.settings import Wires
from streams.topics import ENRICHED, GROUNDED, IMAGES, OBJECTS, Topic

T = TypeVar("T")

INPUTS: Mapping[Stage, Topic[Message]] = {  # pyright: ignore[reportAssignmentType]  # Topic is invariant for Generic's sake alone
    "preprocess": OBJECTS,
    "ground": IMAGES,
    "retrieve": GROUNDED,
    "describe": ENRICHED,
}
METADATA_AGE_MS = 5_000
"""How long a client believes what it knows of brokers and partitions. One that asked while a broker was between two
lives knows of no partitions, and with the usual five minutes would go on knowing of none for so long."""

AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)
"""Errors of a broker that does not answer: whether to ask again is for the caller to decide, who may be a person."""


def group(stage: str, wires: Wires) -> str:
    """The consumer group of a stage."""
    return f"{wires.prefix}tristream-{stage}"


@dataclass(frozen=True, slots=True)
class Lag:
    """A stage's position in its topic, in messages, and the mean size in bytes of what waits; 0: not known."""

    done: int
    waiting: int
    mean_bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class Position:
    """A stage's position in one partition: the first message kept, the first not done, the next to come."""

    start: int
    committed: int
    end: int


@dataclass(frozen=True, slots=True)
class Membership:
    """Who works on a stage: whether its group is settled, and which partitions of its input the members hold."""

    settled: bool
    members: int
    held: frozenset[int]


def lag_of(positions: Mapping[int, Position]) -> Lag:
    """The lag of a stage that stands there in its partitions."""
    return Lag(
        done=sum(position.committed - position.start for position in positions.values()),
        waiting=sum(max(0, position.end - position.committed) for position in positions.values()),
    )


class LagReader:
    """Asks one broker for positions, on one event loop. Connects when it is first asked; to be closed.

    Args:
        wires: which cluster.
        timeout: seconds until a broker that does not answer is away.
    """

    def __init__(self, wires: Wires, timeout: float = 10.0) -> None:
        self._wires, self._timeout = wires, timeout
        self._clients: tuple[AIOKafkaAdminClient, AIOKafkaConsumer] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Leave the broker."""
        clients, self._clients = self._clients, None
        if clients is not None:
            await _close(*clients)

    async def read(self) -> dict[Stage, Lag]:
        """The lag of every stage that consumes.

        Raises:
            Unavailable: the broker does not answer.
        """
        return {stage: lag_of(found) for stage, found in (await self.positions(*INPUTS)).items()}

    async def positions(self, *stages: Stage) -> dict[Stage, dict[int, Position]]:
        """Where stages stand in each partition of their inputs.

        Raises:
            Unavailable: the broker does not answer.
        """
        return await self._asked(lambda: self._positions(stages))

    async def membership(self, stage: Stage) -> Membership:
        """Who works on a stage.

        Raises:
            Unavailable: the broker does not answer.
        """
        return await self._asked(lambda: self._membership(stage))

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T:
        try:
            async for attempt in stamina.retry_context(
                on=_passes, attempts=None, timeout=self._timeout, wait_initial=0.1, wait_max=1.0
            ):
                with attempt:
                    async with asyncio.timeout(self._timeout):
                        return await question()
        except (KafkaError, TimeoutError) as error:
            # The next to ask finds brokers anew, which may have come back under other addresses.
            await self.close()
            why = (
                "nothing listens there" if isinstance(error, KafkaConnectionError) else "it is starting, or is too busy"
            )
            raise Unavailable(
                f"Kafka at {self._wires.bootstrap} does not answer: {why} ({type(error).__name__})"
            ) from error
        raise AssertionError("stamina gives up by raising")

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._clients is None:
            options: dict[str, Any] = {
                **for_aiokafka(self._wires),
                "request_timeout_ms": round(self._timeout * 1000),
                "metadata_max_age_ms": METADATA_AGE_MS,
            }
            clients = AIOKafkaAdminClient(**options), AIOKafkaConsumer(**options)
            try:
                for client in clients:
                    await client.start()
            except BaseException:
                await _close(*clients)
                raise
            self._clients = clients
        return self._clients

    async def _positions(self, stages: Sequence[Stage]) -> dict[Stage, dict[int, Position]]:
        admin, consumer = await self._connected()
        topics: dict[str, Stage] = {INPUTS[stage].on(self._wires): stage for stage in stages}
        partitions: dict[Stage, list[TopicPartition]] = {}
        for topic in await admin.describe_topics(list(topics)):
            _check(topic["error_code"])
            name = topic["topic"]
            partitions[topics[name]] = [TopicPartition(name, found["partition"]) for found in topic["partitions"]]
        every = [partition for found in partitions.values() for partition in found]
        starts, ends = await asyncio.gather(consumer.beginning_offsets(every), consumer.end_offsets(every))
        committed = [await self._committed(admin, stage, found) for stage, found in partitions.items()]
        done = {partition: offset for found in committed for partition, offset in found.items()}
        return {
            stage: {
                one.partition: Position(starts[one], max(done[one], starts[one]), ends[one])
                for one in partitions[stage]
            }
            for stage in stages
        }

    async def _committed(
        self, admin: AIOKafkaAdminClient, stage: Stage, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        answer = await admin.list_consumer_group_offsets(group(stage, self._wires), partitions=partitions)
        if answer.keys() < set(partitions):
            # A coordinator that has just started answers with none, which would read as: nothing was ever done.
            raise UnknownTopicOrPartitionError
        return {partition: answer[partition].offset for partition in partitions}

    async def _membership(self, stage: Stage) -> Membership:
        admin, _ = await self._connected()
        topic = INPUTS[stage].on(self._wires)
        response: Any
        (response,) = await admin.describe_consumer_groups([group(stage, self._wires)])
        error, _, state, _, _, members = response.groups[0][:6]
        _check(error)
        held: set[int] = set()
        for member in members:
            if member[-1]:
                assigned = ConsumerProtocol.ASSIGNMENT.decode(member[-1])
                held.update(number for name, numbers in assigned.assignment if name == topic for number in numbers)
        return Membership(state in ("Stable", "Empty", "Dead"), len(members), frozenset(held))


def ask(wires: Wires, question: Callable[[LagReader], Coroutine[Any, Any, T]], timeout: float = 10.0) -> T:
    """The answer to one question, where no event loop runs: `ask(wires, LagReader.read)`.

    Raises:
        Unavailable: the broker does not answer.
    """

    async def asking() -> T:
        async with LagReader(wires, timeout) as reader:
            return await question(reader)

    return asyncio.run(asking())


def _passes(error: Exception) -> bool:
    """True of a partition that was just made, or whose broker just left: Kafka names another leader soon."""
    return isinstance(error, KafkaError) and error.retriable and not isinstance(error, AWAY)


def _check(code: int) -> None:
    if code:
        raise for_code(code)


async def _close(admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer) -> None:
    await asyncio.gather(admin.close(), leave(consumer), return_exceptions=True)
