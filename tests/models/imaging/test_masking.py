"""Masks are flat, and stop where the source marks a region."""

import numpy as np

from models.imaging.annotations import as_annotation
from models.imaging.masking import apart_from, covered, marked_in, masked
from models.imaging.text import Box
from schemas.images import SourceAnnotation
from schemas.shapes import Box as Shape


def test_masking_is_flat_takes_the_level_beside_it_and_leaves_the_rest() -> None:
    """In every channel, in a copy."""
    image = np.full((40, 60, 3), (10, 60, 200), np.uint8)
    image[10:20, 10:30] = 255
    before = image.copy()
    clean = masked(image, [Box(10, 10, 30, 20, 1.0)])
    np.testing.assert_array_equal(clean, np.full_like(image, (10, 60, 200)))
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(masked(image, [Box(0, 0, 60, 40, 1.0)]), np.full_like(image, (10, 60, 200)))


def test_what_is_left_of_a_box_is_all_of_it_outside_a_region() -> None:
    """Whatever the region's outline; the parts do not overlap."""
    rows, columns = np.mgrid[:40, :60]
    disc = (rows - 20) ** 2 + (columns - 30) ** 2 < 100
    ring = disc & ((rows - 20) ** 2 + (columns - 30) ** 2 > 30)
    for region in (disc, ring, np.zeros_like(disc), np.ones_like(disc)):
        box = Box(5, 12, 55, 31, 0.7)
        parts = list(apart_from(box, region))
        np.testing.assert_array_equal(covered((40, 60), parts, ()), covered((40, 60), [box], ()) & ~region)
        assert sum((part.right - part.left) * (part.bottom - part.top) for part in parts) == (
            covered((40, 60), parts, ()).sum()
        )


def test_marked_regions_are_those_of_masks_and_boxes() -> None:
    """Whichever of both an annotation has."""
    mask = np.zeros((40, 60), bool)
    mask[3:9, 50:58] = True
    annotations = [
        as_annotation(mask, "lesion"), SourceAnnotation(label="lesion", box=Shape(x=1, y=30, width=5, height=4)),
    ]  # fmt: skip
    marked = marked_in(annotations, (40, 60, 3))
    assert marked[3:9, 50:58].all()
    assert marked[30:34, 1:6].all()
    assert marked.sum() == 48 + 20
