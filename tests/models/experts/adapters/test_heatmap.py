"""Classifiers: the class activation is the colour, so that its peak is known."""

import numpy as np
import pytest

from tests.models.experts.adapters.examples import example, iou, mask_of, seen


@pytest.fixture
def skin() -> np.ndarray:
    image = np.zeros((128, 192, 3), np.float32)
    image[32:96, 48:120, 0] = 255.0
    image[0:8, 0:8, 1] = 255.0
    return image


def test_region_of_a_probable_class(skin: np.ndarray) -> None:
    """The class that the image is of has a region where it was told; the other, less probable, has none."""
    (found,) = seen(example("classifier"), skin).candidates
    assert found.label == "red lesion"
    assert iou(mask_of(found, skin), skin[..., 0] > 0) > 0.8
    mean = skin[..., 0].mean() / 255
    assert found.component.score == pytest.approx(1 / (1 + np.exp(2 - 32 * mean)), abs=1e-3)
    assert "50 % of its peak" in found.rule


def test_two_places(skin: np.ndarray) -> None:
    """Two places that tell of one class are two regions of it."""
    skin[64:128, 152:192, 0] = 255.0
    assert [one.label for one in seen(example("classifier"), skin).candidates] == ["red lesion", "red lesion"]


def test_no_class() -> None:
    """Where no class is probable nothing is told of."""
    assert seen(example("classifier"), np.zeros((64, 64, 3))).candidates == []
