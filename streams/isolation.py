"""Running code that may crash, hang or never end, in processes of its own. Knows nothing of what runs there.

A process has one call at a time and a socket of its own, so that whatever happens to it is the doing of that call.
"""

import asyncio
import contextlib
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from schemas.failures import InvalidInput, NeedsTooMuchMemory, Unavailable
from schemas.limits import Limits
from streams.isolated import LENGTH

P = ParamSpec("P")
R = TypeVar("R")

STARTING_SECONDS = 300.0
"""In which a process must have imported its modules: long, as a machine that is short of memory is slow."""

# A native library that gets no memory ends the process, but says so first. GNU libstdc++, Rust.
_OUT_OF_MEMORY = re.compile(rb"bad_alloc|memory allocation of \d+ bytes failed")
_BOOT = "import sys; sys.path[:] = {path!r}; from streams.isolated import serve; serve(*{arguments!r})"


class DecoderCrashed(InvalidInput):
    """The process that worked on the input died, as native decoders do on some damaged files."""


class TookTooLong(InvalidInput):
    """The work on the input did not end in time."""


class _Died(Exception):
    """A process ended before it answered, or got no memory to answer with."""

    def __init__(self, status: int, no_memory: bool) -> None:
        self.status, self.no_memory = status, no_memory
        self.blameless = status == -signal.SIGKILL
        """Whether it may have died of something other than its call."""


class _Overdue(Exception):
    """A call did not end in time."""


