"""Training from a real topic: a reader that is killed goes on from its last checkpoint."""

import asyncio
import base64
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from confluent_kafka import Producer

from agents.settings import Settings
from infra.training import TripletTopic
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


def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    """And not waited for."""
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        partitions_of(Wires(bootstrap="127.0.0.1:1"), TRIPLETS, timeout=2)
