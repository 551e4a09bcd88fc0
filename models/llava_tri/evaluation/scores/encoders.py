"""Scores of reports by trained encoders: BERTScore by the one that is named, and where their packages are installed
RadGraph, RaTEScore, RadEval.

None of these is a dependency: each fetches weights from a hub when it is first used. Whose weights cannot be had is
told of, and left out.
"""

# pyright: reportMissingImports=false

import warnings
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeAlias

import httpx

from models.llava_tri.evaluation.scores.bert import TokenEncoder, bert_score
from models.llava_tri.evaluation.scores.intervals import Estimate, mean

Right: TypeAlias = Sequence[Sequence[str]]
Scores: TypeAlias = dict[str, list[float]]
NAMES = {
    "bert_score": "BERTScore, F1, by the encoder named below",
    "radgraph": "RadGraph F1, entities with relations",
    "ratescore": "RaTEScore, which gives 0.5 for an answer in which it finds nothing",
}


@cache
def _loaded(make: Callable[[], Any]) -> Any:
    # The model and each control are scored one after the other, and the weights are the same.
    return make()


def _radgraph_scorer() -> Any:
    from radgraph import F1RadGraph

    return F1RadGraph(reward_level="partial")


def _radgraph(answers: Sequence[str], right: Right) -> Scores:
    _, each, *_ = _loaded(_radgraph_scorer)(hyps=list(answers), refs=[one[0] for one in right])
    return {"radgraph": [float(one) for one in each]}


def _rate_scorer() -> Any:
    from RaTEScore import RaTEScore

    return RaTEScore()


def _ratescore(answers: Sequence[str], right: Right) -> Scores:
    each = _loaded(_rate_scorer).compute_score(list(answers), [one[0] for one in right])
    return {"ratescore": [float(one) for one in each]}


def _radeval_scorer() -> Any:
    from radeval import RadEval

    return RadEval(metrics=["radgraph", "ratescore"], per_sample=True)


def _radeval(answers: Sequence[str], right: Right) -> Scores:
    found = _loaded(_radeval_scorer)(refs=[one[0] for one in right], hyps=list(answers))
    return {
        name: [float(one) for one in found[key]]
        for name, key in (("radgraph", "radgraph_partial"), ("ratescore", "ratescore"))
    }


PACKAGES: dict[str, tuple[tuple[str, ...], Callable[[Sequence[str], Right], Scores]]] = {
    "radgraph": (("radgraph",), _radgraph),
    "RaTEScore": (("ratescore",), _ratescore),
    "radeval": (("radgraph", "ratescore"), _radeval),
}
"""What each package scores, and how. RadEval has two of them itself, and comes last: where it is, its own count."""
AWAY = (OSError, ImportError, RuntimeError, httpx.HTTPError)
"""What such a package raises where its weights, or what it needs beside them, cannot be had."""


def encoded_scores(
    answers: Sequence[str], right: Right, units: Sequence[str], encoder: TokenEncoder | None = None
) -> dict[str, Estimate]:
    """BERTScore where an encoder is named, and every score whose package is there, by its name in NAMES.

    Of several right answers RadGraph and RaTEScore take the first. An answer without a word is worth nothing, and no
    encoder is asked about it.
    """
    asked = [at for at, answer in enumerate(answers) if answer.strip()]
    some = [answers[at] for at in asked], [right[at] for at in asked]
    found: dict[str, Estimate] = {}

    def take(name: str, each: Sequence[float]) -> None:
        whole = [0.0] * len(answers)
        for at, value in zip(asked, each, strict=True):
            whole[at] = value
        found[name] = mean(whole, units)

    if encoder is not None:
        take("bert_score", bert_score(*some, encoder))
    for package, (names, score) in PACKAGES.items():
        if find_spec(package) is None:
            continue
        try:
            scores = score(*some) if asked else {name: [] for name in names}
        except AWAY as error:
            warnings.warn(f"{package} is installed and left out: {error}", stacklevel=2)
            continue
        for name, each in scores.items():
            take(name, each)
    return found
