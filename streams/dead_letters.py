"""Dead letters: how one is written, and when there are too many. Knows nothing of why an input was bad."""

import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from schemas.base import FrameMessage, Message
from schemas.dead_letters import DeadLetter, Origin, Stage
from schemas.failures import InvalidInput

In = TypeVar("In", bound=Message, contravariant=True)
Out = TypeVar("Out", bound=Message, covariant=True)
SOURCE_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an outcome is about. None: not known, or not one frame."""

    object_id: str | None = None
    image_id: str | None = None
    frame: int | None = None
    frames_taken: int | None = None
    frames_skipped: int = 0
    file_id: str | None = None


class FrameFailed(Exception):
    """One frame of an object failed while its others go on. A stage yields it in the frame's place."""

    def __init__(self, subject: Subject, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.subject = subject
        self.cause = cause


Handler = Callable[[In], AsyncIterator[Out | FrameFailed]]
"""What a stage does with one message. InvalidInput becomes a dead letter, Unavailable is tried again for ever, anything
else is a defect and becomes a dead letter that says so."""


def subject_of(message: Message) -> Subject:
    """What a message on a frame topic is about."""
    if not isinstance(message, FrameMessage):
        return Subject()
    return Subject(message.object_id, message.image_id, message.frame, message.frames_taken, message.frames_skipped)


def told(error: Exception) -> tuple[str, str]:
    """The class of an error, and what a person is told of it."""
    name = type(error).__name__
    if isinstance(error, InvalidInput):
        return name, str(error)
    # The error's own words may quote the input: say where it rose instead.
    last = traceback.extract_tb(error.__traceback__)[-1]
    filename, line = getattr(error, "raised_at", (last.filename, last.lineno))
    path = Path(filename)
    place = path.relative_to(SOURCE_ROOT) if path.is_relative_to(SOURCE_ROOT) else Path(path.name)
    return name, (
        f"A defect in Tristream: {name} at {place.as_posix()}:{line}. "
        "Please report it; when it is mended, replay this dead letter."
    )


def dead_letter(stage: Stage, subject: Subject, error: str, message: str, origin: Origin | None) -> DeadLetter:
    """The dead letter for a failed piece of work. `origin`: None where no broker carried it."""
    if origin is None:
        replay = "tristream annotate --resume, with the paths and options of the run"
    elif subject.object_id:
        replay = f"tristream replay --object {subject.object_id}"
    else:
        replay = f"tristream replay --origin {origin.topic}/{origin.partition}/{origin.offset}"
    return DeadLetter(
        object_id=subject.object_id,
        image_id=subject.image_id,
        frame=subject.frame,
        frames_taken=subject.frames_taken,
        frames_skipped=subject.frames_skipped,
        file_id=subject.file_id,
        stage=stage,
        error=error,
        message=message,
        origin=origin,
        replay=replay,
        failed_at=datetime.now(UTC),
    )


def subject_key(letter: DeadLetter) -> str:
    """The Kafka key of a dead letter: the same piece of work has the same key, whoever fails it."""
    if letter.object_id is None:
        assert letter.origin is not None, "only what a broker carries can be unreadable"
        return f"{letter.origin.topic}/{letter.origin.partition}/{letter.origin.offset}"
    return letter.object_id if letter.frame is None else f"{letter.object_id}/{letter.frame}"


@dataclass(slots=True)
class DeadLetterLimit:
    """Stops a stage whose outcomes are mostly dead letters: more likely the deployment is broken than the data.

    After `pause` seconds one message is tried. If it succeeds the stage runs on; if not, it pauses again. A worker that
    is started anew begins with a clean record.

    Args:
        share: of dead letters among the last `window` outcomes at which the stage pauses; 1.0 or more: never.
        window: outcomes looked at; at least half of it must be there before a share means anything.
    """

    share: float
    window: int
    pause: float
    clock: Callable[[], float] = time.monotonic
    _outcomes: deque[bool] = field(default_factory=deque)
    _paused_until: float | None = None
    _probing: bool = False

    def record(self, dead: bool | None) -> None:
        """Note one outcome; None: it says nothing of the deployment, neither good nor bad."""
        if dead is None:
            # Of one that was tried: the next is tried at once.
            if self._probing and self._paused_until is not None:
                self._probing, self._paused_until = False, self.clock()
            return
        if self._paused_until is not None:
            if not self._probing:
                return  # Work that was in flight when the stage paused decides nothing.
            self._probing = False
            if dead:
                self._paused_until = self.clock() + self.pause
            else:
                self._paused_until = None
                self._outcomes.clear()
            return
        self._outcomes.append(dead)
        if len(self._outcomes) > self.window:
            self._outcomes.popleft()
        enough = len(self._outcomes) * 2 >= self.window
        if self.share < 1.0 and enough and sum(self._outcomes) / len(self._outcomes) >= self.share:
            self._paused_until = self.clock() + self.pause

    def resume(self) -> None:
        """Go on with a clean record: somebody says that the cause is mended."""
        self._paused_until, self._probing = None, False
        self._outcomes.clear()

    @property
    def stopped(self) -> bool:
        """True from the pause until a message succeeds, whether one is tried now or not."""
        return self._paused_until is not None

    @property
    def paused(self) -> bool:
        """True while nothing may be taken."""
        return self._paused_until is not None and (self._probing or self.clock() < self._paused_until)

    @property
    def reason(self) -> str:
        """For a person, while paused."""
        return (
            f"at least {self.share:.0%} of the last {len(self._outcomes)} outcomes were dead letters: look at "
            "'tristream dead-letters'; when the cause is mended run 'tristream resume', or wait for the next try, one "
            f"message every {self.pause:.0f} s"
        )

    def take(self) -> None:
        """Note that a message is being taken; while recovering it is the one that is tried."""
        if self._paused_until is not None:
            self._probing = True
