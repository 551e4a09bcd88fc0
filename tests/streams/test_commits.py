"""Commits: what is due is committed until the broker took it, and a partition begins where its group stands."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams import commits as commits_module
from streams.app import bind, build_app, sender
from streams.codec import encode
from streams.commits import Commits, FaustGroup
from streams.ordered import Partition, Standing
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import OBJECTS
from tests.streams.copies import COPIES, send

HERE: Partition = ("objects", 0)


@dataclass
class Broker:
    """A group that stands at `at`, on a topic that keeps what is in `kept`."""

    at: int = 0
    kept: range = range(100)
    answers: bool = True
    ours: bool = True
    committed: list[Mapping[Partition, int]] = field(default_factory=list[Mapping[Partition, int]])

    async def commit(self, offsets: Mapping[Partition, int]) -> bool:
        if not self.answers:
            raise Unavailable("away")
        if self.ours:
            self.committed.append(dict(offsets))
        return self.ours

    async def begins(self, partition: Partition) -> int:
        if not self.answers:
            raise Unavailable("away")
        return self.at

    async def first_kept(self, partition: Partition, first: int, before: int) -> int | None:
        return next((one for one in self.kept if first <= one < before), None)

    async def position(self, partition: Partition) -> int:
        raise AssertionError(partition)


async def test_what_the_broker_did_not_take_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is away, and while the partitions are another's; and a worker that leaves commits a last time."""
    monkeypatch.setattr(commits_module, "INTERVAL", 0.01)
    standing, broker = Standing(), Broker(answers=False)
    commits = Commits(standing, broker, lambda _: None)
    standing.finish(standing.deliver(HERE, 0))
    running = asyncio.create_task(commits.run())
    await asyncio.sleep(0.05)
    assert standing.due
    broker.answers, broker.ours = True, False
    await asyncio.sleep(0.05)
    assert (standing.due, broker.committed) == ({HERE: 1}, [])
    broker.ours = True
    await asyncio.sleep(0.05)
    assert broker.committed == [{HERE: 1}]
    standing.finish(standing.deliver(HERE, 1))
    await commits.leave()
    assert broker.committed[-1] == {HERE: 2}
    await asyncio.wait_for(running, 5)


async def test_a_commit_that_is_answered_after_a_division_says_nothing_of_it() -> None:
    """What was committed before is no measure of what is due of partitions that came back further behind."""
    standing = Standing()

    class Slow(Broker):
        async def commit(self, offsets: Mapping[Partition, int]) -> bool:
            standing.forget()
            standing.finish(standing.deliver(HERE, 3))
            return True

    commits = Commits(standing, Slow(), lambda _: None)
    standing.finish(standing.deliver(HERE, 99))
    await commits.commit()
    assert standing.due == {HERE: 4}


