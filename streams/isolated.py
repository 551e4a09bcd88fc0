"""What runs in an isolated process: calls, one after another, under limits. See streams.isolation for the other side.

Knows nothing of what is called. Nothing is written to the worker's output: native libraries print what they read.
"""

import contextlib
import functools
import importlib
import math
import os
import pickle
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from streams.lifeline import die_with_parent

P = ParamSpec("P")
R = TypeVar("R")

LENGTH = 8
"""Bytes of the length before each message."""
STDERR = 2
MOST_WRITTEN = 2**20
"""Bytes that the process may write to any file: its standard error, which is one, is emptied before each call."""


def serve(fd: int, parent: int, modules: Sequence[str], memory: int, cpu_seconds: int) -> None:
    """Answer calls on the socket `fd` until it is closed.

    Args:
        fd: of one end of a socket pair.
        parent: process id of who holds the other.
        modules: imported before the memory is bounded, so that they do not count.
        memory: bytes that may be held beyond that.
        cpu_seconds: of processor time that one call may take.
    """
    # The end of this process is for its parent to decide, also when a signal goes to the whole group.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    die_with_parent(parent)
    for module in modules:
        importlib.import_module(module)
    _bound(memory)
    with socket.socket(fileno=fd) as connection, connection.makefile("rb") as requests:
        _send(connection, b"")
        while header := requests.read(LENGTH):
            request = requests.read(int.from_bytes(header))
            os.ftruncate(STDERR, 0)
            os.lseek(STDERR, 0, os.SEEK_SET)
            spent = math.ceil(time.process_time())
            resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_seconds, resource.RLIM_INFINITY))
            _send(connection, _outcome(request))


def kept_between_calls(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function's last results kept in the process that made them, for the calls that follow.

    For one that is slow, and that many calls ask for the same.

    Args:
        most: results.
    """
    return cast(Callable[[Callable[P, R]], Callable[P, R]], functools.lru_cache(maxsize=most))


def _outcome(request: bytes) -> bytes:
    """Pickled (True, result) or (False, error)."""
    try:
        function, args, kwargs = pickle.loads(request)  # noqa: S301 - from the parent
        return pickle.dumps((True, function(*args, **kwargs)), protocol=5)
    except BaseException as error:  # noqa: BLE001 - the parent decides what it means
        try:
            last = traceback.extract_tb(error.__traceback__)[-1]
            error.raised_at = (last.filename, last.lineno)  # type: ignore[attr-defined] - a traceback cannot be pickled
            return pickle.dumps((False, error), protocol=5)
        except Exception:  # noqa: BLE001 - some library's errors cannot be pickled
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__} in an isolated call")), protocol=5)


def _send(connection: socket.socket, message: bytes) -> None:
    connection.sendall(len(message).to_bytes(LENGTH))
    connection.sendall(message)


def _bound(memory: int) -> None:
    # RLIMIT_DATA and not RLIMIT_AS: address space that is only reserved (each thread's arena, 64 MiB) costs nothing,
    # and how much of it there is depends on the number of processors.
    if sys.platform == "linux":
        held = int(Path("/proc/self/statm").read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_DATA, (held + memory, held + memory))
        with contextlib.suppress(OSError):
            # Where the machine runs out of memory, this process goes first, and not the broker.
            Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_WRITTEN, MOST_WRITTEN))
