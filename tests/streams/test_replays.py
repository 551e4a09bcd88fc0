"""What becomes of an object that went or changed before it was read: told once, and never forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest

from schemas.objects import ObjectReference
from streams.buckets import ObjectChanged
from streams.codec import clearing, encode
from streams.dead_letters import Subject
from streams.settings import Wires
from streams.stage import StageRunner
from streams.topics import IMAGES, OBJECTS

OURS, OLDER = "a" * 32, "b" * 32


@dataclass
class Message:
    value: bytes
    headers: list[tuple[str, bytes]]
    offset: int = 0
    topic: str = "objects"
    partition: int = 0


@dataclass
class Event:
    message: Message
    value: bytes = b""

    def ack(self) -> bool:
        return True


async def changed(_: ObjectReference) -> AsyncIterator[Any]:
    raise ObjectChanged
    yield


@pytest.mark.parametrize(
    ("taken_up", "letters"), [([], 1), ([OLDER], 1), ([OURS], 0), ([OLDER, f"{OURS}/3"], 0)],
    ids=["announced", "announced as corrected", "replayed", "replayed, of a frame"],
)  # fmt: skip
async def test_only_a_replay_ends_without_a_letter(taken_up: list[str], letters: int) -> None:
    """New content of a file takes up the letters of older content, and yet has had no outcome of its own."""
    sent: list[tuple[str, bytes | None]] = []

    async def send(_: str, key: str, value: bytes | None, __: Any) -> Awaitable[Any]:
        sent.append((key, value))
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def events() -> AsyncIterator[Event]:
        reference = ObjectReference(bucket="file:///b", key="k", etag="e", size=1)
        yield Event(Message(encode(reference), [*clearing(taken_up)]))
        await asyncio.Event().wait()

    runner = StageRunner(
        "preprocess", OBJECTS, IMAGES, changed, wires=Wires(), send=send, subject=lambda _: Subject(OURS)
    )
    running = asyncio.create_task(runner.run(events()))  # pyright: ignore[reportArgumentType]
    async with asyncio.timeout(30):
        while runner.state().done < 1:  # noqa: ASYNC110 - as `status` would
            await asyncio.sleep(0.01)
    running.cancel()
    assert [key for key, value in sent if value is None and len(key) >= 32] == taken_up
    written = [key for key, value in sent if value is not None and b"ObjectChanged" in value]
    assert written == [OURS] * letters
