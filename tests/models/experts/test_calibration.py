"""Whether scores are made probabilities only where they tell, and what a region says of it."""

import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.experts.calibration import Scored, calibrated, is_right, precise, share_interval, told_apart, worth
from models.experts.manifest import Manifest
from models.experts.packaged import LIBRARY
from models.experts.registry import Registry
from models.experts.stated import Calibration
from schemas.images import ImageMetadata

STATED = {
    "slope": 8.0, "intercept": -6.0, "images": 40, "patients": 30, "regions": 50, "brier": 0.1, "brier_of_share": 0.2,
    "of": "a clinic, by two readers",
}  # fmt: skip


def square(x: int, y: int, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    mask = np.zeros((100, 100), np.uint8)
    mask[y : y + side, x : x + side] = 1
    return mask


def drawn(patients: int, telling: bool, seed: int = 0) -> list[Scored]:
    """Three regions a patient, right by chances that rise with the score, or of one half throughout."""
    draws = np.random.default_rng(seed)
    scores = draws.uniform(0.5, 1, (patients, 3))
    chances = 1 / (1 + np.exp(-12 * (scores - 0.75))) if telling else np.full_like(scores, 0.5)
    right = draws.random(scores.shape) < chances
    return [Scored(float(scores[n, k]), bool(right[n, k]), str(n)) for n in range(patients) for k in range(3)]


def test_right_regions() -> None:
    """By an IoU of 0.1 with what they touch, or as a piece of what is marked; not by a corner, nor by nothing."""
    assert is_right(square(12, 12, 20), square(10, 10, 20))
    assert is_right(square(20, 20, 4), square(0, 0, 60))
    assert is_right(square(20, 20, 60), square(40, 40, 25))
    assert is_right(square(10, 5, 22), square(10, 10, 10) | square(22, 10, 10) | square(80, 80, 20))
    assert not is_right(square(55, 55, 20), square(0, 0, 60))
    assert not is_right(square(0, 0, 9), square(50, 50, 9))


def test_a_score_tells_right_from_wrong() -> None:
    """All above, half of the pairs, all alike, and nothing to compare with."""

    def of(right: list[float], wrong: list[float]) -> float | None:
        return told_apart([Scored(one, kind, "a") for kind, each in ((True, right), (False, wrong)) for one in each])

    assert of([0.8, 0.9], [0.5, 0.6]) == 1.0
    assert of([0.5, 0.9], [0.6, 0.6]) == 0.5
    assert of([0.7, 0.7], [0.7, 0.9]) == 0.25
    assert of([1.0, 1.0], [1.0]) is None
    assert of([0.5, 0.9], []) is None


def test_scores_that_tell_become_probabilities() -> None:
    """Where chances rise with the score, what is fitted is near them, and better than the share on other patients."""
    found = calibrated(drawn(150, telling=True), 150, "drawn")
    assert found is not None
    assert found.brier < found.brier_of_share
    for score in (0.6, 0.75, 0.9):
        assert found.at(score) == pytest.approx(1 / (1 + np.exp(-12 * (score - 0.75))), abs=0.12)


@pytest.mark.parametrize("seed", range(5))
def test_scores_that_do_not_tell_have_one_probability(seed: int) -> None:
    """The share of right regions, whatever they score: a curve through noise would only look like knowledge."""
    scored = drawn(40, telling=False, seed=seed)
    found = calibrated(scored, 40, "drawn")
    assert found is not None
    assert found.slope == 0
    assert found.at(0.5) == found.at(1.0) == found.at(None)
    assert found.at(0.5) == pytest.approx(np.mean([one.right for one in scored]), abs=0.01)


def test_all_right_is_no_certainty() -> None:
    """Twenty right of twenty are 21 in 22, and their interval reaches down to that of Clopper and Pearson."""
    found = calibrated([Scored(0.5 + n / 50, True, str(n)) for n in range(20)], 20, "drawn")
    assert found is not None
    assert found.at(0.9) == pytest.approx(21 / 22, abs=1e-3)
    assert share_interval(np.ones(20), ["a"] * 20) == (pytest.approx(0.8316, abs=1e-4), 1.0)


def test_too_few_are_not_calibrated() -> None:
    """Many regions of nine patients, or nineteen of nineteen; what was right is told all the same."""
    of_nine = [Scored(0.1 * n, n % 3 > 0, str(n)) for n in range(9)] * 10
    assert worth(of_nine) is None
    assert calibrated(of_nine, 9, "drawn") is None
    assert calibrated([Scored(0.9, True, str(n)) for n in range(19)], 19, "drawn") is None
    few = precise(of_nine, 9, "drawn")
    assert (few.value, few.interval) == (0.67, None)
    assert precise([*of_nine, Scored(0.5, True, "ten")], 10, "drawn").interval is not None


def test_patients_are_drawn_together() -> None:
    """Fifty regions of one patient tell no more than one."""
    right = np.asarray([1.0] * 50 + [0.0])
    assert share_interval(right, [*["a"] * 50, "b"]) == (0.0, 1.0)


def changed(**changes: Any) -> Manifest:
    table = tomllib.loads((LIBRARY / "breast-echo.toml").read_text(encoding="utf-8"))
    table["outputs"][0].pop("calibration", None)
    table["outputs"][0] |= changes
    return Manifest.model_validate(table)


@pytest.fixture
def picture() -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], ImageMetadata]:
    rows, columns = np.mgrid[:160, :200]
    lesion = np.hypot(rows - 80, columns - 100) < 30
    echo = np.random.default_rng(0).normal(120, 12, (160, 200)) - 80 * lesion
    return np.clip(echo, 0, 255).astype(np.float32), ImageMetadata(
        source_format="PNG", modality="ultrasound", organ="breast"
    )


