"""What is outlined in a volume, measured in three dimensions. Knows nothing of who outlined it."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from models.experts.figures import figures


def parts_of(solid: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.intp]]:
    """Connected parts (26 neighbours), as int32 (slices, rows, columns) of their numbers from 1, and voxels of each."""
    labelled = np.zeros(solid.shape, np.int32)
    ndimage.label(solid, np.ones((3, 3, 3)), output=labelled)
    return labelled, np.bincount(labelled.ravel())[1:]


def voxel_ml(spacing: Sequence[float | None]) -> float | None:
    """Volume of a voxel from mm between slices, rows and columns; None where one of them is unknown."""
    known = [mm for mm in spacing if mm is not None]
    return math.prod(known) / 1000 if len(known) == 3 else None


def measured(sizes: npt.NDArray[np.intp], extent: tuple[int, ...], spacing: Sequence[float | None]) -> dict[str, Any]:
    """Fields of a message that VolumeFinding and StackedLabel share.

    Args:
        sizes: voxels of each part; one at least.
        extent: slices, rows and columns from the first to the last that hold some of it.
        spacing: mm between slices, rows and columns.
    """
    voxel, voxels = voxel_ml(spacing), int(sizes.sum())
    known = [mm for mm in spacing if mm is not None]
    return {
        "voxels": voxels,
        "volume_ml": None if voxel is None else figures(voxels * voxel),
        "parts": len(sizes),
        "largest_part_ml": None if voxel is None else figures(int(sizes.max()) * voxel),
        "extent_mm": None if voxel is None else tuple(figures(n * mm) for n, mm in zip(extent, known, strict=True)),
    }
