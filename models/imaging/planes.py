"""Which image a DICOM object is, and where the pixels of a frame lie in the patient (PS3.3 C.7.6.2.1.1).

Knows nothing of what the pixels show. UIDs are compared here, and never leave preprocess.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from models.imaging.header import Header, valid

Points = NDArray[np.float64]
"""(n, 3): x, y, z in mm, in the patient's frame of reference."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Where a frame's pixels lie: mm, in the patient's frame of reference; pixel centres have whole numbers."""

    position: Points
    """(3,): of the centre of the first pixel."""
    right: Points
    """(3,): unit vector of increasing column."""
    down: Points
    """(3,): unit vector of increasing row."""
    row_mm: float
    column_mm: float

    def seen(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n, 2): column and row of points, foot of the perpendicular; and (n,): their distance from the plane, mm."""
        off = points - self.position
        places = np.column_stack((off @ self.right / self.column_mm, off @ self.down / self.row_mm))
        return places, np.abs(off @ np.cross(self.right, self.down))

    def points(self, places: NDArray[np.float64]) -> Points:
        """Of (n, 2) columns and rows."""
        across = places[:, :1] * self.column_mm * self.right
        return self.position + across + places[:, 1:] * self.row_mm * self.down

    def corners(self, shape: tuple[int, ...]) -> Points:
        """(3, 3): centres of the first pixel, of the last of its row, and of the last of its column."""
        rows, columns = shape[:2]
        return self.points(np.array([[0, 0], [columns - 1, 0], [0, rows - 1]], np.float64))


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Instance:
    """Which image an object is, as other objects refer to it."""

    uid: str
    frame_of_reference: str | None
    frames: int
    plane: Callable[[int], Plane | None]
    """Of a frame; None where the header does not tell."""

    @property
    def names(self) -> frozenset[str]:
        """By which an annotation object can mean it."""
        return frozenset({self.uid, self.frame_of_reference} - {None, ""})  # pyright: ignore[reportReturnType]


def instance_of(header: Header, frames: int) -> Instance | None:
    """Which image this is. None where it has no SOP Instance UID."""
    uid = header.text("SOPInstanceUID")
    if uid is None:
        return None

    def plane(frame: int) -> Plane | None:
        macros = ("PlanePositionSequence", "PlaneOrientationSequence", "PixelMeasuresSequence")
        return plane_of(header, *(header.macro(keyword, frame) for keyword in macros))

    return Instance(uid, header.text("FrameOfReferenceUID"), frames, plane)


def plane_of(
    header: Header, position: Dataset | None, orientation: Dataset | None, measures: Dataset | None
) -> Plane | None:
    """A plane as its macros tell it (PS3.3 C.7.6.16.2), or else the top of the object; None where they do not."""
    first = valid(header.numbers("ImagePositionPatient", position, header.dataset, count=3))
    axes = valid(header.numbers("ImageOrientationPatient", orientation, header.dataset, count=6))
    spacing = valid(header.numbers("PixelSpacing", measures, header.dataset, count=2))
    if first is None or axes is None or spacing is None or min(spacing) <= 0:
        return None
    right, down = np.array(axes[:3]), np.array(axes[3:])
    lengths = float(np.linalg.norm(right)), float(np.linalg.norm(down))
    if not all(math.isclose(length, 1, abs_tol=0.05) for length in lengths) or abs(right @ down) > 0.05:
        return None
    return Plane(np.array(first), right / lengths[0], down / lengths[1], spacing[0], spacing[1])
