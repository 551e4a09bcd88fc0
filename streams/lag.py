"""How far each stage is behind, asked of the broker. Knows nothing of what is in the messages."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import stamina
import structlog
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from schemas.base import Message
from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams import metrics
from streams.settings import Wires
from streams.topics import ENRICHED, GROUNDED, IMAGES, OBJECTS, Topic, admin

log = structlog.get_logger()

INPUTS: Mapping[Stage, Topic[Message]] = {  # pyright: ignore[reportAssignmentType]  # Topic is invariant for Generic's sake alone
    "preprocess": OBJECTS,
    "ground": IMAGES,
    "retrieve": GROUNDED,
    "describe": ENRICHED,
}


def group(stage: str, wires: Wires) -> str:
    """The consumer group of a stage."""
    return f"{wires.prefix}tristream-{stage}"


LATEST = cast(OffsetSpec, OffsetSpec.latest())
EARLIEST = cast(OffsetSpec, OffsetSpec.earliest())

INTERVAL = 2.0


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


def lag_of(positions: Mapping[int, Position]) -> Lag:
    """The lag of a stage that stands there in its partitions."""
    return Lag(
        done=sum(position.committed - position.start for position in positions.values()),
        waiting=sum(max(0, position.end - position.committed) for position in positions.values()),
    )


def _has_no_leader_yet(error: Exception) -> bool:
    """True of a partition that was just made, or whose broker just left: Kafka names another leader soon."""
    passing = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
    return isinstance(error, KafkaException) and error.args[0].code() in passing


class LagReader:
    """Asks one broker for positions. Blocks: call it in a thread."""

    def __init__(self, wires: Wires, timeout: float = 10.0) -> None:
        self._wires, self._timeout, self._admin = wires, timeout, admin(wires)

    def read(self) -> dict[Stage, Lag]:
        """The lag of every stage that consumes.

        Raises:
            Unavailable: the broker does not answer.
        """
        return {stage: self.lag(stage) for stage in INPUTS}

    def lag(self, stage: Stage) -> Lag:
        """The lag of one stage.

        Raises:
            Unavailable: the broker does not answer.
        """
        return lag_of(self.positions(stage))

    def positions(self, stage: Stage) -> dict[int, Position]:
        """Where a stage stands in each partition of its input.

        Raises:
            Unavailable: the broker does not answer.
        """
        topic = INPUTS[stage].on(self._wires)
        try:
            patient = stamina.RetryingCaller(attempts=None, timeout=self._timeout)
            return patient(_has_no_leader_yet, self._positions, stage, topic)
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._wires.bootstrap} does not answer: {error.args[0].name()}") from error

    def _positions(self, stage: Stage, topic: str) -> dict[int, Position]:
        metadata = self._admin.list_topics(topic, timeout=self._timeout).topics[topic]
        partitions = [TopicPartition(topic, number) for number in metadata.partitions]
        ends = self._offsets(partitions, LATEST)
        starts = self._offsets(partitions, EARLIEST)
        asked = ConsumerGroupTopicPartitions(group(stage, self._wires), partitions)
        answer = self._admin.list_consumer_group_offsets([asked], request_timeout=self._timeout)
        committed = {p.partition: p.offset for p in next(iter(answer.values())).result().topic_partitions or []}
        return {
            number: Position(starts[number], max(committed.get(number, 0), starts[number]), end)
            for number, end in ends.items()
        }

    def _offsets(self, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[int, int]:
        answers = self._admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=self._timeout)
        return {p.partition: future.result().offset for p, future in answers.items()}


async def watch_lag(stage: Stage, wires: Wires, mean_bytes: Callable[[], float]) -> None:
    """Keep a stage's own lag in the metrics current until cancelled.

    Args:
        stage: one that consumes.
        wires: where.
        mean_bytes: of a message of its input.
    """
    reader = LagReader(wires)
    while True:
        try:
            lag = await asyncio.to_thread(reader.lag, stage)
        except Unavailable as error:
            log.warning("lag unknown", reason=str(error))
        else:
            metrics.LAG.labels(stage).set(lag.waiting)
            metrics.LAG_BYTES.labels(stage).set(round(lag.waiting * mean_bytes()))
        await asyncio.sleep(INTERVAL)
