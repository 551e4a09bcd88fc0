"""The local broker keeps what it was given, says the truth about being ready, and goes when told."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from infra.kafka import local
from infra.kafka.jars import KafkaFailed, fetch, installing, jars_folder
from infra.kafka.local import LARGEST_MESSAGE_BYTES, LocalKafka, free_port, free_ports
from infra.processes import Processes
from schemas.failures import Unavailable
from streams.security import for_confluent
from streams.settings import Security, Wires

pytestmark = pytest.mark.integration

TOPIC = "kept"


def create_topic(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result(60)


def produce(bootstrap: str, value: bytes) -> None:
    failures: list[object] = []
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 2 * LARGEST_MESSAGE_BYTES})
    producer.produce(TOPIC, value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(60) == 0
    assert failures == [None]


def consume(bootstrap: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    messages = consumer.consume(count, timeout=60)
    consumer.close()
    return [message.value() or b"" for message in messages]


def cluster(bootstrap: str) -> str:
    return AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=60).cluster_id


def test_a_killed_broker_comes_back_at_its_address(tmp_path: Path) -> None:
    """A supervised broker is started again, on the same port; messages and cluster id outlive kill -9 and a stop.

    Ready means that a produce succeeds.
    """
    with Processes() as processes:
        kafka = LocalKafka(tmp_path)
        kafka.install(processes)
        kafka.start(processes)
        kafka.wait_ready()
        create_topic(kafka.bootstrap)
        produce(kafka.bootstrap, b"before the kill")
        first = cluster(kafka.bootstrap)
        os.kill(processes.pids["kafka"], signal.SIGKILL)
        while processes.crashes["kafka"] == 0:
            processes.pause(0.05)
        kafka.wait_ready()
        produce(kafka.bootstrap, b"before the stop")
    assert kafka.pid is None
    with LocalKafka(tmp_path) as kafka:
        assert consume(kafka.bootstrap, 2) == [b"before the kill", b"before the stop"]
        assert cluster(kafka.bootstrap) == first
    assert kafka.pid is None


def test_a_folder_has_one_broker(tmp_path: Path, broker: LocalKafka) -> None:
    """A second broker on a folder in use, or on a port in use, is refused with what to do."""
    with pytest.raises(KafkaFailed, match="another Kafka runs on"):
        LocalKafka(broker.folder).start()
    with pytest.raises(KafkaFailed, match="is in use"):
        LocalKafka(tmp_path, int(broker.bootstrap.split(":")[1])).start()


def test_it_listens_on_loopback_only(kafka: str) -> None:
    """Neither of the broker's doors nor the controller can be reached from outside."""
    listening = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    broker = next(one.pid for one in listening if one.laddr.port == int(kafka.split(":")[1]))
    addresses = [one.laddr.ip.removeprefix("::ffff:") for one in listening if one.pid == broker]
    assert addresses == ["127.0.0.1"] * 3


def test_none_of_its_doors_opens_without_the_password(tmp_path: Path) -> None:
    """Neither clients' nor the controller's; the password is in no file that others may read, and in no argument."""
    with LocalKafka(tmp_path, password="a-secret_of_it") as kafka:
        assert AdminClient(for_confluent(Wires(bootstrap=kafka.bootstrap, security=kafka.security))).list_topics()
        ports = [one.laddr.port for one in psutil.Process(kafka.pid).net_connections("tcp") if one.status == "LISTEN"]
        assert len(ports) == 2
        wrong = dataclasses.replace(kafka.security, password="another")
        for port in ports:
            for security in (Security(), wrong):
                client = AdminClient(for_confluent(Wires(bootstrap=f"127.0.0.1:{port}", security=security)))
                with pytest.raises(KafkaException):
                    client.list_topics(timeout=2)
        assert "a-secret" not in " ".join(psutil.Process(kafka.pid).cmdline())
    holding = [path for path in tmp_path.rglob("*") if path.is_file() and b"a-secret" in path.read_bytes()]
    assert {path.name: path.stat().st_mode & 0o777 for path in holding} == {"server.properties": 0o600}


