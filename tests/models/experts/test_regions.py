"""Measurement of regions against masks and images whose truth is known."""

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco
from scipy import stats

from models.experts.candidates import Candidate, Component, components, foreground
from models.experts.places import Within
from models.experts.regions import measure, named, run_lengths
from schemas.images import ImageMetadata, Spacing

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


def test_measurements() -> None:
    """Area, box, centroid, intensity and ring of a rectangle are those it was drawn with."""
    image = np.full((60, 90), 10.0, np.float32)
    image[20:30, 40:60] = 50.0
    found = named(measure([candidate(np.ones((10, 20), np.uint8), 40, 20)], image, CT, "HU"))
    region = found[0].region
    assert (region.region_id, region.area_px, region.area_mm2) == ("r1", 200, 200.0)
    assert (region.box.x, region.box.y, region.box.width, region.box.height) == (40, 20, 20, 10)
    assert region.centroid == (49.5, 24.5)
    assert (region.intensity.mean, region.intensity.standard_deviation, region.intensity.unit) == (50.0, 0.0, "HU")
    assert region.surroundings is not None
    assert (region.surroundings.minimum, region.surroundings.maximum) == (10.0, 10.0)


def test_thirds_are_medians_at_both_ends() -> None:
    """Of what the mask holds there; of a region below 1 % of the image, or with nothing at one end, none are told."""
    image = np.full((60, 90), 10.0, np.float32)
    image[20:30, 40:60], image[40:50, 40:60] = 50.0, 80.0
    image[20, 40] = 900.0
    crop = np.ones((30, 20), np.uint8)
    crop[10:20, 5:] = 0
    (tall,) = measure([candidate(crop, 40, 20)], image, CT, "HU")
    assert tall.region.thirds is not None
    assert (tall.region.thirds.upper, tall.region.thirds.lower) == (50.0, 80.0)
    (small,) = measure([candidate(np.ones((6, 8), np.uint8), 40, 20)], image, CT, "HU")
    (flat,) = measure([candidate(np.ones((2, 40), np.uint8), 40, 20)], image, CT, "HU")
    assert (small.region.thirds, flat.region.thirds) == (None, None)


@pytest.mark.parametrize("seed", range(4))
def test_statistics_are_scipys(seed: int) -> None:
    """Median, percentiles, skewness and kurtosis are those of NumPy and SciPy over the region's pixels."""
    random = np.random.default_rng(seed)
    image = random.gamma(2.0, 30.0, (40, 40)).astype(np.float32)
    crop = (random.random((20, 25)) < 0.5).astype(np.uint8)
    found = measure([candidate(crop, 3, 4)], image, CT, "HU")[0].region.intensity
    inside = image[4:24, 3:28][crop > 0].astype(np.float64)
    tenth, median, ninetieth = np.percentile(inside, (10, 50, 90))
    assert (found.percentile_10, found.median, found.percentile_90) == pytest.approx(
        (tenth, median, ninetieth), rel=1e-3
    )
    assert found.skewness == pytest.approx(stats.skew(inside), rel=2e-3)
    assert found.kurtosis == pytest.approx(stats.kurtosis(inside), rel=2e-3)
    assert (found.mean, found.standard_deviation) == pytest.approx((inside.mean(), inside.std()), rel=1e-3)


def test_contrast() -> None:
    """Difference, contrast-to-noise and ratio of spreads are against the ring, and turn with the display alone."""
    image = np.random.default_rng(0).normal(100, 10, (80, 80)).astype(np.float32)
    image[30:50, 30:50] += 60
    block = candidate(np.ones((20, 20), np.uint8), 30, 30)
    (plain,), (turned,) = (measure([block], image, CT, "HU", inverted=inverted) for inverted in (False, True))
    one, other = plain.region.contrast, turned.region.contrast
    assert one is not None
    assert other is not None
    assert one.difference == pytest.approx(60, abs=3)
    assert one.contrast_to_noise == pytest.approx(6, abs=1)
    assert one.standard_deviation_ratio == pytest.approx(1, abs=0.2)
    assert (other.contrast_to_noise, other.as_displayed) == (one.contrast_to_noise, -(one.contrast_to_noise or 0))


@pytest.mark.parametrize(("blur", "low", "high"), [(0.0, 0.95, 1.0), (0.7, 0.4, 0.65), (5.0, 0.0, 0.2)])
def test_sharpness(blur: float, low: float, high: float) -> None:
    """Of a sharp edge all, of a sampled image's edge about half, of a wide one little falls on one pixel."""
    mask = cv2.circle(np.zeros((200, 200), np.uint8), (100, 100), 30, 1, -1)
    image = 100 * mask.astype(np.float32)
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    image += np.random.default_rng(0).normal(0, 1, image.shape).astype(np.float32)
    disc = candidate(np.ascontiguousarray(mask[70:131, 70:131]), 70, 70)
    margin = measure([disc], image, CT.model_copy(update={"spacing": None}), "HU")[0].region.margin
    assert margin is not None
    assert margin.sharpness is not None
    assert low <= margin.sharpness <= high
    assert margin.gradient_unit == "HU/px"


def test_region_without_surroundings() -> None:
    """A region that fills the image has no ring, and nothing that would be told against one."""
    image = np.zeros((8, 8), np.float32)
    region = measure([candidate(np.ones((8, 8), np.uint8), 0, 0)], image, CT, "HU")[0].region
    assert (region.surroundings, region.contrast) == (None, None)
    assert region.margin is not None
    assert (region.margin.gradient, region.margin.sharpness) == (None, None)


def test_flat_surroundings() -> None:
    """Without noise there is no contrast-to-noise ratio, and no infinite one."""
    image = np.zeros((20, 20), np.float32)
    image[5:10, 5:10] = 1
    contrast = measure([candidate(np.ones((5, 5), np.uint8), 5, 5)], image, CT, "HU")[0].region.contrast
    assert contrast is not None
    assert (contrast.difference, contrast.contrast_to_noise, contrast.standard_deviation_ratio) == (1, None, None)


def test_share() -> None:
    """The share is of the image; or of what was outlined, by the part of the region that is within it."""
    image, mask = np.zeros((20, 20), np.float32), np.zeros((20, 20), np.uint8)
    mask[:9] = 1
    block = candidate(np.ones((4, 10), np.uint8), 0, 8)
    shares = []
    for within in (None, Within.of("body", mask)):
        place = measure([block], image, CT, "HU", within=within)[0].region.place
        assert place is not None
        shares.append(place.share_percent)
    assert shares == [10, pytest.approx(100 * 10 / 180, rel=1e-3)]


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
