"""What stops a stage and what does not, by the errors themselves; and how much of it stands in the log."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
import structlog

from models.imaging.errors import EmptyFile, MarksOtherImages, NoPixelData, NotAnImage, TruncatedFile
from schemas.failures import InvalidInput, Unavailable
from schemas.objects import ObjectReference
from streams.buckets import ObjectChanged, ObjectGone, ObjectUnreadable
from streams.codec import encode
from streams.control import heed
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import OBJECTS
from tests.streams.copies import COPIES, send


@dataclass
class Message:
    value: bytes
    offset: int
    topic: str = "objects"
    partition: int = 0
    headers: list[Any] = field(default_factory=list)


@dataclass
class Event:
    message: Message
    value: bytes = b""

    def ack(self) -> bool:
        return True


Handler = Callable[[ObjectReference], AsyncIterator[Any]]


async def started(handler: Handler, count: int) -> tuple[StageRunner[ObjectReference], asyncio.Task[None]]:
    """A stage that is given so many objects, and its work."""

    async def events() -> AsyncIterator[Event]:
        for n in range(count):
            yield Event(Message(encode(ObjectReference(bucket="file:///b", key=f"k{n}", etag="e", size=1)), n))
        await asyncio.Event().wait()

    wires = Wires(dead_letter_window=20, dead_letter_pause=3600.0, in_flight=2)
    runner = StageRunner("preprocess", OBJECTS, COPIES, handler, wires=wires, send=send)
    return runner, asyncio.create_task(runner.run(events()))


async def run(handler: Handler, count: int) -> StageRunner[ObjectReference]:
    """A stage that was given so many objects, when it has finished them or has paused."""
    runner, running = await started(handler, count)
    async with asyncio.timeout(30):
        while runner.state().done < count and runner.state().state != "paused":  # noqa: ASYNC110 - as `status` would
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return runner


def failing(error: Callable[[], Exception]) -> Callable[[ObjectReference], AsyncIterator[Any]]:
    async def handler(_: ObjectReference) -> AsyncIterator[Any]:
        raise error()
        yield

    return handler


@pytest.mark.parametrize(
    "error",
    [
        NotAnImage, NoPixelData, lambda: MarksOtherImages("segmentation"), lambda: ObjectGone("gone"),
        ObjectChanged,
    ],
)  # fmt: skip
async def test_files_that_are_no_images_or_went_stop_nothing(error: Callable[[], InvalidInput]) -> None:
    """A folder of reports, or one that is tidied up while it is read, says nothing of the deployment."""
    runner = await run(failing(error), 200)
    state = runner.state()
    assert (state.state, state.done, state.dead_letters) == ("running", 200, 200)


@pytest.mark.parametrize(
    "error", [TruncatedFile, EmptyFile, lambda: ObjectUnreadable("no right"), lambda: ZeroDivisionError("defect")]
)
async def test_many_files_that_fail_for_another_reason_pause_and_say_so_once(error: Callable[[], Exception]) -> None:
    """Rights that are gone, a broken decoder, a defect."""
    with structlog.testing.capture_logs() as logs:
        runner = await run(failing(error), 200)
    state = runner.state()
    assert (state.state, state.cause) == ("paused", "dead letters")
    assert state.done <= 12
    assert [one["event"] for one in logs if one["event"] != "dead letter"] == ["paused"]


async def test_a_wait_is_logged_once_however_many_wait() -> None:
    """And its end."""
    tries = {"left": 6}

    async def handler(reference: ObjectReference) -> AsyncIterator[Any]:
        if tries["left"] > 0:
            tries["left"] -= 1
            raise Unavailable("the bucket does not answer")
        yield reference

    with structlog.testing.capture_logs() as logs:
        await run(handler, 4)
    assert [one["event"] for one in logs if not one["event"].startswith("stamina")] == ["waiting", "goes on"]


async def test_a_paused_stage_goes_on_when_it_is_told_to_and_pauses_again_if_nothing_is_mended() -> None:
    """With a clean record; and it listens only while it is paused."""
    words: asyncio.Queue[None] = asyncio.Queue()
    listening: list[datetime] = []

    async def told(stage: str, since: datetime, _: Wires) -> None:
        assert stage == "preprocess"
        listening.append(since)
        await words.get()

    runner, going = await started(failing(TruncatedFile), 200)
    heeding = asyncio.create_task(heed(runner, Wires(), told))
    async with asyncio.timeout(30):
        await runner.until_stopped()
        first = runner.state().done
        await asyncio.sleep(0.2)
        assert (runner.state().done, len(listening)) == (first, 1)
        words.put_nowait(None)
        await runner.until_going()
        await runner.until_stopped()
        while len(listening) < 2:  # noqa: ASYNC110 - the other task's turn
            await asyncio.sleep(0.01)
    assert first < runner.state().done <= 2 * first + 2
    for task in (heeding, going):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
