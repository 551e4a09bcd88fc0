"""Blood in drawn CT of heads that comes as pictures, 512 × 512 px: along the skull, in the brain, and none."""

import cv2
import numpy as np
import pytest

from benchmarks.experts_quality import decode
from models.experts.registry import Registry
from schemas.images import ImageMetadata

WIDE, BRAIN = (0.0, 255.0), (0.0, 80.0)
BLOOD_HU = 65.0


def filled(x: int, y: int, across: int, down: int) -> np.ndarray:
    return cv2.ellipse(np.zeros((512, 512), np.uint8), (x, y), (across, down), 0, 0, 360, 1, -1) > 0


def head(blood: np.ndarray | None, window: tuple[float, float]) -> np.ndarray:
    """Scalp, skull, brain of 35 HU with ventricles and noise of 5, and `blood`, as grey levels, float32."""
    hu = np.full((512, 512), -1000.0)
    hu[filled(256, 256, 172, 212)] = 40.0
    hu[filled(256, 256, 160, 200)] = 900.0
    hu[filled(256, 256, 145, 185)] = 35.0
    hu[filled(236, 250, 10, 40) | filled(276, 250, 10, 40)] = 8.0
    if blood is not None:
        hu[blood] = BLOOD_HU
    hu = cv2.GaussianBlur(hu, (0, 0), 1.0) + np.random.default_rng(0).normal(scale=5.0, size=hu.shape)
    low, high = window
    return np.clip(255 * (hu - low) / (high - low), 0, 255).round().astype(np.float32)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(tuple(one for one in Registry.load().experts if one.manifest.name == "ct-head"))


def told(registry: Registry, image: np.ndarray) -> list[np.ndarray]:
    about = ImageMetadata.model_validate({"source_format": "PNG", "modality": "CT", "organ": "brain"})
    regions = registry.ground(image, about, "grey level").regions
    return [decode(one) > 0 for one in regions if one.kind == "candidate"]


ALONG_THE_SKULL = filled(256, 256, 145, 185) & ~filled(284, 256, 145, 187)
IN_THE_BRAIN = filled(320, 300, 30, 24)


@pytest.mark.parametrize("window", [WIDE, BRAIN])
@pytest.mark.parametrize("blood", [ALONG_THE_SKULL, IN_THE_BRAIN], ids=["along the skull", "in the brain"])
def test_blood_is_outlined_up_to_the_bone(registry: Registry, blood: np.ndarray, window: tuple[float, float]) -> None:
    """Bone beside it is brighter still, and neither cuts its outline off nor hides it."""
    (mask,) = told(registry, head(blood, window))
    assert 2 * (mask & blood).sum() / (mask.sum() + blood.sum()) > 0.8


@pytest.mark.parametrize("window", [WIDE, BRAIN])
def test_a_head_without_blood_has_none(registry: Registry, window: tuple[float, float]) -> None:
    assert told(registry, head(None, window)) == []
