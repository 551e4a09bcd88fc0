"""A worker whose stage copies references, and dawdles on the one it is told to. For tests of delivery."""

import asyncio
import sys
from collections.abc import AsyncIterator

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.variables import from_environment
from schemas.failures import InvalidInput
from schemas.objects import ObjectReference
from streams.app import bind, build_app, configure_logging, run_worker, sender
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import OBJECTS, Topic

COPIES = Topic("copies", ObjectReference, "key", "delete", -1, "Copies of references")


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


def main() -> None:
    slow, seconds = sys.argv[1], float(sys.argv[2])
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
