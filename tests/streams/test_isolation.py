"""Isolation: a crash, a hang or a bomb costs one call, and nothing else."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import isolated_calls as calls
import psutil
import pytest

from schemas.failures import InvalidInput, NeedsTooMuchMemory, Unavailable
from schemas.limits import MEBIBYTE, Limits
from streams.isolation import DecoderCrashed, Isolated, TookTooLong

HERE = Path(__file__).parent
LIMITS = Limits(seconds=20, cpu_seconds=10, memory=256 * MEBIBYTE, calls=100)
Make = Callable[..., Isolated]


@pytest.fixture
def make() -> Iterator[Make]:
    """Pools that are ended after the test."""
    pools: list[Isolated] = []

    def make(limits: Limits = LIMITS, processes: int = 1) -> Isolated:
        pools.append(Isolated(limits, processes=processes, modules=(calls.__name__,)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


async def test_a_crash_costs_one_call(make: Make) -> None:
    """Calls beside and after a native crash succeed, and only the call that crashed is blamed."""
    isolated = make(processes=2)
    outcomes = await asyncio.gather(
        *(isolated.call(calls.double, n) for n in range(5)),
        isolated.call(calls.crash),
        *(isolated.call(calls.double, n) for n in range(5, 10)),
        return_exceptions=True,
    )
    assert [o for o in outcomes if isinstance(o, int)] == [2 * n for n in range(10)]
    assert [type(o) for o in outcomes if not isinstance(o, int)] == [DecoderCrashed]


async def test_an_immediate_crash_is_never_lost(make: Make) -> None:
    """However quickly a process dies, its call ends, and the next ones succeed; nothing of it stays open."""
    isolated = make(processes=2)
    await isolated.call(calls.double, 1)
    held = psutil.Process().num_fds()
    outcomes = await asyncio.gather(
        *(isolated.call(os._exit, n % 3) if n % 2 else isolated.call(calls.double, n) for n in range(16)),
        return_exceptions=True,
    )
    assert psutil.Process().num_fds() <= held + 4
    assert outcomes[::2] == [2 * n for n in range(0, 16, 2)]
    assert {type(o) for o in outcomes[1::2]} == {DecoderCrashed}


async def test_a_crash_that_an_earlier_call_prepared_is_not_blamed_on_a_later_one(make: Make) -> None:
    """Only a call that also fails in a fresh process is a dead letter."""
    isolated = make()
    await isolated.call(calls.poison)
    assert await isolated.call(calls.double, 4) == 8


async def test_a_process_killed_while_idle_harms_nothing(make: Make) -> None:
    """The kernel may take an idle process at any time; another is started."""
    isolated = make()
    os.kill(await isolated.call(os.getpid), signal.SIGKILL)
    assert await isolated.call(calls.double, 4) == 8


async def test_a_process_killed_at_work_is_tried_again_once(make: Make, tmp_path: Path) -> None:
    """A kill by the kernel need not be the call's doing; a second one is taken for want of memory."""
    isolated = make()
    assert await isolated.call(calls.killed_once, tmp_path / "mark") == "done"
    with pytest.raises(NeedsTooMuchMemory):
        await isolated.call(signal.raise_signal, signal.SIGKILL)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(seconds=2), "2 s.*LIMIT_SECONDS"),
        (Limits(cpu_seconds=1), "1 s of processor time.*LIMIT_CPU_SECONDS"),
    ],
)
async def test_a_hang_is_ended(make: Make, limits: Limits, words: str) -> None:
    """A call that does not end in time is killed, and says by which limit; the pool goes on."""
    isolated = make(limits)
    with pytest.raises(TookTooLong, match=words):
        await isolated.call(calls.spin)
    assert await isolated.call(calls.double, 4) == 8


async def test_waiting_for_a_process_does_not_count_as_time(make: Make) -> None:
    """Seven calls of a fifth of the limit each, one process: the last one waits for longer than the limit."""
    isolated = make(Limits(seconds=2.5))
    assert await asyncio.gather(*(isolated.call(time.sleep, 0.5) for _ in range(7))) == [None] * 7


async def test_processor_time_is_counted_for_each_call_alone(make: Make) -> None:
    """A process that has spent its limit over many calls is not killed for it."""
    isolated = make(Limits(cpu_seconds=1))
    for _ in range(3):
        await isolated.call(calls.burn, 0.7)


