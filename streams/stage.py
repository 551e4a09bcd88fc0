"""One stage's delivery: take messages, keep a bounded number in work, send what comes of each, count them in order.

Knows nothing of what the work is. The reasons stand in docs/delivery.md.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar

import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from schemas.base import Message
from schemas.dead_letters import Origin, Stage
from schemas.failures import Unavailable
from schemas.stages import StageState
from streams import metrics, tracing
from streams.batches import check_readable
from streams.buckets.base import ObjectChanged, ObjectGone
from streams.codec import Context, cleared_by, decode
from streams.dead_letters import DeadLetterLimit, FrameFailed, Handler, Subject, subject_of
from streams.flow import FlowGate, MeanSize
from streams.ordered import Partition, Standing, Ticket
from streams.outgoing import Outcome, Outgoing, Outlet, Send
from streams.patience import Patience
from streams.settings import Wires
from streams.topics import Topic

log = structlog.get_logger()

In = TypeVar("In", bound=Message)
MayBegin = Callable[[Partition, int], Awaitable[bool]]
"""partition, offset → whether a partition that was assigned may begin with this message. May raise Unavailable."""


class Event(Protocol):
    """What a stage needs of a Faust event."""

    message: Any
    value: Any


async def _always(_: Partition, __: int) -> bool:
    return True


def _replayed(subject: Subject, clears: Sequence[str]) -> bool:
    """Whether a letter of this very object is taken up, not only those of a file's earlier contents.

    Only then has the object had an outcome before.
    """
    return any(key.partition("/")[0] == subject.object_id for key in clears)


class StageRunner(Generic[In]):
    """Runs a handler over a topic.

    Args:
        stage: its name, used in dead letters, metrics and states.
        takes: topic of the input.
        gives: topic of the output.
        handler: an async generator of what comes of one input; it may yield `FrameFailed` for a part that failed.
            InvalidInput becomes a dead letter, Unavailable is tried again for ever, anything else is a defect and
            becomes a dead letter that says so.
        send: sends one message; see `Send`.
        subject: what an input is about.
        gate: backpressure; None: none.
    """

    def __init__(
        self,
        stage: Stage,
        takes: Topic[In],
        gives: Topic[Any],
        handler: Handler[In, Message],
        *,
        wires: Wires,
        send: Send,
        subject: Callable[[In], Subject] = subject_of,
        gate: FlowGate | None = None,
    ) -> None:
        self.stage: Stage = stage
        self._takes, self._handler, self._subject, self._gate = takes, handler, subject, gate
        self._worker = wires.worker
        self._outlet = Outlet(stage, gives, wires, send, gate)
        self._patience = Patience(stage)
        self._limit = DeadLetterLimit(wires.dead_letter_share, wires.dead_letter_window, wires.dead_letter_pause)
        self.standing = Standing()
        self._slots = asyncio.Semaphore(wires.in_flight)
        self._tasks: set[asyncio.Task[None]] = set()
        self._done = self._dead = 0
        self._stopped, self._going, self._stopped_at = asyncio.Event(), asyncio.Event(), datetime.now(UTC)
        self._mean_in = MeanSize()
        metrics.start(stage, wires.in_flight)

    async def run(self, events: AsyncIterator[Event], may_begin: MayBegin = _always) -> None:
        """Work until cancelled. What is in work then is not counted as done, and is delivered again.

        Args:
            events: in the order of their offsets, partition by partition.
            may_begin: asked for the first message of each partition since it was assigned.

        Raises:
            Exception: what a defect beyond the guard raised. Its message would hold back all behind it for ever.
        """
        running = asyncio.current_task()
        broken: list[BaseException] = []

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                broken.append(error)
                if running is not None:
                    running.cancel()

        try:
            async for event in events:
                message = event.message
                partition = message.topic, message.partition
                if self.standing.is_new(partition):
                    division = self.standing.division
                    begins = partial(may_begin, partition, message.offset)
                    if not await self._patience.until_done(begins):
                        return
                    if self.standing.division != division:
                        continue  # Meanwhile the partitions were divided anew: it is delivered again.
                ticket = self.standing.deliver(partition, message.offset)
                await self._slots.acquire()
                await self._may_take()
                task = asyncio.create_task(self._work(message, ticket))
                self._tasks.add(task)
                task.add_done_callback(over)
        except asyncio.CancelledError:
            if broken:
                raise broken[0] from None
            raise
        finally:
            for task in self._tasks:
                task.cancel()

    async def _may_take(self) -> None:
        while True:
            if self._gate is not None:
                await self._gate.wait_open()
            if not self._limit.paused:
                break
            await asyncio.sleep(0.25)
        self._limit.take()

    async def _work(self, message: Any, ticket: Ticket) -> None:
        metrics.IN_FLIGHT.labels(self.stage).inc()
        started = time.perf_counter()
        self._mean_in.observe(len(message.value or b""))
        place: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": message.topic,
            "messaging.destination.partition.id": str(message.partition),
            "messaging.kafka.offset": message.offset,
        }
        try:
            with tracing.span(self.stage, Context.read(message.headers), attributes=place) as context:
                outcome = await self._patience.until_done(partial(self._once, message, context))
                word = "dead letter" if outcome.dead else "done"
                tracing.outcome(word)
            self._record(outcome)
            self._done += 1
            metrics.MESSAGES.labels(self.stage, word).inc()
            metrics.DURATION.labels(self.stage).observe(time.perf_counter() - started)
            self.standing.finish(ticket)
        finally:
            metrics.IN_FLIGHT.labels(self.stage).dec()
            self._slots.release()

    def _record(self, outcome: Outcome) -> None:
        self._dead += outcome.letters
        before = self._limit.stopped
        self._limit.record(outcome.dead if outcome.tells else None)
        if self._limit.stopped and not before:
            log.warning("paused", stage=self.stage, reason=self._limit.reason)
            self._stopped_at = datetime.now(UTC)
            self._stopped.set()
            self._going.clear()
        elif before and not self._limit.stopped:
            self._go_on()

    def _go_on(self) -> None:
        log.info("goes on", stage=self.stage)
        self._stopped.clear()
        self._going.set()

    async def until_stopped(self) -> datetime:
        """When dead letters paused it, once they have."""
        await self._stopped.wait()
        return self._stopped_at

    async def until_going(self) -> None:
        """Once it is not paused by dead letters."""
        await self._going.wait()

    def resume(self) -> None:
        """Go on after a pause by dead letters, with a clean record."""
        if self._limit.stopped:
            self._limit.resume()
            self._go_on()

    async def _once(self, message: Any, context: Context) -> Outcome:
        """Do the work of one message."""
        origin = Origin(topic=message.topic, partition=message.partition, offset=message.offset)
        outgoing = Outgoing(self._outlet, origin, context)
        # Before anything comes of the message: letters that are written from now on are new ones. Should this process
        # die now, the message comes again, and they are missed by nobody.
        await outgoing.close(clears := cleared_by(message.headers))
        subject = Subject()
        try:
            check_readable(message.headers)
            work = decode(self._takes.carries, message.value)
            subject = self._subject(work)
            async for part in self._handler(work):
                if isinstance(part, FrameFailed):
                    await outgoing.bury(part.subject, part.cause)
                else:
                    await outgoing.give(part)
        except (Unavailable, KafkaError, ProducerSendError):
            raise
        except Exception as error:  # noqa: BLE001 - the guard: the one place where a defect must not take the stage down
            if _replayed(subject, clears) and isinstance(error, ObjectGone | ObjectChanged):
                metrics.REPLAYS_ENDED.inc()
                log.info("replay ended", object_id=subject.object_id, reason=type(error).__name__)
            else:
                await outgoing.bury(subject, error)
        await outgoing.acknowledged()
        if outgoing.outcome.given and self.stage == "describe":
            age = datetime.now(UTC) - datetime.fromisoformat(context.taken_at)
            metrics.LATENCY.observe(max(0.0, age.total_seconds()))
        return outgoing.outcome

    def state(self) -> StageState:
        """What this worker is doing."""
        state: Literal["running", "paused", "waiting"] = "running"
        cause: Literal["backpressure", "dead letters"] | None = None
        reason = ""
        if self._gate is not None and self._gate.closed:
            state, cause, reason = "paused", "backpressure", self._gate.reason
        elif self._limit.paused:
            state, cause, reason = "paused", "dead letters", self._limit.reason
        elif self._patience.reason:
            state, reason = "waiting", self._patience.reason
        return StageState(
            worker=f"{self.stage}/{self._worker}",
            stage=self.stage,
            state=state,
            cause=cause,
            reason=reason,
            in_flight=self.standing.in_work,
            done=self._done,
            dead_letters=self._dead,
            updated_at=datetime.now(UTC),
        )

    @property
    def mean_bytes(self) -> float:
        """Of the messages that it has lately taken; 0 before the first."""
        return self._mean_in.value
