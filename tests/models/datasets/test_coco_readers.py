"""COCO as it is exported, in faster-coco-eval: what it counts agrees with pycocotools, and tells right from wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from faster_coco_eval import COCO, COCOeval_faster
from pycocotools import coco, cocoeval

from models.datasets.build import build
from models.datasets.policy import Policy
from models.datasets.splits import Shares
from tests.models.datasets.conftest import read


@pytest.fixture(scope="module")
def annotations(triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Regions of all images, in one split."""
    out = tmp_path_factory.mktemp("coco") / "set"
    build(lambda: read(triplet_file), out, ("coco",), Policy(shares=Shares(0, 0)))
    return out / "coco" / "annotations" / "instances_train.json"


def detections(path: Path, shifted: int = 0) -> list[dict[str, Any]]:
    """The annotations as a model would give them back; every second box moved to the right by its width or so."""
    found: list[dict[str, Any]] = []
    for n, one in enumerate(json.loads(path.read_bytes())["annotations"]):
        x, y, width, height = one["bbox"]
        moved = [x + (n % 2) * shifted * width, y, width, height]
        told = {key: one[key] for key in ("image_id", "category_id", "segmentation")}
        found.append({**told, "bbox": moved, "score": 1 - n / 10_000})
    return found


def evaluated(evaluation: Any) -> list[float]:
    """The twelve figures of a COCO evaluation."""
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(value) for value in evaluation.stats[:12]]


@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_regions_are_found_where_they_are(annotations: Path, kind: str) -> None:
    """Held against themselves, boxes and masks have an average precision of 1."""
    truth = COCO(str(annotations))
    assert len(truth.getAnnIds()) > 10
    assert evaluated(COCOeval_faster(truth, truth.loadRes(detections(annotations)), kind))[0] == pytest.approx(1)


def test_boxes_elsewhere_are_wrong_by_both_libraries(annotations: Path) -> None:
    """And by as much."""
    moved = detections(annotations, shifted=1)
    truth, reference = COCO(str(annotations)), coco.COCO(str(annotations))
    found = evaluated(COCOeval_faster(truth, truth.loadRes(moved), "bbox"))
    expected = evaluated(cocoeval.COCOeval(reference, reference.loadRes([dict(one) for one in moved]), "bbox"))
    assert 0 < found[0] < 0.9
    assert found == pytest.approx(expected, abs=1e-6)