@pytest.mark.parametrize("life", ["closed", "stands", "cancels"])
async def test_a_consumer_whose_thread_has_ended_is_waited_for_no_longer(
    life: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that ends commits a last time, and must not wait for ever, nor take a cancelled answer for its own."""
    monkeypatch.setattr(commits_module, "ANSWER_S", 0.05)
    loop = asyncio.new_event_loop()

    async def cancelled(_: Any) -> None:
        raise asyncio.CancelledError

    thread = SimpleNamespace(thread_loop=loop, _ensure_consumer=lambda: SimpleNamespace(commit=cancelled))
    group = FaustGroup(SimpleNamespace(consumer=SimpleNamespace(_thread=thread)), Wires())  # pyright: ignore[reportArgumentType]
    running = threading.Thread(target=loop.run_forever)
    if life == "cancels":
        running.start()
    if life == "closed":
        loop.close()
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await group.commit({HERE: 1})
    if life == "stands":
        running.start()  # Lets the loop cancel what it was given.
    if life != "closed":
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        running.join()
        loop.close()


@pytest.mark.parametrize(
    ("at", "kept", "offset", "begins"),
    [
        (20, range(100), 20, True),
        (0, range(100), 0, True),
        (20, range(100), 25, False),
        (20, range(25, 100), 25, True),
        (20, range(24, 100), 25, False),
        (0, range(100), 3, False),
        (20, range(100), 10, True),
        (20, range(0), 25, True),
    ],
)
async def test_a_partition_begins_where_its_group_stands(at: int, kept: range, offset: int, begins: bool) -> None:
    """Or at the first message behind it that is kept: retention and compaction leave gaps that are none."""
    ended: list[str] = []
    commits = Commits(Standing(), Broker(at, kept), ended.append)
    assert await commits.may_begin(HERE, offset) is begins
    assert bool(ended) is not begins


@dataclass
class Faust:
    """What a stage needs of a stream that gives these offsets out."""

    offsets: asyncio.Queue[int] = field(default_factory=asyncio.Queue[int])

    async def events(self) -> AsyncIterator[Any]:
        while True:
            number = await self.offsets.get()
            value = encode(ObjectReference(bucket="file:///b", key=f"k{number}", etag="e", size=1))
            yield SimpleNamespace(message=SimpleNamespace(
                topic="objects", partition=0, offset=number, value=value, headers=[]
            ))  # fmt: skip


def copying(done: list[str]) -> StageRunner[ObjectReference]:
    """A runner that copies references, and notes which."""

    async def copy(reference: ObjectReference) -> AsyncIterator[ObjectReference]:
        done.append(reference.key)
        yield reference

    return StageRunner("preprocess", OBJECTS, COPIES, copy, wires=Wires(), send=send)


async def test_a_message_whose_partition_went_while_the_broker_was_asked_is_left_to_the_next_owner() -> None:
    """It would be committed for a partition of another's, and all commits of this worker refused for it."""
    done: list[str] = []
    asked, answer = asyncio.Event(), asyncio.Event()

    async def may_begin(_: Partition, __: int) -> bool:
        asked.set()
        await answer.wait()
        return True

    faust, runner = Faust(), copying(done)
    running = asyncio.create_task(runner.run(faust.events(), may_begin))
    faust.offsets.put_nowait(20)
    await asked.wait()
    runner.standing.forget()
    answer.set()
    faust.offsets.put_nowait(30)
    async with asyncio.timeout(10):
        while not done:  # noqa: ASYNC110 - waits for another task
            await asyncio.sleep(0.01)
    assert done == ["k30"]
    running.cancel()


async def test_a_broker_that_answers_again_is_waited_for_no_longer() -> None:
    """Also where the message it was asked for is then another's: nothing is done that could say so."""
    runner, answers = copying([]), [False, True]
    states: list[str] = []

    async def may_begin(_: Partition, __: int) -> bool:
        if answers.pop(0):
            states.append(runner.state().state)
            runner.standing.forget()
            return True
        raise Unavailable("away")

    faust = Faust()
    running = asyncio.create_task(runner.run(faust.events(), may_begin))
    faust.offsets.put_nowait(20)
    async with asyncio.timeout(10):
        while answers or runner.state().state != "running":  # noqa: ASYNC110 - waits for another task
            await asyncio.sleep(0.01)
    assert states == ["waiting"]
    running.cancel()


async def test_a_defect_beyond_the_guard_breaks_the_stage_off() -> None:
    """As where a dead letter cannot be written: its message would hold back all behind it, and nobody would know."""

    async def fail(_: ObjectReference) -> AsyncIterator[ObjectReference]:
        raise ValueError
        yield

    async def send(*_: Any) -> Awaitable[Any]:
        raise TypeError("a defect")

    faust = Faust()
    runner = StageRunner("preprocess", OBJECTS, COPIES, fail, wires=Wires(), send=send)
    faust.offsets.put_nowait(20)
    async with asyncio.timeout(10):
        with pytest.raises(TypeError, match="a defect"):
            await runner.run(faust.events())


def test_faust_acknowledges_nothing_itself() -> None:
    """It would count messages as done that it throws away unseen after a rebalance."""

    async def nothing(_: ObjectReference) -> AsyncIterator[ObjectReference]:
        return
        yield

    app = build_app("preprocess", Wires(bootstrap="127.0.0.1:1"))
    runner = StageRunner("preprocess", OBJECTS, COPIES, nothing, wires=app.wires, send=sender(app))
    bind(app, runner, "objects")
    assert [agent.channel.acks for agent in app.agents.values()] == [False]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


async def test_a_stage_that_breaks_off_ends_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust would begin it anew in the midst of its partitions, and what was in work would not be delivered again."""
    reasons: list[str] = []
    app = build_app("preprocess", Wires(bootstrap="127.0.0.1:1"))
    monkeypatch.setattr(app, "end", reasons.append)
    bind(app, copying([]), "objects")

    async def events() -> AsyncIterator[Any]:
        raise OSError
        yield

    (agent,) = app.agents.values()
    with pytest.raises(OSError):  # noqa: PT011 - it has no words
        await agent.fun(SimpleNamespace(events=events))  # pyright: ignore[reportGeneralTypeIssues, reportArgumentType]
    assert reasons == ["the stage broke off: OSError"]
