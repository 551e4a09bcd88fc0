"""One message that nobody can use costs itself: on a real Kafka, whoever wrote it, in whatever codec."""

import shutil
import struct
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY
from pydicom.data import get_testdata_file

from agents.settings import Settings
from infra.announce import replay_dead_letters
from infra.kafka.local import LocalKafka
from infra.processes import Processes
from schemas.objects import ObjectReference
from streams.codec import encode
from streams.reader import latest, read
from streams.topics import DEAD_LETTERS, OBJECTS, Topic
from tests.integration.pipeline import wait_until
from tests.integration.test_delivery import copies, references, start

pytestmark = pytest.mark.integration

JUNK = (b"", b"{", b"[]", b'{"key": "DOE^JOHN"}', b"\xff\xfe", b"[" * 100_000, None)
"""The last is a tombstone, which says that a key is cleared."""


def poison(settings: Settings, topic: Topic[ObjectReference], *values: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": settings.wires.bootstrap})
    for number, value in enumerate(values):
        producer.produce(topic.on(settings.wires), value, b"\xff" + struct.pack(">i", number), partition=number % 4)
    assert producer.flush(30) == 0


def test_who_reads_a_topic_passes_by_what_is_not_of_its_type(settings: Settings) -> None:
    """What stands among the junk is read, and each piece of junk is counted."""
    poison(settings, OBJECTS, *JUNK, *(encode(reference) for reference in references(3)))
    found = [record.message for record in read(settings.wires, [OBJECTS]) if record and record.message]
    assert {reference.key for reference in found} == {"k0", "k1", "k2"}
    told = {"topic": OBJECTS.on(settings.wires)}
    assert REGISTRY.get_sample_value("tristream_unreadable_messages_total", told) == len(JUNK) - 1


def test_watch_and_replay_go_on_beside_a_message_that_does_not_decode(
    settings: Settings, processes: Processes, tmp_path: Path
) -> None:
    """The message stands on its ledger: a file dropped before and one dropped after are announced all the same."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    poison(settings, OBJECTS, *JUNK)
    shutil.copy(str(get_testdata_file("CT_small.dcm", download=False)), inbox / "a.dcm")
    argv = [sys.executable, "-m", "infra.cli", "worker", "watch", "--inbox", str(inbox)]
    processes.start("watch", argv, env=settings.handed_on(), log_path=tmp_path / "watch.log")
    wait_until(lambda: len(latest(settings.wires, OBJECTS)) == 1, 60)
    shutil.copy(str(get_testdata_file("MR_small.dcm", download=False)), inbox / "b.dcm")
    wait_until(lambda: len(latest(settings.wires, OBJECTS)) == 2, 60)
    assert not processes.crashes
    assert "DOE" not in (tmp_path / "watch.log").read_text()
    assert replay_dead_letters(settings).lost == 0


def test_a_batch_damaged_on_the_brokers_disk_costs_itself(
    broker: LocalKafka, echo: Settings, processes: Processes, tmp_path: Path
) -> None:
    """Between two good batches, and as the last: told by one dead letter each, and the stage is not started again."""
    producer = Producer({"bootstrap.servers": echo.wires.bootstrap, "linger.ms": 100})
    for prefix in ("good", "lost", "more", "gone"):
        for reference in references(5, prefix):
            producer.produce(OBJECTS.on(echo.wires), encode(reference), reference.key.encode(), partition=0)
        assert producer.flush(30) == 0
    damage(broker, OBJECTS.on(echo.wires), b"lost3", b"gone3")
    start(processes, echo, "one", tmp_path)
    wait_until(lambda: len(latest(echo.wires, DEAD_LETTERS)) == 2, 60)
    for reference in references(5, "late"):
        producer.produce(OBJECTS.on(echo.wires), encode(reference), reference.key.encode(), partition=0)
    assert producer.flush(30) == 0
    wait_until(lambda: len(copies(echo)) == 15, 60)
    assert {key.rstrip("01234") for key in copies(echo)} == {"good", "more", "late"}
    letters = [record.message for record in latest(echo.wires, DEAD_LETTERS).values() if record.message]
    assert {letter.origin.offset for letter in letters if letter.origin} == {5, 15}
    assert all("WrongChecksum" in letter.message for letter in letters)
    assert not processes.crashes
    # librdkafka stays at a checksum that it finds wrong, so who reads from outside has it look at none.
    assert len(list(read(echo.wires, [OBJECTS]))) >= 15


def damage(broker: LocalKafka, topic: str, *values: bytes) -> None:
    """Change what lies on the broker's disk, as a failing disk does; the broker gives it out as it lies there."""
    (segment,) = broker.folder.rglob(f"{topic}-0/*.log")
    held = segment.read_bytes()
    with segment.open("r+b") as file:
        for value in values:
            file.seek(held.rindex(value))
            file.write(b"L" + value[1:])


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_stage_reads_every_codec(echo: Settings, processes: Processes, tmp_path: Path, codec: str) -> None:
    """Whoever writes to its topic chooses how to compress."""
    producer = Producer({"bootstrap.servers": echo.wires.bootstrap, "compression.type": codec, "linger.ms": 50})
    for reference in references(50):
        producer.produce(OBJECTS.on(echo.wires), encode(reference), reference.key.encode(), partition=0)
    assert producer.flush(30) == 0
    start(processes, echo, "one", tmp_path)
    wait_until(lambda: len(copies(echo)) == 50, 60)
    assert not latest(echo.wires, DEAD_LETTERS)
    assert not processes.crashes
