"""Texture against the published values of the IBSI digital phantom, and against scikit-image."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, graycoprops

from models.experts.textures import BIN_NUMBER, MOST_BINS, Discretised, cooccurrence, discretise, texture

# IBSI reference manual (arXiv 1612.07003), chapter 5: four slices of 4 × 5 voxels; 0 is outside the region.
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [0, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 0, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ],
    np.uint8,
)


def test_ibsi_digital_phantom() -> None:
    """Co-occurrence features of the slices, directions merged, have the published 2D slice-merged means."""
    slices = [texture(Discretised(one, 6, "as it is"), int((one > 0).sum())) for one in PHANTOM]
    means = {
        name: float(np.mean([getattr(one, name) for one in slices]))
        for name in ("contrast", "homogeneity", "correlation", "energy")
    }
    assert means["contrast"] == pytest.approx(5.19, abs=0.005)
    assert means["homogeneity"] == pytest.approx(0.625, abs=0.0005)
    assert means["correlation"] == pytest.approx(0.0173, abs=0.00005)
    assert means["energy"] == pytest.approx(0.352, abs=0.0005)


def test_ibsi_first_order() -> None:
    """Entropy and uniformity of the whole phantom, laid out flat, have the published values."""
    flat = PHANTOM.reshape(16, 5)
    found = texture(Discretised(flat, 6, "as it is"), int((flat > 0).sum()))
    assert found is not None
    assert found.entropy == pytest.approx(1.27, abs=0.005)
    assert found.uniformity == pytest.approx(0.512, abs=0.0005)


@pytest.mark.parametrize("seed", range(6))
def test_against_scikit_image(seed: int) -> None:
    """The matrix is that of graycomatrix without the pixels outside, and the features those of graycoprops."""
    random = np.random.default_rng(seed)
    mask = (random.random((23, 31)) < 0.7).astype(np.uint8)
    values = random.normal(50, 20, mask.shape).astype(np.float32)
    inside = values[mask > 0]
    binned = discretise(values, mask, float(inside.min()), float(inside.max()), "stored value")
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    theirs = graycomatrix(binned.bins, [1], angles, levels=BIN_NUMBER + 1, symmetric=True)[1:, 1:]
    theirs = theirs.sum(axis=3, keepdims=True).astype(np.float64)
    assert np.array_equal(cooccurrence(binned), theirs[:, :, 0, 0])
    found = texture(binned, int(mask.sum()))
    assert found is not None
    for ours, name in (
        (found.contrast, "contrast"),
        (found.homogeneity, "homogeneity"),
        (found.correlation, "correlation"),
        (found.energy, "ASM"),
    ):
        assert ours == pytest.approx(graycoprops(theirs, name).item(), rel=1e-3, abs=1e-4)


def test_discretisation_by_unit() -> None:
    """HU and SUV have bins of a fixed width at its multiples, other units a fixed number; both reach the extremes."""
    mask = np.ones((1, 4), np.uint8)
    values = np.array([[-30.0, -25.0, 0.0, 49.9]], np.float32)
    binned = discretise(values, mask, -30.0, 49.9, "HU")
    assert (binned.bins.tolist(), binned.levels, binned.stated) == ([[1, 2, 3, 4]], 4, "fixed bin width 25 HU")
    binned = discretise(values, mask, -30.0, 49.9, "stored value")
    assert (binned.bins.tolist(), binned.stated) == ([[1, 3, 13, 32]], "fixed bin number 32")
    assert discretise(values / 100, mask, -0.3, 0.499, "SUVbw").stated == "fixed bin width 0.5 SUVbw"
    metal = discretise(values * 1000, mask, -30000.0, 49900.0, "HU")
    assert (metal.levels, metal.bins.max(), metal.stated) == (MOST_BINS, MOST_BINS, "fixed bin number 128")


def test_scale_does_not_matter_to_a_fixed_number() -> None:
    """Gain and offset, which stored values leave open, do not change the texture."""
    random = np.random.default_rng(0)
    values, mask = random.normal(0, 1, (20, 20)).astype(np.float32), np.ones((20, 20), np.uint8)
    scaled = values * 8 + 1024
    one, other = (
        texture(discretise(image, mask, float(image.min()), float(image.max()), "stored value"), 400)
        for image in (values, scaled)
    )
    assert one is not None
    assert other is not None
    assert one.contrast == pytest.approx(other.contrast, rel=0.01)


def test_level_and_lonely_regions() -> None:
    """A level region has no contrast; one whose pixels are no neighbours has no texture."""
    level = np.full((5, 5), 7.0, np.float32)
    found = texture(discretise(level, np.ones((5, 5), np.uint8), 7.0, 7.0, "stored value"), 25)
    assert found is not None
    assert (found.entropy, found.contrast, found.homogeneity, found.correlation, found.energy) == (0, 0, 1, 1, 1)
    apart = np.zeros((3, 3), np.uint8)
    apart[0, 0] = apart[2, 2] = 1
    assert texture(discretise(level[:3, :3], apart, 7.0, 7.0, "stored value"), 2) is None
