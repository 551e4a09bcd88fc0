"""A worker whose stage copies references, and dawdles on the one it is told to. For tests of delivery."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import structlog
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from infra.variables import from_environment
from schemas.failures import InvalidInput
from schemas.objects import ObjectReference
from streams import membership, stuck
from streams.app import bind, build_app, run_worker, sender
from streams.logs import configure_logging
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import OBJECTS
from tests.streams.copies import COPIES

log = structlog.get_logger()


def create_copies(wires: Wires) -> None:
    """Make the topic that it gives to."""
    client = AdminClient({"bootstrap.servers": wires.bootstrap})
    name = COPIES.on(wires)
    client.create_topics([NewTopic(name, num_partitions=4, replication_factor=1)])[name].result(30)


class Refused(InvalidInput):
    """A reference that is to fail."""


async def copy(reference: ObjectReference, slow: str, seconds: float) -> AsyncIterator[ObjectReference]:
    if reference.key == slow:
        await asyncio.sleep(seconds)
    if reference.key.startswith("bad"):
        raise Refused("It was asked to fail.")
    yield reference


def begin_too_late() -> None:
    """Have Faust drop what it fetched first, as it can while a rebalance is under way, and seek to nowhere."""
    fetch = AIOKafkaConsumerThread.getmany
    dropped: set[object] = set()

    async def getmany(self: AIOKafkaConsumerThread, *arguments: Any) -> Any:
        records = await fetch(self, *arguments)
        first = records.keys() - dropped
        dropped.update(first)
        for _ in first:
            log.info("dropped")
        return {place: found for place, found in records.items() if place not in first}

    AIOKafkaConsumerThread.getmany = getmany  # pyright: ignore[reportAttributeAccessIssue]


def never_flow() -> None:
    """Have Faust end a rebalance without letting messages flow, as it does where the broker is slow to tell offsets."""

    async def stay(*_: Any, **__: Any) -> None:
        pass

    Recovery._resume_streams = stay  # pyright: ignore[reportPrivateUsage]


def main() -> None:
    slow, seconds = sys.argv[1], float(sys.argv[2])
    if "begin-too-late" in sys.argv:
        begin_too_late()
    if "never-flow" in sys.argv:
        never_flow()
    if "end-soon" in sys.argv:
        membership.ENDED_AFTER, stuck.STUCK_AFTER = 10.0, 3.0
    settings = from_environment()
    configure_logging()
    app = build_app("preprocess", settings.wires)
    runner = StageRunner(
        "preprocess",
        OBJECTS,
        COPIES,
        lambda reference: copy(reference, slow, seconds),
        wires=settings.wires,
        send=sender(app),
    )
    bind(app, runner, OBJECTS.on(settings.wires))
    run_worker(app, settings.wires)


if __name__ == "__main__":
    main()
