"""status: is it keeping up, what is stuck, and what to do about it. Gathers and judges; the page is another's."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from schemas.dead_letters import DeadLetter, Stage
from schemas.stages import StageState
from streams.ages import oldest
from streams.lag import Lag, LagReader, Position, ask, lag_of
from streams.reader import latest
from streams.settings import Wires
from streams.topics import DEAD_LETTERS, STAGES

SILENT = timedelta(seconds=15)
"""A worker that has not renewed its state for so long works no more, or is frozen."""
FORGOTTEN = timedelta(minutes=30)
"""After so long it is no longer told of: names of workers come and go in a cluster."""

PATIENCE_S: Mapping[Stage, float] = {"describe": 600.0}
"""Seconds for which the oldest message may wait while nothing is finished: a model can take minutes for an image."""
A_MINUTE_S = 60.0
"""So long of stages that are not named there: over which rates are told, too."""

Verdict = Literal["up to date", "working", "paused", "waiting", "stuck"]
GRAVITY: tuple[Verdict, ...] = ("up to date", "working", "paused", "waiting", "stuck")


@dataclass(frozen=True, slots=True)
class Condition:
    """What some workers of a stage are doing, in their own words."""

    state: str
    cause: str | None
    reason: str
    workers: int


@dataclass(frozen=True, slots=True)
class StageStatus:
    """One stage: who works on it, what waits for it, and how fast it goes.

    Args:
        stage: its name.
        workers: that have spoken lately.
        silent: names of workers that spoke in the last half hour, and not lately.
        conditions: of the workers.
        waiting: messages of its input that are not done; None: it reads no topic.
        done: messages of its input that are done and still kept.
        per_second: messages finished a second over the last minute, by all its workers; None: not known yet.
        oldest_s: age of the oldest message that waits; None: none waits, or it is not known.
        passed_by: of watch: files that the last listing passed by.
    """

    stage: Stage
    workers: int
    silent: Sequence[str] = ()
    conditions: Sequence[Condition] = ()
    waiting: int | None = None
    done: int | None = None
    per_second: float | None = None
    oldest_s: float | None = None
    passed_by: int = 0

    @property
    def work_off_s(self) -> float | None:
        """Seconds until what waits is done, at this rate; None: not known, or never."""
        if not self.waiting:
            return 0.0 if self.waiting == 0 else None
        return self.waiting / self.per_second if self.per_second else None

    @property
    def verdict(self) -> tuple[Verdict, str]:
        """How it is, and what to do about it; empty: nothing."""
        if not self.workers and (self.waiting or self.silent):
            gone = f" ({', '.join(self.silent)} last spoke some time ago)" if self.silent else ""
            return "stuck", f"no worker runs{gone}: start one with 'tristream worker {self.stage}', or 'tristream up'"
        if stopped := next((one for one in self.conditions if one.cause == "dead letters"), None):
            return "paused", stopped.reason
        if away := next((one for one in self.conditions if one.state == "waiting"), None):
            return "waiting", away.reason
        if self.silent:
            return "waiting", f"{', '.join(self.silent)} says nothing: it has ended, or hangs; see its log"
        if slowed := next((one for one in self.conditions if one.cause == "backpressure"), None):
            return "working", f"{slowed.reason}, by itself"
        waited = self.oldest_s is None or self.oldest_s > PATIENCE_S.get(self.stage, A_MINUTE_S)
        if self.waiting and self.per_second == 0.0 and waited:
            return (
                "stuck",
                "nothing was finished in the last minute: see its log, and restart it; nothing is lost by that",
            )
        degraded = next((one.reason for one in self.conditions if one.reason), "")
        return ("working" if self.waiting else "up to date"), degraded


@dataclass(frozen=True, slots=True)
class Status:
    """The whole pipeline. `dead_letters`: how many are open, by stage and class of error."""

    kafka: str
    stages: Sequence[StageStatus]
    dead_letters: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    @property
    def verdict(self) -> Verdict:
        """The gravest of its stages."""
        return GRAVITY[max((GRAVITY.index(stage.verdict[0]) for stage in self.stages), default=0)]

    @property
    def work_off_s(self) -> float | None:
        """Seconds until all that waits is done, at this rate; None: not known, or never."""
        found = [stage.work_off_s for stage in self.stages if stage.waiting is not None]
        return None if None in found else max((seconds for seconds in found if seconds is not None), default=0.0)

    @property
    def advice(self) -> list[str]:
        """What to do, a line each."""
        lines = [f"{stage.stage}: {text}" for stage in self.stages if (text := stage.verdict[1])]
        if self.dead_letters:
            lines.append(
                "dead letters: 'tristream dead-letters' says what to do about each; 'tristream replay' sends them again"
            )
        return lines


def look(wires: Wires) -> Status:
    """How a pipeline is.

    Raises:
        Unavailable: Kafka does not answer.
    """
    now = datetime.now(UTC)
    positions, ages = ask(wires, lambda reader: _positions(reader, wires))
    words = [record.message for record in latest(wires, STAGES).values() if record.message is not None]
    letters = [record.message for record in latest(wires, DEAD_LETTERS).values() if record.message is not None]
    return judged(wires.bootstrap, positions, ages, words, letters, now)


def judged(
    kafka: str,
    positions: Mapping[Stage, Mapping[int, Position]],
    ages: Mapping[Stage, float],
    words: Sequence[StageState],
    letters: Sequence[DeadLetter],
    now: datetime,
) -> Status:
    """The status that follows from where stages stand, what workers say, and the open dead letters."""
    lags: dict[Stage, Lag] = {stage: lag_of(found) for stage, found in positions.items()}
    stages: list[StageStatus] = []
    for stage in ("watch", *lags):
        mine = [word for word in words if word.stage == stage and now - word.updated_at < FORGOTTEN]
        live = [word for word in mine if now - word.updated_at < SILENT]
        # A pipeline that is fed otherwise has no watch stage.
        if stage == "watch" and not mine:
            continue
        lag = lags.get(stage)
        rates = [word.per_second for word in live if word.per_second is not None]
        kinds = Counter((word.state, word.cause, word.reason) for word in live)
        stages.append(
            StageStatus(
                stage,
                len(live),
                [word.worker.partition("/")[2] for word in mine if word not in live],
                [Condition(*kind, count) for kind, count in kinds.items()],
                lag.waiting if lag else None,
                lag.done if lag else None,
                round(sum(rates), 3) if rates else None,
                max(0.0, now.timestamp() - ages[stage]) if stage in ages else None,
                max((word.passed_by for word in live), default=0),
            )
        )
    return Status(kafka, stages, Counter((letter.stage, letter.error) for letter in letters))


async def _positions(reader: LagReader, wires: Wires) -> tuple[dict[Stage, dict[int, Position]], dict[Stage, float]]:
    positions = await reader.positions("preprocess", "ground", "retrieve", "describe")
    return positions, await oldest(wires, positions)
