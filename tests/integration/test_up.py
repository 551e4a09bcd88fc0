"""`tristream up` as a person meets it: Ctrl-C ends it soon and well, and a port that is taken ends nothing."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.kafka.local import LocalKafka, free_port
from infra.kafka.login import with_login
from infra.processes import Processes
from infra.prometheus.local import PORT, start_beside
from infra.variables import from_environment
from streams.settings import Security

pytestmark = pytest.mark.integration

SOON = 5.0


@contextmanager
def up(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A pipeline of its own, in a session of its own."""
    LocalKafka(folder / "unused").install()
    argv = [
        sys.executable,
        "-m",
        "infra.front",
        "up",
        "--inbox",
        str(folder / "inbox"),
        "--state",
        str(folder / "state"),
    ]
    running = subprocess.Popen(
        [*argv, "--port", str(free_port()), *options], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def until_said(running: subprocess.Popen[str], word: str) -> str:
    """The line that says it."""
    assert running.stderr is not None
    for line in running.stderr:
        if word in line:
            return line
    raise AssertionError(f"it ended without a word of {word!r}")


@pytest.mark.parametrize("moment", ["starting Kafka", "watching"])
def test_ctrl_c_ends_it_soon_and_well(tmp_path: Path, moment: str) -> None:
    """It says so, ends within 5 s with exit status 0, and leaves no process behind; also while it is just starting."""
    with up(tmp_path) as running:
        until_said(running, moment)
        time.sleep(0.5)
        children = psutil.Process(running.pid).children(recursive=True)
        assert children
        asked = time.monotonic()
        os.kill(running.pid, signal.SIGINT)
        _, words = running.communicate(timeout=60)
        took = time.monotonic() - asked
    assert "stopping" in words
    assert running.returncode == 0
    assert "Traceback" not in words
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert took < SOON


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="ignored here, as in the background")
@pytest.mark.parametrize("seed", range(4))
def test_ctrl_c_at_any_moment(tmp_path: Path, seed: int) -> None:
    """Also while it is importing, asks for Java or starts workers; sent to all its processes, as by a terminal."""
    chance = random.Random(seed)
    with up(tmp_path) as running:
        # Before Python has read a line of ours, the signal ends it as it ends any program.
        until_heard(running.pid)
        time.sleep(chance.uniform(0, 6))
        children = psutil.Process(running.pid).children(recursive=True)
        os.killpg(running.pid, signal.SIGINT)
        _, words = running.communicate(timeout=60)
    assert running.returncode == 0, words
    assert "Traceback" not in words
    assert "Java" not in words
    gone, left = psutil.wait_procs(children, timeout=SOON)
    assert not left, gone


def until_heard(pid: int) -> None:
    """Return once a command hears signals: before it loads what it needs."""
    while "pydantic_core" not in Path(f"/proc/{pid}/maps").read_text():
        time.sleep(0.005)


def test_other_users_of_the_machine_are_not_let_in(tmp_path: Path) -> None:
    """Who knows the port alone reads nothing, and commands of the same user find the login."""
    with up(tmp_path) as running:
        address = until_said(running, "watching").partition("Kafka on ")[2].partition(";")[0]
        stranger = AdminClient({"bootstrap.servers": address, "log_level": 0})
        with pytest.raises(KafkaException):
            stranger.list_topics(timeout=2)
        argv = [sys.executable, "-m", "infra.front", "status", "--json", "--kafka", address]
        assert b'"describe"' in subprocess.check_output(argv, timeout=120)
        os.kill(running.pid, signal.SIGINT)
        running.communicate(timeout=60)
    assert running.returncode == 0
    # Nothing of what other users may open is left, and the login is gone with its broker.
    assert not [path for path in (tmp_path / "state").rglob("*") if path.stat().st_mode & 0o077 and path.is_file()]
    assert with_login(from_environment(options={"TRISTREAM_KAFKA": address})).wires.security == Security()


def test_a_port_that_is_taken_is_said_and_ends_nothing(tmp_path: Path) -> None:
    """Prometheus gets another, or, where there is none on this machine, the pipeline goes on without."""
    told: list[str] = []
    with closing(socket.socket()) as taken, Processes(grace_s=5, on_restart=told.append) as processes:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # taken already
            taken.bind(("127.0.0.1", PORT))
            taken.listen()
        processes.start("worker", ["sleep", "600"], log_path=tmp_path / "worker.log")
        start_beside(processes, tmp_path / "prometheus", {"worker": "127.0.0.1:1"}, told.append)
        processes.pause(1.0)
        assert "worker" in processes.pids
    (line,) = told
    assert f"port {PORT} is in use" in line or "on without Prometheus" in line
