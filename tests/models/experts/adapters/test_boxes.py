"""Detectors: boxes around what is bright in a channel, so that every corner is known."""

import numpy as np
import pytest

from schemas.regions import Box
from tests.models.experts.adapters.examples import example, mask_of, seen


def box(candidate) -> Box:
    part = candidate.component
    return Box(x=part.x, y=part.y, width=part.crop.shape[1], height=part.crop.shape[0])


@pytest.fixture
def view() -> np.ndarray:
    """Black, with a red and a green rectangle, 8 bits."""
    image = np.zeros((96, 128, 3), np.float32)
    image[10:40, 20:60, 0] = 255.0
    image[50:90, 70:100, 1] = 255.0
    return image


RED, GREEN = Box(x=20, y=10, width=40, height=30), Box(x=70, y=50, width=30, height=40)


def test_torchvision(view: np.ndarray) -> None:
    """Boxes, labels and scores; of two boxes around the same thing the better one stays."""
    found = seen(example("torchvision"), view).candidates
    assert [(one.label, box(one)) for one in found] == [("red object", RED), ("green object", GREEN)]
    assert [one.component.score for one in found] == pytest.approx([0.9, 0.8])
    assert all(one.boxed and one.component.crop.all() for one in found)
    assert found[0].rule == "box around a predicted red object, its score at least 0.5"


def test_torchvision_reduced(view: np.ndarray) -> None:
    """Of an image that was reduced, the boxes come back at its own size."""
    found = seen(example("torchvision", input={"longest_side": 64}), view).candidates
    assert [box(one) for one in found] == [RED, GREEN]


def test_yolo(view: np.ndarray) -> None:
    """Through a centred letterbox of half the size; of 42 anchors around one thing one stays."""
    found = seen(example("yolo"), view).candidates
    assert [(one.label, box(one)) for one in found] == [("red object", RED), ("green object", GREEN)]
    assert [one.component.score for one in found] == pytest.approx([0.9, 0.9], abs=1e-5)


def test_overlap_allowed(view: np.ndarray) -> None:
    """Where overlap is allowed all anchors that reach the threshold stay, up to the most: the rest is counted."""
    loose = seen(example("yolo", decoding={"nms_iou": 1.0, "max_regions": 3}), view)
    # Scores fall from 0.9 by 0.05 an anchor: fourteen of each class reach 0.25, to the last digit of a float.
    assert len(loose.candidates) == 6
    assert loose.left_out in (20, 22)


def test_thresholds(view: np.ndarray) -> None:
    """A label's own threshold goes before that of all, and labels that are not named are left out."""
    strict = example("torchvision", decoding={"threshold": 0.85})
    assert [one.label for one in seen(strict, view).candidates] == ["red object"]


def test_tiles() -> None:
    """Cut into tiles, a thing is found in each it reaches into, and at its place in the image."""
    image = np.zeros((64, 192, 3), np.float32)
    image[20:30, 10:20, 0] = image[30:50, 150:170, 0] = 255.0
    image[..., 1] = image[..., 0]
    tiled = example("yolo", input={"size": {"policy": "tiles", "height": 64, "width": 64, "overlap": 0.0}})
    found = {(one.label, box(one).x, box(one).y, box(one).width) for one in seen(tiled, image).candidates}
    assert {("red object", 10, 20, 10), ("green object", 150, 30, 20)} <= found


def test_masks_of_instances(view: np.ndarray) -> None:
    """With masks, a region has the form that its detection was given."""
    view[10:20, 20:30, 0] = 0.0
    decoding = {"kind": "instances", "threshold": 0.5, "min_area_px": 1}
    expert = example("torchvision")
    table = expert.manifest.model_dump()
    table["decoding"] = decoding
    masked = type(expert)(type(expert.manifest).model_validate(table), expert.session)
    red, green = seen(masked, view).candidates
    assert (mask_of(red, view) == (view[..., 0] > 0)).all()
    assert (mask_of(green, view) == (view[..., 1] > 0)).all()
    assert not red.boxed


def test_nothing_there() -> None:
    """Boxes without an area are none."""
    assert seen(example("yolo"), np.zeros((64, 64, 3))).candidates == []
