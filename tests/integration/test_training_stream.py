"""Training from a real topic: a reader that is killed goes on from its last checkpoint."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from agents.settings import Settings
from infra.cli import main
from infra.training import TripletsSoFar, TripletTopic
from models.datasets.build import build
from models.datasets.lines import Deleted, Whole
from models.datasets.policy import Policy
from models.datasets.streaming import triplet_stream
from schemas.failures import Unavailable
from schemas.images import Pixels
from streams.codec import encode
from streams.reader import partitions_of
from streams.settings import Wires
from streams.topics import TRIPLETS
from tests.models.describers.drawn_images import composed, drawn_image

READER = """
import json, os, sys
from pathlib import Path
from infra.training import TripletTopic
from models.datasets.policy import Policy
from models.datasets.streaming import triplet_stream
from streams.settings import Wires
wires, out = Wires(**json.loads(sys.argv[1])), Path(sys.argv[2])
dataset = triplet_stream(TripletTopic(wires, follow=True), range(4), Policy(turns=1), buffer=10)
done = []
for row in dataset:
    done.append(row["triplet_id"])
    if len(done) % 7 == 0:
        part = out.with_suffix(".part")
        part.write_text(json.dumps({"done": done, "state": dataset.state_dict()}))
        part.replace(out)
"""


def test_a_killed_reader_goes_on_from_its_checkpoint(settings: Settings, tmp_path: Path) -> None:
    """SIGKILL in the middle: what was done at the checkpoint and what comes after it are all there is, once each."""
    wires = settings.wires
    png = cv2.imencode(".png", np.arange(1600, dtype=np.uint8).reshape(40, 40))[1].tobytes()
    image = Pixels(rows=40, columns=40, channels=1, bits=8, unit="grey level", data=base64.b64encode(png).decode())
    producer = Producer({"bootstrap.servers": wires.bootstrap, "message.max.bytes": 4_000_000})
    ids: set[str] = set()
    for seed in range(60):
        triplet = asyncio.run(composed(drawn_image(seed)))
        triplet = triplet.model_copy(update={"triplet_id": f"{seed:032x}", "image": image})
        ids.add(triplet.triplet_id)
        producer.produce(TRIPLETS.on(wires), encode(triplet), triplet.triplet_id, partition=seed % 4)
    assert producer.flush(30) == 0
    checkpoint = tmp_path / "checkpoint.json"
    plain = json.dumps({"bootstrap": wires.bootstrap, "prefix": wires.prefix})
    reader = subprocess.Popen([sys.executable, "-c", READER, plain, str(checkpoint)])
    try:
        deadline = time.monotonic() + 120
        while not checkpoint.exists() or len(json.loads(checkpoint.read_bytes())["done"]) < 21:
            assert reader.poll() is None, "the reader ended by itself"
            assert time.monotonic() < deadline, "the reader came to no checkpoint"
            time.sleep(0.05)
    finally:
        reader.kill()
        reader.wait()
    kept = json.loads(checkpoint.read_bytes())
    assert len(kept["done"]) < 60
    dataset = triplet_stream(TripletTopic(wires), partitions_of(wires, TRIPLETS), Policy(turns=1), buffer=10)
    dataset.load_state_dict(kept["state"])
    after = [row["triplet_id"] for row in dataset]
    taken = {
        row["triplet_id"] for row in triplet_stream(TripletTopic(wires), range(4), Policy(turns=1, unsupported=True))
    }
    assert Counter([*kept["done"], *after]) == Counter(taken)
    assert taken == ids


@pytest.fixture
def send(settings: Settings) -> Callable[[int, int], None]:
    """Sends the triplet of a number, with a picture of its own, to a partition."""
    chance = np.random.default_rng(0)
    producer = Producer({"bootstrap.servers": settings.wires.bootstrap, "message.max.bytes": 4_000_000})

    def to(seed: int, partition: int) -> None:
        picture = cv2.resize(chance.integers(0, 256, (8, 8)).astype(np.uint8), (48, 48))
        png = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
        image = Pixels(rows=48, columns=48, channels=1, bits=8, unit="grey level", data=png)
        triplet = asyncio.run(composed(drawn_image(seed)))
        named = {"triplet_id": f"{seed:032x}", "image_id": f"{seed:032x}", "object_id": f"{seed:032x}"}
        triplet = triplet.model_copy(update={**named, "image": image})
        producer.produce(TRIPLETS.on(settings.wires), encode(triplet), triplet.triplet_id, partition=partition)
        assert producer.flush(30) == 0

    return to


def test_a_data_set_tells_its_offsets(settings: Settings, send: Callable[[int, int], None], tmp_path: Path) -> None:
    """By partition, first and last; what comes while it is built is not in it."""
    wires = settings.wires
    for seed in range(8):
        send(seed, seed % 2)
    topic = TripletsSoFar(wires)
    readings = 0

    def read() -> Iterator[Whole | Deleted]:
        nonlocal readings
        readings += 1
        if readings == 2:
            send(99, 1)
        return topic.read()

    report = build(read, tmp_path / "set", ["parquet"], Policy(unsupported=True), source=topic.told)
    assert sum(report.images.values()) == 8
    assert report.source == {"topic": TRIPLETS.on(wires), "offsets": {"0": [0, 3], "1": [0, 3]}}
    assert "| 1 | 0 | 3 |" in (tmp_path / "set" / "README.md").read_text()
    based_on = json.loads((tmp_path / "set" / "croissant.json").read_bytes())["isBasedOn"]
    assert based_on[0]["name"] == TRIPLETS.on(wires)
    assert [(one["propertyID"], one["value"]) for one in based_on[0]["identifier"]] == [
        ("offsets of partition 0", "0-3"),
        ("offsets of partition 1", "0-3"),
    ]
    index = [json.loads(line) for line in (tmp_path / "set" / "index.jsonl").read_text().splitlines()]
    assert {line["lineage"] for line in index} == {one["identifier"] for one in based_on[1:]}
    arguments = ["dataset", "build", "--kafka", wires.bootstrap, "--out", str(tmp_path / "again"), "--unsupported"]
    result = CliRunner().invoke(main, [*arguments, "--json"], env={"TRISTREAM_PREFIX": wires.prefix})
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["source"]["offsets"] == {"0": [0, 3], "1": [0, 4]}


def test_a_deleted_triplet_is_in_no_data_set(
    settings: Settings, send: Callable[[int, int], None], tmp_path: Path
) -> None:
    """A null value takes it out though its message still stands on the topic; sent again, it is there again."""
    wires = settings.wires
    for seed in range(4):
        send(seed, 0)
    producer = Producer({"bootstrap.servers": wires.bootstrap})
    for seed in (1, 2):
        producer.produce(TRIPLETS.on(wires), None, f"{seed:032x}", partition=0)
    assert producer.flush(30) == 0
    send(2, 0)
    topic = TripletsSoFar(wires)
    report = build(topic.read, tmp_path / "set", ["parquet"], Policy(unsupported=True), source=topic.told)
    index = [json.loads(line) for line in (tmp_path / "set" / "index.jsonl").read_text().splitlines()]
    assert {line["triplet_id"] for line in index} == {f"{seed:032x}" for seed in (0, 2, 3)}
    assert report.left_out == {"deleted from the topic": 1}
    assert report.source["offsets"] == {"0": [0, 6]}


def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    """And not waited for."""
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        partitions_of(Wires(bootstrap="127.0.0.1:1"), TRIPLETS, timeout=2)
