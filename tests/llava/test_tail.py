"""Adapters that follow a stream: learnt in rounds, tested on a held-out window, gone on with after a kill."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import dataclasses
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from confluent_kafka import Producer  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: E402

from infra.kafka.local import LocalKafka  # noqa: E402
from models.datasets.policy import Policy  # noqa: E402
from models.datasets.streaming import Arrived, triplet_stream  # noqa: E402
from models.llava_tri.evaluation.lineage import missing  # noqa: E402
from models.llava_tri.training.bases import resizing  # noqa: E402
from models.llava_tri.training.checkpoints import LEARNING, POSITION, OtherRun  # noqa: E402
from models.llava_tri.training.export import export  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage, Tail  # noqa: E402
from models.llava_tri.training.tail import WINDOW, Round, follow  # noqa: E402
from models.llava_tri.training.window import Window, held_out, losses_of  # noqa: E402
from schemas.triplets import Triplet  # noqa: E402
from streams.codec import encode  # noqa: E402
from streams.settings import Wires  # noqa: E402
from streams.topics import TRIPLETS, create_topics  # noqa: E402

KINDS = ("modality", "organ")
STAGE = Stage("task", "adapters", 2e-2, KINDS, batch=4, rank=4)
TAIL = Tail(triplets=6, hold_out=4, window=4, shuffle=4, turns=8)
TOLD = """
base = "{base}"
precision = "fp32"
gradient_checkpointing = false

[[stage]]
name = "task"
train = "adapters"
kinds = ["modality", "organ"]
learning_rate = 2e-2
batch = 4
rank = 4

[tail]
triplets = 6
hold_out = 4
window = 4
shuffle = 4
turns = 8
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def triplets(data_set: Path) -> list[Triplet]:
    """Forty, each of a patient of its own; in an order that does not go by which process was done first."""
    drawn = [Triplet.model_validate_json(line) for line in (data_set.parent / "triplets.jsonl").open()]
    drawn.sort(key=lambda one: one.triplet_id)
    made = []
    for n in range(40):
        one = drawn[n % len(drawn)]
        provenance = one.provenance.model_copy(update={"patient": f"{n:032x}"})
        made.append(one.model_copy(update={"triplet_id": f"{n:032x}", "provenance": provenance}))
    return made


def stream_of(triplets: list[Triplet]):
    """As the topic gives them, of one partition."""

    def open_topic(first: Mapping[int, int]) -> Iterator[Arrived]:
        return (Arrived(0, at, triplets[at]) for at in range(first[0], len(triplets)))

    return triplet_stream(open_topic, [0], Policy(turns=TAIL.turns), buffer=TAIL.shuffle)


@pytest.fixture(scope="module")
def run(qwen: Path) -> Run:
    return Run(str(qwen), (), (STAGE,), precision="fp32", gradient_checkpointing=False)


@pytest.fixture(scope="module")
def followed(run: Run, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Round]]:
    rounds: list[Round] = []
    out = tmp_path_factory.mktemp("tail") / "whole"
    follow(run, TAIL, stream_of(triplets), out, topic="triplets", tell=rounds.append)
    return out, rounds


def test_each_triplet_is_learnt_once_or_held_out(followed: tuple[Path, list[Round]], triplets: list[Triplet]) -> None:
    """By its patient's hash; the window holds none that was learnt, and the loss there falls below the base's."""
    out, rounds = followed
    held = [one for one in triplets if held_out(one.provenance.patient, TAIL.hold_out, TAIL.key)]
    assert 4 <= len(held) < 20
    assert [one.triplets for one in rounds[:-1]] == [6] * (len(rounds) - 1)
    assert sum(one.triplets for one in rounds) == len(triplets) - len(held)
    assert sum(one.held_out for one in rounds) <= len(held)
    last = rounds[-1]
    window = Window.read(out / f"round-{last.number:06d}" / WINDOW, TAIL.window)
    assert {row["group"] for row in window.rows} <= {one.provenance.patient for one in held}
    assert last.after < last.base
    assert [json.loads(line)["number"] for line in (out / "rounds.jsonl").open()] == [one.number for one in rounds]


def test_only_adapters_learn(followed: tuple[Path, list[Round]], run: Run) -> None:
    """The base on the disk is what it was, and without adapters the model in memory still is the base."""
    out, rounds = followed
    learnt = load_file(out / f"round-{len(rounds):06d}" / LEARNING)
    assert learnt
    assert all("lora_" in name for name in learnt)
    model = AutoModelForImageTextToText.from_pretrained(run.base, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(run.base)
    window = Window.read(out / f"round-{len(rounds):06d}" / WINDOW, TAIL.window)
    alone = losses_of(model, processor, window, KINDS, "resized", resizing(processor, "resized"))
    assert alone.mean == pytest.approx(rounds[-1].base, abs=1e-4)


def test_a_stopped_tail_ends_with_the_same_bits(
    run: Run, followed: tuple[Path, list[Round]], triplets: list[Triplet], tmp_path: Path
) -> None:
    """After two rounds, by a new process's stream; and not with other settings."""
    whole, rounds = followed
    out = tmp_path / "stopped"
    follow(run, TAIL, stream_of(triplets), out, topic="triplets", rounds=2)
    with pytest.raises(BadRun, match="--resume"):
        follow(run, TAIL, stream_of(triplets), out, topic="triplets")
    other = dataclasses.replace(TAIL, hold_out=5)
    with pytest.raises(OtherRun):
        follow(run, other, stream_of(triplets), out, topic="triplets", resume=True)
    follow(run, TAIL, stream_of(triplets), out, topic="triplets", resume=True)
    name = f"round-{len(rounds):06d}"
    one, other = load_file(whole / name / LEARNING), load_file(out / name / LEARNING)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[key], other[key]) for key in one)
    told = [json.loads((folder / name / POSITION).read_text()) for folder in (whole, out)]
    assert told[0]["stream"] == told[1]["stream"]


