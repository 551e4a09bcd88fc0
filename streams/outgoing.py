"""What a stage sends for one message: what comes of it, letters for what failed, and the end of letters taken up."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from schemas.base import Message
from schemas.dead_letters import Origin, Stage
from schemas.failures import InvalidInput
from streams import metrics, tracing
from streams.codec import Context, encode, headers
from streams.dead_letters import Subject, dead_letter, subject_key, told
from streams.flow import FlowGate
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, Topic

log = structlog.get_logger()

Send = Callable[[str, str, bytes | None, list[tuple[str, bytes]]], Awaitable[Awaitable[Any]]]
"""topic, key, value, headers → sent → acknowledged by the broker."""

UNACKNOWLEDGED = 8
"""Messages of one object sent and not yet acknowledged: bounds the memory of a long cine."""


@dataclass(slots=True)
class Outcome:
    """What came of one message."""

    given: int = 0
    letters: int = 0
    of_the_deployment: int = 0
    """Letters that tell of the deployment, or of a defect, and not of the input."""

    @property
    def dead(self) -> bool:
        """Whether all that came of it is dead letters."""
        return self.letters > 0 and self.given == 0

    @property
    def tells(self) -> bool:
        """Whether it tells, for good or bad, how the deployment is."""
        return not self.dead or self.of_the_deployment > 0


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where a stage sends to.

    Args:
        stage: its name, used in dead letters, logs and metrics.
        gives: topic of the output.
        wires: where the topics are.
        send: sends one message; see `Send`.
        gate: is told the size of what is sent; None: nobody is.
    """

    stage: Stage
    gives: Topic[Any]
    wires: Wires
    send: Send
    gate: FlowGate | None = None


class Outgoing:
    """All that is sent for one message, in order.

    Args:
        outlet: where to.
        origin: the message's place.
        context: in which it was taken.
    """

    def __init__(self, outlet: Outlet, origin: Origin, context: Context) -> None:
        self._outlet, self._origin, self._context = outlet, origin, context
        self._pending: deque[Awaitable[Any]] = deque()
        self.outcome = Outcome()

    async def close(self, letters: Sequence[str]) -> None:
        """Take dead letters of earlier failures back, by their keys; returns when the broker has acknowledged it."""
        for key in letters:
            await (await self._outlet.send(DEAD_LETTERS.on(self._outlet.wires), key, None, []))

    async def give(self, message: Message) -> None:
        """Send what came of it."""
        outlet, value = self._outlet, encode(message)
        if outlet.gate is not None:
            outlet.gate.observe(len(value))
        metrics.SENT_BYTES.labels(outlet.stage).inc(len(value))
        self.outcome.given += 1
        await self._sent(outlet.gives, getattr(message, outlet.gives.key), value, message)

    async def bury(self, subject: Subject, error: Exception) -> None:
        """Send a dead letter."""
        stage = self._outlet.stage
        name, text = told(error)
        letter = dead_letter(stage, subject, name, text, self._origin)
        log.warning("dead letter", stage=stage, object_id=subject.object_id, error=name, message=text)
        metrics.DEAD_LETTERS.labels(stage, name).inc()
        tracing.failed(name)
        self.outcome.letters += 1
        self.outcome.of_the_deployment += not (isinstance(error, InvalidInput) and error.of_the_input)
        await self._sent(DEAD_LETTERS, subject_key(letter), encode(letter), letter)

    async def acknowledged(self) -> None:
        """Return when the broker has acknowledged all of it."""
        while self._pending:
            await self._pending.popleft()

    async def _sent(self, topic: Topic[Any], key: str, value: bytes, message: Message) -> None:
        head = headers(message, self._outlet.stage, self._context)
        self._pending.append(await self._outlet.send(topic.on(self._outlet.wires), key, value, head))
        if len(self._pending) >= UNACKNOWLEDGED:
            await self._pending.popleft()
