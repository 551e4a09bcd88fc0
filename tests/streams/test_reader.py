"""Who reads a topic while a partition changes its leader waits as long as the broker lives.

The broker is a fake, as nobody can choose when a real one answers so. That messages come, tests of integration see.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, KafkaException, TopicPartition

from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams import reader
from streams.codec import encode
from streams.settings import Wires
from streams.topics import OBJECTS

WIRES = Wires(bootstrap="127.0.0.1:1")
MOVED = KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)
REFERENCE = ObjectReference(bucket="file:///inbox", key="a.dcm", etag="1", size=1)


class Answer:
    """One message, or one error, as confluent-kafka gives them."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self._error = error

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return OBJECTS.on(WIRES)

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return TIMESTAMP_CREATE_TIME, 0

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return encode(REFERENCE)


class MovingBroker:
    """A consumer's view of a broker that gives away a partition with one message, and then has it."""

    def __init__(self, answers: list[Answer], refusals: int) -> None:
        self._answers, self.refusals, self._read = answers, refusals, 0

    def __call__(self, settings: dict[str, Any]) -> "MovingBroker":
        return self

    def list_topics(self, name: str = "", timeout: float = 0) -> Any:
        if self.refusals:
            self.refusals -= 1
            raise KafkaException(MOVED)
        topic = SimpleNamespace(error=None, partitions={0: None})
        return SimpleNamespace(topics={name: topic})

    def get_watermark_offsets(self, partition: TopicPartition, timeout: float) -> tuple[int, int]:
        return 0, 1

    def assign(self, partitions: list[TopicPartition]) -> None:
        pass

    def poll(self, idle: float) -> Answer | None:
        if not self._answers:
            return None
        answer = self._answers.pop(0)
        self._read += answer.error() is None
        return answer

    def position(self, partitions: list[TopicPartition]) -> Iterator[TopicPartition]:
        return iter(TopicPartition(one.topic, one.partition, self._read) for one in partitions)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_knock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "knock", lambda *_: None)


def test_a_partition_that_moves_is_read_when_it_has_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither asking where a topic ends nor reading it gives up."""
    broker = MovingBroker([*(Answer(MOVED) for _ in range(50)), Answer()], refusals=3)
    monkeypatch.setattr(reader, "Consumer", broker)
    (record,) = reader.read(WIRES, [OBJECTS])
    assert record is not None
    assert record.message == REFERENCE
    assert not broker.refusals


def test_whoever_follows_a_topic_goes_on_following(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `annotate --kafka` does, for which nothing of it is an error."""
    monkeypatch.setattr(reader, "Consumer", MovingBroker([*(Answer(MOVED) for _ in range(50)), Answer()], refusals=0))
    records = reader.read(WIRES, [OBJECTS], follow=True, idle=0.0)
    record = next(one for one in records if one is not None)
    assert record.message == REFERENCE


def test_a_partition_that_never_has_a_leader_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for ever, where the end is to be reached."""
    monkeypatch.setattr(reader, "Consumer", MovingBroker([Answer(MOVED)] * 100_000, refusals=0))
    with pytest.raises(Unavailable, match="NOT_LEADER_FOR_PARTITION"):
        list(reader.read(WIRES, [OBJECTS], timeout=0.05))


def test_a_broker_that_is_away_is_told_in_words() -> None:
    """librdkafka's name for it says nothing to who typed a command."""
    away = reader.no_answer(WIRES, KafkaException(KafkaError(KafkaError._TRANSPORT)))
    assert str(away) == "Kafka at 127.0.0.1:1 does not answer: nothing listens there, or it ends the connection"
    assert str(reader.no_answer(WIRES, KafkaException(MOVED))).endswith(": NOT_LEADER_FOR_PARTITION")
