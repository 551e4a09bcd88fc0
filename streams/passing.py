"""Stages in one process: what topics do between processes, done by handing messages on. Knows no broker and no stage.

As on topics, what cannot be done becomes a dead letter and goes past the later stages, and work waits for what is away.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar, cast

import stamina

from schemas.base import Message
from schemas.dead_letters import DeadLetter, Stage
from schemas.failures import Unavailable
from streams.dead_letters import FrameFailed, Handler, Subject, dead_letter, subject_of, told

In = TypeVar("In", bound=Message)
Out = TypeVar("Out", bound=Message)
Waiting = Callable[[str], None]
"""Is told what is waited for, in words."""

AHEAD = 2
"""Outcomes of one message that are made before somebody takes them: bounds the memory of a long cine."""


async def through(
    stage: Stage,
    handler: Handler[In, Out],
    messages: AsyncIterator[In | DeadLetter],
    *,
    width: int = 1,
    subject: Callable[[In], Subject] = subject_of,
    waiting: Waiting = lambda _: None,
) -> AsyncIterator[Out | DeadLetter]:
    """What comes of messages, in their order. Dead letters among them pass by.

    Args:
        stage: named in dead letters.
        handler: what is done with one message.
        messages: taken only as fast as outcomes are.
        width: messages in work, or waiting for those before them, at once.
        subject: what a message is about.
        waiting: told what is waited for.
    """
    lanes: asyncio.Queue[asyncio.Queue[Out | DeadLetter | None] | None] = asyncio.Queue()
    slots = asyncio.Semaphore(width)
    tasks: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def work(message: In | DeadLetter, lane: asyncio.Queue[Out | DeadLetter | None]) -> None:
        if isinstance(message, DeadLetter):
            await lane.put(message)
        else:
            async with aclosing(_outcomes(stage, handler, message, subject, waiting)) as outcomes:
                async for outcome in outcomes:
                    await lane.put(outcome)
        await lane.put(None)

    async def take() -> None:
        try:
            async for message in messages:
                await slots.acquire()
                lane: asyncio.Queue[Out | DeadLetter | None] = asyncio.Queue(AHEAD)
                lanes.put_nowait(lane)
                start(work(message, lane))
        finally:
            lanes.put_nowait(None)
            if isinstance(messages, AsyncGenerator):
                await messages.aclose()

    taking = asyncio.create_task(take())
    try:
        while (lane := await lanes.get()) is not None:
            while (outcome := await lane.get()) is not None:
                yield outcome
            slots.release()
        await taking  # It raises what the messages raised.
    finally:
        left = (taking, *tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def _outcomes(
    stage: Stage, handler: Handler[In, Out], message: In, subject: Callable[[In], Subject], waiting: Waiting
) -> AsyncGenerator[Out | DeadLetter, None]:
    given = 0

    def is_away(error: Exception) -> bool:
        if isinstance(error, Unavailable):
            waiting(str(error))
        return isinstance(error, Unavailable)

    async for attempt in stamina.retry_context(on=is_away, attempts=None, timeout=None, wait_initial=0.5, wait_max=15):
        with attempt:
            number = 0
            try:
                async for outcome in handler(message):
                    number += 1
                    if number > given:  # Done again, a message gives the same.
                        given = number
                        yield (
                            _buried(stage, outcome.subject, outcome.cause)
                            if isinstance(outcome, FrameFailed)
                            else (cast("Out", outcome))
                        )
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - the guard, as of stages on topics: a defect costs its message
                yield _buried(stage, subject(message), error)


def _buried(stage: Stage, subject: Subject, error: Exception) -> DeadLetter:
    name, text = told(error)
    return dead_letter(stage, subject, name, text, None)
