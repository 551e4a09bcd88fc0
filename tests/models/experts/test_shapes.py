"""Size and form against masks whose truth is known, and against scikit-image."""

import math

import cv2
import numpy as np
import pytest
from skimage.measure import perimeter_crofton, regionprops

from models.experts.shapes import Outline, Pixel, outline
from schemas.images import ImageMetadata, Spacing

SQUARE = Pixel(1.0, 1.0, "px")


def of(mask: np.ndarray, pixel: Pixel = SQUARE) -> Outline:
    return outline(mask, cv2.moments(mask, binaryImage=True), pixel)


def ellipse(across: int, down: int, turn: float = 0.0) -> np.ndarray:
    side = 2 * max(across, down) + 5
    return cv2.ellipse(np.zeros((side, side), np.uint8), (side // 2, side // 2), (across, down), turn, 0, 360, 1, -1)


def blob(seed: int) -> np.ndarray:
    """One connected part without holes, of any form."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((80, 80)), (0, 0), 5)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((noise > 0).astype(np.uint8))
    largest = (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)
    contours, _ = cv2.findContours(largest, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(largest), contours, -1, 1, -1)


@pytest.mark.parametrize("seed", range(12))
def test_against_scikit_image(seed: int) -> None:
    """Axes, eccentricity, solidity and Feret diameter are those of regionprops, the perimeter is near Crofton's."""
    mask = blob(seed)
    (theirs,) = regionprops(mask)
    ours = of(mask)
    assert ours.size.minor_axis == pytest.approx(theirs.axis_minor_length, rel=5e-3)
    assert ours.shape.eccentricity == pytest.approx(theirs.eccentricity, abs=3e-3)
    assert ours.size.longest_axis == pytest.approx(theirs.feret_diameter_max, abs=0.8)
    assert ours.shape.solidity == pytest.approx(theirs.solidity, abs=0.02)
    assert ours.size.equivalent_diameter == pytest.approx(theirs.equivalent_diameter_area, rel=1e-3)
    assert ours.size.perimeter == pytest.approx(perimeter_crofton(mask), rel=0.06)


@pytest.mark.parametrize("radius", [5, 10, 20, 40])
def test_disc(radius: int) -> None:
    """A disc is round, convex and smooth, and its perimeter that of a circle."""
    found = of(ellipse(radius, radius))
    assert found.size.perimeter == pytest.approx(2 * math.pi * (radius + 0.5), rel=0.04)
    assert found.shape.sphericity > 0.95
    assert found.shape.roundness > 0.85
    assert found.shape.solidity > 0.95
    assert found.shape.elongation > 0.94
    assert found.irregularity < 0.05


def test_square_by_square() -> None:
    """Lengths of a bar are in mm of either axis where pixels are not square."""
    bar = np.ones((4, 30), np.uint8)
    found = of(bar, Pixel(0.5, 2.0, "mm"))
    assert found.size.unit == "mm"
    assert found.size.longest_axis == pytest.approx(math.hypot(15, 6), rel=0.03)
    assert found.size.minor_axis == pytest.approx(8 * 2 / math.sqrt(3), rel=1e-3)
    assert found.size.equivalent_diameter == pytest.approx(2 * math.sqrt(120 / math.pi), rel=1e-3)
    turned = of(np.ascontiguousarray(bar.T), Pixel(2.0, 0.5, "mm"))
    assert turned == found


def test_forms() -> None:
    """Bays take from solidity, length from roundness, a hole from the filling and not from the outline."""
    star = np.zeros((101, 101), np.uint8)
    for angle in np.arange(0, math.pi, math.pi / 6):
        reach = np.array([math.cos(angle), math.sin(angle)]) * 45
        start, end = (tuple(int(n) for n in 50 + sign * reach) for sign in (-1, 1))
        cv2.line(star, start, end, 1, 3)
    spiky, long = of(star), of(ellipse(40, 6, 30))
    assert spiky.shape.solidity < 0.6
    assert spiky.irregularity > 1
    assert long.shape.solidity > 0.9
    assert long.shape.elongation == pytest.approx(6 / 40, rel=0.1)
    assert (long.size.longest_axis, long.size.shortest_axis) == pytest.approx((81, 13), abs=1)
    disc = ellipse(20, 20)
    ring = disc - cv2.erode(disc, np.ones((9, 9), np.uint8))
    assert of(ring).size.perimeter == of(disc).size.perimeter
    assert of(disc).shape.filling == 1.0
    assert of(ring).shape.filling == pytest.approx(ring.sum() / disc.sum(), rel=1e-3)


def test_ellipses_are_convex() -> None:
    """Of drawn ellipses of 30 px and more, of any axes and turn, one in a hundred at most would be called irregular."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:80, :80]
    solid: list[float] = []
    while len(solid) < 400:
        long, turn = random.uniform(4, 30), random.uniform(0, math.pi)
        x, y = across - 40 - random.uniform(), down - 40 - random.uniform()
        u, v = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        mask = ((u / long) ** 2 + (v / (long * random.uniform(0.25, 1))) ** 2 <= 1).astype(np.uint8)
        if mask.sum() >= 30:
            solid.append(of(mask).shape.solidity)
    assert np.percentile(solid, 1) >= 0.92


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 9), (9, 1), (2, 2)])
def test_few_pixels(shape: tuple[int, int]) -> None:
    """The smallest regions have finite measurements within their bounds."""
    found = of(np.ones(shape, np.uint8))
    assert found.shape.solidity == 1.0
    assert found.shape.filling == 1.0
    assert max(shape) <= found.size.longest_axis <= math.hypot(*shape)
    assert found.size.shortest_axis <= found.size.longest_axis
    assert found.irregularity == 0.0


def test_pixel() -> None:
    """Without a spacing lengths are in px, of the aspect ratio that the source names."""
    plain = ImageMetadata(source_format="PNG", pixel_aspect_ratio=1.5)
    assert Pixel.of(plain) == Pixel(1.0, 1.5, "px")
    spaced = plain.model_copy(update={"spacing": Spacing(row_mm=0.5, column_mm=0.2, source="test")})
    assert Pixel.of(spaced) == Pixel(0.2, 0.5, "mm")
