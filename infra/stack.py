"""The local stack: one Kafka broker, one worker process a stage, and a gatherer of volumes where they are sent."""

import os
import secrets
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from agents.settings import Settings
from infra.kafka.local import LocalKafka, free_port, is_free
from infra.kafka.login import login as login_by
from infra.kafka.login import offered
from infra.prerequisites import check_prerequisites
from infra.processes import Interrupted, Processes
from schemas.dead_letters import Stage
from streams.private import private_folder, write_privately
from streams.settings import Security
from streams.topics import create_topics

GRACE_S = 2.0
"""Seconds that the workers, and then the broker, have to end in order. What a worker had in work is delivered again,
and what a broker has acknowledged outlives it: a person who wants to stop waits for neither."""

STAGES: tuple[Stage, ...] = ("preprocess", "ground", "retrieve", "describe")


class LocalStack:
    """A running pipeline on this machine.

    Args:
        settings: `wires.bootstrap` is replaced by the broker's address, and `wires.security` by its login.
        folder: the broker's data, logs of all processes, payloads. Kept: a stack started on it again goes on.
        port: of the broker; 0: a free one.
        watch: whether the inbox is watched; else objects come from elsewhere.
        workers: processes a stage.
        login: whether the broker asks clients for the password that it has of this start.
        say: is told what is happening, for a person.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        *,
        port: int = 0,
        watch: bool = False,
        workers: int = 1,
        login: bool = True,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._settings, self.folder, self._watch, self._workers, self._say = settings, folder, watch, workers, say
        self._exit = ExitStack()
        self._started = 0
        self.metrics: dict[str, str] = {}
        """host:port of /metrics by worker; empty where none are served."""
        self._password = secrets.token_urlsafe(24) if login else None
        self._security = Security()
        self.kafka = LocalKafka(folder / "kafka", port, cache=settings.cache, password=self._password)

    @property
    def settings(self) -> Settings:
        """The settings that reach this stack."""
        # What nobody watches is told by whoever started this stack, and may lie anywhere.
        settings = self._settings if self._watch else self._settings.model_copy(update={"readable": "/"})
        return settings.with_wires(bootstrap=self.kafka.bootstrap, security=self._security, state=self.folder)

    def __enter__(self) -> Self:
        private_folder(self.folder)
        with ExitStack() as stack:
            stack.callback(os.umask, write_privately())
            self.processes = stack.enter_context(Processes(on_restart=self._say, grace_s=GRACE_S))
            stack.push(self._leaving)
            check_prerequisites()
            if not self.kafka.installed:
                self._say("installing Kafka, this first time only")
            self.kafka.install(self.processes)
            self._say("starting Kafka")
            self.kafka.start(self.processes)
            if self._password is not None:
                port = int(self.kafka.bootstrap.rpartition(":")[2])
                self._security = login_by(stack.enter_context(offered(self._settings.cache, port, self._password)))
            self.kafka.wait_ready()
            self._beside(lambda: create_topics(self.settings.wires))
            stages: Sequence[Stage] = ("watch", *STAGES) if self._watch else STAGES
            for stage in stages:
                for number in range(1 if stage == "watch" else self._workers):
                    self.start_worker(stage, f"{stage}-{number + 1}")
            if self._settings.volumes == "whole":
                self._start("gather", ["gather"])
            self._exit = stack.pop_all()
        return self

    def start_worker(self, stage: Stage, name: str) -> None:
        """One more worker process."""
        self._start(name, ["worker", stage])

    def _start(self, name: str, command: Sequence[str]) -> None:
        # One machine has each port once.
        port = self.settings.wires.metrics_port and self.settings.wires.metrics_port + self._started
        self._started += 1
        if port and not is_free(port):
            port = free_port()
        if port:
            self.metrics[name] = f"{self.settings.wires.metrics_host}:{port}"
        self.processes.start(
            name,
            [sys.executable, "-P", "-m", "infra.cli", *command],
            env=self.settings.with_wires(worker=name, metrics_port=port).handed_on(),
            log_path=self.folder / "logs" / f"{name}.log",
            restart=True,
        )

    def poll(self) -> None:
        """Look after the processes; call it a few times a second.

        Raises:
            ChildFailed: a process keeps crashing.
            Interrupted: a signal asked to stop.
        """
        self.processes.poll()

    def run(self) -> None:
        """Look after the processes until interrupted."""
        while True:
            self.processes.pause(1.0)

    def _beside(self, work: Callable[[], None]) -> None:
        """Do something that blocks, and hear signals meanwhile."""
        failures: list[Exception] = []

        def do() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is raised below, where it was asked for
                failures.append(error)

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        while thread.is_alive():
            self.processes.pause(0.05)
        if failures:
            raise failures[0]

    def _leaving(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and issubclass(kind, Interrupted):
            self._say("stopping")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.__exit__(kind, error, trace)
