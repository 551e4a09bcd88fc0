"""What the experts on microscopy tell of drawn blood films."""

import cv2
import numpy as np
import pytest

from benchmarks.experts_quality import decode
from models.experts.registry import Registry
from schemas.images import ImageMetadata
from schemas.regions import Region

ABOUT = ImageMetadata(source_format="JPEG", modality="microscopy")
RED, AZURE = (0.03, 0.11, 0.1), (0.15, 0.28, 0.12)
"""Optical density of a red cell and of a nucleus, in red, green and blue, over the ground: medians of 91 pictures of
BCCD for red and green."""
NUCLEUS = (260, 190, 34)
"""x, y and radius in px."""


def film(seed: int, nucleus: bool, ground: float = 205.0) -> np.ndarray:
    """Red cells, pale in their middle, and where it is asked for a nucleus of two lobes: (rows, columns, 3)."""
    random = np.random.default_rng(seed)
    density = np.zeros((384, 512, 3), np.float32)
    for y in range(30, 384, 75):
        for x in range(30, 512, 75):
            cell = np.zeros(density.shape[:2], np.uint8)
            cv2.circle(cell, (x, y), 33, 1, -1)
            density[cell > 0] = RED
            cv2.circle(cell, (x, y), 10, 2, -1)
            density[cell > 1] *= 0.4
    if nucleus:
        density[truth() > 0] = AZURE
    values = ground * 10.0 ** -cv2.GaussianBlur(density, (0, 0), 1.5) + 3 * random.standard_normal(density.shape)
    return np.clip(values, 0, 255).astype(np.float32)


def truth() -> np.ndarray:
    x, y, radius = NUCLEUS
    mask = np.zeros((384, 512), np.uint8)
    cv2.circle(mask, (x - 30, y), radius, 1, -1)
    return cv2.circle(mask, (x + 40, y), radius, 1, -1)


def seen(image: np.ndarray, expert: str = "microscopy-nuclei") -> list[Region]:
    grounding = Registry.load().ground(image, ABOUT, "grey level")
    return [one for one in grounding.regions if one.expert.startswith(f"{expert}@")]


@pytest.mark.parametrize("seed", range(3))
def test_a_nucleus_among_red_cells(seed: int) -> None:
    """Its lobes, side by side, are one region, and no red cell is told."""
    (found,) = seen(film(seed, nucleus=True))
    mask = decode(found)
    assert 2 * (mask & truth()).sum() / (mask.sum() + truth().sum()) > 0.9


def test_red_cells_alone_and_a_dark_field() -> None:
    """Nothing is told of a film without white cells, nor of a field whose ground is not clear."""
    assert seen(film(0, nucleus=False)) == []
    assert seen(film(0, nucleus=True, ground=120.0)) == []


def packed() -> np.ndarray:
    """Red cells that touch, with bright ground between them: (rows, columns, 3)."""
    cells = np.zeros((384, 512), np.uint8)
    for row, y in enumerate(range(0, 420, 44)):
        for x in range(-26 * (row % 2), 560, 52):
            cv2.circle(cells, (x, y), 29, 1, -1)
    density = np.where(cells[..., None] > 0, np.float32(RED), np.float32(0.0))
    values = 205 * 10.0 ** -cv2.GaussianBlur(density, (0, 0), 1.5)
    return (values + 2 * np.random.default_rng(0).standard_normal(values.shape)).astype(np.float32)


def test_ground_between_red_cells_is_no_bright_cell() -> None:
    """Though it stands out as cells do on a dark field, where the same picture, dimmer, is full of them."""
    assert seen(packed(), "microscopy-cells") == []
    assert len(seen(0.5 * packed(), "microscopy-cells")) >= 40
