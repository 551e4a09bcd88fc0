"""A real one-node Apache Kafka (KRaft) on loopback. Knows how to format, start and stop it; nothing of topics.

Beside its jars lies a class data sharing archive (JEP 350), made once: starts are about 40 % shorter with it and the
broker about 65 MB smaller.
"""

import base64
import fcntl
import os
import random
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from infra.kafka.jars import KafkaFailed, fetch, installing, jars_folder
from infra.kafka.login import MECHANISM, USER, server_properties
from infra.prerequisites import Java, find_java
from infra.processes import Processes, tail
from infra.variables import from_environment
from schemas.failures import Unavailable
from streams.security import for_confluent
from streams.settings import Security, Wires

LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024
# Below the ephemeral ranges of Linux and macOS: no outgoing connection takes such a port before the broker does.
PORTS = range(20_000, 32_000)

NAME = "kafka"

JVM_FLAGS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)

PROPERTIES = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "CLIENTS",
    "auto.create.topics.enable": "false",
    "message.max.bytes": LARGEST_MESSAGE_BYTES,
    "replica.fetch.max.bytes": LARGEST_MESSAGE_BYTES,
    # After a kill -9 the broker's next life waits until this session of the last one is over.
    "broker.session.timeout.ms": 4_000,
    "broker.heartbeat.interval.ms": 500,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 3_000,
    # A laptop that was off for a month must not forget what was done.
    "offsets.retention.minutes": 365 * 24 * 60,
    # One node: replicas and partitions of Kafka's own topics would only cost files and time.
    "offsets.topic.num.partitions": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
}


@dataclass(frozen=True, slots=True)
class SecureListener:
    """A second door of the broker, with TLS and SASL.

    Args:
        properties: of the listener, without its prefix: keystore, mechanisms, login modules.
        users: added when the folder is formatted, as kafka-storage's --add-scram takes them.
    """

    properties: Mapping[str, str]
    users: tuple[str, ...] = ()