def test_text_of_a_model_is_refused_unless_asked_for(run: Run, triplets: list[Triplet], tmp_path: Path) -> None:
    """By who wrote the whole, or one sentence of it; where it is learnt, the lineage says so."""
    by_model = triplets[0].lineage.model_copy(update={"describer": "llava-tri@0123456789ab"})
    mixed = triplets[1].description.model_copy(
        update={"caption": triplets[1].description.caption.model_copy(update={"author": "llava-tri@0123456789ab"})}
    )
    some = [
        triplets[0].model_copy(update={"lineage": by_model}),
        triplets[1].model_copy(update={"description": mixed}),
        *triplets[2:8],
    ]
    for asked, refused in ((False, 2), (True, 0)):
        rounds: list[Round] = []
        asking = dataclasses.replace(run, model_written=asked)
        done = follow(asking, TAIL, stream_of(some), tmp_path / f"{asked}", topic="triplets", tell=rounds.append)
        assert sum(one.refused for one in rounds) == refused
        assert read_lineage(done)["text_generation"] == int(asked)


def test_what_came_of_it_is_exported_and_tells_its_topic(followed: tuple[Path, list[Round]], tmp_path: Path) -> None:
    """Merged, at the loss of the last round; an audit of it has the topic to look for."""
    out, rounds = followed
    last = out / f"round-{len(rounds):06d}"
    export(last / "adapters", tmp_path / "served")
    assert missing(tmp_path / "served", ()) == ("topic triplets",)
    assert "| topic triplets |" in (tmp_path / "served" / "README.md").read_text()
    folder = tmp_path / "served"
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(folder)
    window = Window.read(last / WINDOW, TAIL.window)
    served = losses_of(model, processor, window, KINDS, "resized", resizing(processor, "resized"))
    assert served.mean == pytest.approx(rounds[-1].after, abs=0.05)


def test_a_stage_of_other_weights_is_refused(run: Run, tmp_path: Path) -> None:
    """A tail trains adapters alone."""
    stage = dataclasses.replace(STAGE, train="lora")
    with pytest.raises(BadRun, match="adapters"):
        follow(dataclasses.replace(run, stages=(stage,)), TAIL, stream_of([]), tmp_path / "out", topic="triplets")


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wires]:
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as broker:
        made = Wires(bootstrap=broker.bootstrap, prefix=f"t{uuid.uuid4().hex[:8]}.", partitions=2)
        create_topics(made)
        yield made


def test_a_killed_tail_goes_on_from_a_real_topic(
    wires: Wires, run: Run, triplets: list[Triplet], tmp_path: Path
) -> None:
    """SIGKILL after its first round, more triplets, then to the end of the topic: each is learnt once or held out."""
    producer = Producer({"bootstrap.servers": wires.bootstrap, "message.max.bytes": 4_000_000})

    def send(some: list[Triplet]) -> None:
        for n, one in enumerate(some):
            producer.produce(TRIPLETS.on(wires), encode(one), one.triplet_id, partition=n % 2)
        assert producer.flush(30) == 0

    send(triplets[:30])
    told, out = tmp_path / "tail.toml", tmp_path / "tail"
    told.write_text(TOLD.format(base=run.base))
    command = [sys.executable, "-m", "infra.cli", "train", str(told), "--kafka", wires.bootstrap, "--out", str(out)]
    environment = {**os.environ, "TRISTREAM_PREFIX": wires.prefix, "OMP_NUM_THREADS": "1"}
    following = subprocess.Popen(command, env=environment)
    try:
        deadline = time.monotonic() + 600
        while not (out / "round-000001").exists():
            assert following.poll() is None, "it ended by itself"
            assert time.monotonic() < deadline, "it came to no checkpoint"
            time.sleep(0.1)
    finally:
        following.kill()
        following.wait()
    learnt_before = len(list(out.glob("round-??????")))
    assert learnt_before >= 1
    send(triplets[30:])
    subprocess.run([*command, "--resume", "--once"], env=environment, check=True, timeout=900)
    rounds = [json.loads(line) for line in (out / "rounds.jsonl").open()]
    held = sum(held_out(one.provenance.patient, TAIL.hold_out, TAIL.key) for one in triplets)
    assert len(rounds) > learnt_before
    assert sum(one["triplets"] for one in rounds) == len(triplets) - held
    adapters = max(out.glob("round-??????")) / "adapters"
    (read,) = read_lineage(adapters)["sets"]
    assert read["name"] == f"topic {TRIPLETS.on(wires)}"
    assert read["images"] == {"train": len(triplets) - held}