@pytest.mark.parametrize("function", [(calls.allocate, 10_000), (calls.allocate, 300), (calls.allocate_natively,)])
async def test_too_much_memory_is_an_error_of_its_own(make: Make, function: tuple[Callable[..., object], int]) -> None:
    """Refused by Python or by a native library: the message names the limit, and the pool goes on."""
    isolated = make()
    assert await isolated.call(calls.allocate, 150) == 150 * MEBIBYTE
    with pytest.raises(NeedsTooMuchMemory, match="TRISTREAM_LIMIT_MEMORY"):
        await isolated.call(*function)
    assert await isolated.call(calls.double, 4) == 8


async def test_memory_that_earlier_calls_kept_is_not_blamed_on_a_later_one(make: Make) -> None:
    """A process that others have filled is replaced, and the call made again in a fresh one."""
    isolated = make()
    assert len({await isolated.call(calls.keep, 100) for _ in range(5)}) == 3


async def test_errors_come_back_as_they_are(make: Make) -> None:
    """An input that is refused there is refused here, with the same words; an odd error is at least named."""
    isolated = make()
    with pytest.raises(InvalidInput, match=r"^no good$"):
        await isolated.call(calls.refuse)
    with pytest.raises(RuntimeError, match="Odd"):
        await isolated.call(calls.raise_odd)
    with pytest.raises(TimeoutError) as caught:
        await isolated.call(calls.raise_timeout)
    assert Path(caught.value.raised_at[0]).name == "isolated_calls.py"  # type: ignore[attr-defined]


async def test_nothing_that_a_library_prints_comes_out(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    """Native libraries print what they read, and that can be a name."""
    await make().call(calls.chatter)
    assert capfd.readouterr() == ("", "")


async def test_there_are_no_core_dumps_and_no_large_files(make: Make) -> None:
    """A core dump would be a copy of the image."""
    core, files = await make().call(calls.limits_of_the_process)
    assert core == (0, 0)
    assert files[0] <= MEBIBYTE


async def test_a_cancelled_call_ends_at_once(make: Make, tmp_path: Path) -> None:
    """Its process is killed with the work half done, and the next call gets its own answer."""
    isolated = make(Limits(seconds=30))
    call = asyncio.create_task(isolated.call(calls.note, tmp_path / "note", 1))
    while not (tmp_path / "note.begun").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await isolated.call(calls.double, 4) == 8
    await isolated.call(time.sleep, 1.2)
    assert not (tmp_path / "note").exists()


async def test_a_cancelled_wait_costs_nothing(make: Make) -> None:
    """A call cancelled before it had a process never runs, and holds no slot."""
    isolated = make()
    pid = await isolated.call(os.getpid)
    first = asyncio.create_task(isolated.call(time.sleep, 0.5))
    second = asyncio.create_task(isolated.call(calls.crash))
    await asyncio.sleep(0.1)
    second.cancel()
    assert await first is None
    assert await isolated.call(os.getpid) == pid


async def test_a_process_is_replaced_after_its_calls(make: Make) -> None:
    """What a native library leaks does not add up over days."""
    isolated = make(Limits(calls=3))
    pids = [await isolated.call(os.getpid) for _ in range(7)]
    assert len(set(pids)) == 3


async def test_closing_leaves_no_process(make: Make) -> None:
    """No child outlives the pool; calls that run or wait end as work to be done again, never as a dead letter."""
    isolated = make()
    child = await isolated.call(os.getpid)
    running = asyncio.create_task(isolated.call(time.sleep, 60))
    waiting = asyncio.create_task(isolated.call(calls.double, 4))
    await asyncio.sleep(0.2)
    isolated.close()
    outcomes = await asyncio.gather(running, waiting, isolated.call(calls.double, 5), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    assert not psutil.pid_exists(child)


async def test_a_process_that_cannot_start_is_no_dead_letter() -> None:
    """The input is not at fault, so the stage waits."""
    pool = Isolated(LIMITS, modules=("no_such_module",))
    with pytest.raises(Unavailable):
        await pool.call(calls.double, 4)
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tie a process to its parent")
@pytest.mark.parametrize("work", ["time.sleep", "isolated_calls.hold_the_interpreter"])
def test_a_killed_worker_leaves_no_process(work: str) -> None:
    """`kill -9` of the parent ends the child, also one stuck in native code."""
    script = (
        "import asyncio, os, sys, time; sys.path.insert(0, sys.argv[1]); import isolated_calls\n"
        "from schemas.limits import Limits; from streams.isolation import Isolated\n"
        "async def main():\n"
        "    pool = Isolated(Limits(), modules=('isolated_calls',)); print(await pool.call(os.getpid), flush=True)\n"
        f"    await pool.call({work}, 60)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(HERE)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    psutil.wait_procs([child], timeout=60)
    assert not child.is_running()
