"""A record beside the triplets of a volume's slices, on a real Kafka: from CT files and a structure set of them."""

import os
import random
import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from agents.settings import Settings
from infra.kafka.local import free_port
from infra.processes import Processes
from schemas.triplets import Triplet
from schemas.volumes import VolumeRecord
from streams.codec import encode
from streams.reader import latest, read
from streams.topics import TRIPLETS, VOLUMES
from tests.agents.test_gather import slices
from tests.integration.pipeline import Pipeline, wait_until
from tests.models.datasets.test_volume_records import SLICES, outline
from tests.models.experts import volume_graphs
from tests.models.imaging.annotation_objects import NODULE, series, structure_set, uid, written

pytestmark = pytest.mark.integration


class Gatherers:
    """Processes of `tristream gather`, one after the other."""

    def __init__(self, settings: Settings, folder: Path, processes: Processes) -> None:
        self._settings, self._folder, self._processes, self._number = settings, folder, processes, 0
        self._port = free_port()

    def start(self, *options: str) -> None:
        self._number += 1
        self._processes.start(
            f"gather-{self._number}",
            [sys.executable, "-m", "infra.cli", "gather", *options],
            env=self._settings.with_wires(metrics_port=self._port).handed_on(),
            log_path=self._folder / f"gather-{self._number}.log",
        )

    def kill(self) -> None:
        name = f"gather-{self._number}"
        os.kill(self._processes.pids[name], signal.SIGKILL)
        self._processes.stop(name)

    def asked(self, path: str) -> bytes:
        """What one that is well answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{path}", timeout=10) as answer:
            return answer.read()

    def scraped(self) -> dict[str, float]:
        """Its metrics, by name and labels."""
        lines = [line.rpartition(" ") for line in self.asked("metrics").decode().splitlines() if line[0] != "#"]
        return {name: float(value) for name, _, value in lines}

    def told(self) -> dict[str, VolumeRecord]:
        return {
            key: record.message
            for key, record in latest(self._settings.wires, VOLUMES).items()
            if record.message is not None
        }


@pytest.fixture
def gatherers(settings: Settings, tmp_path: Path, processes: Processes) -> Gatherers:
    """None runs yet."""
    return Gatherers(settings, tmp_path, processes)


@pytest.fixture
def chain(settings: Settings, tmp_path: Path) -> Iterator[Pipeline]:
    """Workers of all stages that send volumes with their slices, and read the structure set of a folder."""
    (tmp_path / "RT").mkdir()
    marks = [outline(number, 20, 5, 30, 15) for number in (1, 2, 3)] + [outline(5, 40, 20, 44, 24)]
    (tmp_path / "RT/1.dcm").write_bytes(written(structure_set(marks, concept=NODULE)))
    changes = {"volumes": "whole", "series": "folder", "annotations": str(tmp_path / "RT")}
    running = Pipeline(settings.model_copy(update=changes), tmp_path)
    running.start_all()
    try:
        yield running
    finally:
        running.processes.stop()


def test_a_series_becomes_one_record(chain: Pipeline, gatherers: Gatherers, tmp_path: Path) -> None:
    """In ml and in words, once all slices are there; a gatherer that is killed before loses none of them."""
    (tmp_path / "CT").mkdir()
    paths = [tmp_path / f"CT/{number}.dcm" for number in range(SLICES)]
    for path, image in zip(paths, series(SLICES), strict=True):
        path.write_bytes(written(image))
    gatherers.start()
    chain.annotate(*paths[:3])
    gatherers.kill()
    gatherers.start()
    chain.annotate(*paths)
    wait_until(lambda: bool(gatherers.told()))
    ((key, record),) = gatherers.told().items()
    assert key == record.record_id
    assert (record.seen, record.complete, record.slices) == (SLICES, True, SLICES)
    nodule = record.labels[0]
    assert (nodule.label, nodule.expert, nodule.voxels, nodule.parts) == ("nodule", "source", 316, 2)
    texts = [statement.text for statement in record.statements]
    assert texts[0] == "CT volume of 6 slices."
    assert texts[1] == (
        "Nodule, marked by the source, measures 1.185 ml in 2 parts, the largest of 1.125 ml, and extends over "
        "25 x 28.5 x 12 mm."
    )
    triplets = [one.message for one in latest(chain.settings.wires, TRIPLETS).values() if one.message]
    assert {one.metadata.volume.digest for one in triplets if one.metadata.volume} == {record.volume}
    assert "DOE" not in record.model_dump_json()


def test_series_in_any_order_beside_each_other(settings: Settings, gatherers: Gatherers, tmp_path: Path) -> None:
    """Three series, shuffled, some slices twice, one never sent, ground killed meanwhile: each in its own record."""
    experts = tmp_path / "experts"
    experts.mkdir()
    volume_graphs.write(experts, patch="4, 16, 16")
    order, paths, shared = random.Random(3), list[Path](), {"volumes": "whole", "series": "folder", "experts": experts}
    for name, count in (("A", 6), ("B", 5), ("C", 4)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(series(count)):
            bright = image.pixel_array.copy()
            bright[5:15, 20:30] = 3000 if number < 3 else bright[5:15, 20:30]
            bright[0, 1] = ord(name)
            image.PixelData = bright.tobytes()
            image.SeriesInstanceUID = uid(100 + ord(name))
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = uid(100 * ord(name) + number)
            paths.append(tmp_path / name / f"{order.random():.6f}.dcm")
            paths[-1].write_bytes(written(image))
    never = paths.pop()
    order.shuffle(paths)
    running = Pipeline(settings.model_copy(update=shared), tmp_path)
    running.start_all()
    killed: list[int] = []

    def kill_once() -> None:
        if not killed and (came := len(latest(settings.wires, TRIPLETS))) > 2:
            running.kill("ground")
            killed.append(came)

    try:
        gatherers.start("--wait", "20")
        running.annotate(*paths, meanwhile=kill_once)
        running.annotate(*paths[::3])
        wait_until(lambda: sorted(one.seen for one in gatherers.told().values()) == [3, 5, 6])
    finally:
        running.processes.stop()
    assert killed
    assert never.exists()
    records = sorted(gatherers.told().values(), key=lambda one: one.slices)
    assert [(one.slices, one.seen, one.complete) for one in records] == [(4, 3, False), (5, 5, True), (6, 6, True)]
    for record in records:
        (solid,) = record.volumes
        assert (solid.label, solid.parts, solid.first_slice, solid.slices) == ("bright solid", 1, 0, 3)
        # Of 3 x 10 x 10 voxels all but edges and corners, whose 27 have no more than 12 of them.
        assert (solid.voxels, solid.volume_ml) == (224, 0.84)
    assert len(latest(settings.wires, TRIPLETS)) == len(paths)


def test_a_slice_that_never_comes_and_one_that_comes_late(
    settings: Settings, gatherers: Gatherers, tmp_path: Path
) -> None:
    """Told as it is after the wait; once the process that knew the rest is gone, the topic is gathered again."""
    wires = settings.wires
    producer = Producer({"bootstrap.servers": wires.bootstrap, "message.max.bytes": 4_000_000})

    def send(triplets: list[Triplet]) -> None:
        for number, triplet in enumerate(triplets):
            assert triplet.metadata.volume is not None
            key = f"{triplet.metadata.volume.digest[-4:]}{triplet.metadata.volume.place}"
            producer.produce(TRIPLETS.on(wires), encode(triplet), key, partition=number % 4)
        assert producer.flush(30) == 0

    one, two = slices(1, 5), slices(2, 5)
    send([*one[:4], *two])
    gatherers.start("--wait", "2")
    wait_until(lambda: len(gatherers.told()) == 2)
    assert sorted((record.seen, record.complete) for record in gatherers.told().values()) == [(4, False), (5, True)]
    gatherers.kill()
    gatherers.start("--wait", "1")
    send(one[4:])
    log = tmp_path / "gather-2.log"
    wait_until(lambda: log.exists() and "volume incomplete" in log.read_text())
    assert {record.seen for record in gatherers.told().values()} == {4, 5}
    gatherers.kill()
    gatherers.start("--again")
    wait_until(lambda: all(record.complete for record in gatherers.told().values()))
    seen = [record.message.seen for record in read(wires, [VOLUMES]) if record and record.message]
    assert sorted(seen) == [4, 5, 5], "no record twice"
    found = gatherers.scraped()
    expected = {
        'tristream_volume_records_total{complete="yes"}': 1,
        'tristream_volume_records_total{complete="no"}': 0,
        "tristream_volumes_open": 0,
        "tristream_volume_slices_waiting": 0,
        "tristream_volume_slices_late_total": 1,
        "tristream_gather_lag_messages": 10,
    }
    assert {name: found[name] for name in expected} == expected
    assert b"true" in gatherers.asked("readyz")
    assert b"true" in gatherers.asked("healthz")
