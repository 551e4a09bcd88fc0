"""Places on the patient's axes: turning or mirroring an image, with its tags, must not change what is said."""

from functools import cache
from itertools import product
from typing import get_args

import cv2
import numpy as np
import pytest

from models.experts.candidates import Candidate, Component
from models.experts.distributions import distribute
from models.experts.places import Within, directions, place, position
from models.experts.regions import Measured, measure, named
from models.experts.relations import relate
from schemas.images import ImageMetadata, Orientation, Side, Spacing

SIDES: tuple[Side, ...] = get_args(Side)
OPPOSITE = dict(zip(SIDES, (SIDES[n ^ 1] for n in range(6)), strict=True))
AXES = [{"patient left", "patient right"}, {"anterior", "posterior"}, {"head", "feet"}]
TAGS = [
    Orientation(right=right, down=down) for right, down in product(SIDES, SIDES) if down not in (right, OPPOSITE[right])
]
TURNS = list(product(range(4), (False, True)))
# As shown by convention: an axial and a coronal slice, a sagittal one; PA and lateral radiographs by their tags.
SHOWN = {
    "axial": Orientation(right="patient left", down="posterior"),
    "coronal or frontal radiograph": Orientation(right="patient left", down="feet"),
    "sagittal or lateral radiograph": Orientation(right="posterior", down="feet"),
}


def turned(values: np.ndarray, times: int, mirrored: bool) -> np.ndarray:
    """One of the eight ways to lay an image: quarter turns anticlockwise, then columns reversed."""
    values = np.rot90(values, times)
    return np.ascontiguousarray(values[:, ::-1] if mirrored else values)


def tag(orientation: Orientation, times: int, mirrored: bool) -> Orientation:
    """The orientation of the turned image."""
    right, down = orientation.right, orientation.down
    for _ in range(times):
        # After a quarter turn anticlockwise, what lay at the right lies at the top.
        right, down = down, OPPOSITE[right]
    return Orientation(right=OPPOSITE[right] if mirrored else right, down=down)


@cache
def drawn() -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """An image, two regions in it that mirror each other and one that does not, and an outline around them."""
    random = np.random.default_rng(0)
    image = random.normal(100, 5, (90, 120)).astype(np.float32)
    outlined = cv2.ellipse(np.zeros((90, 120), np.uint8), (62, 44), (50, 40), 0, 0, 360, 1, -1)
    regions = []
    for x, y, across, down, value in ((37, 40, 9, 6, 200), (87, 41, 9, 6, 200), (60, 68, 3, 3, 150)):
        mask = cv2.ellipse(np.zeros((90, 120), np.uint8), (x, y), (across, down), 0, 0, 360, 1, -1)
        image[mask > 0] += value
        regions.append(mask)
    return image, regions, outlined


def measured(times: int, mirrored: bool, orientation: Orientation | None, outline: bool) -> list[Measured]:
    image, masks, outlined = drawn()
    within = Within.of("body", turned(outlined, times, mirrored)) if outline else None
    candidates = []
    for mask in masks:
        mask = turned(mask, times, mirrored)
        x, y, width, height = cv2.boundingRect(mask)
        crop = np.ascontiguousarray(mask[y : y + height, x : x + width])
        candidates.append(
            Candidate(Component(x, y, crop, int(crop.sum()), 1.0), f"label {len(candidates) // 2}", "", "")
        )
    metadata = ImageMetadata(
        source_format="DICOM",
        modality="CT",
        orientation=orientation,
        spacing=Spacing(row_mm=0.5, column_mm=0.5, source="test"),
    )
    return measure(candidates, turned(image, times, mirrored), metadata, "HU", within=within)


@pytest.mark.parametrize("outline", [False, True], ids=["image", "outlined"])
@pytest.mark.parametrize("orientation", TAGS, ids=lambda tags: f"{tags.right}, {tags.down}")
def test_turned_images_say_the_same(orientation: Orientation, outline: bool) -> None:
    """All eight ways to lay an image, in every pair of tags: the same words, fractions, shapes and relations."""
    spacing = Spacing(row_mm=0.5, column_mm=0.5, source="test")
    said = []
    for times, mirrored in TURNS:
        tags = tag(orientation, times, mirrored)
        found = named(measured(times, mirrored, tags, outline))
        image = turned(drawn()[0], times, mirrored)
        said.append(
            (
                [
                    (one.region.position, one.region.place, one.region.size, one.region.shape, one.region.texture)
                    for one in sorted(found, key=lambda one: (one.region.area_px, one.region.position))
                ],
                sorted(
                    (relation.predicate, relation.value)
                    for relation in relate(found, spacing, inverted=False, orientation=tags)
                ),
                distribute(found, image, tags, "HU"),
            )
        )
    assert all(one == said[0] for one in said[1:])
    assert "displayed" not in str(said[0])