class LocalKafka:
    """A broker on 127.0.0.1 whose data lives in `folder` and outlives it.

    `with LocalKafka(folder) as kafka` installs, starts, waits and stops. Step by step, `install` and `start` take the
    Processes that then looks after the broker and hears of Ctrl-C; without one, the broker has one of its own.

    Args:
        folder: data, settings and `kafka.log`.
        port: of the broker; 0: a free one, chosen at each start.
        cache: where jars are kept.
        secure: has clients come in by TLS and SASL too; None: over loopback only.
        password: that clients on loopback give (`infra.kafka.login`); None: they come in as they are.
        advertised_port: where clients are told to come, if something stands between; 0: to the broker itself.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        cache: Path | None = None,
        secure: SecureListener | None = None,
        password: str | None = None,
        advertised_port: int = 0,
    ) -> None:
        self.folder = folder.absolute()
        self.log_path = self.folder / "kafka.log"
        self._port = port
        self._chosen_port = port
        self._advertised_port = advertised_port
        self._secure, self._secure_port = secure, 0
        self._password = password
        self._jars = jars_folder(cache or from_environment().cache)
        self._processes = Processes()

    def __enter__(self) -> Self:
        self.install()
        try:
            self.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Address for clients. With port 0 it is known once the broker was started."""
        return f"127.0.0.1:{self._chosen_port}"

    @property
    def secure_bootstrap(self) -> str:
        """Address for clients that come by TLS and SASL, once the broker was started."""
        return f"127.0.0.1:{self._secure_port}"

    @property
    def security(self) -> Security:
        """How clients come in at `bootstrap`."""
        if self._password is None:
            return Security()
        return Security(protocol="SASL_PLAINTEXT", mechanism=MECHANISM, username=USER, password=self._password)

    @property
    def pid(self) -> int | None:
        """Process id of the broker, or None while it does not run."""
        return self._processes.pids.get(NAME)

    @property
    def installed(self) -> bool:
        """True if the cache has all that a broker needs."""
        return self._archive.exists()

    def install(self, processes: Processes | None = None) -> None:
        """Fetch the jars, unless the cache has them. Of several installers at once, one works and the others wait.

        Raises:
            MissingPrerequisite: Java or Maven is missing.
            KafkaFailed: Maven could not fetch them.
        """
        processes = processes or self._processes
        if self.installed:
            return
        with installing(self._jars, processes):
            if not self._jars.exists():
                fetch(self._jars, processes)
            if not self.installed:
                self._share_classes(processes)

    def start(self, processes: Processes | None = None) -> None:
        """Start the broker, formatting its folder the first time. It is not ready yet: see `wait_ready`.

        Raises:
            KafkaFailed: another broker runs on this folder, or it cannot be formatted.
        """
        self._processes = processes or self._processes
        self._launch()

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return once the broker itself says that it serves.

        Raises:
            KafkaFailed: it ended instead.
            Unavailable: it did not answer in `timeout_s`.
        """
        crashes = self._processes.crashes[NAME]
        wires = Wires(bootstrap=self.bootstrap, security=self.security)
        client = AdminClient({**for_confluent(wires), "reconnect.backoff.max.ms": 100})
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._processes.poll()
            if self._processes.crashes[NAME] > crashes:
                raise KafkaFailed(f"Kafka ended while starting; its log, {self.log_path}, ends:\n{tail(self.log_path)}")
            try:
                # A broker that is still fenced answers, but does not yet name itself among those that serve.
                if client.list_topics(timeout=0.2).brokers:
                    return
            except KafkaException:
                continue
        raise Unavailable(f"Kafka did not answer within {timeout_s:.0f} s; its log is {self.log_path}")

    def stop(self) -> None:
        """Stop the broker: SIGTERM, then SIGKILL. Its data stays."""
        self._processes.stop(NAME)

    def _launch(self, *flags: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        self._await_folder(data)
        scratch = self.folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        java = [str(self._java.command), *JVM_FLAGS, "-Djava.io.tmpdir=tmp", "-cp", f"{self._jars}/*"]
        if self._archive.exists():
            java.append(f"-XX:SharedArchiveFile={self._archive}")
        if not data.exists():
            self._format(java, data)
        self._chosen_port, controller, self._secure_port = _free_ports(self._port)
        settings = self._write("server.properties", data, self._chosen_port, controller, self._secure_port)
        argv = (*java, *flags, "kafka.Kafka", settings.name)
        self._processes.start(NAME, argv, log_path=self.log_path, cwd=self.folder, restart=True, tier=0)

    def _format(self, java: Sequence[str], data: Path) -> None:
        """Format the folder; under another name until it is whole, so that a crash leaves nothing half formatted."""
        partial = data.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        settings = self._write("format.properties", partial, *_free_ports(0))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [f"--add-scram={user}" for user in (self._secure.users if self._secure else ())]
        tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={settings.name}")
        argv = (*java, *tool, *users)
        if self._processes.run("kafka-format", argv, log_path=self.log_path, cwd=self.folder) != 0:
            raise KafkaFailed(f"Kafka's folder cannot be formatted; {self.log_path} ends:\n{tail(self.log_path)}")
        settings.unlink()
        partial.rename(data)

    def _write(self, name: str, data: Path, broker: int, controller: int, secure: int) -> Path:
        path = self.folder / name
        door = f",SECURE://127.0.0.1:{secure}" if self._secure else ""
        spoken = "PLAINTEXT" if self._password is None else "SASL_PLAINTEXT"
        properties = PROPERTIES | {
            "listener.security.protocol.map": f"CLIENTS:{spoken},CONTROLLER:{spoken},SECURE:SASL_SSL",
            "listeners": f"CLIENTS://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}{door}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{self._advertised_port or broker}{door}",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            # Relative to where the broker runs: commas and letters beyond Latin-1 in a path would be misread here.
            "log.dirs": data.name,
        }
        if self._secure is not None:
            properties |= {f"listener.name.secure.{key}": value for key, value in self._secure.properties.items()}
        if self._password is not None:
            properties |= server_properties(self._password, "clients", "controller")
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(f"{key}={value}\n" for key, value in properties.items()))
        return path

    @cached_property
    def _java(self) -> Java:
        return find_java()

    @property
    def _archive(self) -> Path:
        return self._jars / f"classes-{self._java.version}.jsa"

    def _await_folder(self, data: Path) -> None:
        """Wait a moment for the broker of an owner that was just killed; one that goes on running is another's."""
        lock = data / ".lock"
        deadline = time.monotonic() + 3
        while lock.exists() and _is_locked(lock):
            if time.monotonic() > deadline:
                raise KafkaFailed(f"another Kafka runs on {self.folder}: stop it, or choose another folder")
            self._processes.pause(0.1)

    def _share_classes(self, processes: Processes) -> None:
        """Run a broker once, so that Java archives the classes that it loaded."""
        partial = self._archive.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="tristream-") as folder:
            rehearsal = LocalKafka(Path(folder), cache=self._jars.parent)
            rehearsal._processes = processes
            try:
                rehearsal._launch(f"-XX:ArchiveClassesAtExit={partial}")
                rehearsal.wait_ready()
            finally:
                rehearsal.stop()
        # A Java that cannot archive leaves nothing; it ignores an empty file, and is not asked again.
        partial.touch()
        partial.rename(self._archive)


def _free_ports(port: int) -> tuple[int, int, int]:
    """Ports for broker (`port`, unless 0), controller and secure listener on which nothing listens now."""
    if port and not is_free(port):
        raise KafkaFailed(f"port {port} is in use: stop what listens there, or choose another port")
    _claim(port)
    return port or free_port(), free_port(), free_port()


def free_port() -> int:
    """A port on which nothing listens now, and which no other call gives, here or in another process."""
    return free_ports(1)[0]


def free_ports(count: int) -> range:
    """So many such ports in a row."""
    while True:
        first = random.choice(PORTS)  # noqa: S311 - chance spreads the choices, it keeps no secret
        ports = range(first, first + count)
        if all(_claim(port) for port in ports):
            return ports


def _claim(port: int) -> bool:
    """Keep a port for this process, until it ends: seconds can pass before a server of its listens there."""
    if port in _claimed or not is_free(port):
        return False
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    _claimed.add(port)
    return True


_claimed: set[int] = set()


@cache
def _claims() -> BinaryIO:
    """A file with a byte for each port, of which nothing but the locks counts. Closed, it would lose all of them."""
    cache = from_environment().cache
    cache.mkdir(parents=True, exist_ok=True)
    return (cache / "ports.lock").open("ab")


def is_free(port: int) -> bool:
    """Whether nothing listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        # As the broker does: what is left of closed connections is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_locked(path: Path) -> bool:
    """Whether another process holds the lock that a broker takes on its data (a POSIX record lock)."""
    with path.open("ab") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
    return False
