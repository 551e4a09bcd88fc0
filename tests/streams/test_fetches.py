"""Messages fetched while streams do not flow are fetched again, and not dropped."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from aiokafka.structs import TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from streams.app import build_app
from streams.settings import Wires

HERE, GONE = TopicPartition("objects", 0), TopicPartition("objects", 1)


@dataclass
class Consumer:
    """Of aiokafka, which holds one partition. A rebalance ends the flow of streams while it is asked."""

    faust: Any
    stops: bool
    sought: dict[TopicPartition, int] = field(default_factory=dict[TopicPartition, int])
    _closed: bool = False

    @property
    def _fetcher(self) -> Any:
        @contextmanager
        def fetch_context() -> Generator[None]:
            yield

        async def fetched_records(*_: Any, **__: Any) -> Any:
            self.faust.flow_active = not self.stops
            return {place: [SimpleNamespace(offset=20), SimpleNamespace(offset=21)] for place in (HERE, GONE)}

        return SimpleNamespace(
            _closed=False, _subscriptions=SimpleNamespace(fetch_context=fetch_context), fetched_records=fetched_records
        )

    def assignment(self) -> set[TopicPartition]:
        return {HERE}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought[place] = offset


async def fetched(*, stops: bool) -> tuple[Any, dict[TopicPartition, int]]:
    build_app("ground", Wires(bootstrap="127.0.0.1:1"))
    thread = SimpleNamespace(consumer=SimpleNamespace(flow_active=True))
    consumer = Consumer(thread.consumer, stops)
    fetch: Any = AIOKafkaConsumerThread._fetch_records  # pyright: ignore[reportPrivateUsage]
    records = await fetch(thread, consumer, {HERE, GONE}, timeout=1.0)
    return records, consumer.sought


async def test_what_comes_while_streams_do_not_flow_is_given_back() -> None:
    """Faust would drop it; what is no longer held is the next owner's."""
    assert await fetched(stops=True) == ({}, {HERE: 20})


async def test_what_comes_while_they_flow_is_handed_on() -> None:
    """And nothing is sought."""
    records, sought = await fetched(stops=False)
    assert ([one.offset for one in records[HERE]], sought) == ([20, 21], {})
