"""The held-out split of a data set as a benchmark: what was written is asked, and right answers are right."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from models.datasets.build import build
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from models.llava_tri.evaluation.answering import Blind
from models.llava_tri.evaluation.audit import audit, of_dataset
from models.llava_tri.evaluation.benchmarks import LOADERS
from models.llava_tri.evaluation.evaluating import evaluate
from models.llava_tri.evaluation.pictures import size
from models.llava_tri.evaluation.questions import Benchmark
from models.llava_tri.evaluation.scores.boxes import write_box
from tests.models.datasets.conftest import read


@pytest.fixture(scope="module")
def built(triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With Parquet and COCO."""
    out = tmp_path_factory.mktemp("held-out") / "set"
    build(lambda: read(triplet_file), out, ("parquet", "coco"), Policy(shares=Shares(0.2, 0.3), turns=8))
    return out


def right(benchmark: Benchmark) -> Mapping[str, str]:
    """Of each question, boxes in parts."""
    return {one.id: write_box(one.box, "parts", 1, 1) if one.box else one.answers[0] for one in benchmark.questions}


@pytest.mark.parametrize("name", ["held-out", "grounding"])
def test_right_answers_are_right(built: Path, name: str) -> None:
    """By every measure of every kind; each picture can be read; what the set trains on is found in it, and no other."""
    benchmark = LOADERS[name](built, "test", None)
    assert all(size(benchmark.picture(key)) for key in benchmark.pictures)
    assert benchmark.train
    known = LOADERS[name](built, "train", None)
    learnt = audit(known, {"the set": of_dataset(built)})
    assert learnt.leaked == set(known.pictures)
    assert all(hit.exact for hit in learnt.hits)
    leakage = audit(benchmark, {"the set": of_dataset(built)})
    assert not leakage.leaked
    result = asyncio.run(evaluate(benchmark, Blind("right@1", right), leakage))
    for kind, figures in result.all.runs[0].figures.items():
        measure = result.all.parts[kind].primary
        assert figures[measure].value > 0.98, (kind, measure)
    if name == "grounding":
        assert {one.kind for one in benchmark.questions} == {"box"}
        assert "dice" in result.all.runs[0].figures["box"]


def test_labels_stand_without_the_words_around_them(built: Path) -> None:
    """However an answer is phrased, its label is one of those that the topic has."""
    benchmark = LOADERS["held-out"](built, "test", None)
    labels = [one for one in (*benchmark.questions, *benchmark.train) if one.kind == "class"]
    assert labels
    assert all(one.answers[0] in one.options for one in labels)
    modalities = {one.answers[0] for one in labels if one.topic == "modality"}
    assert modalities
    assert modalities <= {"ultrasound image", "ct image", "mr image"}
