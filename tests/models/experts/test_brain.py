"""Bright lesions of white matter, on drawn heads of 512 × 512 px."""

import cv2
import numpy as np
import pytest

from models.experts.registry import Registry
from schemas.images import ImageMetadata
from schemas.regions import Region

LESIONS = ((190, 190, 4), (330, 290, 5), (300, 160, 9))
"""Column, row, radius."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def head(cortex: float, *, shoulders: bool = False) -> np.ndarray:
    """Scalp, skull, a rim of `cortex`, white matter of 300, dark ventricles, LESIONS; noise of 25. float32."""
    image = np.zeros((512, 512), np.float32)
    for reach, value in ((0, 420.0), (18, 40.0), (28, cortex), (46, 300.0)):
        cv2.ellipse(image, (256, 250), (180 - reach, 220 - reach), 0, 0, 360, value, -1)
    for column in (236, 276):
        cv2.ellipse(image, (column, 250), (10, 50), 0, 0, 360, 80.0, -1)
    for column, row, radius in LESIONS:
        cv2.circle(image, (column, row), radius, 480.0, -1)
    if shoulders:
        cv2.rectangle(image, (0, 400), (511, 511), 0.0, -1)
        cv2.rectangle(image, (20, 420), (491, 511), 380.0, -1)
    image = cv2.GaussianBlur(image, (0, 0), 1.2)
    image += np.random.default_rng(0).normal(0, 25, image.shape).astype(np.float32)
    return np.abs(image)


def bright(registry: Registry, image: np.ndarray) -> list[Region]:
    about = ImageMetadata(source_format="NIfTI", modality="MR", organ="brain", plane="axial")
    regions = registry.ground(image, about, "stored value").regions
    return [one for one in regions if one.label == "hyperintense region within the brain"]


def found(regions: list[Region]) -> set[int]:
    """Which of LESIONS a region's centroid lies in."""
    return {
        n
        for n, (column, row, radius) in enumerate(LESIONS)
        if any(np.hypot(one.centroid[0] - column, one.centroid[1] - row) < radius for one in regions)
    }


@pytest.mark.parametrize("shoulders", [False, True])
def test_small_lesions_are_found(registry: Registry, shoulders: bool) -> None:
    """Of 50 px and more, as large as they are, whatever else is in the picture; of the noise one speck at most."""
    regions = bright(registry, head(300.0, shoulders=shoulders))
    assert found(regions) == {0, 1, 2}
    for region in regions:
        for lesion in found([region]):
            assert region.area_px == pytest.approx(np.pi * LESIONS[lesion][2] ** 2, rel=0.2)
    others = [one for one in regions if not found([one])]
    assert len(others) <= 1
    assert all(one.area_px < 50 for one in others)


@pytest.mark.parametrize("cortex", [340.0, 380.0, 450.0])
def test_bright_cortex_is_no_lesion(registry: Registry, cortex: float) -> None:
    """As it is in T2: only what stands out from its own neighbourhood is told."""
    regions = bright(registry, head(cortex))
    assert found(regions) == {2}
    assert len(regions) == 1


def test_composites_are_not_read(registry: Registry) -> None:
    """Grey in three channels is read as grey is; of three sequences in one picture nothing is told by this expert."""
    grey = head(300.0)
    alike, composite = np.repeat(grey[..., None], 3, axis=2), np.stack([0.5 * grey, grey, 0.7 * grey], axis=2)
    assert found(bright(registry, alike)) == found(bright(registry, grey))
    assert not [one for one in bright(registry, composite) if one.expert.startswith("mr-brain@")]
