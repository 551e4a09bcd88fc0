"""Reading topics from outside the pipeline: everything so far, or on and on. Joins no group and commits nothing.

What stands on a topic and is not of its type is passed by, counted and logged by its address: who reads a topic does
not end for what somebody else wrote there. The stage that consumes the topic writes the dead letter.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.base import Message
from schemas.failures import Unavailable
from streams import metrics
from streams.codec import UnreadableMessage, decode
from streams.security import for_confluent, knock
from streams.settings import Wires
from streams.topics import MAX_MESSAGE_BYTES, Topic

log = logging.getLogger(__name__)  # On standard error in a command too, whose output is for others to read.

M = TypeVar("M", bound=Message)
T = TypeVar("T")

SETTLING = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
"""What a broker says for a moment of a topic that was just created, or of itself when it just started."""
UNREADABLE = (KafkaError._BAD_COMPRESSION, KafkaError._BAD_MSG, KafkaError._NOT_IMPLEMENTED)
"""What librdkafka says of a batch that it cannot take apart, before it goes on with the next."""
REFUSED = (
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
)
"""What waiting does not mend."""
_AWAY = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN)
"""What librdkafka says where no connection comes about, or none stays."""


@dataclass(frozen=True, slots=True)
class Record(Generic[M]):
    """One message as it was read. `message` is None for a tombstone; `at` is its time on the topic, ms since 1970."""

    topic: Topic[M]
    key: str
    message: M | None
    partition: int
    offset: int
    at: int


def read(
    wires: Wires,
    topics: Sequence[Topic[Any]],
    *,
    first: Mapping[int, int] | None = None,
    follow: bool = False,
    idle: float = 0.5,
    timeout: float = 10.0,
) -> Iterator[Record[Any] | None]:
    """Messages of topics, in the order of each partition.

    Args:
        wires: which cluster.
        topics: read together.
        first: the partitions to read, and the offset of each to begin at; None: all, from their beginning.
        follow: False: stop at the end as it was at the start. True: never stop; once all that stood there at the start
            has been read, None is yielded when nothing came for `idle` seconds, so that the caller can look around.
        idle: seconds.
        timeout: seconds until a broker that does not answer is away.

    Raises:
        Unavailable: the broker does not answer, lets us not in, or lacks a topic.
    """
    by_name = {topic.on(wires): topic for topic in topics}
    knock(wires, timeout)
    consumer = Consumer(
        {
            **for_confluent(wires),
            "group.id": f"{wires.prefix}tristream-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": False,
            "fetch.message.max.bytes": MAX_MESSAGE_BYTES,
            "queued.max.messages.kbytes": 16 * 1024,
        }
    )
    with closing(consumer):
        ends = _ask(wires, lambda: _assign(consumer, list(by_name), first, timeout))
        if not (follow or ends):
            return
        quiet_since, caught_up = time.monotonic(), not ends
        while True:
            message = consumer.poll(idle)
            if message is None:
                if follow:
                    # Slow is not the end: who is told that nothing came takes what stood there for read.
                    caught_up = caught_up or _at_end(consumer, ends) or time.monotonic() - quiet_since > timeout
                    if caught_up:
                        yield None
                elif _at_end(consumer, ends):
                    return
                elif time.monotonic() - quiet_since > timeout:
                    # Compaction can take a partition's last messages away; a broker that answers has no more to give.
                    _ask(wires, lambda: consumer.list_topics(timeout=timeout))
                    return
                continue
            if (error := message.error()) is not None:
                if error.fatal() or error.code() in REFUSED:
                    raise Unavailable(f"Kafka at {wires.bootstrap}: {error.name()}")
                if error.code() in UNREADABLE:
                    _passed_by(message.topic(), message.partition(), message.offset(), error.name())
                # Anything else passes: a partition is between two leaders, a broker between two lives.
                if follow:
                    if caught_up:
                        yield None
                elif time.monotonic() - quiet_since > timeout:
                    raise Unavailable(f"Kafka at {wires.bootstrap}: {error.name()}")
                continue
            quiet_since = time.monotonic()
            name, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
            if not follow and offset >= ends.get((name, partition), 0):
                if _at_end(consumer, ends):
                    return
                continue
            topic, value = by_name[name], message.value()
            try:
                body = decode(topic.carries, value) if value is not None else None
            except UnreadableMessage as problem:
                _passed_by(name, partition, offset, str(problem))
            else:
                key = (message.key() or b"").decode(errors="replace")
                yield Record(topic, key, body, partition, offset, message.timestamp()[1])
            if not follow and offset + 1 == ends.get((name, partition)) and _at_end(consumer, ends):
                return


def _passed_by(topic: str | None, partition: int | None, offset: int | None, reason: str) -> None:
    metrics.UNREADABLE.labels(topic or "").inc()
    log.warning("passed by the message %s/%s/%s: %s", topic, partition, offset, reason)


def partitions_of(wires: Wires, topic: Topic[Any], timeout: float = 10.0) -> tuple[int, ...]:
    """The partitions of a topic. Raises Unavailable."""
    knock(wires, timeout)
    consumer = Consumer({**for_confluent(wires), "group.id": f"{wires.prefix}tristream-reader"})
    name = topic.on(wires)
    with closing(consumer):
        return tuple(sorted(_ask(wires, lambda: consumer.list_topics(name, timeout=timeout)).topics[name].partitions))


def latest(wires: Wires, topic: Topic[M]) -> dict[str, Record[M]]:
    """A topic under compaction's rule: the last message of each key, and none for a key that was cleared."""
    found: dict[str, Record[M]] = {}
    for record in read(wires, [topic]):
        assert record is not None
        if record.message is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record
    return found


def _ask(wires: Wires, question: Callable[[], T], patience: float = 10.0) -> T:
    deadline = time.monotonic() + patience
    try:
        while True:
            try:
                return question()
            except KafkaException as error:
                if error.args[0].code() not in SETTLING or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
    except KafkaException as error:
        raise no_answer(wires, error) from error


def no_answer(wires: Wires, error: KafkaException) -> Unavailable:
    """What to say of a broker that does not answer."""
    said = error.args[0]
    why = "nothing listens there, or it ends the connection" if said.code() in _AWAY else said.name()
    return Unavailable(f"Kafka at {wires.bootstrap} does not answer: {why}")


def _assign(
    consumer: Consumer, names: Sequence[str], first: Mapping[int, int] | None, timeout: float
) -> dict[tuple[str, int], int]:
    partitions: list[TopicPartition] = []
    for name in names:
        metadata = consumer.list_topics(name, timeout=timeout).topics[name]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        numbers = metadata.partitions if first is None else metadata.partitions.keys() & first.keys()
        partitions.extend(TopicPartition(name, number, 0) for number in numbers)
    ends: dict[tuple[str, int], int] = {}
    for partition in partitions:
        low, high = consumer.get_watermark_offsets(partition, timeout=timeout)
        partition.offset = max(low, first[partition.partition] if first is not None else 0)
        if high > partition.offset:
            ends[partition.topic, partition.partition] = high
    consumer.assign(partitions)
    return ends


def _at_end(consumer: Consumer, ends: dict[tuple[str, int], int]) -> bool:
    positions = consumer.position([TopicPartition(topic, number) for topic, number in ends])
    return all(position.offset >= ends[position.topic, position.partition] for position in positions)
