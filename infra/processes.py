"""Starts, watches, restarts and stops child processes, leaving none behind. Knows nothing of what they do.

No child outlives its owner:

- Each has a session of its own, so a terminal's Ctrl-C reaches the owner alone, which stops them in order.
- Within `with Processes()`, SIGINT, SIGTERM and SIGHUP are only noted down. `poll` raises Interrupted for them, where
  nothing is half done: no signal can fall between the birth of a child and its entry in the list.
- On Linux the kernel kills the children of an owner that was killed itself (streams/lifeline.py). Other systems have no
  such means: there, `kill -9` of the owner leaves its children running.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from schemas.failures import TristreamError
from streams import lifeline

STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOG_LIMIT_BYTES = 16 * 1024 * 1024
TAIL_LINES = 15


class Interrupted(KeyboardInterrupt):
    """The person, or the system, asked to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class ChildFailed(TristreamError):
    """A child ended and is not to be started again; the message names it and ends with the tail of its log."""


@dataclass(slots=True)
class _Child:
    name: str
    argv: Sequence[str]
    environ: Mapping[str, str]
    log_path: Path
    cwd: Path | None
    restart: bool
    tier: int
    grace_s: float
    vital: bool
    process: subprocess.Popen[bytes]
    started_at: float
    crashes_in_a_row: int = 0
    restart_at: float | None = None

    def terminate(self) -> None:
        # Its own children are left to it: a worker still needs its pool to finish what it has in hand.
        if self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill what is left of its process group."""
        with suppress(ProcessLookupError, PermissionError):  # macOS refuses a group in which all are dead
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Processes:
    """The children of this process. All methods are for the main thread; nothing runs behind the owner's back.

    The owner calls `poll` (or `pause`) several times a second: there children are restarted, logs are bounded, and
    signals are raised. Without `with`, signals are left alone and the owner calls `stop`.

    Args:
        on_restart: told, in a line for a person, of each child that ended and will be started again.
        grace_s: how long a child may take to end after SIGTERM, before it is killed.
        first_delay_s: delay before the first restart in a row; it doubles with each, up to `longest_delay_s`.
        most_crashes: with so many crashes in a row, all children are stopped and ChildFailed is raised.
        healthy_after_s: a child that ran this long starts a new row of crashes.
    """

    def __init__(
        self,
        *,
        on_restart: Callable[[str], None] = lambda line: None,
        grace_s: float = 15.0,
        first_delay_s: float = 0.5,
        longest_delay_s: float = 10.0,
        most_crashes: int = 5,
        healthy_after_s: float = 30.0,
    ) -> None:
        self.crashes: Counter[str] = Counter()
        self._on_restart = on_restart
        self._grace_s = grace_s
        self._first_delay_s = first_delay_s
        self._longest_delay_s = longest_delay_s
        self._most_crashes = most_crashes
        self._healthy_after_s = healthy_after_s
        self._children: list[_Child] = []
        self._signals: list[int] = []
        self._raised = False
        self._handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        for number in STOPPING_SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # run under nohup
            self._handlers[number] = signal.signal(number, lambda number, frame: self._signals.append(number))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if kind is None and not self._raised:
            self._raise_signal()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now, by name."""
        return {child.name: child.process.pid for child in self._children if child.process.poll() is None}

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        restart: bool = True,
        tier: int = 1,
        grace_s: float | None = None,
        vital: bool = True,
    ) -> None:
        """Start a child.

        Args:
            name: unique among the children.
            argv: program and arguments.
            log_path: its standard output and error are appended here; above LOG_LIMIT_BYTES the file starts anew, and
                the one before is kept as `<log_path>.1`.
            env: added to this process's environment.
            cwd: the folder it runs in; None: this process's own.
            restart: start it again when it ends by itself. If False, its end makes `poll` raise ChildFailed.
            tier: children of the highest tier are stopped first, those of one tier together.
            grace_s: how long it may take to end after SIGTERM; None: as all.
            vital: False: when it ends for good, the others go on without it, and `on_restart` is told.
        """
        if any(child.name == name for child in self._children):
            raise ValueError(f"a child named {name!r} runs already")
        environ = {**os.environ, **(env or {})}
        process = _spawn(argv, environ, log_path, cwd)
        grace_s = self._grace_s if grace_s is None else grace_s
        self._children.append(
            _Child(name, argv, environ, log_path, cwd, restart, tier, grace_s, vital, process, time.monotonic())
        )

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log_path: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 600.0,
    ) -> int:
        """Run a child to its end and return its exit status; negative: the signal that ended it.

        Raises:
            ChildFailed: it took longer than `timeout_s`, and was stopped.
        """
        environ = {**os.environ, **(env or {})}
        process = _spawn(argv, environ, log_path, cwd)
        child = _Child(name, argv, environ, log_path, cwd, False, 1, self._grace_s, True, process, time.monotonic())
        try:
            while (status := process.poll()) is None:
                if time.monotonic() > child.started_at + timeout_s:
                    raise ChildFailed(f"{name} had not ended after {timeout_s:.0f} s; its log is {log_path}")
                self.pause(0.02)
            return status
        finally:
            child.kill()

    def poll(self) -> None:
        """See to the children.

        Raises:
            Interrupted: a signal asked to stop. Raised once: what follows is for leaving in order.
            ChildFailed: a child ended that is not to be restarted, or too often in a row; all have been stopped.
        """
        if not self._raised:
            self._raise_signal()
        for child in list(self._children):
            if child.restart_at is not None:
                if time.monotonic() >= child.restart_at:
                    child.process = _spawn(child.argv, child.environ, child.log_path, child.cwd)
                    child.started_at, child.restart_at = time.monotonic(), None
            elif (status := child.process.poll()) is not None:
                self._ended(child, status)
            else:
                _bound(child.log_path)

    def pause(self, seconds: float) -> None:
        """Sleep, and poll meanwhile."""
        until = time.monotonic() + seconds
        self.poll()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.poll()

    def stop(self, *names: str) -> None:
        """Stop these children, or all, the highest tier first: SIGTERM, then SIGKILL to the whole group of each.

        Returns when none is left. A signal that comes meanwhile ends the waiting: what still runs is killed.
        """
        signals_before = len(self._signals)
        children = [child for child in reversed(self._children) if not names or child.name in names]
        try:
            for tier in sorted({child.tier for child in children}, reverse=True):
                stopping = [child for child in children if child.tier == tier]
                for child in stopping:
                    child.terminate()
                deadline = time.monotonic() + max((child.grace_s for child in stopping), default=0.0)
                while (
                    any(child.process.poll() is None for child in stopping)
                    and time.monotonic() < deadline
                    and len(self._signals) == signals_before
                ):
                    time.sleep(0.01)
                for child in stopping:
                    child.kill()
        finally:
            for child in children:
                child.kill()
            self._children = [child for child in self._children if child not in children]

    def _ended(self, child: _Child, status: int) -> None:
        child.kill()
        self.crashes[child.name] += 1
        ending = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        if time.monotonic() - child.started_at >= self._healthy_after_s:
            child.crashes_in_a_row = 0
        child.crashes_in_a_row += 1
        if not child.vital and (not child.restart or child.crashes_in_a_row >= self._most_crashes):
            self._children.remove(child)
            self._on_restart(f"{child.name} ended ({ending}); the others go on without it, see {child.log_path}")
            return
        if not child.restart or child.crashes_in_a_row >= self._most_crashes:
            self.stop()
            row = f" {child.crashes_in_a_row} times in a row" if child.restart else ""
            end = f"its log, {child.log_path}, ends:\n{tail(child.log_path)}"
            raise ChildFailed(f"{child.name} ended{row} ({ending}); {end}")
        delay_s = min(self._first_delay_s * 2 ** (child.crashes_in_a_row - 1), self._longest_delay_s)
        child.restart_at = time.monotonic() + delay_s
        self._on_restart(f"{child.name} ended ({ending}); it starts again in {delay_s:.1f} s, see {child.log_path}")

    def _raise_signal(self) -> None:
        if self._signals:
            self._raised = True
            raise Interrupted(self._signals[0])


def tail(log_path: Path, lines: int = TAIL_LINES) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 16_384))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""


def _spawn(
    argv: Sequence[str], environ: Mapping[str, str], log_path: Path, cwd: Path | None
) -> subprocess.Popen[bytes]:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "children are started from the main thread: on Linux a child dies with the thread that started it"
        )
    if sys.platform == "linux":
        argv = [sys.executable, "-I", "-S", str(Path(lifeline.__file__)), str(os.getpid()), *argv]
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - the commands are the owner's
            argv, env=environ, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _bound(log_path: Path) -> None:
    """Begin a log anew once it is long. It is copied and cut, not renamed: its writer keeps it open for appending."""
    if log_path.stat().st_size > LOG_LIMIT_BYTES:
        log_path.with_name(f"{log_path.name}.1").write_bytes(log_path.read_bytes())
        os.truncate(log_path, 0)
