"""Processes that annotate objects, each with a chain of its own: who gets which, and what becomes of one that dies.

Objects that a process died at are given to fresh ones, each alone; one that kills again is a dead letter. Knows no
files of results. What runs in such a process stands in infra/serving.py.
"""

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Self

from agents.settings import Settings
from infra.results import Result, result_of
from infra.serving import ChainBroken, Word
from schemas.failures import InvalidInput
from schemas.objects import ObjectReference
from streams.dead_letters import Subject, dead_letter, told

MOST_RUN = 8
"""Objects that a process is given at a time, one after another in their folder as slices of a series are."""
RUNS = 2
"""That it has at a time: the next is there before one is done."""
POLL_SECONDS = 0.2
_BOOT = "import sys; sys.path[:] = {path!r}; from infra.serving import serve; serve(*{arguments!r})"


class ProcessDied(InvalidInput):
    """A process died at an object that it had for itself, after another had died that had it among others."""

    def __init__(self) -> None:
        super().__init__(
            "the process that annotated the object died of it, twice: most likely the machine is short of memory; "
            "annotate it again with --jobs 1, or give the machine more memory"
        )


@dataclass(slots=True, eq=False)
class _Job:
    """One process and what it has been given."""

    process: subprocess.Popen[bytes]
    connection: Connection
    objects: dict[str, ObjectReference] = field(default_factory=dict[str, ObjectReference])
    frames: dict[str, int] = field(default_factory=dict[str, int])
    """How many of each object have an outcome."""
    suspect: str | None = None
    """The object that it has for itself."""
    answered: bool = False


class Jobs:
    """Processes that annotate. They end with this one.

    Args:
        settings: of the chain.
        processes: how many.
        run: objects that one is given at a time.
        image: whether triplets are written with their pixels.
        ground: images that the experts of one process look at, at once.
    """

    def __init__(
        self, settings: Settings, processes: int, *, run: int = MOST_RUN, image: bool = True, ground: int = 2
    ) -> None:
        self._environment = os.environ | settings.handed_on()
        self._identity, self._run = settings.identity, run
        self._arguments = (os.getpid(), image, ground, asdict(settings.limits))
        self._suspects: deque[ObjectReference] = deque()
        self._suspected: set[str] = set()
        self._jobs = [self._start() for _ in range(processes)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for job in self._jobs:
            job.process.kill()
            job.connection.close()
        for job in self._jobs:
            job.process.wait()

    def annotate(
        self, references: Iterator[ObjectReference], *, poll: Callable[[], None], say: Callable[[str], None]
    ) -> Iterator[Result]:
        """The outcomes of objects, as they come; of one object in the order of its frames.

        Args:
            references: taken as processes have room.
            poll: called several times a second; may raise to end the work.
            say: told what is waited for.

        Raises:
            ChainBroken: it cannot be started.
        """
        waiting = ""
        while True:
            self._hand_out(references)
            if not any(job.objects for job in self._jobs):
                return
            poll()
            for connection in wait([job.connection for job in self._jobs], POLL_SECONDS):
                job = next(job for job in self._jobs if job.connection is connection)
                try:
                    word: Word | Result = job.connection.recv()
                except (EOFError, OSError):
                    yield from self._bury(job)
                    continue
                job.answered = True
                if isinstance(word, Word):
                    if word.last:
                        raise ChainBroken(word.text)
                    if word.text not in ("", waiting):
                        say(f"waiting: {word.text}")
                    waiting = word.text
                    continue
                waiting = ""
                self._note(job, word)
                yield word

    def _start(self) -> _Job:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-c", _BOOT.format(path=sys.path, arguments=(theirs.fileno(), *self._arguments))],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                # Native libraries print what they read.
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        return _Job(process, Connection(ours.detach()))

    def _hand_out(self, references: Iterator[ObjectReference]) -> None:
        given = True
        while given:
            given = False
            for job in sorted(self._jobs, key=lambda job: len(job.objects)):
                if self._suspects:
                    if not job.objects:
                        suspect = self._suspects.popleft()
                        job.suspect = self._identity.object_id(suspect)
                        self._give(job, suspect)
                elif job.suspect is None and len(job.objects) <= self._run * (RUNS - 1):
                    for reference in islice(references, self._run):
                        self._give(job, reference)
                        given = True

    def _give(self, job: _Job, reference: ObjectReference) -> None:
        job.objects[self._identity.object_id(reference)] = reference
        try:
            job.connection.send(reference)
        except OSError:
            return  # It has died: what follows says how.

    def _note(self, job: _Job, result: Result) -> None:
        """Forget an object that has all its outcomes."""
        frames = job.frames[result.object_id] = job.frames.get(result.object_id, 0) + 1
        if result.frame is None or frames == result.frames_taken:
            job.objects.pop(result.object_id, None)
            del job.frames[result.object_id]
            if job.suspect == result.object_id:
                job.suspect = None

    def _bury(self, job: _Job) -> Iterator[Result]:
        """Have another process take the place of one that died, and say what becomes of its objects."""
        job.connection.close()
        status = job.process.wait()
        if not job.answered and job.suspect is None:
            raise ChainBroken(
                f"a process that annotates ended before it had done anything (status {status}): the machine may be "
                "short of memory; try --jobs 1"
            )
        for object_id, reference in job.objects.items():
            if object_id in self._suspected:
                name, text = told(ProcessDied())
                letter = result_of(dead_letter("ground", Subject(object_id), name, text, None))
                assert letter is not None
                yield letter
            else:
                self._suspected.add(object_id)
                self._suspects.append(reference)
        self._jobs[self._jobs.index(job)] = self._start()
