"""An operator's word reaches a paused worker whenever it is given: before or while the worker begins to listen."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer

from agents.settings import Settings
from schemas.control import Resume
from streams import control
from streams.codec import encode
from streams.settings import Wires
from streams.topics import CONTROL

pytestmark = pytest.mark.integration


def tell(wires: Wires, told_at: datetime) -> None:
    producer = Producer({"bootstrap.servers": wires.bootstrap})
    producer.produce(CONTROL.on(wires), encode(Resume(stage="preprocess", told_at=told_at)), b"preprocess")
    assert producer.flush(30) == 0


def listening(asked: str, then: Callable[[], None]) -> type[AIOKafkaConsumer]:
    """A consumer, and what else happens right after one of its answers."""

    class Consumer(AIOKafkaConsumer):
        pass

    async def answer(self: Any, *given: Any) -> Any:
        found = await getattr(AIOKafkaConsumer, asked)(self, *given)
        await asyncio.to_thread(then)
        return found

    setattr(Consumer, asked, answer)
    return Consumer


def hear(wires: Wires, since: datetime, seconds: float = 60.0) -> None:
    asyncio.run(asyncio.wait_for(control.resumed("preprocess", since, wires), seconds))


def test_a_word_given_before_is_heard(settings: Settings) -> None:
    since = datetime.now(UTC)
    tell(settings.wires, since + timedelta(milliseconds=1))
    hear(settings.wires, since)


@pytest.mark.parametrize("asked", ["start", "end_offsets", "offsets_for_times"])
def test_a_word_given_while_a_worker_begins_to_listen_is_heard(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setattr(control, "AIOKafkaConsumer", listening(asked, lambda: tell(settings.wires, datetime.now(UTC))))
    hear(settings.wires, datetime.now(UTC))


def test_a_word_of_an_earlier_pause_is_not_heard(settings: Settings) -> None:
    tell(settings.wires, datetime.now(UTC))
    with pytest.raises(TimeoutError):
        hear(settings.wires, datetime.now(UTC) + timedelta(milliseconds=5), seconds=5)
