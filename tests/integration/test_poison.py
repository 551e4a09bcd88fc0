"""One message that nobody can use costs itself: on a real Kafka, whoever wrote it, in whatever codec."""

import shutil
import struct
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer
from pydicom.data import get_testdata_file

from agents.settings import Settings
from infra.announce import replay_dead_letters
from infra.processes import Processes
from schemas.objects import ObjectReference
from streams import metrics
from streams.codec import encode
from streams.reader import latest, read
from streams.topics import DEAD_LETTERS, OBJECTS, Topic
from tests.integration.test_delivery import copies, references, start
from tests.integration.test_pipeline import wait_until

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
    counter = metrics.UNREADABLE.labels(OBJECTS.on(settings.wires))
    before = counter._value.get()
    found = [record.message for record in read(settings.wires, [OBJECTS]) if record and record.message]
    assert {reference.key for reference in found} == {"k0", "k1", "k2"}
    assert counter._value.get() - before == len(JUNK) - 1


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
