"""Values as a manifest wants them, of pictures and volumes alike."""

import numpy as np
import pytest

from models.experts.contracts import ZScore
from models.experts.inputs import normalised


@pytest.mark.parametrize("shape", [(2, 4), (2, 2, 2)])
def test_what_is_around_a_head_stays_at_zero(shape: tuple[int, ...]) -> None:
    """As MONAI's NormalizeIntensity(nonzero) and nnU-Net's masked z-score: mean and spread of what is above 0 alone."""
    values = np.array([0, 0, 0, 100, 200, 300, 0, 0], np.float32).reshape(shape)
    spread = np.sqrt(20000 / 3)
    right = np.array([0, 0, 0, -100, 0, 100, 0, 0]).reshape(shape) / spread
    np.testing.assert_allclose(normalised(values, ZScore(kind="z-score", positive=True)), right, rtol=1e-5)
    clipped = normalised(values, ZScore(kind="z-score", positive=True, low=150.0, mean=150.0, deviation=1.0))
    np.testing.assert_allclose(clipped.ravel(), [0, 0, 0, 0, 50, 150, 0, 0])
