"""Training from a real topic: a reader that is killed goes on from its last checkpoint."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from pycocotools import mask as coco

from agents.settings import Settings
from infra.cli import main
from infra.training import TripletsSoFar, TripletTopic
from models.datasets.build import build
from models.datasets.lines import Deleted, Whole
from models.datasets.policy import Policy
from models.datasets.streaming import triplet_stream
from models.imaging import as_view
from schemas.failures import Unavailable
from schemas.shapes import Box, Mask
from schemas.triplets import Triplet, triplet_id
from streams.codec import encode
from streams.reader import partitions_of
from streams.settings import Wires
from streams.topics import TRIPLETS
from tests.models.describers.drawn_images import composed, drawn_image

SIDE = 48
"""Rows and columns of pictures."""
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


def triplet_of(seed: int, picture: npt.NDArray[np.uint8]) -> Triplet:
    """The triplet of a number, whose regions are a line across this picture."""
    triplet = asyncio.run(composed(drawn_image(seed)))
    drawn = coco.encode(np.asfortranarray(np.eye(SIDE, dtype=np.uint8)))
    mask = Mask(size=(SIDE, SIDE), counts=str(drawn["counts"], "ascii"))  # pyright: ignore[reportArgumentType]
    regions = tuple(
        one.model_copy(update={"mask": mask, "box": Box(x=0, y=0, width=SIDE, height=SIDE)}) for one in triplet.regions
    )
    named = dict.fromkeys(("triplet_id", "image_id", "object_id"), f"{seed:032x}")
    return triplet.model_copy(update={**named, "image": as_view(picture), "regions": regions})


def test_a_killed_reader_goes_on_from_its_checkpoint(settings: Settings, tmp_path: Path) -> None:
    """SIGKILL in the middle: what was done at the checkpoint and what comes after it are all there is, once each."""
    wires = settings.wires
    picture = np.arange(SIDE**2).reshape(SIDE, SIDE).astype(np.uint8)
    producer = Producer({"bootstrap.servers": wires.bootstrap, "message.max.bytes": 4_000_000})
    ids: set[str] = set()
    for seed in range(60):
        triplet = triplet_of(seed, picture)
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
        picture = cv2.resize(chance.integers(0, 256, (8, 8)).astype(np.uint8), (SIDE, SIDE))
        triplet = triplet_of(seed, np.asarray(picture, np.uint8))
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
    assert report.left_out == {"deleted from the topic": 1, "a triplet that came before": 1}, (
        "five messages, three kept"
    )
    assert report.source["offsets"] == {"0": [0, 6]}


def test_of_what_was_replayed_the_newest_is_kept(settings: Settings, tmp_path: Path) -> None:
    """The triplets of two versions stand on the topic under keys of their own, and partitions are read in no order."""
    wires = settings.wires
    producer = Producer({"bootstrap.servers": wires.bootstrap, "message.max.bytes": 4_000_000})
    chance = np.random.default_rng(0)
    ids: dict[str, set[str]] = {}
    blotches = [chance.integers(0, 256, (8, 8)).astype(np.uint8) for _ in range(6)]
    pictures = [np.asarray(cv2.resize(one, (SIDE, SIDE)), np.uint8) for one in blotches]
    for hours, prompt in enumerate(("old", "new")):
        for image, picture in enumerate(pictures):
            was = triplet_of(image, picture)
            lineage = was.lineage.model_copy(update={"prompt": prompt})
            triplet = was.model_copy(update={"triplet_id": triplet_id(was.image_id, lineage), "lineage": lineage})
            ids.setdefault(prompt, set()).add(triplet.triplet_id)
            at = 1_790_000_000_000 + 3_600_000 * hours
            producer.produce(TRIPLETS.on(wires), encode(triplet), triplet.triplet_id, timestamp=at)
    assert producer.flush(30) == 0
    topic = TripletsSoFar(wires)
    report = build(topic.read, tmp_path / "set", ["parquet"], Policy(unsupported=True), source=topic.told)
    index = [json.loads(line) for line in (tmp_path / "set" / "index.jsonl").read_text().splitlines()]
    assert {line["triplet_id"] for line in index} == ids["new"]
    assert report.left_out == {"an older annotation of its frame": 6}
    printed = CliRunner().invoke(main, ["triplets", "--kafka", wires.bootstrap], env={"TRISTREAM_PREFIX": wires.prefix})
    assert printed.exit_code == 0, printed.output
    order = [json.loads(line)["triplet_id"] for line in printed.stdout.splitlines()]
    assert (set(order[:6]), set(order[6:])) == (ids["old"], ids["new"]), "a file of it is in the order of time too"


def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    """And not waited for."""
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        partitions_of(Wires(bootstrap="127.0.0.1:1"), TRIPLETS, timeout=2)
