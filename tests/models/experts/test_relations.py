"""Relations between regions that were drawn with known sizes, values and places."""

import numpy as np

from models.experts.regions import Candidate, Component, Measured, measure, named
from models.experts.relations import MOST, relate
from schemas.images import ImageMetadata, Spacing
from schemas.regions import Relation

SPACING = Spacing(row_mm=1.0, column_mm=0.5, source="test")


def draw(*boxes: tuple[int, int, int, int, float]) -> list[Measured]:
    """Regions (x, y, width, height, value) in an image of zeros."""
    image = np.zeros((100, 100), np.float32)
    for x, y, width, height, value in boxes:
        image[y : y + height, x : x + width] = value
    parts = [
        Candidate(Component(x, y, np.ones((height, width), np.uint8), width * height, 1.0), "label", "rule", "e@1")
        for x, y, width, height, _ in boxes
    ]
    return named(measure(parts, image, ImageMetadata(source_format="PNG"), "HU"))


def pick(relations: tuple[Relation, ...], predicate: str) -> list[tuple[str, str, float | None, str | None]]:
    return [(r.subject, r.object, r.value, r.unit) for r in relations if r.predicate == predicate]


def test_size_brightness_and_place() -> None:
    """Ratio of areas, difference of means, and distance between centroids come with their units."""
    regions = draw((10, 10, 20, 20, 100.0), (60, 60, 10, 10, 300.0))
    relations = relate(regions, SPACING, inverted=False)
    assert pick(relations, "larger than") == [("r1", "r2", 4.0, "times the area")]
    assert pick(relations, "brighter than") == [("r2", "r1", 200.0, "HU")]
    assert pick(relations, "left of") == [("r1", "r2", 22.5, "mm between centroids")]
    assert pick(relations, "above") == [("r1", "r2", 45.0, "mm between centroids")]


def test_inverted() -> None:
    """Where low values are shown bright, the lower mean is the brighter region."""
    regions = draw((10, 10, 20, 20, 100.0), (60, 60, 10, 10, 300.0))
    assert pick(relate(regions, None, inverted=True), "brighter than") == [("r1", "r2", 200.0, "HU")]


def test_mirrored() -> None:
    """Left and right follow the image when it is mirrored."""
    regions = draw((70, 10, 20, 20, 1.0), (30, 60, 10, 10, 1.0))
    relations = relate(regions, None, inverted=False)
    assert pick(relations, "left of") == [("r2", "r1", 45.0, "px between centroids")]


def test_similar() -> None:
    """Regions within 15 % of each other's area are similar, not larger."""
    relations = relate(draw((0, 0, 20, 20, 1.0), (50, 0, 20, 19, 1.0)), None, inverted=False)
    assert pick(relations, "similar in size to") == [("r1", "r2", 1.053, "times the area")]
    assert pick(relations, "larger than") == []
    assert pick(relations, "above") == []


def test_inside() -> None:
    """A region within another, or within its hole, is inside it; one beside it within its box is not."""
    large, small = draw((10, 10, 40, 40, 1.0), (20, 20, 5, 5, 2.0))
    ring = large.crop.copy()
    ring[5:35, 5:35] = 0
    bay = ring.copy()
    bay[10:30, :20] = 0
    assert pick(relate([Measured(large.region, ring), small], None, False), "inside") == [
        ("r2", "r1", 100.0, "% of its area")
    ]
    assert pick(relate([Measured(large.region, bay), small], None, False), "inside") == []


def test_few() -> None:
    """However many regions there are, only the most telling relations are reported."""
    boxes = [(8 * n, 50 - 4 * n, 6, 6 + n, float(100 * n)) for n in range(10)]
    assert len(relate(draw(*boxes), None, inverted=False)) <= MOST
    assert relate(draw(boxes[0]), None, inverted=False) == ()
