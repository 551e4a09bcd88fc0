"""What the tests of isolation have done elsewhere. Imports little, so that a process starts quickly."""

import ctypes
import os
import resource
import signal
import time
from pathlib import Path

from schemas.failures import InvalidInput, NeedsTooMuchMemory
from schemas.limits import MEBIBYTE


def crash(*_: object) -> None:
    os.abort()


def refuse() -> None:
    raise InvalidInput("no good")


def double(n: int) -> int:
    return 2 * n


def spin() -> None:
    while True:
        pass


def allocate(mebibytes: int) -> int:
    return len(bytearray(mebibytes * MEBIBYTE))


_kept: list[bytearray] = []


def keep(mebibytes: int) -> int:
    """Take memory and never give it back, as a leak does; what a library raises for want of it is turned into ours."""
    try:
        _kept.append(bytearray(mebibytes * MEBIBYTE))
    except MemoryError:
        raise NeedsTooMuchMemory from None
    return os.getpid()


def allocate_natively() -> None:
    """What a C++ decoder does that gets no memory: it says so on standard error and aborts."""
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def killed_once(mark: Path) -> str:
    """Killed as by the kernel on the first call, done on the second."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def poison() -> None:
    """Break the process for the call after this one, as an overwritten heap does."""
    global double
    double = crash


def note(path: Path, seconds: float) -> None:
    path.with_suffix(".begun").touch()
    time.sleep(seconds)
    path.touch()


def limits_of_the_process() -> list[tuple[int, int]]:
    return [resource.getrlimit(kind) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)]


def chatter() -> None:
    os.write(1, b"DOE^JANE\n")
    os.write(2, b"DOE^JANE\n" * 1000)


class Odd(Exception):
    """An error that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__(lambda: None)


def raise_odd() -> None:
    raise Odd


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def raise_timeout() -> None:
    raise TimeoutError


def hold_the_interpreter(seconds: int) -> None:
    """Sleep in C without letting other Python threads run."""
    ctypes.PyDLL(None).sleep(seconds)