def test_large_messages_pass(kafka: str) -> None:
    """A message of nearly 16 MiB is taken and given back."""
    create_topic(kafka)
    large = os.urandom(LARGEST_MESSAGE_BYTES - 1024)
    produce(kafka, large)
    assert consume(kafka, 1) == [large]


def test_not_ready_is_not_waited_for_forever(tmp_path: Path) -> None:
    """A broker that does not answer is Unavailable; a port that something else holds open is not ready."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        kafka = LocalKafka(tmp_path, silent.getsockname()[1])
        with pytest.raises(Unavailable, match="did not answer within 1 s"):
            kafka.wait_ready(1)


def test_a_broker_that_ends_while_starting_is_reported(tmp_path: Path) -> None:
    """Damaged data ends the wait at once, with the broker's own words."""
    kafka = LocalKafka(tmp_path)
    kafka.install()
    kafka.start()
    kafka.stop()
    (tmp_path / "data" / "meta.properties").write_text("version=99\n")
    try:
        kafka.start()
        with pytest.raises(KafkaFailed, match=r"Kafka ended while starting(.|\n)*No readable meta.properties"):
            kafka.wait_ready()
    finally:
        kafka.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_the_broker_dies_with_its_owner(tmp_path: Path) -> None:
    """kill -9 of the owner takes the broker along, and the folder can be used again at once."""
    script = (
        "import sys, time; from pathlib import Path; from infra.kafka.local import LocalKafka\n"
        "with LocalKafka(Path(sys.argv[1])) as kafka: print(kafka.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        owner.kill()
    with LocalKafka(tmp_path):
        assert not psutil.pid_exists(pid)


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that choose ports before anything listens there never choose the same, nor does one twice."""
    monkeypatch.setattr(local, "PORTS", range(31_800, 32_000))
    script = (
        "from infra.kafka import local\n"
        "local.PORTS = range(31_800, 32_000)\n"
        "print(*[local.free_port() for _ in range(20)], flush=True); input()"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        mine = [*(free_port() for _ in range(10)), *free_ports(3)]
        theirs = [int(word) for word in other.stdout.readline().split()]  # type: ignore[union-attr]
        mine += [free_port() for _ in range(10)]
        other.communicate("\n", timeout=60)
    assert len({*mine, *theirs}) == len(mine) + len(theirs) == 43


def test_a_failing_maven_is_explained(tmp_path: Path) -> None:
    """What Maven cannot fetch is one line with its reason and its log, and leaves no jars folder."""
    pom = tmp_path / "pom.xml"
    pom.write_text("<project><kafka.version>0</kafka.version>")
    jars = jars_folder(tmp_path, pom)
    with installing(jars, Processes()), pytest.raises(KafkaFailed, match="Maven could not fetch Kafka") as caught:
        fetch(jars, Processes(), pom)
    assert "\n" not in str(caught.value)
    assert (tmp_path / f"{jars.name}.maven.log").stat().st_size > 0
    assert not jars.exists()


def test_installers_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that install at once do not touch each other's work: the second waits, and finds all there."""
    tools = tmp_path / "bin"
    tools.mkdir()
    maven = tools / "mvn"
    # A Maven that takes its time, and fails if its target is already there.
    maven.write_text(
        '#!/bin/sh\nfor a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done\nmkdir "$d" && sleep 0.5\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    script = (
        "import sys; from pathlib import Path; from infra.processes import Processes\n"
        "from infra.kafka.jars import fetch, installing, jars_folder\n"
        "jars, processes = jars_folder(Path(sys.argv[1])), Processes()\n"
        "with installing(jars, processes):\n"
        "    print('found' if jars.exists() else fetch(jars, processes) or 'fetched')"
    )
    argv = [sys.executable, "-c", script, str(tmp_path / "cache")]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(one.communicate(timeout=60)[0].strip() for one in both) == ["fetched", "found"]
