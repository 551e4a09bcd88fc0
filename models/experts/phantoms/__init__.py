"""Drawn images whose truth is known, one kind for each of ten modalities: what experts are measured and trained on.

A phantom has an anatomy-like background with texture and noise, structures that are always there, and lesions at a
stated contrast-to-noise ratio. It is a drawing: it says how an expert deals with contrast, noise, size and place, and
nothing of how it deals with disease. Knows no expert.
"""

from collections.abc import Callable

import numpy as np

from models.experts.phantoms.drawing import Phantom as Phantom
from models.experts.phantoms.pictures import dermoscopy, endoscopy, fundus, histopathology, microscopy
from models.experts.phantoms.projections import chest, ultrasound
from models.experts.phantoms.sections import abdomen, head, uptake
from schemas.images import Modality

_DRAWN: dict[Modality, Callable[[np.random.Generator, float, int], Phantom]] = {
    "CT": abdomen,
    "MR": head,
    "X-ray": chest,
    "PET": uptake,
    "ultrasound": ultrasound,
    "histopathology": histopathology,
    "dermoscopy": dermoscopy,
    "fundus photography": fundus,
    "endoscopy": endoscopy,
    "microscopy": microscopy,
}
DRAWN: tuple[Modality, ...] = tuple(_DRAWN)
"""The modalities there is a phantom of."""


def draw(modality: Modality, *, seed: int = 0, contrast: float = 5.0, side: int = 256) -> Phantom:
    """A phantom of `side` × `side` px: the same arguments give the same image on the same versions of NumPy and OpenCV.

    Args:
        modality: one of `DRAWN`.
        seed: of the anatomy, the lesions and the noise.
        contrast: contrast-to-noise ratio of the lesions: difference of means over the standard deviation of what
            surrounds them, texture and noise alike. 0: no lesions.
        side: px, at least 128.

    Raises:
        KeyError: there is no phantom of that modality.
    """
    if side < 128 or contrast < 0:
        raise ValueError("side must be at least 128 px, and contrast not below 0")
    return _DRAWN[modality](np.random.default_rng(seed), contrast, side)
