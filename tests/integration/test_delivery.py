"""Delivery on a real Kafka: nothing is lost, whatever is killed, and the committed offset never passes work."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import stamina
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.settings import Settings
from infra.announce import announce
from infra.processes import Processes
from infra.resume import paused, resume_stages
from schemas.dead_letters import Stage
from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.app import build_app
from streams.backlog import KEPT, Backlog
from streams.commits import FaustGroup
from streams.lag import Lag, LagReader, ask
from streams.reader import latest, read
from streams.topics import DEAD_LETTERS, ENRICHED, OBJECTS
from tests.integration.pipeline import wait_for, wait_until
from tests.streams.copies import COPIES

pytestmark = pytest.mark.integration


def references(count: int, prefix: str = "k") -> list[ObjectReference]:
    return [ObjectReference(bucket="file:///b", key=f"{prefix}{n}", etag="e", size=1) for n in range(count)]


def start(
    processes: Processes, settings: Settings, name: str, tmp_path: Path, slow: str = "", seconds: float = 0, *more: str
) -> None:
    settings = settings.with_wires(worker=name)
    processes.start(
        name,
        [sys.executable, "-m", "tests.integration.echo_worker", slow, str(seconds), *more],
        env=settings.handed_on(),
        log_path=tmp_path / f"{name}.log",
        cwd=Path(__file__).parents[2],
    )


def kill(processes: Processes, name: str) -> None:
    os.kill(processes.pids[name], signal.SIGKILL)
    processes.stop(name)


def copies(settings: Settings) -> list[str]:
    return [record.message.key for record in read(settings.wires, [COPIES]) if record and record.message]


def test_what_waits_is_weighed(settings: Settings) -> None:
    """Messages that wait count by their own sizes, wherever in the topic they lie; none is weighed where none waits."""
    producer = Producer({"bootstrap.servers": settings.wires.bootstrap})
    for number in range(120):
        large = number % 3 == 0
        producer.produce(ENRICHED.on(settings.wires), b"x" * (90_000 if large else 30_000), partition=number % 4)
    producer.flush()

    async def weigh() -> dict[Stage, Lag]:
        backlog = Backlog(settings.wires, ("retrieve", "describe"))
        try:
            # A broker's first group has no coordinator yet.
            async for attempt in stamina.retry_context(on=Unavailable, attempts=20, timeout=60):
                with attempt:
                    assert (await backlog.read())["describe"].mean_bytes in (90_000, 30_000)
            return [await backlog.read() for _ in range(KEPT)][-1]
        finally:
            await backlog.close()

    lags = asyncio.run(weigh())
    assert lags["describe"].waiting == 120
    assert lags["describe"].mean_bytes == pytest.approx(50_000, rel=0.3)
    assert (lags["retrieve"].waiting, lags["retrieve"].mean_bytes) == (0, 0)


def test_a_slow_message_survives_a_kill(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """With one slow message among fast ones, a kill -9 loses nothing: the slow one is done by the next worker."""
    echo = echo.with_wires(in_flight=8)
    announce(echo, references(300))
    start(processes, echo, "first", tmp_path, slow="k50", seconds=1000)
    # All but the slow one are copied, and the commits of whole seconds have passed.
    wait_for(echo.wires, COPIES, 299)
    time.sleep(3)
    waiting = ask(echo.wires, LagReader.read)["preprocess"].waiting
    assert waiting > 0, "the committed offset passed a message still in work"
    kill(processes, "first")
    start(processes, echo, "first", tmp_path)
    wait_until(lambda: "k50" in copies(echo))
    wait_until(lambda: ask(echo.wires, LagReader.read)["preprocess"].waiting == 0)
    assert set(copies(echo)) == {reference.key for reference in references(300)}


def test_a_worker_that_was_passed_messages_by_ends_and_the_next_does_them(
    echo: Settings, processes: Processes, tmp_path: Path
) -> None:
    """It commits none of the messages behind them, and says which they are."""
    announce(echo, references(3))
    start(processes, echo, "first", tmp_path, "", 0, "begin-too-late")
    log = tmp_path / "first.log"
    wait_until(lambda: log.read_text().count('"dropped"') > 0)
    announce(echo, references(300))
    wait_until(lambda: "were passed by" in log.read_text())
    processes.stop("first")
    start(processes, echo, "first", tmp_path)
    wait_until(lambda: set(copies(echo)) == {reference.key for reference in references(300)})


@pytest.mark.parametrize(
    ("fault", "reason"), [("begin-too-late", "were passed by"), ("never-flow", "has been given none for")]
)
def test_a_worker_that_has_nothing_in_work_of_what_waits_ends_and_the_next_does_it(
    echo: Settings, processes: Processes, tmp_path: Path, fault: str, reason: str
) -> None:
    """With no message coming behind those that Faust has dropped, or keeps from its streams."""
    announce(echo, references(3))
    start(processes, echo, "first", tmp_path, "", 0, fault, "end-soon")
    log = tmp_path / "first.log"
    wait_until(lambda: reason in log.read_text())
    processes.stop("first")
    start(processes, echo, "first", tmp_path)
    wait_until(lambda: set(copies(echo)) == {reference.key for reference in references(3)})


def test_what_the_broker_keeps_no_more_was_not_passed_by(echo: Settings) -> None:
    """A worker that comes after retention begins behind its group, without a message to read there."""
    wires, copies = echo.wires, COPIES.on(echo.wires)
    producer = Producer({"bootstrap.servers": wires.bootstrap})
    for number in range(20):
        producer.produce(copies, b"x", partition=number % 2)
    producer.flush()
    admin = AdminClient({"bootstrap.servers": wires.bootstrap})
    for deleted in admin.delete_records([TopicPartition(copies, 0, 10), TopicPartition(copies, 1, 6)]).values():
        deleted.result(30)
    group = FaustGroup(build_app("preprocess", wires), wires)

    async def kept(partition: int, first: int, before: int) -> int | None:
        return await group.first_kept((copies, partition), first, before)

    async def ask_all() -> list[int | None]:
        return [await kept(0, 3, 10), await kept(1, 3, 6), await kept(1, 3, 10), await kept(1, 8, 10)]

    assert asyncio.run(ask_all()) == [None, None, 6, 8]


def test_two_workers_share_and_take_over(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """Two workers share the partitions; when one is killed for good, the other finishes everything."""
    start(processes, echo, "one", tmp_path)
    start(processes, echo, "two", tmp_path)
    announce(echo, references(200))
    wait_for(echo.wires, COPIES, 200)
    announce(echo, references(400, "more"))
    kill(processes, "one")
    announce(echo, references(100, "late"))
    wait_for(echo.wires, COPIES, 700)
    wait_until(lambda: ask(echo.wires, LagReader.read)["preprocess"].waiting == 0)


def test_messages_that_cannot_be_read_become_dead_letters(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """A foreign message on the topic ends as a dead letter with its address, and those behind it go on."""
    producer = Producer({"bootstrap.servers": echo.wires.bootstrap})
    producer.produce(OBJECTS.on(echo.wires), b'{"key": "DOE^JOHN"}', b"k", partition=0)
    producer.flush()
    announce(echo, [*references(5), *references(2, "bad")])
    start(processes, echo, "one", tmp_path)
    wait_until(lambda: len(copies(echo)) == 5 and len(latest(echo.wires, DEAD_LETTERS)) == 3)
    letters = [record.message for record in latest(echo.wires, DEAD_LETTERS).values()]
    assert sorted(letter.error for letter in letters if letter) == ["Refused", "Refused", "UnreadableMessage"]
    assert "DOE" not in "".join(str(letter) for letter in letters) + (tmp_path / "one.log").read_text()


def test_too_many_dead_letters_pause_the_stage(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """A topic full of bad inputs is not drained into the dead letters: the stage pauses and says so."""
    echo = echo.with_wires(dead_letter_window=20, dead_letter_pause=3600.0, in_flight=2)
    announce(echo, references(200, "bad"))
    start(processes, echo, "one", tmp_path)
    wait_until(lambda: len(latest(echo.wires, DEAD_LETTERS)) >= 10)
    time.sleep(3)
    assert len(latest(echo.wires, DEAD_LETTERS)) <= 12
    assert ask(echo.wires, LagReader.read)["preprocess"].waiting >= 188


def test_a_paused_stage_is_told_to_go_on(echo: Settings, processes: Processes, tmp_path: Path) -> None:
    """By `tristream resume`, without a restart: it works through what is good, and says what it was told."""
    echo = echo.with_wires(dead_letter_window=20, dead_letter_pause=3600.0, in_flight=2)
    announce(echo, references(10, "bad"))
    start(processes, echo, "one", tmp_path)
    wait_until(lambda: "preprocess" in " ".join(paused(echo.wires)))
    announce(echo, references(50))
    assert len(copies(echo)) == 0
    assert resume_stages(echo.wires) == ["preprocess: 1 worker told to go on"]
    wait_for(echo.wires, COPIES, 50)
    log = (tmp_path / "one.log").read_text()
    assert log.count('"event": "paused"') == log.count('"event": "told to go on"') == 1
    wait_until(lambda: paused(echo.wires) == [])
    assert resume_stages(echo.wires) == []
