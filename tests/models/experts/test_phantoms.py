"""Phantoms: drawn images must hold what their truth says, at the contrast it was asked for."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.experts.datasets import open_dataset
from models.experts.datasets.films import write_films
from models.experts.datasets.phantoms import FolderInUse
from models.experts.phantoms import DRAWN, draw
from models.experts.phantoms.films import chest_film, lateral_film, other_film
from schemas.images import Modality

each = pytest.mark.parametrize("modality", DRAWN)


def contrast_of(values: np.ndarray, mask: np.ndarray) -> float:
    """Difference of means between a mask and the ring around it, in standard deviations of the ring."""
    ring = cv2.dilate(mask, np.ones((13, 13), np.uint8)) - cv2.dilate(mask, np.ones((3, 3), np.uint8))
    inside, around = values[cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0], values[ring > 0]
    return abs(float(inside.mean() - around.mean())) / float(around.std())


@each
def test_same_again(modality: Modality) -> None:
    """A seed gives the same image each time, and another seed another one."""
    one, again, other = (draw(modality, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.values, again.values)
    assert not np.array_equal(one.values, other.values)
    assert one.values.dtype == np.float32
    assert np.isfinite(one.values).all()


@each
def test_truth(modality: Modality) -> None:
    """Lesions are there at a contrast and not without one, and every mask is 0 and 1 over the whole image."""
    with_lesions, without = draw(modality, seed=1), draw(modality, seed=1, contrast=0)
    assert with_lesions.truth[with_lesions.lesions].any()
    assert not without.truth[without.lesions].any()
    for mask in with_lesions.truth.values():
        assert mask.shape == with_lesions.values.shape[:2]
        assert set(np.unique(mask)) <= {0, 1}


@each
def test_borders(modality: Modality) -> None:
    """A lesion lies wholly within the image, so that its area is its own."""
    for seed in range(5):
        phantom = draw(modality, seed=seed)
        mask = phantom.truth[phantom.lesions]
        assert mask[1:-1, 1:-1].sum() == mask.sum()


@pytest.mark.parametrize("modality", ["CT", "MR", "X-ray", "PET", "ultrasound"])
def test_contrast(modality: Modality) -> None:
    """The contrast of a lesion, measured on the finished image, is the one asked for to within a third."""
    measured = []
    for seed in range(8):
        phantom = draw(modality, seed=seed, contrast=4.0)
        _, labels = cv2.connectedComponents(phantom.truth["lesion"])
        measured += [
            contrast_of(phantom.values, (labels == number).astype(np.uint8)) for number in range(1, labels.max() + 1)
        ]
    assert np.median(measured) == pytest.approx(4.0, rel=0.33)


def test_wrong_arguments() -> None:
    """A size too small to hold anything is refused."""
    with pytest.raises(ValueError, match="at least 128"):
        draw("CT", side=64)


def test_films_of_the_chest() -> None:
    """Two lungs of a size that people have, one each side, darker than what is between them on nearly all."""
    darker = 0
    for seed in range(30):
        image, lungs = chest_film(np.random.default_rng(seed), 96)
        again, same = chest_film(np.random.default_rng(seed), 96)
        assert np.array_equal(image, again)
        assert np.array_equal(lungs, same)
        assert image.dtype == lungs.dtype == np.uint8
        assert set(np.unique(lungs)) == {0, 1}
        count, _, stats, _ = cv2.connectedComponentsWithStats(lungs)
        assert count >= 3
        assert 0.06 < lungs.mean() < 0.75, seed
        largest = np.sort(stats[1:, cv2.CC_STAT_AREA])[-2:]
        assert largest[0] > largest[1] / 4, seed
        rows, columns = np.nonzero(lungs)
        between = image[rows.min() : rows.max(), int(columns.mean()) - 1 : int(columns.mean()) + 2]
        darker += float(image[lungs > 0].mean()) < float(between.mean())
    assert darker >= 26


@pytest.mark.parametrize("draw_film", [lateral_film, other_film])
def test_films_without_lungs(draw_film: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]) -> None:
    """Something is drawn, and nothing is marked."""
    for seed in range(5):
        image, lungs = draw_film(np.random.default_rng(seed), 96)
        assert image.std() > 5
        assert not lungs.any()


def test_films_as_a_folder(tmp_path: Path) -> None:
    """Images and masks of one size each, most of them with lungs, on which training opens; nothing is written over."""
    write_films(tmp_path / "films", count=40, side=64)
    examples = list(open_dataset(tmp_path / "films").read())
    assert len(examples) == 40
    shapes = [one.values.shape for one in examples]
    assert len(set(shapes)) > 3
    assert all(
        max(shape) == 64 and one.masks["lung field"].shape == shape for one, shape in zip(examples, shapes, strict=True)
    )
    assert sum(one.masks["lung field"].any() for one in examples) > 30
    with pytest.raises(FolderInUse):
        write_films(tmp_path / "films", count=1, side=64)
