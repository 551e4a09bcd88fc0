"""One run of chaos: files come and go, faults follow each other, and then everything is accounted for."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.buckets.references import reference_to
from tests.chaos.faults import Pass
from tests.chaos.files import Churn
from tests.chaos.observing import Observer
from tests.chaos.outcomes import Outcomes, outcomes
from tests.chaos.world import World

PATIENCE_S = 60.0
"""After a fault, until its run goes on without having recovered; or twice the time that the whole pipeline took to
start, where that is longer: a machine that others use starts killed workers as slowly."""
STARTING_S = 300.0
SETTLING_S = 240.0
RECOVERY_S, UNTOLD_S = 20.0, 20.0
"""Goals: until a file that came after a fault has its triplet; of silence that `status` calls fine."""
MOST_WAITING, PACE_S = 40, 0.25
"""Messages that wait, beyond which no new files are made, so that there is always something to do and never too much;
and seconds between two things that happen to files."""
FEW_WAITING = 12
"""The same where a recovery is to be told from the work that had piled up before it: on a machine that others use."""


@dataclass(slots=True)
class Report:
    """What a run found."""

    seed: int
    objects: int = 0
    triplets: int = 0
    dead_letters: int = 0
    faults: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Seconds to recover from each, by its name."""
    not_reached: list[str] = field(default_factory=list[str])
    """Faults for which there was no time left."""
    start_s: float = 0.0
    """Until the pipeline had its first outcome, broker and all."""
    lost: list[str] = field(default_factory=list[str])
    doubled: int = 0
    longest_silence_s: float = 0.0
    untold_silence_s: float = 0.0
    seconds: float = 0.0
    restarts: list[str] = field(default_factory=list[str])
    verdicts: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def kept(self) -> bool:
        """Whether the goals were kept: nothing lost or doubled, soon back to work, and no long silence unsaid."""
        soon = self.worst_recovery_s <= RECOVERY_S and self.untold_silence_s <= UNTOLD_S
        return soon and not self.lost and not self.doubled and not self.not_reached

    @property
    def patience_s(self) -> float:
        """See PATIENCE_S."""
        return max(PATIENCE_S, 2 * self.start_s)

    @property
    def worst_recovery_s(self) -> float:
        """Of all faults."""
        return max((max(times) for times in self.faults.values()), default=0.0)

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}, {self.seconds:.0f} s; started in {self.start_s:.1f} s",
            f"objects {self.objects}: {self.triplets} with triplets, {self.dead_letters} dead letters",
            f"faults {sum(map(len, self.faults.values()))}",
            *(
                f"  {name}: {len(times)} ×, recovered in {max(times):.1f} s at most"
                for name, times in self.faults.items()
            ),
            *([f"  no time left for: {', '.join(self.not_reached)}"] if self.not_reached else []),
            f"lost {len(self.lost)}, doubled with other content {self.doubled}",
            f"longest silence {self.longest_silence_s:.1f} s, of it not told by status {self.untold_silence_s:.1f} s",
            f"worst recovery {self.worst_recovery_s:.1f} s",
            f"what status said: {self.verdicts}",
            *self.lost[:20],
        ]
        return "\n".join(lines)


def run(
    folder: Path,
    seed: int,
    faults: Sequence[Callable[[World, random.Random, Pass], None]],
    say: Callable[[str], None] = lambda _: None,
    limit_s: float = float("inf"),
    most_waiting: int = MOST_WAITING,
) -> Report:
    """Let these faults happen to a pipeline, one after another, and account for everything at the end.

    Args:
        folder: everything that is written.
        seed: decides what happens, and when.
        faults: in their order.
        say: is told how it goes.
        limit_s: seconds, of which the last are left for what still waits; faults that would begin then do not.
        most_waiting: messages, beyond which no new files are made.
    """
    report, started, chance = Report(seed), time.monotonic(), random.Random(seed)
    with World(folder) as world:
        churn = Churn(world.inbox, chance, world.put if world.s3 else None)
        with Observer(world.direct, world.settings) as observer:
            answers, made = 0, 0

            def wait(seconds: float) -> None:
                nonlocal answers, made
                until = time.monotonic() + seconds
                while True:
                    if observer.answers != answers:
                        answers, made = observer.answers, churn.made
                    # As long as nobody can tell how much waits, all that was made since counts as waiting.
                    if observer.waiting + churn.made - made < most_waiting:
                        churn.step()
                    world.pause(PACE_S)
                    if time.monotonic() >= until:
                        return

            before = time.monotonic()
            while observer.outcomes == 0:
                wait(0.5)
                if time.monotonic() - before > STARTING_S:
                    raise AssertionError("the pipeline does not start")
            report.start_s = time.monotonic() - started
            for fault in faults:
                if time.monotonic() - started > limit_s - SETTLING_S:
                    report.not_reached.append(fault.__name__)
                    continue
                wait(2)
                say(fault.__name__)
                fault(world, chance, wait)
                healed = time.monotonic()
                mark = world.settings.identity.object_id(reference_to(churn.mark(), world.inbox))
                while mark not in observer.annotated and time.monotonic() - healed < report.patience_s:
                    wait(0.2)
                took = time.monotonic() - healed
                report.faults.setdefault(fault.__name__, []).append(took)
                say(f"  recovered in {took:.1f} s; {churn.made} files, {observer.outcomes} outcomes")
            churn.finish()
            found = _settled(world, churn, report, say)
        report.objects = len(found.announced)
        report.triplets, report.dead_letters = len(found.triplets), len(found.letters)
        report.doubled = found.doubled
        report.longest_silence_s = observer.silence.longest_s
        report.untold_silence_s = observer.silence.untold_s
        report.verdicts, report.restarts = observer.verdicts, world.told
    report.seconds = time.monotonic() - started
    return report


def _settled(world: World, churn: Churn, report: Report, say: Callable[[str], None]) -> Outcomes:
    """What came of everything, once all is accounted for, or patience is at its end."""
    deadline = time.monotonic() + SETTLING_S
    while True:
        found = outcomes(world.direct)
        report.lost = _lost(world, churn, found)
        if not report.lost or time.monotonic() > deadline:
            return found
        say(f"settling: {len(report.lost)} to come")
        world.pause(3)


def _lost(world: World, churn: Churn, found: Outcomes) -> list[str]:
    lost = [f"announced, and nothing came of it behind {found.reached[one]}: {one}" for one in found.unaccounted]
    identity = world.settings.identity
    for path in (*churn.standing, *churn.marked):
        object_id = identity.object_id(reference_to(path, world.inbox))
        if object_id not in found.announced:
            lost.append(f"never announced: {path.name}")
        elif object_id not in found.triplets:
            lost.append(f"no triplet: {path.name}: {found.letters.get(object_id, 'nothing')}")
    stored = {key: one for one, key in found.announced.items() if key.startswith("s3://")}
    for name in churn.stored:
        if (key := f"s3://scans/{name}") not in stored:
            lost.append(f"never announced: {key}")
        elif stored[key] not in found.triplets:
            lost.append(f"no triplet: {key}: {found.letters.get(stored[key], 'nothing')}")
    return lost
