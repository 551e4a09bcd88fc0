"""Samples in 16 bits: what has no value, or lies far out, takes nothing from the precision of the rest."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.imaging import errors as causes
from models.imaging.storing import store

STEPS = np.linspace(0.25, 1, 4096).reshape(64, 64)
FINE = (STEPS.max() - STEPS.min()) / 2**12


def with_values(where: slice, value: float, dtype: type[np.floating[Any]] = np.float32) -> NDArray[Any]:
    samples = STEPS.astype(dtype)
    samples.ravel()[where] = value
    return samples


@pytest.mark.parametrize(
    "value",
    [np.nan, np.inf, -np.inf, -1e30, 1e30, np.finfo(np.float32).min, np.finfo(np.float32).max, -9999.0, -32768.0, 1e6],
)
@pytest.mark.parametrize("share", [2, 1000, 3000])
def test_a_sentinel_is_background(value: float, share: int) -> None:
    """However many pixels have it: below the others, and out of their range."""
    fitted = store(with_values(slice(share), value))
    values = fitted.stored * fitted.step + fitted.base
    assert fitted.known is not None
    assert (~fitted.known).sum() == share
    assert fitted.step <= FINE
    assert values.ravel()[:share].max() <= STEPS.min() <= values.ravel()[share:].min() + FINE
    np.testing.assert_allclose(values.ravel()[share:], STEPS.ravel()[share:], atol=FINE)


@pytest.mark.parametrize("value", [1e9, -1e9, 5000.0])
def test_one_outlier_leaves_the_others_their_precision(value: float) -> None:
    """All but one pixel keep 12 bits of their range."""
    fitted = store(with_values(slice(7, 8), value))
    values = (fitted.stored * fitted.step + fitted.base).ravel()
    assert fitted.step <= FINE
    np.testing.assert_allclose(np.delete(values, 7), np.delete(STEPS.ravel(), 7), atol=FINE)


def test_a_few_outliers_too() -> None:
    """Of one pixel in two hundred, in both directions."""
    samples = with_values(slice(10), 1e9)
    samples.ravel()[20:30] = -np.geomspace(1e6, 1e9, 10)
    fitted = store(samples)
    assert fitted.step <= FINE
    values = (fitted.stored * fitted.step + fitted.base).ravel()
    np.testing.assert_allclose(values[30:], STEPS.ravel()[30:], atol=FINE)


def test_what_is_bright_in_many_pixels_stays_as_bright() -> None:
    """A bladder in PET, a hundred times as bright as the rest, is no outlier."""
    samples = with_values(slice(60), 100.0)
    fitted = store(samples)
    assert fitted.known is None
    assert (fitted.stored * fitted.step + fitted.base).max() == pytest.approx(100)


def test_padding_is_background_beside_the_values() -> None:
    """0 below a map's values keeps its own value; the others have the range for themselves."""
    fitted = store(with_values(slice(500), 0.0), (0.0, 0.0))
    values = (fitted.stored * fitted.step + fitted.base).ravel()
    assert fitted.known is not None
    assert values[:500].max() == 0
    assert fitted.step <= FINE


@pytest.mark.parametrize("padding", [None, (-(2.0**31), -(2.0**31))])
def test_wide_integers_keep_their_values_beside_padding(padding: tuple[float, float] | None) -> None:
    """Named or not: what spans less than 2¹⁶ is exact."""
    samples = np.arange(4096, dtype=np.int32).reshape(64, 64)
    samples[:8] = -(2**31)
    fitted = store(samples, padding)
    np.testing.assert_array_equal((fitted.stored * fitted.step + fitted.base)[8:], samples[8:])


def test_labels_in_floats_are_no_sentinels() -> None:
    """Whole numbers are stored as they are, whatever stands at their end."""
    samples = np.zeros((64, 64), np.float32)
    samples[3, 3:9] = 40_000
    fitted = store(samples)
    assert fitted.known is None
    np.testing.assert_array_equal(fitted.stored, samples)


def test_two_values_are_no_sentinels_of_each_other() -> None:
    """A map of two values that are no whole numbers keeps both."""
    samples = np.where(STEPS > 0.5, 0.1, 1e6)
    fitted = store(samples)
    np.testing.assert_allclose(fitted.stored * fitted.step + fitted.base, samples, rtol=1e-4)


@pytest.mark.parametrize("value", [np.nan, -1e30, np.inf])
def test_a_frame_without_any_value_is_refused(value: float) -> None:
    """The message says why."""
    with pytest.raises(causes.UnsupportedPixels, match="no pixel of the frame has a value"):
        store(np.full((8, 8), value, np.float32))
