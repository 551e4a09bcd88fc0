"""Isolation: a crash or a hang costs one call, and nothing else."""

import asyncio
import os
import time
from collections.abc import Iterator

import psutil
import pytest

from schemas.failures import InvalidInput
from streams.isolation import DecoderCrashed, Isolated, TookTooLong


@pytest.fixture
def isolated() -> Iterator[Isolated]:
    pool = Isolated(processes=2, seconds=2)
    yield pool
    pool.close()


def crash() -> None:
    os.abort()


def refuse() -> None:
    raise InvalidInput("no good")


def double(n: int) -> int:
    return 2 * n


async def test_a_crash_costs_one_call(isolated: Isolated) -> None:
    """Calls beside and after a native crash succeed."""
    outcomes = await asyncio.gather(
        *(isolated.call(double, n) for n in range(5)),
        isolated.call(crash),
        *(isolated.call(double, n) for n in range(5, 10)),
        return_exceptions=True,
    )
    assert [o for o in outcomes if isinstance(o, int)] == [2 * n for n in range(10)]
    assert [type(o) for o in outcomes if not isinstance(o, int)] == [DecoderCrashed]


async def test_a_hang_is_ended(isolated: Isolated) -> None:
    """A call that does not end in time is killed, and says so; the pool goes on."""
    with pytest.raises(TookTooLong, match="2 s"):
        await isolated.call(time.sleep, 60)
    assert await isolated.call(double, 4) == 8


async def test_errors_come_back_as_they_are(isolated: Isolated) -> None:
    """An input that is refused there is refused here, with the same words."""
    with pytest.raises(InvalidInput, match=r"^no good$"):
        await isolated.call(refuse)


async def test_closing_leaves_no_process() -> None:
    """No child outlives the pool."""
    pool = Isolated(processes=1, seconds=5)
    child = await pool.call(os.getpid)
    pool.close()
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
