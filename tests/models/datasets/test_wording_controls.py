"""Questions of a drawn set do not tell their answers: what has the words alone is right about as often as a guess."""

import random
import re
from collections import Counter

import numpy as np
import pytest

from models.datasets.build import build
from models.datasets.instructions import turns_of
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from models.imaging import as_view
from models.llava_tri.evaluation.answering import Answered
from models.llava_tri.evaluation.benchmarks import LOADERS
from models.llava_tri.evaluation.controls import nearest
from models.llava_tri.evaluation.questions import Benchmark
from models.llava_tri.evaluation.scoring import PRIMARY, score
from schemas.regions import Region
from schemas.shapes import Box
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines

IMAGES = 200
PLACES = ("left third", "right third", "upper third", "lower third", "centre")
USUAL = {"optic disc": "left third", "fovea": "centre", "lesion": "upper third"}
"""Where regions of a name lie in seven of ten images."""
CELLS = {"left third": (0, 1), "right third": (2, 1), "upper third": (1, 0), "lower third": (1, 2), "centre": (1, 1)}
ASKED = frozenset({"caption", "count", "place", "phrase-to-box"})
_PLACED = re.compile(r"\b(left|right|upper|top|bottom|anterior|posterior|centre|central|middle|side)\b")


def _lying(region: Region, name: str, number: int, place: str, within: Triplet) -> Region:
    column, row = CELLS[place]
    rows, columns = within.image.rows, within.image.columns
    box = Box(x=columns * (2 * column + 1) // 6, y=rows * (2 * row + 1) // 6, width=9, height=9)
    of = "" if place == "centre" else " as displayed"
    return region.model_copy(
        update={
            "region_id": f"r{number}", "label": name, "kind": "candidate", "position": f"{place} of the field{of}",
            "box": box, "place": None, "phrase": f"A {name} in the {place}",
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def usual(triplets: list[Triplet]) -> list[Triplet]:
    """Pictures of noise whose regions lie where those of their name mostly do; one in ten has several lesions."""
    draw = random.Random(1)
    pattern = next(one for one in triplets if one.regions[0].kind == "source annotation")
    rows, columns = pattern.image.rows, pattern.image.columns
    found: list[Triplet] = []
    for number in range(IMAGES):
        names = [*USUAL, *["lesion"] * (draw.randrange(1, 4) if draw.random() < 0.1 else 0)]
        regions = [
            _lying(pattern.regions[0], name, at, USUAL[name] if draw.random() < 0.7 else draw.choice(PLACES), pattern)
            for at, name in enumerate(names, start=1)
        ]
        noise = np.random.default_rng(number).integers(0, 255, (rows, columns)).astype(np.uint8)
        picture = as_view(noise)
        told = dict.fromkeys(("image_id", "object_id", "triplet_id"), f"{number:032x}")
        told |= {"image": picture, "regions": tuple(regions), "relations": (), "provenance": None}
        found.append(pattern.model_copy(update=told))
    return found


@pytest.fixture(scope="module")
def benchmark(usual: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """The held-out part of a set of them."""
    out = tmp_path_factory.mktemp("usual") / "set"
    policy = Policy(shares=Shares(0, 0.5), turns=6, questions=ASKED)

    build(lambda: lines(usual), out, ("parquet",), policy)
    return LOADERS["held-out"](out, "test", None)


@pytest.mark.parametrize(("topic", "most"), [("count", 0.6), ("place", 0.4), ("phrase-to-box", 0.4)])
def test_the_nearest_wording_tells_no_answer(benchmark: Benchmark, topic: str, most: float) -> None:
    """Nine of ten images have one lesion and all one disc, and seven of ten have it on the left: the words know not."""
    given = {key: Answered(text) for key, text in nearest(benchmark).items()}
    asked = [one for one in benchmark.questions if one.topic == topic]
    assert len({one.unit for one in asked}) >= 20
    values = score(benchmark, asked, given, "parts").values
    assert sum(values[one.id][PRIMARY[one.kind]] for one in asked) / len(asked) < most


def test_a_phrase_for_a_box_does_not_say_where_it_lies(triplets: list[Triplet]) -> None:
    """Nor is the box of what fills the image asked for, nor one of several that are called alike."""
    asked = 0
    for one in triplets:
        named = Counter(region.label for region in one.regions)
        for turn in turns_of(one):
            if turn.kind == "phrase-to-box":
                assert not _PLACED.search(turn.question), turn.question
                assert named[turn.names[0]] == 1
                assert 2 * turn.boxes[0].width * turn.boxes[0].height <= one.image.rows * one.image.columns
                asked += 1
    assert asked >= 5