def test_a_region_tells_its_probability(picture: Any) -> None:
    """By its score, as its manifest has it; the turn tells on what that was measured. Else neither is there."""
    expert = next(one for one in Registry.load().experts if one.manifest.name == "breast-echo")

    def found(manifest: Manifest) -> Any:
        one = replace(expert, manifest=manifest)
        return Registry((one,)).ground(picture[0], picture[1], "grey level")

    told = found(changed(calibration=STATED))
    (region,) = told.regions
    assert region.probability == pytest.approx(1 / (1 + np.exp(6 - 8 * region.score)), rel=1e-3)
    assert told.experts[0].looked_for[0].calibration.of == STATED["of"]
    plain = found(changed())
    assert "probability" not in plain.regions[0].model_dump()
    assert "calibration" not in plain.experts[0].looked_for[0].model_dump()
    assert plain.regions[0].score == region.score


def test_a_score_that_is_not_there() -> None:
    """One probability needs no score; a curve does."""
    assert Calibration.model_validate({**STATED, "slope": 0.0}).at(None) == pytest.approx(1 / (1 + np.exp(6)))
    assert Calibration.model_validate(STATED).at(None) is None
    with pytest.raises(ValidationError, match="slope"):
        Calibration.model_validate({**STATED, "slope": -1.0})


@pytest.mark.parametrize(("score", "right"), [(-1e4, 0.0), (1e4, 1.0)])
def test_scores_far_from_those_it_was_fitted_to_have_a_probability(score: float, right: float) -> None:
    """An expert's own scale may have no end."""
    assert Calibration.model_validate(STATED).at(score) == right


def test_a_scale_of_thousands_is_calibrated_as_one_from_0_to_1() -> None:
    """Its slope is a small number, and no 0."""
    scored = drawn(150, telling=True)
    plain = calibrated(scored, 150, "drawn")
    large = calibrated([replace(one, score=1e5 * one.score) for one in scored], 150, "drawn")
    assert plain is not None
    assert large is not None
    for score in (0.5, 0.75, 1.0):
        assert large.at(1e5 * score) == pytest.approx(plain.at(score), abs=1e-3)


def test_whole_image_opinions_are_calibrated_otherwise() -> None:
    """A classifier has a temperature: two calibrations of one score would contradict each other."""
    table: dict[str, Any] = tomllib.loads((LIBRARY / "ct-density.toml").read_text(encoding="utf-8"))
    del table["outputs"], table["foreground"]
    table |= {"decoding": {"kind": "classifier"}, "labels": [{"index": 0, "name": "naevus", "calibration": STATED}]}
    with pytest.raises(ValidationError, match="temperature"):
        Manifest.model_validate(table)
