"""What the experts that outline an organ tell of drawn pictures: chest CT in any window, mammograms, B-scans of OCT."""

from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.experts_quality import decode
from models.experts.registry import Registry
from schemas.images import ImageMetadata
from schemas.regions import Region

LUNG_HU, FAT_HU, MUSCLE_HU, HEART_HU, BONE_HU = -850.0, -100.0, 50.0, 45.0, 700.0
LUNG_WINDOW, WIDE, SOFT = (-1350.0, 150.0), (-1000.0, 1000.0), (-160.0, 240.0)


def filled(shape: tuple[int, int], x: float, y: float, across: float, down: float) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    return cv2.ellipse(mask, (round(x), round(y)), (round(across), round(down)), 0, 0, 360, 1, -1) > 0


def slice_of(window: tuple[float, float], *, lungs: bool = True, turned: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """An axial slice of a trunk on a table as grey levels, and its lungs."""
    shape, random = (400, 512), np.random.default_rng(0)
    hu = np.full(shape, -1000.0)
    hu[filled(shape, 256, 200, 220, 160)] = FAT_HU
    hu[filled(shape, 256, 200, 195, 138)] = MUSCLE_HU
    lung = (filled(shape, 160, 200, 70, 105) | filled(shape, 352, 200, 70, 105)) & lungs
    hu[lung] = LUNG_HU
    for x in range(120, 400, 24):
        hu[filled(shape, x, 200, 3, 3)] = HEART_HU
    hu[filled(shape, 256, 285, 22, 26)] = BONE_HU
    if not lungs:  # fat between the bowels
        hu[filled(shape, 200, 180, 60, 50)] = FAT_HU
    hu[388:392, 60:450] = 200.0
    hu += 12 * random.standard_normal(shape)
    low, high = window
    grey = np.clip(255 * (hu - low) / (high - low), 0, 255).round()
    return (grey.T.copy(), lung.T.copy()) if turned else (grey, lung)


def seen(image: np.ndarray, expert: str, modality: str, organ: str | None) -> list[Region]:
    about = ImageMetadata.model_validate({"source_format": "PNG", "modality": modality, "organ": organ})
    regions = Registry.load().ground(image.astype(np.float32), about, "grey level").regions
    return [one for one in regions if one.expert.startswith(f"{expert}@")]


def overlap(regions: list[Region], truth: np.ndarray) -> float:
    """Dice of all of them."""
    told = np.any([decode(one) > 0 for one in regions], axis=0)
    return 2 * (told & truth).sum() / (told.sum() + truth.sum())


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("window", [LUNG_WINDOW, WIDE, SOFT])
def test_lungs_of_a_picture_in_any_window(window: tuple[float, float], turned: bool) -> None:
    """Both are told, turned by a quarter too, and places are told within the body."""
    image, truth = slice_of(window, turned=turned)
    found = seen(image, "ct-picture", "CT", "chest")
    assert len(found) == 2
    assert overlap(found, truth) > 0.9
    assert {one.place.within for one in found if one.place} == {"body"}


def test_where_lung_cannot_be_told_nothing_is() -> None:
    """Fat nearly as dark as air; grey levels turned round; organs without lung; organs that are not told."""
    abdomen, _ = slice_of(SOFT, lungs=False)
    assert seen(abdomen, "ct-picture", "CT", "chest") == []
    image, _ = slice_of(WIDE)
    assert seen(255 - image, "ct-picture", "CT", "chest") == []
    assert seen(image, "ct-picture", "CT", "liver") == []
    assert seen(image, "ct-picture", "CT", None) == []


def mammogram(*, right: bool = False, implant: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A breast at the left edge, or the right one, with a label and a strip of unexposed film, and its outline."""
    shape, random = (512, 400), np.random.default_rng(0)
    breast = filled(shape, 0, 260, 200, 210)
    grey = np.full(shape, 6.0)
    down, across = np.mgrid[: shape[0], : shape[1]]
    grey[breast] = (60 + 70 * (1 - np.hypot(across / 200, (down - 260) / 210)))[breast]
    if implant:
        grey[filled(shape, 40, 260, 60, 70)] = 255
    grey[40:60, 300:304] = grey[56:60, 300:312] = 230
    grey[:, 370:] = 240
    grey += 3 * random.standard_normal(shape)
    grey = np.clip(grey, 0, 255).round()
    return (grey[:, ::-1].copy(), breast[:, ::-1].copy()) if right else (grey, breast)


@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("implant", [False, True])
def test_the_breast_and_neither_label_nor_film(right: bool, implant: bool) -> None:
    """At either side, dim beside an implant too."""
    image, truth = mammogram(right=right, implant=implant)
    (found,) = seen(image, "mammography-breast", "mammography", "breast")
    assert overlap([found], truth) > 0.95


def b_scan(*, tilt: float = 0.1, cyst: bool = False, reflection: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A retina in speckle, brighter at its nerve fibres and its pigment epithelium, and its outline."""
    shape, random = (250, 384), np.random.default_rng(0)
    down, across = np.mgrid[: shape[0], : shape[1]].astype(float)
    outer = 150 + tilt * (across - 192) + 8 * np.sin(across / 60)
    inner = outer - 45 + 18 * np.exp(-(((across - 192) / 40) ** 2))
    retina = (down >= inner) & (down <= outer)
    grey = 12 + 30 * np.exp(-np.clip(down - outer, 0, None) / 30) * (down > outer)
    grey[retina] = 75
    grey[(down >= inner) & (down < inner + 7)] = 140
    grey[(down > outer - 5) & (down <= outer)] = 190
    if cyst:
        grey[filled(shape, 110, round(float(outer[0, 110]) - 22), 14, 9)] = 14
    if reflection:
        grey[10:18, 60:200] = 120
    grey *= 0.7 + 0.3 * random.gamma(4.0, 0.25, shape)
    return np.clip(grey, 0, 255).round(), retina


@pytest.mark.parametrize(
    "drawn", [{}, {"tilt": -0.15}, {"cyst": True}, {"reflection": True}], ids=["level", "tilted", "cyst", "reflection"]
)
def test_the_retina_from_its_inner_bound_to_the_pigment_epithelium(drawn: dict[str, Any]) -> None:
    """With a dark space in it, and beneath a reflection in the vitreous, too."""
    image, truth = b_scan(**drawn)
    (found,) = seen(image, "oct-retina", "OCT", "retina")
    assert overlap([found], truth) > 0.9


def test_no_retina_in_speckle_alone() -> None:
    """No line runs on from column to column."""
    speckle = 60 * np.random.default_rng(1).gamma(4.0, 0.25, (250, 384))
    assert seen(np.clip(speckle, 0, 255), "oct-retina", "OCT", "retina") == []