def test_image_sides_are_said_to_be_so() -> None:
    """Without tags the words follow the display, and say so; the centre needs no such word."""
    upper_left = place(5, 5, (100, 100), None, None, 1.0)
    assert position(upper_left) == "upper left part of the image as displayed (orientation unknown)"
    assert [axis.towards for axis in upper_left.axes] == ["image right", "image down"]
    assert position(place(50, 50, (100, 100), None, None, 1.0)) == "centre of the image"


@pytest.mark.parametrize(
    ("view", "x", "y", "words"),
    [
        ("axial", 5, 5, "patient's right anterior part of the image"),
        ("axial", 95, 50, "patient's left third of the image"),
        ("axial", 50, 95, "posterior third of the image"),
        ("coronal or frontal radiograph", 5, 95, "patient's right inferior part of the image"),
        ("coronal or frontal radiograph", 95, 5, "patient's left superior part of the image"),
        ("sagittal or lateral radiograph", 5, 5, "superior anterior part of the image"),
        ("sagittal or lateral radiograph", 95, 95, "inferior posterior part of the image"),
    ],
)
def test_views(view: str, x: float, y: float, words: str) -> None:
    """Slices of the three planes and radiographs, by convention: the patient's right is on the image's left."""
    assert position(place(x, y, (100, 100), SHOWN[view], None, 1.0)) == words


@pytest.mark.parametrize("orientation", TAGS, ids=lambda tags: f"{tags.right}, {tags.down}")
def test_fractions_grow_towards_the_named_side(orientation: Orientation) -> None:
    """A step right or down in the image moves the fraction towards where the tags say that it leads."""
    start, right, down = (place(x, y, (100, 100), orientation, None, 1.0) for x, y in ((50, 50), (60, 50), (50, 60)))
    for moved, side in ((right, orientation.right), (down, orientation.down)):
        (axis,) = (n for n in range(2) if moved.axes[n].fraction != start.axes[n].fraction)
        grew = moved.axes[axis].fraction > start.axes[axis].fraction
        assert grew == (moved.axes[axis].towards == side)
        assert {moved.axes[axis].towards} <= next(both for both in AXES if side in both)


def test_within_what_was_outlined() -> None:
    """Fractions are of the outlined part's own extent, not of the image's."""
    mask = np.zeros((100, 200), np.uint8)
    mask[20:60, 100:180] = 1
    within = Within.of("brain", mask)
    assert within is not None
    found = place(109.5, 39.5, (100, 200), SHOWN["axial"], within, 1.0)
    assert [axis.fraction for axis in found.axes] == [0.125, 0.5]
    assert position(found) == "patient's right third of the brain"
    assert Within.of("brain", np.zeros((4, 4), np.uint8)) is None


def test_mirror_and_symmetry() -> None:
    """Regions that mirror each other are told so, on any lay of the image, and one-sided ones by their side."""
    for times, mirrored in TURNS:
        tags = tag(SHOWN["axial"], times, mirrored)
        found = named(measured(times, mirrored, tags, outline=True))
        relations = relate(found, None, inverted=False, orientation=tags)
        mirror = [relation for relation in relations if relation.predicate == "mirror of"]
        assert len(mirror) == 1
        assert mirror[0].value is not None
        assert mirror[0].value > 0.8
        left = next(relation for relation in relations if relation.predicate == "patient left of")
        places = {one.region.region_id: one.region.place for one in found}
        subject, other = places[left.subject], places[left.object]
        assert subject is not None
        assert other is not None
        assert subject.axes[0].fraction > other.axes[0].fraction
        image = turned(drawn()[0], times, mirrored)
        both, _ = distribute(found, image, tags, "HU")
        assert (both.spread, both.side) == ("multifocal", "both sides")
        assert both.asymmetry == pytest.approx(0, abs=0.02)
        alone = [one for one in found if one.region.label == "label 0"][:1]
        (one_sided,) = distribute(alone, image, tags, "HU")
        on = alone[0].region.place
        assert on is not None
        expected = "patient left" if on.axes[0].fraction > 0.5 else "patient right"
        assert (one_sided.spread, one_sided.side) == ("focal", expected)
        assert abs(one_sided.asymmetry or 0) == 1
        # Its values are higher: without it, its own side is so much darker than the other.
        assert one_sided.side_difference is not None
        assert one_sided.side_difference_without is not None
        change = one_sided.side_difference - one_sided.side_difference_without
        assert (change > 0) == (expected == "patient left")


def test_axes_are_told_from_one_end() -> None:
    """Whichever way an axis runs, it is told towards the same end."""
    for orientation in TAGS:
        told = {towards for towards, _ in directions(orientation)}
        assert told <= {"patient left", "posterior", "feet"}
        assert len(told) == 2
