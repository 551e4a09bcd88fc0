"""No child outlives its owner, crashed ones come back, and those that cannot are reported."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra import processes as module
from infra.processes import ChildFailed, Interrupted, Processes

MARK = "TRISTREAM_TEST_MARK"
FAMILY = ["sh", "-c", "sleep 600 & wait"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo up; while true; do sleep 0.1; done"]

OWNER = """
import sys
from pathlib import Path
from infra.processes import Processes
with Processes() as processes:
    for number in range(4):
        processes.start(f"child-{number}", ["sleep", "600"], log_path=Path(sys.argv[1]) / "log")
        processes.poll()
    print("up", flush=True)
    while True:
        processes.pause(1)
"""


def marked(mark: str) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    monkeypatch.delenv(MARK)
    for process in marked(value):
        process.kill()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


def own(tmp_path: Path) -> subprocess.Popen[str]:
    """An owner in a group of its own, as a shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip


def finish(owner: subprocess.Popen[str]) -> str:
    errors = owner.communicate(timeout=60)[1]
    return errors.strip().splitlines()[-1] if errors.strip() else ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stopping_signal_ends_all_children(number: signal.Signals, tmp_path: Path, mark: str) -> None:
    """SIGINT, SIGTERM and SIGHUP to the owner's group raise Interrupted there and leave nobody."""
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("ignored here, as in the background or under nohup")
    with own(tmp_path) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "up\n"
        assert len(marked(mark)) == 5
        os.killpg(owner.pid, number)
        assert finish(owner) == f"infra.processes.Interrupted: {number.name}"
    assert marked(mark) == []


