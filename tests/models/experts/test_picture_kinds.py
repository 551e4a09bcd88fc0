"""The kind of a picture is told where other sources bear it out, and what tells the source alone is not believed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.experts.picture_kinds import HeldOut, fit, held_out

FEATURES = 200


def drawn(
    pictures: list[tuple[str, str]], of_kind: float, of_source: float
) -> tuple[NDArray[np.float32], list[str], list[str]]:
    """Features of pictures, each of a kind and a source: a direction of each, that long, and noise."""
    chance = np.random.default_rng(1)
    ways = {name: chance.normal(size=FEATURES) for pair in pictures for name in pair}
    rows = [of_kind * ways[kind] + of_source * ways[source] + chance.normal(size=FEATURES) for kind, source in pictures]
    kinds, sources = zip(*pictures, strict=True)
    return np.asarray(rows, np.float32), list(kinds), list(sources)


def test_a_kind_that_other_sources_show_is_told() -> None:
    """With a stated precision that was measured on sources the layer had not seen."""
    pictures = [(kind, source) for source in "abcd" for kind in ("CT", "MR") for _ in range(12)]
    found = held_out(*drawn(pictures, of_kind=1.0, of_source=1.0))
    assert found.precision("CT") == found.precision("MR") == (48, 48)
    assert found.is_borne_out("CT")


def test_a_kind_that_is_often_told_wrongly_is_not_borne_out() -> None:
    """However many pictures it was told of: 95 % of them are to be right."""
    truth = np.repeat([0, 1], 20)
    logits = np.where(np.arange(40)[:, None] % 10 == 0, [[9.0, 0.0]], np.eye(2)[truth] * 9)
    found = HeldOut(("CT", "MR"), logits, truth, 1.0)
    assert found.precision("CT") == (22, 20)
    assert not found.is_borne_out("CT")
    assert found.is_borne_out("MR")


def test_a_kind_of_one_source_alone_is_never_told() -> None:
    """Nothing bears it out; it is not taken for right by pictures of its own source."""
    pictures = [(kind, source) for source in "abc" for kind in ("CT", "MR") for _ in range(12)]
    features, kinds, sources = drawn([*pictures, *(("PET", "d") for _ in range(12))], of_kind=1.0, of_source=1.0)
    found = held_out(features, kinds, sources)
    assert found.precision("PET") == (0, 0)
    assert not found.is_borne_out("PET")
    assert found.precision("CT")[1] >= 30


def test_what_tells_the_source_alone_is_not_believed() -> None:
    """A layer knows all pictures that it was fitted to; of other sources' it tells next to none, and not rightly."""
    pictures = [(("CT", "MR")[n % 2], f"source {n}") for n in range(8) for _ in range(10)]
    features, kinds, sources = drawn(pictures, of_kind=0.0, of_source=1.0)
    layer = fit(features, kinds)
    known = [layer.kinds[n] for n in layer.logits(features).argmax(axis=1)]
    assert known == kinds
    found = held_out(features, kinds, sources)
    told = np.array([found.precision(kind) for kind in found.kinds]).sum(axis=0)
    assert told[0] < 0.2 * len(pictures)


def test_likelihoods_are_as_often_right_as_they_say() -> None:
    """Where kinds overlap: the mean likelihood of what is likeliest is how often it is right, by the temperature."""
    pictures = [(kind, source) for source in "abcdef" for kind in ("CT", "MR", "PET") for _ in range(30)]
    features, kinds, sources = drawn(pictures, of_kind=0.12, of_source=0.0)
    found = held_out(features, kinds, sources)
    raised = np.exp(found.logits / found.temperature)
    chances = raised / raised.sum(axis=1, keepdims=True)
    right = float((chances.argmax(axis=1) == found.truth).mean())
    assert 0.5 < right < 0.95
    assert chances.max(axis=1).mean() == pytest.approx(right, abs=0.06)
