"""Where regions go on in the slices beside their image, drawn so that every overlap is known."""

import numpy as np
import pytest

from models.experts.candidates import Candidate, Component
from models.experts.continuations import FOLLOWED, follow
from models.experts.regions import Measured, measure, named
from models.experts.slices import Seen
from schemas.images import ImageMetadata, Neighbour, Side, Spacing
from schemas.regions import Continuation

Rectangle = tuple[int, int, int, int]
SPACING = Spacing(row_mm=2.0, column_mm=0.5, source="test")


def candidate(x: int, y: int, width: int, height: int, label: str = "label") -> Candidate:
    component = Component(x, y, np.ones((height, width), np.uint8), width * height, 1.0)
    return Candidate(component, label, "rule", "e@1")


def regions(*boxes: Rectangle) -> list[Measured]:
    image = np.zeros((100, 100), np.float32)
    return named(measure([candidate(*box) for box in boxes], image, ImageMetadata(source_format="PNG"), "HU"))


def slice_of(*boxes: Rectangle, complete: bool = True, masked: Rectangle | None = None, label: str = "label") -> Seen:
    visible = None
    if masked is not None:
        x, y, width, height = masked
        visible = np.ones((100, 100), np.uint8)
        visible[y : y + height, x : x + width] = 0
    return Seen([candidate(*box, label) for box in boxes], complete, visible)


def followed(here: list[Measured], there: dict[int, Seen], spacing: Spacing | None = SPACING) -> list[Continuation]:
    sides: dict[bool, Side] = {True: "head", False: "feet"}
    neighbours = [
        Neighbour(image_id="0" * 32, frame=n, steps=n - 3, towards=sides[n > 3], distance_mm=2.5 * abs(n - 3))
        for n in range(7)
        if n != 3 and abs(n - 3) <= max(map(abs, there))
    ]
    return list(follow(here, {"e@1": there}, neighbours, spacing))


def test_a_region_goes_on_where_another_overlaps_it() -> None:
    """With its area, what they share, and how it changes; the side and the distance are the neighbour's."""
    (found,) = followed(regions((10, 10, 20, 10)), {1: slice_of((20, 10, 30, 10), (60, 60, 9, 9))})
    assert (found.region, found.outcome, found.towards, found.distance_mm) == ("r1", "continues", "head", 2.5)
    assert (found.slices, found.looked, found.regions, found.reach_mm) == (1, 1, 1, 2.5)
    assert (found.area_px, found.shared_px, found.ratio, found.change) == (300, 100, 1.5, "grows")
    assert (found.area_mm2, found.shared_mm2, found.iou) == (300.0, 100.0, 0.25)
    (bare,) = followed(regions((10, 10, 20, 10)), {1: slice_of((20, 10, 30, 10))}, None)
    assert (bare.area_px, bare.area_mm2, bare.shared_mm2) == (300, None, None)


@pytest.mark.parametrize(
    ("width", "change"), [(23, "grows"), (22, "similar in size"), (18, "similar in size"), (17, "shrinks")]
)
def test_small_changes_are_none(width: int, change: str) -> None:
    """Within 15 % of the area, either way, it is similar in size."""
    (found,) = followed(regions((10, 10, 20, 10)), {-1: slice_of((10, 10, width, 10))})
    assert (found.change, found.towards, found.onwards) == (change, "feet", False)


def test_it_ends_where_nothing_of_its_label_overlaps() -> None:
    """What touches it by less than a tenth of the smaller area, or bears another label, is something else."""
    here = regions((10, 10, 20, 10))
    for there in (slice_of((29, 10, 20, 10)), slice_of((10, 10, 20, 10), label="other"), slice_of()):
        (found,) = followed(here, {1: there})
        assert (found.outcome, found.slices, found.area_px, found.ratio) == ("not seen", 0, None, None)
    (found,) = followed(here, {1: slice_of((28, 10, 20, 10))})
    assert found.outcome == "continues"


def test_it_is_followed_from_slice_to_slice() -> None:
    """What it becomes is followed, not its own place; the first slice without it ends it, and both sides are told."""
    there = {
        1: slice_of((20, 10, 20, 10)), 2: slice_of((35, 10, 20, 10)), 3: slice_of((10, 10, 5, 5)),
        -1: slice_of((80, 80, 5, 5)), -2: slice_of((10, 10, 20, 10)),
    }  # fmt: skip
    up, down = followed(regions((10, 10, 20, 10)), there)
    assert (up.slices, up.looked, up.reach_mm, up.distance_mm) == (2, 3, 5.0, 2.5)
    assert (down.outcome, down.slices, down.looked) == ("not seen", 0, 2)


def test_it_parts_and_its_parts_are_counted_once() -> None:
    """Two that overlap it are two regions of one area; where they overlap each other their area counts once."""
    (found,) = followed(regions((10, 10, 20, 10)), {1: slice_of((10, 10, 8, 10), (16, 10, 8, 10))})
    assert (found.regions, found.area_px, found.shared_px) == (2, 140, 140)


def test_nothing_is_said_where_it_may_have_been_left_out_or_masked() -> None:
    """'Not seen' needs all that was found there, and its place in sight; that it goes on does not."""
    here = regions((10, 10, 20, 10))
    assert followed(here, {1: slice_of((60, 60, 9, 9), complete=False)}) == []
    assert followed(here, {1: slice_of(masked=(25, 5, 20, 10))}) == []
    assert len(followed(here, {1: slice_of(masked=(50, 50, 9, 9))})) == 1
    (found,) = followed(here, {1: slice_of((10, 10, 20, 10), complete=False, masked=(25, 5, 20, 10))})
    assert found.outcome == "continues"


def test_the_largest_are_followed_of_experts_that_looked() -> None:
    """As many as are worth telling; a slice on which the expert failed ends what is known."""
    many = regions(*((10 * n, 0, 8, 9 - n // 2) for n in range(10)))
    assert [one.region for one in followed(many, {1: slice_of()})] == [f"r{n + 1}" for n in range(FOLLOWED)]
    assert list(follow(many, {"other@1": {1: slice_of()}}, (), SPACING)) == []
    (found,) = followed(regions((0, 0, 9, 9)), {1: slice_of((0, 0, 9, 9)), 3: slice_of((0, 0, 9, 9))})
    assert (found.slices, found.looked) == (1, 1)
