"""One stage's delivery: take messages, keep a bounded number in work, send what comes of each, count them in order.

Knows nothing of what the work is. The reasons stand in docs/delivery.md.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import stamina
import structlog
from aiokafka.errors import KafkaError
from faust.exceptions import ProducerSendError

from schemas.base import Message
from schemas.dead_letters import Origin, Stage
from schemas.failures import InvalidInput, Unavailable
from schemas.stages import StageState
from streams import metrics, tracing
from streams.batches import check_readable
from streams.buckets.base import ObjectChanged, ObjectGone
from streams.codec import Context, cleared_by, decode, encode, headers
from streams.dead_letters import (
    DeadLetterLimit,
    FrameFailed,
    Handler,
    Subject,
    dead_letter,
    subject_key,
    subject_of,
    told,
)
from streams.flow import FlowGate, MeanSize
from streams.ordered import Partition, Standing, Ticket
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, Topic

log = structlog.get_logger()

In = TypeVar("In", bound=Message)
Send = Callable[[str, str, bytes | None, list[tuple[str, bytes]]], Awaitable[Awaitable[Any]]]
"""topic, key, value, headers → sent → acknowledged by the broker."""

MayBegin = Callable[[Partition, int], Awaitable[bool]]
"""partition, offset → whether a partition that was assigned may begin with this message. May raise Unavailable."""

LONGEST_WAIT_S = 5.0
"""Between two tries of what is away: so soon after it is back, work goes on."""
UNACKNOWLEDGED = 8
"""Messages of one object sent and not yet acknowledged: bounds the memory of a long cine."""


class Event(Protocol):
    """What a stage needs of a Faust event."""

    message: Any
    value: Any


class _Done(NamedTuple):
    """What became of a message."""

    dead: bool = False
    """All that came of it is dead letters."""
    of_the_input: bool = False
    """They tell of the input, and not of the deployment."""


async def _always(_: Partition, __: int) -> bool:
    return True


def _replayed(subject: Subject, clears: Sequence[str]) -> bool:
    """Whether a letter of this very object is taken up, not only those of a file's earlier contents.

    Only then has the object had an outcome before.
    """
    return any(key.partition("/")[0] == subject.object_id for key in clears)


def _is_of_the_input(error: Exception) -> bool:
    return isinstance(error, InvalidInput) and error.of_the_input


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
        self._takes, self._gives, self._handler, self._send = takes, gives, handler, send
        self._wires, self._subject, self._gate = wires, subject, gate
        self._limit = DeadLetterLimit(wires.dead_letter_share, wires.dead_letter_window, wires.dead_letter_pause)
        self.standing = Standing()
        self._slots = asyncio.Semaphore(wires.in_flight)
        self._tasks: set[asyncio.Task[None]] = set()
        self._done = self._dead = 0
        self._away = ""
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
                    if not await self._begins(partition, message.offset, may_begin):
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

    async def _begins(self, partition: Partition, offset: int, may_begin: MayBegin) -> bool:
        async for attempt in stamina.retry_context(
            on=self._retry, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_WAIT_S
        ):
            with attempt:
                begins = await may_begin(partition, offset)
                self._back()
                return begins
        raise AssertionError("stamina gives up by raising")

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
                done = await self._until_done(message, context)
                outcome = "dead letter" if done.dead else "done"
                tracing.outcome(outcome)
            self._record(done)
            self._done += 1
            metrics.MESSAGES.labels(self.stage, outcome).inc()
            metrics.DURATION.labels(self.stage).observe(time.perf_counter() - started)
            self.standing.finish(ticket)
        finally:
            metrics.IN_FLIGHT.labels(self.stage).dec()
            self._slots.release()

    def _record(self, done: "_Done") -> None:
        before = self._limit.stopped
        self._limit.record(None if done.of_the_input else done.dead)
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

    async def _until_done(self, message: Any, context: Context) -> "_Done":
        done = _Done()
        async for attempt in stamina.retry_context(
            on=self._retry, attempts=None, timeout=None, wait_initial=0.5, wait_max=LONGEST_WAIT_S
        ):
            with attempt:
                done = await self._once(message, context)
        self._back()
        return done

    def _back(self) -> None:
        if self._away:
            log.info("goes on", stage=self.stage, reason=self._away)
        self._away = ""

    def _retry(self, error: Exception) -> bool:
        if not isinstance(error, Unavailable | KafkaError | ProducerSendError):
            return False
        metrics.RETRIES.labels(self.stage, type(error).__name__).inc()
        reason = away(error)
        if reason != self._away:
            # Once, whatever number of messages wait for it, and however often they are tried.
            log.warning("waiting", stage=self.stage, reason=reason)
        self._away = reason
        return True

    async def _once(self, message: Any, context: Context) -> "_Done":
        """Do the work of one message."""
        origin = Origin(topic=message.topic, partition=message.partition, offset=message.offset)
        # Before anything comes of the message: letters that are written from now on are new ones. Should this process
        # die now, the message comes again, and they are missed by nobody.
        for key in (clears := cleared_by(message.headers)):
            await (await self._send(DEAD_LETTERS.on(self._wires), key, None, []))
        pending: deque[Awaitable[Any]] = deque()
        subject = Subject()
        good = bad = telling = 0
        try:
            check_readable(message.headers)
            work = decode(self._takes.carries, message.value)
            subject = self._subject(work)
            async for outcome in self._handler(work):
                if isinstance(outcome, FrameFailed):
                    pending.append(await self._bury(outcome.subject, outcome.cause, origin, context))
                    bad += 1
                    telling += not _is_of_the_input(outcome.cause)
                else:
                    pending.append(await self._give(outcome, context))
                    good += 1
                if len(pending) >= UNACKNOWLEDGED:
                    await pending.popleft()
        except (Unavailable, KafkaError, ProducerSendError):
            raise
        except Exception as error:  # noqa: BLE001 - the guard: the one place where a defect must not take the stage down
            if _replayed(subject, clears) and isinstance(error, ObjectGone | ObjectChanged):
                metrics.REPLAYS_ENDED.inc()
                log.info("replay ended", object_id=subject.object_id, reason=type(error).__name__)
            else:
                pending.append(await self._bury(subject, error, origin, context))
                bad += 1
                telling += not _is_of_the_input(error)
        while pending:
            await pending.popleft()
        if good and self.stage == "describe":
            age = datetime.now(UTC) - datetime.fromisoformat(context.taken_at)
            metrics.LATENCY.observe(max(0.0, age.total_seconds()))
        dead = bad > 0 and good == 0
        return _Done(dead, of_the_input=dead and telling == 0)

    async def _give(self, outcome: Message, context: Context) -> Awaitable[Any]:
        value = encode(outcome)
        if self._gate is not None:
            self._gate.observe(len(value))
        metrics.SENT_BYTES.labels(self.stage).inc(len(value))
        key = getattr(outcome, self._gives.key)
        return await self._send(self._gives.on(self._wires), key, value, headers(outcome, self.stage, context))

    async def _bury(self, subject: Subject, error: Exception, origin: Origin, context: Context) -> Awaitable[Any]:
        name, text = told(error)
        letter = dead_letter(self.stage, subject, name, text, origin)
        log.warning("dead letter", stage=self.stage, object_id=subject.object_id, error=name, message=text)
        self._dead += 1
        metrics.DEAD_LETTERS.labels(self.stage, name).inc()
        tracing.failed(name)
        return await self._send(
            DEAD_LETTERS.on(self._wires), subject_key(letter), encode(letter), headers(letter, self.stage, context)
        )

    def state(self) -> StageState:
        """What this worker is doing."""
        state: Literal["running", "paused", "waiting"] = "running"
        cause: Literal["backpressure", "dead letters"] | None = None
        reason = ""
        if self._gate is not None and self._gate.closed:
            state, cause, reason = "paused", "backpressure", self._gate.reason
        elif self._limit.paused:
            state, cause, reason = "paused", "dead letters", self._limit.reason
        elif self._away:
            state, reason = "waiting", self._away
        return StageState(
            worker=f"{self.stage}/{self._wires.worker}",
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


def away(error: Exception) -> str:
    """What a stage waits for, in words."""
    return str(error) if isinstance(error, Unavailable) else f"Kafka does not take messages: {type(error).__name__}"
