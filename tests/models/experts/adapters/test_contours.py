"""Outlines as points along them: of a known form, at the image's own size, cut to it, or refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.experts.adapters import look
from models.experts.checking import check
from models.experts.running import Expert, Sight, UnfitOutput
from tests.models.experts.adapters.examples import disc, iou, mask_of, of_films, write
from tests.models.experts.exports import constants

LABELS = [{"index": 0, "name": "right lung"}, {"index": 1, "name": "left lung"}]
SQUARE = {"policy": "letterbox", "height": 64, "width": 64, "anchor": "centre"}


def circle(x: float, y: float, radius: float, points: int) -> np.ndarray:
    """(points, 2)."""
    turns = 2 * np.pi * np.arange(points) / points
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1).astype(np.float32)


def outlines(folder: Path, points: np.ndarray, labels: list[dict[str, Any]] = LABELS, **decoding: Any) -> Path:
    """An expert that draws the same outlines in every image."""
    table = of_films(
        "lungs", "Lungs by their outlines", input={"name": "images", "size": SQUARE},
        decoding={"kind": "contours", "points": [44, 50], **decoding}, labels=labels,
    )  # fmt: skip
    return write(folder, table, constants({"points": points[None]}, channels=1))


BOTH = np.concatenate([circle(20, 32, 10, 44), circle(45, 32, 5, 50)])


@pytest.mark.parametrize("coordinates", ["px", "fraction"])
def test_what_a_line_holds(tmp_path: Path, coordinates: str) -> None:
    """Points of the graph's letterbox become masks of the image, which is wider and larger."""
    points = BOTH / 64 if coordinates == "fraction" else BOTH
    expert = Expert.load(outlines(tmp_path, points, coordinates=coordinates))
    image = np.zeros((192, 256), np.float32)
    right, left = look(expert, Sight(image)).candidates
    # It was reduced to a quarter, and 8 rows were padded above and below.
    assert iou(mask_of(right, image), disc(image.shape, 79.5, 95.5, 40)) > 0.97
    assert iou(mask_of(left, image), disc(image.shape, 179.5, 95.5, 20)) > 0.97
    assert (right.label, right.component.score) == ("right lung", None)
    assert right.rule == "predicted outline of right lung, of 44 points"


def test_cut_to_the_image(tmp_path: Path) -> None:
    """What lies beyond the image is no region, and far points overflow nothing."""
    points = np.concatenate([circle(2, 32, 10, 44), circle(1e9, 1e9, 5, 50)])
    expert = Expert.load(outlines(tmp_path, points))
    image = np.zeros((128, 128), np.float32)
    (found,) = look(expert, Sight(image)).candidates
    assert found.component.x == 0
    assert iou(mask_of(found, image), disc(image.shape, 3.5, 63.5, 20)) > 0.97


def test_one_outline_left_out(tmp_path: Path) -> None:
    """Background is an outline that nobody wants."""
    path = outlines(tmp_path, BOTH, LABELS[1:], background=[0])
    assert [one.label for one in look(Expert.load(path), Sight(np.zeros((128, 128), np.float32))).candidates] == [
        "left lung"
    ]
    assert all(one.kept for one in check(path))


@pytest.mark.parametrize(
    ("points", "labels", "told"),
    [
        (BOTH[:-1], LABELS, "Write how many points each of the 2 outlines has as points"),
        (BOTH, LABELS[:1], "stands in background of [decoding]"),
    ],
)
def test_check_says_what_to_write(tmp_path: Path, points: np.ndarray, labels: list[Any], told: str) -> None:
    """Of points that are fewer than the manifest tells, and an outline that it does not name."""
    said = "\n".join(str(one) for one in check(outlines(tmp_path, points, labels)) if not one.kept)
    assert told in said


@pytest.mark.parametrize("points", [BOTH[:-1], np.full_like(BOTH, np.nan)], ids=["too few", "NaN"])
def test_it_fails(tmp_path: Path, points: np.ndarray) -> None:
    """What are no such points is a failure."""
    with pytest.raises(UnfitOutput):
        look(Expert.load(outlines(tmp_path, points)), Sight(np.zeros((128, 128), np.float32)))
