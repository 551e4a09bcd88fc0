"""From what absorbs to a picture, as many systems show it: tone, field, noise, sharpening, frame, letters."""

from typing import cast

import cv2
import numpy as np

from models.experts.phantoms.drawing import BinaryImage, FloatImage
from models.experts.phantoms.films.strokes import Random, blurred


def expose(
    random: Random, absorbed: FloatImage, body: BinaryImage, lungs: BinaryImage
) -> tuple[BinaryImage, BinaryImage]:
    """A picture, 8 bits, high is bright, and the lungs as far as the field shows them; (side, side) each."""
    image = _toned(random, absorbed, body)
    image, lungs = _framed(random, image, lungs)
    image = _lettered(random, image)
    return np.clip(255 * image / max(float(image.max()), 1e-3), 0, 255).astype(np.uint8), lungs


def _toned(random: Random, absorbed: FloatImage, body: BinaryImage) -> FloatImage:
    side = absorbed.shape[0]
    seen = absorbed[body > 0] if body.any() else absorbed
    low, high = np.percentile(seen, [random.uniform(0, 4), random.uniform(95, 100)])
    image = np.clip((absorbed - low) / (high - low + 1e-6), 0, 1.1) ** random.uniform(0.5, 1.8)
    if random.random() < 0.5:
        image = 1 / (1 + np.exp(-(image - random.uniform(0.3, 0.7)) * random.uniform(3, 9)))
    across, down = random.uniform(-0.25, 0.25, 2)
    ramp = np.linspace(-0.5, 0.5, side)
    image = image * random.uniform(0.75, 1.1) + across * ramp + down * ramp[:, None]
    if random.random() < 0.25:
        tiles = int(random.integers(3, 9))
        levels = (255 * np.clip(image, 0, 1)).astype(np.uint8)
        image = cv2.createCLAHE(random.uniform(1, 5), (tiles, tiles)).apply(levels) / 255
    image = image.astype(np.float32)
    if random.random() < 0.3:
        image += random.uniform(0.5, 2.5) * (image - cv2.GaussianBlur(image, (0, 0), random.uniform(1, 3)))
    image = blurred(image, random.uniform(0, 1))
    noise = random.standard_normal((side, side)) * random.choice((0, 0.003, 0.005, 0.01, 0.03, 0.06))
    return cast(FloatImage, (image + noise).astype(np.float32))


def _framed(random: Random, image: FloatImage, lungs: BinaryImage) -> tuple[FloatImage, BinaryImage]:
    """Some edges outside the field, black or white."""
    if random.random() >= 0.35:
        return image, lungs
    side = image.shape[0]
    inside = np.ones_like(lungs)
    for _ in range(4):
        if random.random() < 0.5:
            inside[: int(random.uniform(0, 0.12) * side)] = 0
        inside = np.rot90(inside)
    level = random.choice((0.0, 0.0, 0.02, 1.0))
    return np.where(inside > 0, image, np.float32(level)), lungs * inside


def _lettered(random: Random, image: FloatImage) -> FloatImage:
    side = image.shape[0]
    for _ in range(random.choice((0, 1, 2, 4))):
        text = "".join(chr(random.integers(65, 91)) for _ in range(random.integers(1, 9)))
        at, size = (int(random.integers(0, side)), int(random.integers(5, side))), random.uniform(0.2, 0.7) * side / 96
        thick = 1 if random.random() < 0.8 else 2
        letters = np.zeros(image.shape, np.uint8)
        cv2.putText(letters, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick)
        ink = letters.astype(np.float32) / 255
        image = (image * (1 - ink) + random.choice((1.0, 1.0, 0.0, 0.8)) * ink).astype(np.float32)
    return np.clip(image, 0, None).astype(np.float32)
