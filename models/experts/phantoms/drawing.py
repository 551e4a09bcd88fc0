"""What all phantoms are drawn with: shapes, textures, and lesions of a stated contrast. Knows no modality."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from schemas.images import ImageMetadata

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]

EDGE_PX = 0.7
"""Sigma of the blur of a lesion's edge: about one pixel, as a sampled image has."""
RING_PX = 6
"""Width of the ring around a lesion over which its noise is taken."""


@dataclass(frozen=True, slots=True)
class Phantom:
    """A drawn image and what is truly in it.

    `values`: float32 (rows, columns), or (rows, columns, 3) in RGB, in `unit`. `truth`: for each structure a mask of
    0 and 1, uint8 (rows, columns). `lesions` names the structure that was made at the contrast asked for.
    """

    values: FloatImage
    unit: str
    metadata: ImageMetadata
    truth: Mapping[str, BinaryImage] = field(repr=False)
    lesions: str


def metadata(modality: str, organ: str, side: int, width_mm: float | None = None, **more: object) -> ImageMetadata:
    """Of a phantom `side` px and `width_mm` wide."""
    found: dict[str, object] = {"source_format": "PNG", "modality": modality, "organ": organ, **more}
    if width_mm is not None:
        found["spacing"] = {"row_mm": width_mm / side, "column_mm": width_mm / side, "source": "phantom"}
    return ImageMetadata.model_validate(found)


def ellipse(side: int, x: float, y: float, across: float, down: float, turn: float = 0.0) -> BinaryImage:
    """A filled ellipse; centre and half axes as parts of `side`, `turn` in degrees."""
    drawn = np.zeros((side, side), np.uint8)
    shift = 16  # cv2 takes fixed-point coordinates: 4 bits of fraction
    centre = (round(x * side * shift), round(y * side * shift))
    axes = (max(1, round(across * side * shift)), max(1, round(down * side * shift)))
    return cast(BinaryImage, cv2.ellipse(drawn, centre, axes, turn, 0, 360, 1, -1, shift=4))


def blob(random: np.random.Generator, side: int, x: float, y: float, radius: float, roughness: float) -> BinaryImage:
    """A filled outline, roughly round: centre and radius as parts of `side`; `roughness` 0 gives a disc."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    reach = np.ones_like(angle)
    for wave in range(2, 6):
        reach += roughness / wave * random.normal() * np.cos(wave * angle + random.uniform(0, 2 * np.pi))
    reach = radius * np.clip(reach, 0.5, 1.6)
    points = np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], axis=1) * side
    return cast(BinaryImage, cv2.fillPoly(np.zeros((side, side), np.uint8), [np.round(points).astype(np.int32)], 1))


def texture(random: np.random.Generator, side: int, grain: float) -> FloatImage:
    """Noise of mean 0 and standard deviation 1, smooth over `grain` px (sigma); 0: white."""
    noise = random.standard_normal((side, side)).astype(np.float32)
    if grain > 0:
        noise = cast(FloatImage, cv2.GaussianBlur(noise, (0, 0), grain))
        noise = (noise - noise.mean()) / np.float32(noise.std())
    return noise


def soft(mask: BinaryImage, sigma: float = EDGE_PX) -> FloatImage:
    """A mask with a blurred edge, 0 to 1."""
    return cast(FloatImage, cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma))


def spread_out(
    random: np.random.Generator, within: BinaryImage, radii: tuple[float, ...], roughness: float
) -> list[BinaryImage]:
    """Blobs of `radii` (parts of the side) inside `within`, apart from each other; fewer where there is no room."""
    side = within.shape[0]
    free = within.copy()
    drawn: list[BinaryImage] = []
    for radius in radii:
        # Wide enough for the roughest outline and the ring around it.
        edged = cv2.copyMakeBorder(free, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        reach = cast(FloatImage, cv2.distanceTransform(edged, cv2.DIST_L2, 5))[1:-1, 1:-1]
        places = np.argwhere(reach > 1.3 * radius * side + RING_PX)
        if len(places) == 0:
            continue
        y, x = (places[random.integers(len(places))] + 0.5) / side
        one = blob(random, side, x, y, radius, roughness)
        drawn.append(one)
        free &= away_from(one, RING_PX)
    return drawn


def implant(image: FloatImage, mask: BinaryImage, contrast: float, sign: int, within: BinaryImage) -> FloatImage:
    """`image` with `mask` raised (+1) or lowered (-1) by `contrast` standard deviations of the ring around it."""
    around = image[(away_from(mask, RING_PX) == 0) & (mask == 0) & (within > 0)]
    return (image + sign * contrast * float(around.std()) * soft(mask)).astype(np.float32)


def shrunk(mask: BinaryImage, margin: int) -> BinaryImage:
    """A mask without what lies within `margin` px of its outline."""
    return cast(BinaryImage, cv2.erode(mask, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)))


def away_from(mask: BinaryImage, margin: int) -> BinaryImage:
    """All that is at least `margin` px away from a mask."""
    return cast(BinaryImage, 1 - cv2.dilate(mask, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)))


def union(masks: list[BinaryImage], side: int) -> BinaryImage:
    """All masks in one."""
    whole = np.zeros((side, side), np.uint8)
    for mask in masks:
        whole |= mask
    return whole
