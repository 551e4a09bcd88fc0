"""Cellpose: cells parted by following each pixel along the predicted flow to the middle of its cell.

Stringer et al., Cellpose: a generalist algorithm for cellular segmentation, Nature Methods 18, 2021.
"""

from typing import cast

import cv2
import numpy as np
from scipy import ndimage

from models.experts.adapters.classes import probabilities
from models.experts.adapters.nuclei import Numbers, numbered
from models.experts.candidates import BinaryImage
from models.experts.decodings import Flows
from models.experts.inputs import Floats, whole_map
from models.experts.running import Expert, Found, Sight, UnfitOutput

STEPS = 200
"""That a pixel is followed for, as Cellpose does it; each is a fifth of the flow, of which networks give five times."""
PART_OF_STEP = 0.2
_REACH_PX = 2
"""Ends of one cell lie no farther than this from each other's: they gather about its middle."""


def find_cells(expert: Expert, sight: Sight) -> Found:
    """A region for each cell."""
    manifest, decoding = expert.manifest, cast(Flows, expert.manifest.decoding)
    prepared = expert.prepare(sight)
    (output,) = expert.run(prepared.batch, [decoding.output], prepared.others)
    if output.ndim != 4 or output.shape[1] < 3:
        raise UnfitOutput
    maps = whole_map(prepared, output[:, :3], manifest.input.size.margin)
    probability = probabilities(maps[None, 2:], decoding.activation)[0, 0]
    numbers = followed(cast(BinaryImage, (probability >= decoding.threshold).astype(np.uint8)), maps[:2])
    count = int(numbers.max(initial=0))
    (label,) = manifest.labels
    scores = np.atleast_1d(ndimage.mean(probability, numbers, np.arange(1, count + 1))) if count else np.zeros(0)
    rule = f"cell of probability at least {decoding.threshold:g}, of the pixels whose predicted flow leads to one place"
    return numbered(expert, prepared, numbers, {n: (label, float(scores[n - 1])) for n in range(1, count + 1)}, rule)


def followed(mask: BinaryImage, flows: Floats) -> Numbers:
    """Cells of `mask` (rows, columns), numbered from 1, by flows (2, rows, columns) down and across.

    Pixels whose ends lie together are one cell. Where fewer end than would fill a spot, there is none.
    """
    down, across = np.nonzero(mask)
    if not down.size:
        return np.zeros(mask.shape, np.int32)
    inside = flows * mask
    y, x, step = down.astype(np.float32), across.astype(np.float32), np.float32(PART_OF_STEP)
    for _ in range(STEPS):
        dy, dx = (_at(one, x, y) for one in inside)
        y = np.clip(y + step * dy, 0, mask.shape[0] - 1).astype(np.float32)
        x = np.clip(x + step * dx, 0, mask.shape[1] - 1).astype(np.float32)
    ends = np.round(y).astype(np.intp), np.round(x).astype(np.intp)
    count = np.zeros(mask.shape, np.int32)
    np.add.at(count, ends, 1)
    side = 2 * _REACH_PX + 1
    gathered = (count == ndimage.maximum_filter(count, side)) & (count > 2 * side)
    spots = cast(BinaryImage, ndimage.binary_dilation(gathered, np.ones((side, side)))).astype(np.uint8)
    numbers = cast(tuple[Numbers, int], ndimage.label(spots, np.ones((3, 3))))[0]
    found = np.zeros(mask.shape, np.int32)
    found[down, across] = numbers[ends]
    return found


def _at(values: Floats, x: Floats, y: Floats) -> Floats:
    """Values between pixels, linearly; OpenCV takes places in rows of a limited length."""
    width = 2**14
    missing = -x.size % width
    columns, rows = (np.pad(one, (0, missing)).reshape(-1, width) for one in (x, y))
    return np.asarray(cv2.remap(values, columns, rows, cv2.INTER_LINEAR), np.float32).reshape(-1)[: x.size]
