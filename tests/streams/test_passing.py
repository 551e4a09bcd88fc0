"""Stages that hand on to each other in one process: what topics promise between processes holds here too."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import stamina

from schemas.dead_letters import DeadLetter
from schemas.failures import InvalidInput, Unavailable
from schemas.stages import StageState
from streams.dead_letters import FrameFailed, Handler, Subject
from streams.passing import AHEAD, through
from tests.streams.states import state


class Refused(InvalidInput):
    """An input that a test's stage refuses."""


async def source(*numbers: int, taken: list[int] | None = None) -> AsyncIterator[StageState]:
    for number in numbers:
        if taken is not None:
            taken.append(number)
        yield state(number)


def about(message: StageState) -> Subject:
    return Subject(f"{message.done:032x}")


def stage(handler: Handler[StageState, StageState], *numbers: int, width: int = 1) -> AsyncIterator[object]:
    return through("ground", handler, source(*numbers), width=width, subject=about)


async def numbers_of(outcomes: AsyncIterator[object]) -> list[int | str]:
    return [one.done if isinstance(one, StageState) else getattr(one, "error", "") async for one in outcomes]


async def test_outcomes_keep_the_order_of_their_messages_however_long_each_takes() -> None:
    """Three at once, the first the slowest."""

    async def slow_first(message: StageState) -> AsyncIterator[StageState]:
        for _ in range(10 - message.done):
            await asyncio.sleep(0)
        yield message

    assert await numbers_of(stage(slow_first, *range(8), width=3)) == list(range(8))


@pytest.mark.parametrize("width", [1, 3])
async def test_no_more_is_in_work_than_the_width(width: int) -> None:
    """Neither at once, nor finished and waiting for those before it."""
    working = most = 0

    async def counted(message: StageState) -> AsyncIterator[StageState]:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await asyncio.sleep(0.001)
        working -= 1
        yield message

    await numbers_of(stage(counted, *range(10), width=width))
    assert most == width


async def test_messages_are_taken_only_as_fast_as_outcomes_are() -> None:
    """Of a source without end, and of one message's outcomes without end."""
    taken: list[int] = []
    made = 0

    async def endless(message: StageState) -> AsyncIterator[StageState]:
        nonlocal made
        while True:
            made += 1
            yield message

    outcomes = through("ground", endless, source(*range(1000), taken=taken), width=2, subject=about)
    await anext(outcomes)
    await asyncio.sleep(0.05)
    assert len(taken) <= 3
    assert made <= 2 * (AHEAD + 2)


async def test_what_cannot_be_done_goes_past_later_stages_as_a_dead_letter() -> None:
    """Bad input in its own words, a defect by its place, a frame alone; the others go on."""

    async def some(message: StageState) -> AsyncIterator[StageState | FrameFailed]:
        if message.done == 1:
            raise Refused("told to a person")
        if message.done == 2:
            raise KeyError("DOE^JANE")
        if message.done == 3:
            yield FrameFailed(Subject("f" * 32, None, 7, 9), Refused("this frame"))
        yield message

    async def same(message: StageState) -> AsyncIterator[StageState]:
        yield message

    first = through("ground", some, source(*range(5)), subject=about)
    found = [one async for one in through("describe", same, first, width=2, subject=about)]
    letters = [one for one in found if isinstance(one, DeadLetter)]
    assert [one.done for one in found if isinstance(one, StageState)] == [0, 3, 4]
    assert [(one.stage, one.error, one.frame) for one in letters] == [
        ("ground", "Refused", None), ("ground", "KeyError", None), ("ground", "Refused", 7),
    ]  # fmt: skip
    assert letters[0].message == "told to a person"
    assert (letters[0].object_id, letters[0].origin) == (f"{1:032x}", None)
    assert "DOE" not in letters[1].message
    assert "tests/streams/test_passing.py" in letters[1].message


async def test_what_is_away_is_waited_for_and_nothing_comes_twice() -> None:
    """A message that fails half-way is done again; what it gave before is not given again."""
    tries = 0
    said: list[str] = []

    async def away(message: StageState) -> AsyncIterator[StageState]:
        nonlocal tries
        for number in range(3):
            if number == 1 and tries < 2:
                tries += 1
                raise Unavailable("the server is away")
            yield state(10 * message.done + number)

    stamina.set_testing(True, attempts=5, cap=False)
    try:
        outcomes = through("ground", away, source(1), subject=about, waiting=said.append)
        assert await numbers_of(outcomes) == [10, 11, 12]
    finally:
        stamina.set_testing(False)
    assert said == ["the server is away"] * 2


async def test_leaving_early_ends_what_is_in_work() -> None:
    """Handlers and sources are closed; no task is left behind."""
    closed: list[str] = []

    async def forever(message: StageState) -> AsyncIterator[StageState]:
        try:
            yield message
            await asyncio.sleep(3600)
        finally:
            closed.append("handler")

    async def endless() -> AsyncIterator[StageState]:
        try:
            while True:
                yield state(0)
        finally:
            closed.append("source")

    outcomes = through("ground", forever, endless(), width=2, subject=about)
    await anext(outcomes)
    await asyncio.sleep(0.01)
    await outcomes.aclose()  # type: ignore[attr-defined] - a generator
    assert sorted(closed) == ["handler", "handler", "source"]
    assert len(asyncio.all_tasks()) == 1


async def test_a_source_that_fails_is_not_taken_for_one_that_ended() -> None:
    """Its error comes after what was made of the messages before."""

    async def broken() -> AsyncIterator[StageState]:
        yield state(0)
        raise RuntimeError("no more")

    async def same(message: StageState) -> AsyncIterator[StageState]:
        yield message

    outcomes = through("ground", same, broken(), subject=about)
    assert await numbers_of(_first(outcomes)) == [0]
    with pytest.raises(RuntimeError):
        await anext(outcomes)


async def _first(outcomes: AsyncIterator[object]) -> AsyncIterator[object]:
    yield await anext(outcomes)