def test_interrupt_at_any_moment(tmp_path: Path, mark: str) -> None:
    """Ctrl-C from before the first start until after the last leaves nobody, nor do more of them meanwhile."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for delay in (chance.uniform(0.02, 0.6) for _ in range(12)):
        with own(tmp_path) as owner:
            time.sleep(delay)
            os.killpg(owner.pid, signal.SIGINT)
            # Again and again, as a person does: Python loses one that falls into a callback of its import locks.
            deadline = time.monotonic() + 60
            while owner.poll() is None and time.monotonic() < deadline:
                time.sleep(chance.uniform(0, 0.03))
                os.killpg(owner.pid, signal.SIGINT)
            finish(owner)
        assert marked(mark) == [], f"delay {delay:.3f} s, seed {seed}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_children_die_with_a_killed_owner(tmp_path: Path, mark: str) -> None:
    """kill -9 of the owner, started or half started, leaves nobody."""
    for delay in (None, 0.12, 0.15, 0.18, 0.21):
        with own(tmp_path) as owner:
            assert owner.stdout
            if delay is None:
                assert owner.stdout.readline() == "up\n"
            else:
                time.sleep(delay)
            owner.kill()
            until(lambda: not marked(mark))


def test_a_signal_waits_for_poll(log: Path) -> None:
    """A signal is noted and raised by poll, once; start and stop are never cut in two; handlers are put back."""
    before = signal.getsignal(signal.SIGINT)
    with Processes() as processes:
        signal.raise_signal(signal.SIGINT)
        processes.start("child", ["sleep", "600"], log_path=log)
        with pytest.raises(Interrupted) as caught:
            processes.poll()
        processes.poll()
    assert caught.value.number == signal.SIGINT
    assert processes.pids == {}
    assert signal.getsignal(signal.SIGINT) == before


def test_a_signal_nobody_polled_for_is_not_lost() -> None:
    """A signal after the last poll is raised when the block ends."""
    with pytest.raises(Interrupted), Processes():
        signal.raise_signal(signal.SIGTERM)


def test_stop_is_bounded(log: Path) -> None:
    """A child that ignores SIGTERM is killed after the grace."""
    processes = Processes(grace_s=0.3)
    processes.start("stubborn", STUBBORN, log_path=log)
    until(lambda: log.read_text() == "up\n")
    begun = time.monotonic()
    processes.stop()
    assert 0.3 <= time.monotonic() - begun < 10


def test_a_second_interrupt_hurries(log: Path, mark: str) -> None:
    """A signal while stopping ends the waiting for a child that ignores SIGTERM."""
    begun = time.monotonic()
    with Processes(grace_s=600) as processes:
        processes.start("stubborn", STUBBORN, log_path=log)
        until(lambda: log.read_text() == "up\n")
        with subprocess.Popen(["sh", "-c", f"kill -INT {os.getpid()}; sleep 0.3; kill -INT {os.getpid()}"]):
            with pytest.raises(Interrupted):
                processes.pause(60)
            processes.stop()
    assert time.monotonic() - begun < 60


def test_stop_takes_the_whole_group(log: Path, mark: str) -> None:
    """What a child started goes with it."""
    processes = Processes()
    processes.start("family", FAMILY, log_path=log)
    until(lambda: len(marked(mark)) == 2)
    processes.stop()
    # Its own child is waited for; of a child's child the kernel may take a moment more.
    until(lambda: marked(mark) == [])


def test_higher_tiers_stop_first(tmp_path: Path) -> None:
    """A server of tier 0 outlives the workers that still talk to it."""
    ends = tmp_path / "ends"
    script = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(open({!r}, 'a').write({!r}) and 0)); {}"
    loop = "print('up', flush=True)\nwhile True: time.sleep(1)"
    with Processes() as processes:
        for name, tier in (("server", 0), ("worker", 1)):
            argv = [sys.executable, "-c", script.format(str(ends), f"{name} ", "\n" + loop)]
            processes.start(name, argv, log_path=tmp_path / name, tier=tier)
        until(lambda: all((tmp_path / name).read_text() == "up\n" for name in ("server", "worker")))
    assert ends.read_text() == "worker server "


def test_stop_by_name(log: Path) -> None:
    """One child can be stopped while the others run."""
    with Processes() as processes:
        processes.start("one", ["sleep", "600"], log_path=log)
        processes.start("two", ["sleep", "600"], log_path=log)
        processes.stop("one")
        assert list(processes.pids) == ["two"]


def test_a_killed_child_is_started_again(log: Path) -> None:
    """A child that was killed comes back, is counted, and the owner is told."""
    lines: list[str] = []
    with Processes(on_restart=lines.append, first_delay_s=0.01) as processes:
        processes.start("worker", ["sleep", "600"], log_path=log)
        first = processes.pids["worker"]
        os.kill(first, signal.SIGKILL)
        until(lambda: processes.poll() or processes.pids.get("worker", first) != first)
        assert processes.crashes["worker"] == 1
    assert len(lines) == 1
    assert lines[0].startswith("worker ended (SIGKILL); it starts again in 0.0 s")


def test_crashing_in_a_row_stops_everything(log: Path) -> None:
    """A child that cannot stay up stops all, with its name and the tail of its log."""
    with Processes(first_delay_s=0.01, most_crashes=3) as processes:
        processes.start("bystander", ["sleep", "600"], log_path=log.with_name("other.log"))
        processes.start("worker", ["sh", "-c", "echo no model file; exit 3"], log_path=log)
        with pytest.raises(ChildFailed, match=r"worker ended 3 times in a row \(exit status 3\)(.|\n)*no model file"):
            processes.pause(60)
        assert processes.pids == {}
    assert log.read_text() == "no model file\n" * 3


def test_a_long_life_starts_a_new_row(log: Path) -> None:
    """Crashes of a child that ran well in between are not in a row."""
    with Processes(first_delay_s=0.01, most_crashes=2, healthy_after_s=0.0) as processes:
        processes.start("worker", ["false"], log_path=log)
        until(lambda: processes.poll() or processes.crashes["worker"] >= 4)


def test_the_end_of_a_child_without_restart_is_an_error(log: Path) -> None:
    """A child that is not to be restarted and ends makes poll raise."""
    with Processes() as processes:
        processes.start("once", ["true"], log_path=log, restart=False)
        with pytest.raises(ChildFailed, match=r"once ended \(exit status 0\)"):
            processes.pause(60)


def test_run_returns_the_exit_status(log: Path) -> None:
    """run waits for the end of a child, with the environment and the folder it was given."""
    processes = Processes()
    assert (
        processes.run("job", ["sh", "-c", "echo $WORD; pwd; exit 4"], log_path=log, env={"WORD": "hi"}, cwd=Path("/"))
        == 4
    )
    assert log.read_text() == "hi\n/\n"


def test_run_is_bounded(log: Path, mark: str) -> None:
    """run stops a child that takes too long."""
    with pytest.raises(ChildFailed, match="slow had not ended"):
        Processes().run("slow", FAMILY, log_path=log, timeout_s=0.2)
    until(lambda: not marked(mark), 5)  # the kernel takes a moment over who was killed but is not our own child


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere start itself raises FileNotFoundError")
def test_a_program_that_is_not_there_says_so(log: Path) -> None:
    """A command that cannot be run is named in the log, without a traceback."""
    assert Processes().run("job", ["no-such-program"], log_path=log) == 1
    assert "no-such-program cannot be run: No such file or directory" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_logs_are_bounded(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that grew too long starts anew, and the one before is kept."""
    monkeypatch.setattr(module, "LOG_LIMIT_BYTES", 1000)
    with Processes() as processes:
        processes.start("talker", ["sh", "-c", "while true; do echo 0123456789; sleep 0.001; done"], log_path=log)
        before = log.with_name("child.log.1")
        until(lambda: processes.poll() or before.exists())
        until(lambda: log.stat().st_size > 0)
        assert log.stat().st_size < before.stat().st_size + 1000
        assert processes.crashes["talker"] == 0


def test_names_are_unique(log: Path) -> None:
    """Two children cannot share a name."""
    with Processes() as processes:
        processes.start("one", ["sleep", "600"], log_path=log)
        with pytest.raises(ValueError, match="'one' runs already"):
            processes.start("one", ["sleep", "600"], log_path=log)


def test_what_is_not_vital_ends_alone(tmp_path: Path) -> None:
    """After as many crashes as end all others, it is given up in words, and the others run on."""
    told: list[str] = []
    with Processes(on_restart=told.append, most_crashes=3, first_delay_s=0.01) as processes:
        processes.start("vital", ["sleep", "600"], log_path=tmp_path / "vital.log")
        processes.start("watcher", ["sh", "-c", "exit 3"], log_path=tmp_path / "watcher.log", vital=False)
        until(lambda: (processes.poll(), any("go on without it" in line for line in told))[1])
        processes.pause(0.2)
        assert set(processes.pids) == {"vital"}
        assert processes.crashes["watcher"] == 3
