"""HoVer-Net and StarDist: images that say themselves what is predicted, so that every nucleus is known."""

import numpy as np
import pytest

from models.experts.adapters.stardist import apart
from tests.models.experts.adapters.examples import disc, example, iou, mask_of, seen


def _slide(shape: tuple[int, int], nuclei: list[tuple[float, float, float]]) -> np.ndarray:
    """RGB as the example reads it: probability, and offsets from the nearest centre as parts of the radius."""
    image = np.zeros((*shape, 3), np.float32)
    image[..., 1:] = 0.5
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    away = np.stack([np.hypot(columns - x, rows - y) / radius for x, y, radius in nuclei])
    nearest = away.argmin(axis=0)
    inside = away.min(axis=0) <= 1
    x, y, radius = (np.asarray([one[n] for one in nuclei])[nearest] for n in range(3))
    image[..., 0] = np.where(inside, 0.95, 0.02)
    image[..., 1] = np.where(inside, 0.5 + (columns - x) / radius / 2, 0.5)
    image[..., 2] = np.where(inside, 0.5 + (rows - y) / radius / 2, 0.5)
    return np.clip(image, 0, 1) * 255


def test_hovernet_parts_what_touches() -> None:
    """Two nuclei that touch are two regions, through tiles with a margin, and the type is told by its map."""
    nuclei = [(40.0, 30.0, 12.0), (62.0, 30.0, 12.0), (30.0, 90.0, 10.0), (100.0, 100.0, 14.0)]
    slide = _slide((130, 140), nuclei)
    found = seen(example("hovernet"), slide).candidates
    assert len(found) == 4
    for x, y, radius in nuclei:
        best = max(iou(mask_of(one, slide), disc(slide.shape[:2], x, y, radius)) for one in found)
        assert best > 0.8
    assert all(0.85 < one.component.score < 1 for one in found)


def test_hovernet_types() -> None:
    """In one tile, what lies above the middle is of the one type, what lies below of the other; background is none."""
    slide = _slide((64, 64), [(20.0, 14.0, 9.0), (40.0, 50.0, 9.0)])
    found = seen(example("hovernet"), slide).candidates
    assert {one.label: one.component.y < 30 for one in found} == {"upper nucleus": True, "lower nucleus": False}


def test_hovernet_without_nuclei() -> None:
    """An empty slide has none."""
    assert seen(example("hovernet"), np.zeros((80, 80, 3))).candidates == []


def _field(shape: tuple[int, int], cells: list[tuple[int, int, float]]) -> np.ndarray:
    """Values that peak at each centre: 20 times the peak's is the radius that it proposes."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape, np.float32)
    for x, y, peak in cells:
        image = np.maximum(image, peak - 0.03 * np.hypot(columns - x, rows - y))
    return np.maximum(image, 0)


def test_stardist() -> None:
    """Each peak is a circle of the radius told there; pixels around it propose the same again, and are not heard."""
    cells = [(40, 40, 1.0), (100, 60, 0.8), (60, 100, 0.6)]
    field = _field((140, 160), cells)
    found = seen(example("stardist"), field).candidates
    assert [round(one.component.score, 2) for one in found] == [1.0, 0.8, 0.6]
    for one, (x, y, peak) in zip(found, cells, strict=True):
        assert iou(mask_of(one, field), disc(field.shape, x, y, 20 * peak)) > 0.9
    assert found[0].code is not None
    assert found[0].code.meaning == "Cell"


def test_stars_that_overlap() -> None:
    """Of two that overlap by more than the limit the likelier one stays; less, and both do."""
    circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 64)), np.sin(np.linspace(0, 2 * np.pi, 64))], axis=1)
    near, far = (np.stack([20 + 10 * circle, 20 + 10 * circle + (shift, 0)]) for shift in (4, 17))
    assert apart(near, (60, 60), 0.4)[1] == [0]
    numbers, kept = apart(far, (60, 60), 0.4)
    assert kept == [0, 1]
    assert (numbers == 1).sum() == pytest.approx(np.pi * 100, rel=0.12)
