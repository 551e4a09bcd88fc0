"""Running code that may crash, hang or never end, in processes of its own. Knows nothing of what runs there."""

import asyncio
import multiprocessing
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from pebble import ProcessExpired, ProcessPool

from schemas.failures import InvalidInput

P = ParamSpec("P")
R = TypeVar("R")


class DecoderCrashed(InvalidInput):
    """The process that worked on the input died, as native decoders do on some damaged files."""


class TookTooLong(InvalidInput):
    """The work on the input did not end in time."""


class Isolated:
    """A pool whose processes may die without harm to anything but the call they were at.

    Args:
        processes: kept ready.
        seconds: after which a call's process is killed.
    """

    def __init__(self, processes: int, seconds: float) -> None:
        # spawn: a fork of a process with threads may inherit a lock that nobody will release.
        self._pool: Any = ProcessPool(max_workers=processes, context=multiprocessing.get_context("spawn"))
        self._seconds = seconds

    async def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a module-level function with picklable arguments there; its exceptions come back.

        Raises:
            DecoderCrashed: the process died.
            TookTooLong: it was killed.
        """
        future = self._pool.schedule(function, args=args, kwargs=kwargs, timeout=self._seconds)
        try:
            return cast(R, await asyncio.wrap_future(future))
        except ProcessExpired:
            raise DecoderCrashed(
                "Decoding this file crashed the decoder, so it is probably damaged. Write it again from its source."
            ) from None
        except TimeoutError:
            raise TookTooLong(
                f"Decoding this file was stopped after {self._seconds:.0f} s. It may be damaged or made to be slow; "
                "if not, split it."
            ) from None

    def close(self) -> None:
        """End the processes."""
        self._pool.stop()
        self._pool.join()
