"""A whole pipeline whose parts can be hurt: a broker behind a proxy, a worker a stage, a folder, and an S3 server."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import obstore
import psutil
from obstore.exceptions import BaseError

from agents.settings import Settings
from infra.kafka.local import LocalKafka, free_ports
from infra.processes import Processes
from infra.s3 import NAME as S3
from infra.s3 import LocalS3
from infra.servers import VERSITYGW
from schemas.failures import TristreamError
from streams.settings import Wires
from streams.topics import create_topics
from tests.chaos.proxy import Proxy

WORKERS = {
    "watch": "watch",
    "preprocess": "preprocess",
    "preprocess-2": "preprocess",
    "ground": "ground",
    "retrieve": "retrieve",
    "describe": "describe",
}
SESSION_S = 6.0


class World:
    """All of it, running.

    Args:
        folder: everything that it writes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.inbox = folder, folder / "inbox"
        self.told: list[str] = []
        self._exit = ExitStack()
        self.s3: LocalS3 | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.inbox.mkdir(parents=True)
            broker_port, proxy_port = free_ports(2)
            self.processes = stack.enter_context(
                Processes(
                    on_restart=self.told.append, grace_s=3, most_crashes=1000, first_delay_s=0.2, longest_delay_s=2
                )
            )
            self.kafka = LocalKafka(self.folder / "kafka", broker_port, advertised_port=proxy_port)
            self.kafka.install(self.processes)
            self.kafka.start(self.processes)
            self.proxy = stack.enter_context(Proxy(proxy_port, broker_port))
            self.kafka.wait_ready()
            wires = Wires(
                bootstrap=f"127.0.0.1:{proxy_port}",
                partitions=4,
                state=self.folder / "state",
                # Everything goes through the payload store, so that it can be full.
                inline_limit=1000,
                session_timeout=SESSION_S,
                listing=5.0,
                # Half of what comes is poison on purpose.
                dead_letter_share=1.0,
            )
            self.settings = Settings(wires=wires, key="0" * 64, inbox=str(self.inbox), readable="s3://scans")
            create_topics(wires)
            if VERSITYGW.binary().exists():
                self.s3 = LocalS3(self.folder / "s3", "scans", kafka=self.kafka.bootstrap)
                self.s3.start(self.processes)
                self.start("watch-s3", "watch", Settings(wires=wires, key="0" * 64, inbox="s3://scans"))
            for name in WORKERS:
                self.start(name)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in self.processes.pids:
            self.signal(name, signal.SIGCONT)
        self._exit.__exit__(kind, error, trace)

    @property
    def direct(self) -> Settings:
        """Settings that reach the broker past the proxy."""
        return self.settings.with_wires(bootstrap=self.kafka.bootstrap)

    def start(
        self,
        name: str,
        stage: str | None = None,
        settings: Settings | None = None,
        *,
        vital: bool = True,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """One more worker."""
        self.processes.start(
            name,
            [sys.executable, "-P", "-m", "infra.cli", "worker", stage or WORKERS[name]],
            env={
                **(settings or self.settings).with_wires(worker=name.removesuffix("-twin")).handed_on(),
                **(self.s3.environment if self.s3 else {}),
                **(variables or {}),
            },
            log_path=self.folder / "logs" / f"{name}.log",
            restart=vital,
            vital=vital,
        )

    def signal(self, name: str, number: signal.Signals) -> None:
        """To a process and all that it started."""
        try:
            process = psutil.Process(self.processes.pids[name])
            for one in [*process.children(recursive=True), process]:
                one.send_signal(number)
        except (KeyError, psutil.NoSuchProcess):
            return

    def fill_disk(self, name: str, *, full: bool) -> None:
        """Let a process, and those that it started, write no byte more: a full disk, for it alone. Or let it again."""
        import resource

        try:
            process = psutil.Process(self.processes.pids[name])
            for one in [process, *process.children(recursive=True)]:
                _, most = resource.prlimit(one.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(one.pid, resource.RLIMIT_FSIZE, (0 if full else most, most))
        except (KeyError, psutil.NoSuchProcess, ProcessLookupError):
            return

    def put(self, name: str, data: bytes) -> bool:
        """Store an object on the S3 server. False: it did not take it."""
        if self.s3 is None:
            return False
        try:
            obstore.put(self.s3.store, name, data)
        except (BaseError, OSError):
            return False
        return True

    def restart_s3(self, away_s: float) -> None:
        """Have the S3 server away for so long."""
        if self.s3 is not None:
            self.s3.stop(self.processes)
            self.pause(away_s)
            try:
                self.s3.start(self.processes)
            except TristreamError as error:
                self.told.append(f"{S3}: {error}")

    def pause(self, seconds: float) -> None:
        """Let time pass, and see to the processes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.processes.pause(min(0.2, max(0.0, until - time.monotonic())))
