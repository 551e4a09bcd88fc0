"""Films that show no lung to be marked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.experts.phantoms.drawing import BinaryImage, FloatImage
from models.experts.phantoms.films.exposure import expose
from models.experts.phantoms.films.strokes import Random, blurred, coarse, filled, line, smooth

Points = Sequence[tuple[float, float]]


def lateral_film(random: Random, side: int) -> tuple[BinaryImage, BinaryImage]:
    """A lateral film. Its lungs lie over each other, so none is marked."""
    facing, scale, (right, down) = random.choice((-1, 1)), random.uniform(0.8, 1.25), random.uniform(-0.08, 0.08, 2)

    def placed(points: Points) -> npt.NDArray[np.float32]:
        x, y = np.transpose(np.asarray(points, np.float32) + random.normal(0, 0.02, (len(points), 2)))
        x, y = 0.5 + (x - 0.5) * scale + right, 0.5 + (y - 0.5) * scale + down
        return np.stack([x if facing > 0 else 1 - x, y], axis=1).astype(np.float32) * side

    def soft(points: Points, sigma: float) -> FloatImage:
        return blurred(filled(side, smooth(placed(points))).astype(np.float32), side * sigma)

    air = random.uniform(0.3, 0.9)
    absorbed = soft(_SIDE_TRUNK, 0.015) * random.uniform(0.8, 1.2) - air * soft(_SIDE_LUNG, 0.02)
    absorbed += soft(_SIDE_HEART, 0.03) * air * random.uniform(0.2, 0.9)
    absorbed += line(side, placed(_SIDE_SPINE), 0.08, 0.02) * random.uniform(0.05, 0.4)
    for y in random.uniform(0, 0.8, 14):
        rib = placed([(0.15, y), (0.45, y + 0.12), (0.75, y + 0.35)])
        absorbed += line(side, rib, random.uniform(0.01, 0.03), 0.006) * random.uniform(0, 0.25)
    grain = coarse(random, side, side * random.uniform(0.02, 0.1))
    absorbed += 0.15 * air * random.uniform(0, 1) * grain * soft(_SIDE_LUNG, 0.02)
    nothing = np.zeros((side, side), np.uint8)
    return expose(random, absorbed.astype(np.float32), filled(side, smooth(placed(_SIDE_TRUNK))), nothing)


def other_film(random: Random, side: int) -> tuple[BinaryImage, BinaryImage]:
    """Bones and soft tissue of no particular part: a film with no lung to be found."""
    absorbed = np.zeros((side, side), np.float32)
    for _ in range(random.integers(1, 5)):
        outline = smooth((random.random((random.integers(4, 8), 2)) * 1.4 - 0.2) * side)
        sigma, much = random.uniform(0.005, 0.025), random.uniform(0.1, 0.6)
        absorbed += blurred(filled(side, outline).astype(np.float32), side * sigma) * much
    for _ in range(random.integers(0, 6)):
        width = random.uniform(0.015, 0.12)
        absorbed += line(side, random.random((2, 2)) * side, width, 0.008) * random.uniform(0.1, 0.5)
    nothing = np.zeros((side, side), np.uint8)
    return expose(random, absorbed, (absorbed > 0).astype(np.uint8), nothing)


_SIDE_TRUNK = ((0.3, -0.1), (0.12, 0.25), (0.08, 0.6), (0.2, 1.2), (0.85, 1.2), (0.88, 0.65), (0.8, 0.3), (0.68, -0.1))
_SIDE_LUNG = ((0.42, 0.1), (0.22, 0.3), (0.17, 0.6), (0.22, 0.8), (0.45, 0.66), (0.72, 0.62), (0.75, 0.4), (0.62, 0.15))
_SIDE_HEART = ((0.5, 0.35), (0.42, 0.5), (0.48, 0.66), (0.7, 0.64), (0.66, 0.45))
_SIDE_SPINE = ((0.3, 0.0), (0.2, 0.3), (0.17, 0.6), (0.25, 1.1))
