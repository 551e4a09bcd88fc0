"""Precision and recall that a manifest states travel with the expert's turn on each image, found something or not."""

import tomllib
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from models.experts.manifest import Manifest
from models.experts.packaged import LIBRARY
from models.experts.registry import Registry
from schemas.images import ImageMetadata

PRECISION = {"value": 0.8, "images": 40, "regions": 50, "interval": (0.7, 0.9), "of": "a clinic, by two readers"}
RECALL = {"value": 0.6, "images": 40, "marked": 70, "of": "a clinic, by two readers"}


def told(**changes: Any) -> Manifest:
    table = tomllib.loads((LIBRARY / "ct-density.toml").read_text(encoding="utf-8"))
    table["outputs"][0] |= changes
    return Manifest.model_validate(table)


def test_of_measured_labels_alone() -> None:
    """Labels of which nothing was measured are not told; what was measured is told in full."""
    (air,) = told(precision=PRECISION, recall=RECALL).looked_for
    assert air.label == "air-density region"
    assert air.precision
    assert air.precision.model_dump() == PRECISION
    assert air.recall
    assert (air.recall.marked, air.recall.interval) == (70, None)
    assert told().looked_for == ()


def test_told_where_nothing_is_found() -> None:
    """An absence can be judged only where the turn that found nothing tells how often it finds what is there."""
    registry = Registry.load()
    (fit,) = (one for one in registry.experts if one.manifest.name == "breast-echo")
    breast = ImageMetadata(source_format="PNG", modality="ultrasound", organ="breast")
    grounding = Registry((fit,)).ground(np.full((128, 128), 90, np.float32), breast, "grey level")
    (run,) = grounding.experts
    assert run.outcome == "nothing found"
    assert [one.label for one in run.looked_for] == ["hypoechoic region"]
    assert all(one.precision and one.precision.regions for one in run.looked_for)


def test_recall_of_a_classifier_is_refused() -> None:
    """A classifier that does not tell a label has denied nothing: its recall would be read as if it had."""
    table: dict[str, Any] = tomllib.loads((LIBRARY / "ct-density.toml").read_text(encoding="utf-8"))
    del table["outputs"], table["foreground"]
    table |= {"decoding": {"kind": "classifier"}, "labels": [{"index": 0, "name": "naevus", "recall": RECALL}]}
    with pytest.raises(ValidationError, match="recall belongs to what is outlined"):
        Manifest.model_validate(table)
