"""The colour of a region, in CIE 1976 L*a*b*. Knows nothing of shapes, places or words."""

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.figures import figures
from models.experts.inputs import white
from schemas.regions import Colour

FloatImage = npt.NDArray[np.float32]
BinaryImage = npt.NDArray[np.uint8]

REACH = 0.04
"""Width of the ring around a region, of the longest side of the image."""
MOST = 40_000
"""Pixels beyond which every second, third, … row and column is looked at: medians do not need more."""


def colour(crop: BinaryImage, x: int, y: int, image: FloatImage) -> Colour | None:
    """Medians of the half of a region's pixels that differ most from what is around it; None where nothing is.

    Who outlines a mole draws wide of it: the half that is most like skin is skin.

    Args:
        crop: (rows, columns), 1 within the region.
        x: of the left column of the crop.
        y: of its upper row.
        image: (rows, columns, 3), sRGB from 0 to 255, or to 65535 where any value is above 255.
    """
    rows, columns = image.shape[:2]
    height, width = crop.shape
    reach = max(2, round(REACH * max(rows, columns)))
    top, left = min(reach, y), min(reach, x)
    bottom, right = min(reach, rows - y - height), min(reach, columns - x - width)
    inside = cv2.copyMakeBorder(crop, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0)
    step = max(1, int((inside.size / MOST) ** 0.5))
    around = cv2.dilate(inside, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) - inside
    window = image[y - top : y - top + inside.shape[0] : step, x - left : x - left + inside.shape[1] : step]
    told, ring = (one[::step, ::step].astype(np.bool_) for one in (inside, around))
    if not told.any() or not ring.any():
        return None
    lab = cv2.cvtColor(np.ascontiguousarray(window / np.float32(white(image)), np.float32), cv2.COLOR_RGB2LAB)
    skin = np.median(lab[ring], axis=0)
    apart = np.linalg.norm(lab[told] - skin, axis=1)
    own = np.median(lab[told][apart >= np.median(apart)], axis=0)
    lightness, green_red, blue_yellow = (figures(float(one)) for one in own)
    return Colour(
        lightness=lightness,
        green_red=green_red,
        blue_yellow=blue_yellow,
        yellower_by=figures(float(own[2] - skin[2])),
    )
