"""Scores by encoders: packages as they are called, with weights that are none. No real one can be had without a hub."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.llava_tri.evaluation.scores import encoders
from models.llava_tri.evaluation.scores.encoders import encoded_scores

# Signatures and what comes back are those of radgraph 0.1.18, RaTEScore 0.6.0 and radeval 2.2.1.
STANDING_IN = {
    "radgraph": """
class F1RadGraph:
    def __init__(self, reward_level): assert reward_level == "partial"
    def __call__(self, refs, hyps):
        each = [float(one == two) for one, two in zip(refs, hyps, strict=True)]
        return sum(each) / len(each), each, [], []
""",
    "RaTEScore": """
class RaTEScore:
    def compute_score(self, candidate_list, reference_list):
        return [0.5 if one else 1 / 0 for one, _ in zip(candidate_list, reference_list, strict=True)]
""",
    "radeval": """
class RadEval:
    def __init__(self, metrics, per_sample): assert per_sample and metrics == ["radgraph", "ratescore"]
    def __call__(self, refs, hyps):
        each = {"radgraph_simple": 1.0, "radgraph_partial": 0.25, "ratescore": 0.75}
        return {name: [value] * len(refs) for name, value in each.items()}
""",
}
ANSWERS, RIGHT, UNITS = ["no effusion", "", "an effusion"], [["no effusion"], ["clear"], ["clear"]], ["a", "b", "c"]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Takes names of packages that are there from now on."""
    monkeypatch.syspath_prepend(tmp_path)
    encoders._loaded.cache_clear()  # pyright: ignore[reportPrivateUsage]

    def write(*names: str) -> None:
        for name in names:
            (tmp_path / f"{name}.py").write_text(STANDING_IN[name])

    yield write
    for name in STANDING_IN:
        sys.modules.pop(name, None)


def test_without_packages_there_are_no_such_scores() -> None:
    """The environment of the tests has none of them."""
    assert encoded_scores(ANSWERS, RIGHT, UNITS) == {}


def test_an_empty_answer_is_worth_nothing(install: Callable[..., None]) -> None:
    """Nor is an encoder asked about it: RaTEScore gives half for nothing found."""
    install("radgraph", "RaTEScore")
    found = encoded_scores(ANSWERS, RIGHT, UNITS)
    assert {name: (one.value, one.n) for name, one in found.items()} == {
        "radgraph": (pytest.approx(1 / 3), 3), "ratescore": (pytest.approx(1 / 3), 3),
    }  # fmt: skip
    silent = encoded_scores(["", " "], RIGHT[:2], UNITS[:2])
    assert {name: one.value for name, one in silent.items()} == {"radgraph": 0.0, "ratescore": 0.0}


def test_radeval_counts_where_it_is(install: Callable[..., None]) -> None:
    """It has both scores of its own."""
    install("radgraph", "RaTEScore", "radeval")
    found = encoded_scores(ANSWERS, RIGHT, UNITS)
    assert [found[name].value for name in ("radgraph", "ratescore")] == pytest.approx([0.5 / 3, 1.5 / 3])


def _away(*_: object) -> None:
    raise OSError("no connection to the hub")


def test_weights_that_cannot_be_had_break_nothing(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score is left out, and that is told."""
    install("RaTEScore", "radgraph")
    monkeypatch.setattr("RaTEScore.RaTEScore.compute_score", _away)
    with pytest.warns(UserWarning, match="RaTEScore is installed and left out: no connection to the hub"):
        found = encoded_scores(ANSWERS, RIGHT, UNITS)
    assert list(found) == ["radgraph"]
