"""Classifiers that tell no place: opinions on the whole image, and never a region."""

import hashlib
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.manifest import parse
from models.experts.registry import Registry
from models.experts.running import RUN_ERRORS, Expert, Sight
from models.experts.toml_text import tables
from schemas.images import ImageMetadata
from schemas.regions import Grounding
from tests.models.experts import onnx_bytes

TABLE: dict[str, Any] = {
    "name": "skin-classes",
    "version": "1.0.0",
    "title": "Red and green",
    "licence": "CC0-1.0",
    "made": "by hand",
    "source": "a test",
    "modalities": ["dermoscopy"],
    "organs": [],
    "limits": [],
    "input": {
        "units": [],
        "channels": 3,
        "polarity": "value",
        "shortest_side": 16,
        "longest_side": 4096,
        "size": {"policy": "stretch", "height": 32, "width": 32},
        "normalisation": {"kind": "full range"},
    },
    "decoding": {"kind": "classifier", "activation": "sigmoid", "threshold": 0.5},
    "labels": [
        {"index": 0, "name": "melanoma", "precision": {"value": 0.8, "images": 120, "of": "a clinic, by histology"}},
        {"index": 1, "name": "naevus", "threshold": 0.9},
    ],
}
PHOTOGRAPH = ImageMetadata(source_format="PNG", modality="dermoscopy")


def write(folder: Path, **changes: dict[str, Any]) -> Path:
    """The expert's files, `changes` in its tables; its manifest."""
    graph = onnx_bytes.classifier()
    table: dict[str, Any] = {**TABLE, "sha256": hashlib.sha256(graph).hexdigest()}
    for part, values in changes.items():
        table[part] = {**cast(dict[str, Any], table[part]), **values}
    (folder / "skin-classes.onnx").write_bytes(graph)
    manifest = folder / "skin-classes.toml"
    manifest.write_text(tables(table))
    return manifest


def red(part: float) -> np.ndarray:
    """An image of which such a part of the columns is red."""
    image = np.zeros((64, 64, 3), np.float32)
    image[:, : round(64 * part), 0] = 255.0
    return image


def test_scores_are_opinions_and_no_regions(tmp_path: Path) -> None:
    """Each label's probability by the graph's logits; told where it reaches the label's own threshold."""
    found = look(Expert.load(write(tmp_path)), Sight(red(0.25)))
    assert found.candidates == []
    first, second = found.opinions
    assert (first.label, first.told, first.calibration) == ("melanoma", True, None)
    assert first.score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=2e-3)
    assert (second.told, second.threshold, second.precision) == (False, 0.9, None)
    assert second.score == pytest.approx(1 / (1 + np.exp(2.0)), abs=2e-3)
    assert first.precision is not None
    assert (first.precision.value, first.precision.images) == (0.8, 120)


def test_temperature(tmp_path: Path) -> None:
    """Logits are divided by what was fitted, and the opinion says on what."""
    expert = Expert.load(write(tmp_path, decoding={"temperature": 4.0, "calibration": "on 90 images held out"}))
    (first, _) = look(expert, Sight(red(0.25))).opinions
    assert first.score == pytest.approx(1 / (1 + np.exp(-0.5)), abs=2e-3)
    assert first.calibration == "on 90 images held out"


@pytest.mark.parametrize(
    ("part", "values", "told"),
    [
        ("decoding", {"temperature": 2.0}, "to say on what it was fitted"),
        ("decoding", {"temperature": 2.0, "calibration": "x", "activation": "none"}, "needs an activation"),
        ("decoding", {"max_regions": 3}, "decoding.classifier.max_regions"),
        ("input", {"size": {"policy": "tiles", "height": 32, "width": 32}}, "tiles cannot be put together"),
    ],
)
def test_what_a_manifest_may_not_say(tmp_path: Path, part: str, values: dict[str, Any], told: str) -> None:
    """A calibration that nobody can look up, and what a classifier has none of."""
    with pytest.raises(ValueError, match=told):
        parse(write(tmp_path, **{part: values}).read_text())


def test_check(tmp_path: Path) -> None:
    """It is run on a sample; another number of classes is a broken promise."""
    promises = list(check(write(tmp_path)))
    assert [one for one in promises if not one.kept] == []
    assert promises[-1].seen.startswith("2 opinions;")
    (broken,) = (one for one in check(write(tmp_path, decoding={"background": [2]})) if not one.kept)
    assert broken.what == "logits tells of 3 classes, labels and background"


def test_a_score_beyond_one_is_a_failure(tmp_path: Path) -> None:
    """Logits that the manifest calls probabilities."""
    expert = Expert.load(write(tmp_path, decoding={"activation": "none"}))
    with pytest.raises(RUN_ERRORS):
        look(expert, Sight(red(0.5)))


def test_in_the_message(tmp_path: Path) -> None:
    """Opinions stand apart from regions, their turn counts those told, and images without are written as before."""
    grounding = Registry((Expert.load(write(tmp_path)),)).ground(red(0.25), PHOTOGRAPH, "grey level")
    (region,) = grounding.regions
    assert (region.kind, region.rule) == ("whole image", "experts outlined nothing")
    (run,) = grounding.experts
    assert (run.outcome, run.regions, run.opinions) == ("nothing found", 0, 1)
    again = Grounding.model_validate_json(grounding.model_dump_json())
    assert [one.label for one in again.opinions] == ["melanoma", "naevus"]
    without = Registry.load().ground(red(0.25), PHOTOGRAPH, "grey level").model_dump()
    assert "opinions" not in without
    assert all("opinions" not in one for one in without["experts"])
