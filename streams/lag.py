"""How far each stage is behind, asked of the broker. Knows nothing of what is in the messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from schemas.base import Message
from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from streams.settings import Wires
from streams.topics import ENRICHED, GROUNDED, IMAGES, OBJECTS, Topic, admin

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


@dataclass(frozen=True, slots=True)
class Lag:
    """A stage's position in its topic, in messages."""

    done: int
    waiting: int


class LagReader:
    """Asks one broker for positions. Blocks: call it in a thread."""

    def __init__(self, wires: Wires, timeout: float = 10.0) -> None:
        self._wires, self._timeout, self._admin = wires, timeout, admin(wires)

    def read(self) -> dict[Stage, Lag]:
        """The lag of every stage that consumes.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            return {stage: self._lag(stage, topic.on(self._wires)) for stage, topic in INPUTS.items()}
        except KafkaException as error:
            raise Unavailable(f"Kafka at {self._wires.bootstrap} does not answer: {error.args[0].name()}") from error

    def _lag(self, stage: Stage, topic: str) -> Lag:
        metadata = self._admin.list_topics(topic, timeout=self._timeout).topics[topic]
        partitions = [TopicPartition(topic, number) for number in metadata.partitions]
        ends = self._offsets(partitions, LATEST)
        starts = self._offsets(partitions, EARLIEST)
        asked = ConsumerGroupTopicPartitions(group(stage, self._wires), partitions)
        answer = self._admin.list_consumer_group_offsets([asked], request_timeout=self._timeout)
        committed = {p.partition: p.offset for p in next(iter(answer.values())).result().topic_partitions or []}
        done = waiting = 0
        for number, end in ends.items():
            position = max(committed.get(number, 0), starts[number])
            done += position - starts[number]
            waiting += max(0, end - position)
        return Lag(done, waiting)

    def _offsets(self, partitions: list[TopicPartition], spec: OffsetSpec) -> dict[int, int]:
        answers = self._admin.list_offsets(dict.fromkeys(partitions, spec), request_timeout=self._timeout)
        return {p.partition: future.result().offset for p, future in answers.items()}
