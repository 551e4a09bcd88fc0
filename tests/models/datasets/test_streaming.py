"""Triplets from a topic into training: each once, whatever is broken off, and modalities in turn."""

import json
import pickle
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest
from datasets.distributed import split_dataset_by_node

from models.datasets.policy import Policy
from models.datasets.streaming import Arrived, triplet_stream
from schemas.triplets import Triplet

PARTITIONS = 4
FEW = Policy(turns=1)


class Topic:
    """Triplets by partition, as a broker hands them out; some stand twice."""

    def __init__(self, triplets: list[Triplet], copies: int) -> None:
        self.placed: list[list[Triplet]] = [[] for _ in range(PARTITIONS)]
        for n in range(copies):
            for k, triplet in enumerate(triplets):
                made = triplet.model_copy(update={"triplet_id": f"{n:016x}{k:016x}"})
                self.placed[(n + k) % PARTITIONS].append(made)
                if (n + k) % 5 == 0:
                    self.placed[(n + k) % PARTITIONS].append(made)

    @property
    def ids(self) -> set[str]:
        return {triplet.triplet_id for placed in self.placed for triplet in placed}

    def __call__(self, first: Mapping[int, int]) -> Iterator[Arrived]:
        for partition, start in first.items():
            for offset in range(start, len(self.placed[partition])):
                yield Arrived(partition, offset, self.placed[partition][offset])


@pytest.fixture(scope="module")
def topic(triplets: list[Triplet]) -> Topic:
    """Some 80 triplets."""
    return Topic(triplets, 6)


def test_every_triplet_comes_once(topic: Topic) -> None:
    """Though some are sent twice; pictures are decoded."""
    rows = list(triplet_stream(topic, range(PARTITIONS), buffer=20))
    assert Counter(row["triplet_id"] for row in rows) == Counter(topic.ids)
    assert rows[0]["images"][0].size == (rows[0]["width"], rows[0]["height"])
    assert rows[0]["messages"][0]["content"][0]["type"] == "image"


@pytest.mark.parametrize("stop", [0, 1, 30, 70])
def test_going_on_from_a_state_loses_and_repeats_nothing(topic: Topic, stop: int) -> None:
    """What waited in the shuffle buffer comes, and what was handed out does not come again."""
    dataset = triplet_stream(topic, range(PARTITIONS), FEW, buffer=25)
    reading = iter(dataset)
    before = [next(reading)["triplet_id"] for _ in range(stop)]
    state = json.loads(json.dumps(dataset.state_dict())) if stop else None
    again = triplet_stream(topic, range(PARTITIONS), FEW, buffer=25)
    if state:
        again.load_state_dict(pickle.loads(pickle.dumps(state)))
    after = [row["triplet_id"] for row in again]
    assert Counter([*before, *after]) == Counter(topic.ids)


def test_each_row_tells_its_patient_and_its_authors(triplets: list[Triplet]) -> None:
    """Also who wrote one sentence alone; without a patient the least that is known to belong together."""
    by_model = "llava-tri@0123456789ab"
    drawn = next(one for one in triplets if one.provenance and one.provenance.patient and one.description.caption)
    assert drawn.provenance
    assert drawn.description.caption
    caption = drawn.description.caption.model_copy(update={"author": by_model})
    alone = drawn.model_copy(
        update={
            "triplet_id": "0" * 32, "provenance": None,
            "description": drawn.description.model_copy(update={"caption": caption}),
        }
    )  # fmt: skip
    sent = [drawn, alone]
    stream = triplet_stream(lambda first: (Arrived(0, n, one) for n, one in enumerate(sent)), [0])
    rows = {row["triplet_id"]: row for row in stream}
    assert rows[drawn.triplet_id]["group"] == drawn.provenance.patient
    assert rows[drawn.triplet_id]["authors"] == [drawn.lineage.describer]
    assert rows[alone.triplet_id]["group"] == drawn.object_id
    assert rows[alone.triplet_id]["authors"] == sorted([drawn.lineage.describer, by_model])
    assert (rows[drawn.triplet_id]["generation"], rows[alone.triplet_id]["generation"]) == (0, 1)


@pytest.mark.parametrize("stop", [1, 30, 70])
def test_going_on_asks_what_would_have_been_asked(triplets: list[Triplet], stop: int) -> None:
    """Of one partition, whose order is fixed: the same rows to the letter, for questions are balanced over all."""
    topic = Topic(triplets, 6)
    one = Topic([], 0)
    one.placed[0] = [triplet for placed in topic.placed for triplet in placed]
    rows = list(triplet_stream(one, [0], buffer=25))
    dataset = triplet_stream(one, [0], buffer=25)
    reading = iter(dataset)
    for _ in range(stop):
        next(reading)
    again = triplet_stream(one, [0], buffer=25)
    again.load_state_dict(json.loads(json.dumps(dataset.state_dict())))
    assert [(row["triplet_id"], row["messages"]) for row in again] == [
        (row["triplet_id"], row["messages"]) for row in rows[stop:]
    ]


def test_ranks_share_the_partitions(topic: Topic) -> None:
    """Two ranks read all of it between them, and neither reads what is the other's."""
    dataset = triplet_stream(topic, range(PARTITIONS), FEW, buffer=10)
    ranks = [[row["triplet_id"] for row in split_dataset_by_node(dataset, rank, 2)] for rank in range(2)]
    assert Counter([*ranks[0], *ranks[1]]) == Counter(topic.ids)
    assert min(len(rank) for rank in ranks) > 15


def test_a_rare_modality_is_not_drowned(triplets: list[Triplet]) -> None:
    """While one modality is a tenth of what comes, it is far more than that of what leaves a full buffer at first."""
    common = next(one for one in triplets if one.metadata.modality == "CT")
    rare = next(one for one in triplets if one.metadata.modality == "ultrasound")
    topic = Topic([common] * 9 + [rare], 30)
    rows = triplet_stream(topic, range(PARTITIONS), FEW, buffer=150).take(30)
    assert sum(row["modality"] == "ultrasound" for row in rows) >= 10


def test_what_is_not_borne_out_is_not_trained_on(triplets: list[Triplet]) -> None:
    """Nor what has no picture with it."""
    away = triplets[0].image.model_copy(update={"data": None, "reference": "sha256:0"})
    topic = Topic([triplets[0].model_copy(update={"image": away}), triplets[1]], 4)
    ids = {row["triplet_id"] for row in triplet_stream(topic, range(PARTITIONS))}
    assert len(ids) == 4
    assert ids < topic.ids
