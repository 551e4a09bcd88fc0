"""Drawn films of the chest as image and mask folders: what the packaged network for lungs learns from."""

from pathlib import Path

import cv2
import numpy as np

from models.experts.datasets.phantoms import begin, describe
from models.experts.phantoms.films import chest_film, lateral_film, other_film

LABEL = "lung field"
_OTHER, _LATERAL = 0.04, 0.13
"""Parts of the films that show no lung to be marked."""
_SHORTEST = 0.75


def write_films(out: Path, *, count: int, side: int, first_seed: int = 0) -> None:
    """`count` films of seeds from `first_seed` on, of `side` px on the longest side, some of other shapes than square.

    Raises:
        FolderInUse: `out` holds files.
    """
    begin(out)
    for done in range(count):
        random = np.random.default_rng(first_seed + done)
        chosen = random.random()
        draw = other_film if chosen < _OTHER else lateral_film if chosen < _OTHER + _LATERAL else chest_film
        image, lungs = _cut(random, *draw(random, side))
        cv2.imwrite(str(out / "images" / f"film-{first_seed + done:05d}.png"), image)
        cv2.imwrite(str(out / "masks" / f"film-{first_seed + done:05d}.png"), lungs)
    describe(out, {"modality": "X-ray", "organ": "chest", "unit": "stored value", "labels": {"1": LABEL}})


def _cut(random: np.random.Generator, image: np.ndarray, lungs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half of the films lower, or narrower, than they were drawn."""
    side = image.shape[0]
    kept = int(side * random.uniform(_SHORTEST, 1))
    if (chosen := random.random()) < 0.25:
        return image[:kept], lungs[:kept]
    start = (side - kept) // 2
    return (image[:, start : start + kept], lungs[:, start : start + kept]) if chosen < 0.5 else (image, lungs)
