"""Measurement of regions against masks and images whose truth is known."""

import numpy as np
import pytest
from pycocotools import mask as coco

from models.experts.regions import Candidate, Component, components, foreground, measure, named, position, run_lengths
from schemas.images import ImageMetadata, Orientation, Spacing

AXIAL = Orientation(right="patient left", down="posterior")
CT = ImageMetadata(source_format="DICOM", modality="CT", spacing=Spacing(row_mm=0.5, column_mm=2.0, source="test"))


def candidate(crop: np.ndarray, x: int, y: int, contrast: int = 0) -> Candidate:
    return Candidate(Component(x, y, crop, int(crop.sum()), 0.8), "label", "rule", "e@1", contrast)


@pytest.mark.parametrize("seed", range(8))
def test_run_lengths(seed: int) -> None:
    """Run lengths counted in a crop are those that pycocotools counts in the whole mask."""
    random = np.random.default_rng(seed)
    rows, columns = (int(n) for n in random.integers(1, 30, 2))
    height, width = int(random.integers(1, rows + 1)), int(random.integers(1, columns + 1))
    x, y = int(random.integers(0, columns - width + 1)), int(random.integers(0, rows - height + 1))
    crop = (random.random((height, width)) < random.random()).astype(np.uint8)
    whole = np.zeros((rows, columns), np.uint8)
    whole[y : y + height, x : x + width] = crop
    expected = coco.encode(np.asfortranarray(whole))["counts"].decode()
    assert run_lengths(crop, x, y, (rows, columns)) == expected


def test_run_lengths_of_everything() -> None:
    """Full columns join into one run."""
    full = np.ones((5, 7), np.uint8)
    assert run_lengths(full, 0, 0, (5, 7)) == coco.encode(np.asfortranarray(full))["counts"].decode()
    band = np.zeros((5, 7), np.uint8)
    band[:, 2:5] = 1
    assert run_lengths(band[:, 2:5], 2, 0, (5, 7)) == coco.encode(np.asfortranarray(band))["counts"].decode()


@pytest.mark.parametrize(
    ("x", "y", "orientation", "words"),
    [
        (5, 5, None, "upper left of the image"),
        (5, 5, AXIAL, "upper left of the image (patient's right, anterior)"),
        (95, 95, AXIAL, "lower right of the image (patient's left, posterior)"),
        (50, 95, AXIAL, "lower centre of the image (posterior)"),
        (95, 50, AXIAL, "middle right of the image (patient's left)"),
        (50, 50, AXIAL, "centre of the image"),
        (5, 95, Orientation(right="anterior", down="feet"), "lower left of the image (posterior, towards the feet)"),
    ],
)
def test_position(x: float, y: float, orientation: Orientation | None, words: str) -> None:
    """A place is told in thirds of the image, and by the patient's sides where the tags tell them."""
    assert position(x, y, (100, 100), orientation) == words


def test_measurements() -> None:
    """Area, box, centroid, intensity and ring of a rectangle are those it was drawn with."""
    image = np.full((60, 90), 10.0, np.float32)
    image[20:30, 40:60] = 50.0
    found = named(measure([candidate(np.ones((10, 20), np.uint8), 40, 20)], image, CT, "HU"))
    region = found[0].region
    assert (region.region_id, region.area_px, region.area_mm2) == ("r1", 200, 200.0)
    assert (region.box.x, region.box.y, region.box.width, region.box.height) == (40, 20, 20, 10)
    assert region.centroid == (49.5, 24.5)
    assert (region.intensity.mean, region.intensity.spread, region.intensity.unit) == (50.0, 0.0, "HU")
    assert region.surroundings is not None
    assert (region.surroundings.minimum, region.surroundings.maximum) == (10.0, 10.0)


def test_region_without_surroundings() -> None:
    """A region that fills the image has no ring."""
    image = np.zeros((8, 8), np.float32)
    assert measure([candidate(np.ones((8, 8), np.uint8), 0, 0)], image, CT, "HU")[0].region.surroundings is None


def test_claims_are_checked() -> None:
    """A region said to be brighter is dropped where its ring is brighter, and kept where it is not."""
    image = np.full((40, 40), 10.0, np.float32)
    image[5:10, 5:10] = 5.0
    dark = np.ones((5, 5), np.uint8)
    assert measure([candidate(dark, 5, 5, contrast=1)], image, CT, "HU") == []
    assert len(measure([candidate(dark, 5, 5, contrast=-1)], image, CT, "HU")) == 1


def test_names_do_not_depend_on_order() -> None:
    """Regions are named by size, then place, whatever order they were found in."""
    image = np.zeros((40, 40), np.float32)
    parts = [candidate(np.ones((h, 4), np.uint8), x, 3) for h, x in ((4, 20), (9, 10), (4, 2))]
    forward = [m.region.box for m in named(measure(parts, image, CT, "HU"))]
    assert forward == [m.region.box for m in named(measure(parts[::-1], image, CT, "HU"))]
    assert [box.x for box in forward] == [10, 2, 20]


def test_components() -> None:
    """The largest components are kept, small ones ignored, and those beyond the most counted."""
    mask = np.zeros((40, 40), np.uint8)
    for n, side in enumerate((6, 5, 4, 1)):
        mask[10 * n : 10 * n + side, 2 : 2 + side] = 1
    kept, left_out = components(mask.astype(np.float32), mask, (40, 40), 4, most=2)
    assert [part.area_px for part in kept] == [36, 25]
    assert left_out == 1
    assert kept[0].score == 1.0


@pytest.mark.parametrize("size", [(100, 130), (33, 47), (40, 50)])
def test_components_at_full_size(size: tuple[int, int]) -> None:
    """A component found at a working size covers, at full size, the pixels that fall on its working pixels."""
    random = np.random.default_rng(0)
    working = (20, 25)
    mask = (random.random(working) < 0.5).astype(np.uint8)
    rows = np.arange(size[0]) * working[0] // size[0]
    columns = np.arange(size[1]) * working[1] // size[1]
    whole = np.zeros(size, np.uint8)
    kept, _ = components(mask.astype(np.float32), mask, size, 1, most=1000)
    for part in kept:
        whole[part.y : part.y + part.crop.shape[0], part.x : part.x + part.crop.shape[1]] |= part.crop
    assert np.array_equal(whole, mask[np.ix_(rows, columns)])
    assert sum(part.area_px for part in kept) == whole.sum()


def test_foreground() -> None:
    """The foreground keeps large components, fills their holes, and leaves bays that reach the image's edge."""
    mask = np.zeros((40, 40), np.uint8)
    mask[0:30, 5:30] = 1
    mask[10:15, 10:15] = 0
    mask[0:8, 20:24] = 0
    mask[36:38, 36:38] = 1
    body = foreground(mask, 0.1, 0.0)
    assert body[12, 12] == 1
    assert body[2, 22] == 0
    assert body[37, 37] == 0
    assert foreground(mask, 0.1, 0.05)[29, 15] == 0
