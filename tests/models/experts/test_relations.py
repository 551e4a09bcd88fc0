"""Relations between regions that were drawn with known sizes, values and places."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.experts.candidates import Candidate, Component
from models.experts.distributions import distribute
from models.experts.places import Within
from models.experts.regions import Measured, measure, named
from models.experts.relations import MOST, relate
from schemas.images import ImageMetadata, Orientation, Spacing
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


def test_touching() -> None:
    """Side by side and corner to corner touch, with the pixels that they share a border along; a gap does not."""
    beside = relate(draw((10, 10, 20, 20, 1.0), (30, 12, 5, 8, 2.0)), None, inverted=False)
    assert pick(beside, "touching") == [("r2", "r1", 10.0, "px of shared border")]
    corner = relate(draw((10, 10, 20, 20, 1.0), (30, 30, 5, 5, 2.0)), None, inverted=False)
    assert pick(corner, "touching") == [("r2", "r1", 1.0, "px of shared border")]
    apart = relate(draw((10, 10, 20, 20, 1.0), (31, 12, 5, 8, 2.0)), None, inverted=False)
    assert pick(apart, "touching") == []


def test_touching_at_the_edge() -> None:
    """Regions at the image's edge are compared like others."""
    relations = relate(draw((0, 0, 10, 10, 1.0), (10, 0, 5, 5, 2.0)), None, inverted=False)
    assert pick(relations, "touching") == [("r2", "r1", 6.0, "px of shared border")]


def test_overlapping() -> None:
    """Regions that share pixels overlap by a part of the smaller one, and then neither touch nor lie inside."""
    relations = relate(draw((10, 10, 20, 20, 1.0), (25, 10, 10, 10, 2.0)), None, inverted=False)
    assert pick(relations, "overlapping") == [("r2", "r1", 50.0, "% of its area")]
    assert pick(relations, "touching") == pick(relations, "inside") == []


def test_same_texture() -> None:
    """Two patches of one noise have the same texture; one of finer grain or of more spread has not."""
    random = np.random.default_rng(0)
    image = np.zeros((100, 100), np.float32)
    fine = random.normal(100, 10, (100, 100)).astype(np.float32)
    coarse = cv2.GaussianBlur(fine - 100, (0, 0), 3)
    coarse = 100 + 10 * coarse / coarse.std()
    image[:30, :30], image[:30, 50:80], image[50:80, :30] = fine[:30, :30], fine[40:70, 40:70], coarse[:30, :30]
    image[50:80, 50:80] = 100 + 3 * (fine[60:90, 10:40] - 100)

    def compared(x: int, y: int) -> list[str]:
        places = ((0, 0), (x, y))
        parts = [
            Candidate(Component(left, top, np.ones((30, 30), np.uint8), 900, 1.0), "label", "rule", "e@1")
            for left, top in places
        ]
        regions = named(measure(parts, image, ImageMetadata(source_format="PNG"), "stored value"))
        return [one.predicate for one in relate(regions, None, inverted=False)]

    assert "same texture as" in compared(50, 0)
    assert "same texture as" not in compared(0, 50)
    assert "same texture as" not in compared(50, 50)


def test_mirror_needs_a_midline() -> None:
    """Without an outlined part, or without the patient's left, nothing is said to mirror anything."""
    left, right = draw((10, 10, 20, 20, 1.0), (70, 10, 20, 20, 1.0))
    axial = Orientation(right="patient left", down="posterior")
    within = Within.of("body", np.ones((100, 100), np.uint8))
    assert pick(relate([left, right], None, inverted=False, orientation=axial), "mirror of") == []
    outlined = [replace(one, within=within) for one in (left, right)]
    assert pick(relate(outlined, None, inverted=False), "mirror of") == []
    found = relate(outlined, None, inverted=False, orientation=axial)
    assert pick(found, "mirror of") == [("r1", "r2", 1.0, "IoU across the midline")]
    sagittal = Orientation(right="posterior", down="feet")
    assert pick(relate(outlined, None, inverted=False, orientation=sagittal), "mirror of") == []


def test_most_telling_first() -> None:
    """What binds regions in place comes before comparisons of size and brightness."""
    predicates = [one.predicate for one in relate(draw((0, 0, 40, 40, 9.0), (5, 5, 9, 9, 1.0)), None, inverted=False)]
    assert predicates[0] == "inside"
    assert predicates[1:] == ["larger than", "brighter than"]


@pytest.mark.parametrize(
    ("boxes", "spread"),
    [
        (((40, 40, 10, 10, 1.0),), "focal"),
        (((40, 40, 10, 10, 1.0), (10, 10, 10, 10, 1.0)), "multifocal"),
        (((0, 0, 100, 60, 1.0),), "diffuse"),
        (tuple((33 * (n % 3) + 8, 33 * (n // 3) + 8, 9, 9, 1.0) for n in range(6)), "diffuse"),
    ],
)
def test_spread(boxes: tuple[tuple[int, int, int, int, float], ...], spread: str) -> None:
    """One part, several, or half of the image or two thirds of its nine fields."""
    regions = draw(*boxes)
    (found,) = distribute(regions, np.zeros((100, 100), np.float32), None, "HU")
    assert (found.spread, found.regions, found.within) == (spread, len(boxes), "image")
    assert found.share_percent == sum(one.region.area_px for one in regions) / 100
    assert (found.side, found.asymmetry, found.unit) == (None, None, None)


def test_few() -> None:
    """However many regions there are, only the most telling relations are reported."""
    boxes = [(8 * n, 50 - 4 * n, 6, 6 + n, float(100 * n)) for n in range(10)]
    assert len(relate(draw(*boxes), None, inverted=False)) <= MOST
    assert relate(draw(boxes[0]), None, inverted=False) == ()
