"""What films are drawn with: outlines, lines, spots of noise."""

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.phantoms.drawing import BinaryImage, FloatImage

Random = np.random.Generator


def smooth(points: npt.NDArray[np.floating], steps: int = 24) -> npt.NDArray[np.float32]:
    """A closed outline through points, float32 (n, 2): a Catmull–Rom spline."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    a, b, c, d = (np.roll(points, shift, axis=0)[:, None] for shift in (1, 0, -1, -2))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return curve.reshape(-1, 2).astype(np.float32)


def coarse(random: Random, side: int, grain: float) -> FloatImage:
    """Noise of deviation about 1, even over `grain` px: fast, where `texture` is exact."""
    cells = max(1, round(side / max(grain, 1))) + 2
    noise = random.standard_normal((cells, cells)).astype(np.float32)
    return cast(FloatImage, cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC))


def fixed(points: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
    """As cv2 takes fractions of a px: 4 bits."""
    return np.round(points * 16).astype(np.int32)


def filled(side: int, outline: npt.NDArray[np.floating]) -> BinaryImage:
    return cast(BinaryImage, cv2.fillPoly(np.zeros((side, side), np.uint8), [fixed(outline)], 1, shift=4))


def line(side: int, points: npt.NDArray[np.floating], thick: float, sigma: float) -> FloatImage:
    """Thickness and blur in parts of the side."""
    drawn = np.zeros((side, side), np.float32)
    cv2.polylines(drawn, [fixed(points)], False, 1.0, max(1, int(thick * side)), shift=4)
    return blurred(drawn, sigma * side)


def blurred(image: FloatImage, sigma: float) -> FloatImage:
    return cast(FloatImage, cv2.GaussianBlur(image, (0, 0), sigma)) if sigma > 0.2 else image