class Isolated:
    """A pool whose processes may die without harm to anything but the call they were at.

    Args:
        limits: that each call is held to: seconds, cpu_seconds, memory, calls.
        processes: kept ready. Each is started by the thread that calls; on Linux it dies with that thread.
        modules: imported by each process before its first call.
    """

    def __init__(self, limits: Limits, *, processes: int = 1, modules: Sequence[str] = ()) -> None:
        self._limits, self._modules = limits, tuple(modules)
        self._closed = False
        self._slots = asyncio.Semaphore(processes)
        self._running: set[_Process] = set()
        self._free = [self._start() for _ in range(processes)]

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an importable function with picklable arguments there; its exceptions come back.

        `raised_at` of an exception that comes back is the file and line there.

        Waiting for a free process does not count towards the limits. Cancelled, the call's process is killed.

        Raises:
            DecoderCrashed: the process died.
            TookTooLong: it was killed.
            NeedsTooMuchMemory: it did not get what it asked for.
            Unavailable: no process can be started, or the pool was closed.
        """
        request = pickle.dumps((function, args, kwargs), protocol=5)
        try:
            try:
                return cast(R, await self._ask(request))
            except _Died as death:
                if not death.blameless:
                    raise
            return cast(R, await self._ask(request, fresh=True))
        except _Died as death:
            if death.no_memory or death.status == -signal.SIGKILL:
                raise NeedsTooMuchMemory from None
            if death.status == -signal.SIGXCPU:
                raise _too_long(f"{self._limits.cpu_seconds} s of processor time", "CPU_SECONDS") from None
            raise DecoderCrashed(
                "Decoding this file crashed the decoder, so it is probably damaged. Write it again from its source."
            ) from None
        except _Overdue:
            raise _too_long(f"{self._limits.seconds:g} s", "SECONDS") from None

    def close(self) -> None:
        """End the processes. Calls that run or wait fail as Unavailable."""
        self._closed = True
        for process in self._running:
            process.kill()
        for process in self._free:
            process.close()

    async def _ask(self, request: bytes, *, fresh: bool = False) -> object:
        async with self._slots:
            if self._closed:
                raise Unavailable("The isolated processes were ended.")
            process = self._free.pop() if self._free else self._start()
            if fresh or process.ended:
                self._drop(process)
                process = self._start()
            try:
                good, value = await process.ask(request, self._limits.seconds)
            except _Died as death:
                if self._closed:
                    raise Unavailable("The isolated processes were ended.") from None
                # Memory that an earlier call overwrote or never gave back can end a later one: ask a fresh process.
                death.blameless |= process.calls > 0 and death.status != -signal.SIGXCPU
                raise
            finally:
                # One that was left in the middle of a call would answer the next one with the result of this.
                if process.busy or process.calls >= self._limits.calls:
                    self._drop(process)
                else:
                    self._free.append(process)
        if good:
            return value
        raise cast(BaseException, value)

    def _start(self) -> "_Process":
        process = _Process(self._limits, self._modules)
        self._running.add(process)
        return process

    def _drop(self, process: "_Process") -> None:
        process.kill()
        process.close()
        self._running.discard(process)


class _Process:
    """One process, with one call at a time."""

    def __init__(self, limits: Limits, modules: Sequence[str]) -> None:
        self.calls = 0
        self.busy = False
        """True while a call is under way, and for ever after one that was not waited for."""
        self._ready = False
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._words: Any = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process is
        arguments = (theirs.fileno(), os.getpid(), list(modules), limits.memory, limits.cpu_seconds)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own code
                [sys.executable, "-c", _BOOT.format(path=sys.path, arguments=arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                pass_fds=[theirs.fileno()],
            )

    @property
    def ended(self) -> bool:
        """Whether it has died while nobody asked it anything."""
        return self._process.poll() is not None

    async def ask(self, request: bytes, seconds: float) -> tuple[bool, object]:
        """Send a request and wait for the answer: whether the call returned, and what it returned or raised.

        Raises:
            _Died, _Overdue: see there.
            Unavailable: it did not start.
        """
        self.busy = True
        if not self._ready:
            await self._wait_ready()
        try:
            async with asyncio.timeout(seconds):
                with contextlib.suppress(ConnectionError):  # it has died: what follows says how
                    await asyncio.get_running_loop().sock_sendall(self._socket, len(request).to_bytes(LENGTH) + request)
                answer = await self._message()
        except TimeoutError:
            raise _Overdue from None
        good, value = pickle.loads(answer)  # noqa: S301 - from our own code, by a socket that nobody else has
        if not good and isinstance(value, MemoryError | NeedsTooMuchMemory):
            raise _Died(0, no_memory=True)
        self.calls += 1
        self.busy = False
        return good, value

    def kill(self) -> None:
        """End it, whatever it is at: who waits for its answer learns that it died."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let go of what is held of it. For a process that nobody waits for."""
        self._socket.close()
        self._words.close()

    async def _wait_ready(self) -> None:
        try:
            async with asyncio.timeout(STARTING_SECONDS):
                await self._message()
        except (_Died, TimeoutError):
            raise Unavailable(
                "No isolated process can be started: the machine may be out of memory or processes."
            ) from None
        self._ready = True

    async def _message(self) -> bytearray:
        length = int.from_bytes(await self._exactly(LENGTH))
        return await self._exactly(length)

    async def _exactly(self, length: int) -> bytearray:
        received = bytearray(length)
        rest = memoryview(received)
        loop = asyncio.get_running_loop()
        while rest:
            try:
                count = await loop.sock_recv_into(self._socket, rest)
            except ConnectionError:
                count = 0
            if not count:
                raise await self._death()
            rest = rest[count:]
        return received

    async def _death(self) -> _Died:
        status = await asyncio.to_thread(self._process.wait)
        if self._words.closed:
            return _Died(status, no_memory=False)
        said = os.pread(self._words.fileno(), 2**16, 0)
        return _Died(status, no_memory=bool(_OUT_OF_MEMORY.search(said)))


def _too_long(spent: str, limit: str) -> TookTooLong:
    return TookTooLong(
        f"Decoding this file was stopped after {spent}. It may be damaged or made to be slow; "
        f"if not, split it, or raise TRISTREAM_LIMIT_{limit}, and replay it."
    )
