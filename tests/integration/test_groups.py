"""Consumer groups on a real Kafka: a worker that gets nothing says so, and of two under one name the older ends."""

import asyncio
import os
import signal
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from agents.settings import Settings
from infra.announce import announce
from infra.kafka.local import LocalKafka, free_port
from infra.processes import Processes, tail
from streams.lag import LagReader, ask, group
from streams.reader import latest
from streams.settings import Wires
from streams.topics import OBJECTS, STAGES, create_topics
from tests.integration.echo_worker import create_copies
from tests.integration.pipeline import wait_until
from tests.integration.test_delivery import copies, references, start

pytestmark = pytest.mark.integration


class Miser(RoundRobinPartitionAssignor):
    """Divides partitions as a worker does that knows of none: nobody gets any."""

    name = "faust"

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> dict[str, Any]:
        # A Faust worker wants back what it said of itself, compressed.
        return {
            member: ConsumerProtocolMemberAssignment(0, [], zlib.compress(found.user_data))
            for member, found in members.items()
        }


def ready(port: int) -> tuple[bool, str]:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).json()
    except httpx.HTTPError as error:
        return False, type(error).__name__
    return answer["ready"], answer["reason"]


async def test_a_worker_without_partitions_is_not_ready_while_messages_wait(
    echo: Settings, processes: Processes, tmp_path: Path
) -> None:
    """Its group is settled and holds nothing: it says so on /readyz and on `stages`, ends, and comes back to work."""
    port = free_port()
    echo = echo.with_wires(metrics_port=port)
    leader = AIOKafkaConsumer(
        OBJECTS.on(echo.wires),
        bootstrap_servers=echo.wires.bootstrap,
        group_id=group("preprocess", echo.wires),
        partition_assignment_strategy=[Miser],
        session_timeout_ms=6000,
    )
    await leader.start()
    try:
        start(processes, echo, "one", tmp_path, "", 0, "end-soon")
        await asyncio.to_thread(announce, echo, references(20))
        for _ in range(150):
            found, reason = await asyncio.to_thread(ready, port)
            if "no worker holds" in reason:
                break
            await asyncio.sleep(0.2)
        assert (found, "20 messages wait in" in reason) == (False, True)
        words = [record.message for record in (await asyncio.to_thread(latest, echo.wires, STAGES)).values()]
        assert [word.stage for word in words if word] == ["preprocess"]
        for _ in range(300):
            await asyncio.to_thread(processes.poll)
            if processes.crashes["one"]:
                break
            await asyncio.sleep(0.2)
        assert processes.crashes["one"] == 1
        assert "that no worker holds, for 10 s" in (tmp_path / "one.log").read_text()
    finally:
        await leader.stop()
    deadline = time.monotonic() + 120
    while len(await asyncio.to_thread(copies, echo)) < 20:
        assert time.monotonic() < deadline, "it did not come back to work"
        processes.poll()
        await asyncio.sleep(0.2)


def test_of_two_workers_under_one_name_the_older_ends(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """It says what to do, and the younger goes on alone; nothing is lost."""
    again = Processes(grace_s=5)
    try:
        start(again, echo, "one", tmp_path / "older")
        announce(echo, references(50))
        wait_until(lambda: len(copies(echo)) == 50, 60)
        older = again.pids["one"]
        start(processes, echo, "one", tmp_path / "younger")
        wait_until(lambda: again.pids.get("one") != older, 60)
    finally:
        again.stop()
    assert "under this worker's name, 'one'" in (tmp_path / "older/one.log").read_text()
    announce(echo, references(50, "more"))
    wait_until(lambda: len(set(copies(echo))) == 100, 60)
    time.sleep(5)
    assert not processes.crashes, "the younger stays"


@contextmanager
def own_broker(folder: Path) -> Iterator[tuple[Processes, LocalKafka]]:
    """A broker of the test's own, which is started again whenever it dies."""
    processes = Processes(grace_s=5, most_crashes=20, first_delay_s=0.1)
    kafka = LocalKafka(folder / "kafka", free_port())
    kafka.install()
    try:
        kafka.start(processes)
        kafka.wait_ready()
        yield processes, kafka
    finally:
        processes.stop()


def test_work_goes_on_soon_after_each_of_five_broker_kills(tmp_path: Path) -> None:
    """Two workers, started before the broker is there, survive them; something new is done within 20 s of each."""
    with own_broker(tmp_path) as (processes, kafka):
        wires = Wires(bootstrap=kafka.bootstrap, partitions=4, state=tmp_path / "state", session_timeout=6.0)
        create_topics(wires)
        settings = Settings(wires=wires, key="0" * 64)
        create_copies(wires)
        processes.stop("kafka")
        for name in ("one", "two"):
            start(processes, settings, name, tmp_path)
        while not all("Kafka does not answer" in tail(tmp_path / f"{name}.log") for name in ("one", "two")):
            processes.pause(0.1)
        kafka.start(processes)
        kafka.wait_ready()
        announce(settings, references(10, "first"))
        wait_until(lambda: len(copies(settings)) == 10, 60)
        for number in range(5):
            os.kill(processes.pids["kafka"], signal.SIGKILL)
            while processes.crashes["kafka"] <= number or "kafka" not in processes.pids:
                processes.pause(0.05)
            kafka.wait_ready()
            back = time.monotonic()
            announce(settings, references(20, f"after{number}-"))
            wanted = {reference.key for reference in references(20, f"after{number}-")}
            while not wanted <= set(copies(settings)):
                processes.pause(0.2)
                assert time.monotonic() - back < 20, f"nothing came within 20 s of kill {number + 1}"
        assert processes.crashes["one"] == processes.crashes["two"] == 0
        assert set(processes.crashes) == {"kafka"} | {name for name in processes.crashes if processes.crashes[name]}
        assert ask(wires, LagReader.read)["preprocess"].waiting >= 0
