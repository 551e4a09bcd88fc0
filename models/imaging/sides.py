"""Which way an image lies in the patient: its plane, the sides that its axes point to, and the side that it shows.

Knows nothing of pixels. Where two attributes contradict each other, or one is malformed, no side is told.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from models.imaging.malformed import Malformed, Numbers, valid
from schemas.images import Laterality, Orientation, Plane, Side

if TYPE_CHECKING:
    from pydicom import Dataset

    from models.imaging.header import Header

_SIDES: dict[str, Side] = {
    "L": "patient left", "R": "patient right", "P": "posterior", "A": "anterior", "H": "head", "F": "feet",
}  # fmt: skip
_AXES: tuple[tuple[Side, Side], ...] = (
    ("patient right", "patient left"),
    ("anterior", "posterior"),
    ("feet", "head"),
)
"""Negative and positive end of the patient's x, y and z (PS3.3 C.7.6.2.1.1)."""
_PLANES: tuple[Plane, ...] = ("sagittal", "coronal", "axial")
_LATERALITIES: dict[str, Laterality] = {"L": "left", "R": "right", "B": "both"}
_MODIFIERS = {
    "7771000": "L", "G-A101": "L", "24028007": "R", "G-A100": "R", "51440002": "B", "G-A102": "B",
}  # fmt: skip


def in_the_patient(axes: tuple[float, ...]) -> tuple[Plane | None, Orientation | None]:
    """Plane within 20 degrees, else oblique; sides where an axis points within 30 degrees of one.

    Neither where the axes are not of length one, and at right angles.
    """
    if len(axes) != 6:
        return None, None
    (rx, ry, rz), (dx, dy, dz) = right, down = axes[:3], axes[3:]
    if not all(math.isclose(math.hypot(*axis), 1, abs_tol=0.05) for axis in (right, down)):
        return None, None
    if abs(rx * dx + ry * dy + rz * dz) > 0.05:
        return None, None
    normal = (ry * dz - rz * dy, rz * dx - rx * dz, rx * dy - ry * dx)
    steepest = max(range(3), key=lambda axis: abs(normal[axis]))
    plane = _PLANES[steepest] if abs(normal[steepest]) >= math.cos(math.radians(20)) else "oblique"
    sides = side_of(right), side_of(down)
    return plane, Orientation(right=sides[0], down=sides[1]) if sides[0] and sides[1] else None


def side_of(direction: tuple[float, ...]) -> Side | None:
    """The side of the patient within 30 degrees of a direction, LPS+."""
    axis = max(range(3), key=lambda index: abs(direction[index]))
    return _AXES[axis][direction[axis] > 0] if abs(direction[axis]) >= math.cos(math.radians(30)) else None


def lies_in_patient(header: Header, axes: Numbers) -> tuple[Plane | None, Orientation | None]:
    """Plane and sides of a DICOM image.

    Args:
        header: of the object.
        axes: Image Orientation (Patient) of the frame.
    """
    if isinstance(axes, Malformed) and not axes.empty:
        return None, None
    axes = valid(axes)
    plane, orientation = in_the_patient(axes or ())
    if not is_biped(header):
        return plane, None
    letters = _by_letters(header)
    if axes is None:
        return None, letters
    return plane, None if orientation and letters and _contradict(orientation, letters) else orientation


def is_biped(header: Header) -> bool:
    """Whether left, back, head and so on are those of a person (PS3.3 C.7.6.1.1.1): unless something else is said."""
    kind = header.code("AnatomicalOrientationType")
    return kind in (None, "BIPED") or (isinstance(kind, Malformed) and kind.empty)


def _by_letters(header: Header) -> Orientation | None:
    """From Patient Orientation: the first letter of each value leads (PS3.3 C.7.6.1.1.1).

    Both values must be of the letters for bipeds, with one letter an axis: what is not may be a quadruped's, where "LE"
    is left and "PR" proximal.
    """
    values = header.words("PatientOrientation")
    if len(values) != 2 or not all(map(_is_direction, values)):
        return None
    right, down = _SIDES[values[0][0]], _SIDES[values[1][0]]
    return None if _axis(right) == _axis(down) else Orientation(right=right, down=down)


def _is_direction(value: str) -> bool:
    """Whether it is of the letters for bipeds, one an axis at most."""
    axes = {_axis(_SIDES[letter]) for letter in value if letter in _SIDES}
    return 1 <= len(value) == len(axes)


def _axis(side: Side) -> int:
    return next(index for index, ends in enumerate(_AXES) if side in ends)


def _contradict(one: Orientation, other: Orientation) -> bool:
    """Whether an axis points to opposite sides in them: beside each other they are oblique, and both may be so."""
    across = one.right != other.right and _axis(one.right) == _axis(other.right)
    return across or (one.down != other.down and _axis(one.down) == _axis(other.down))


def laterality_of(header: Header, anatomy: Dataset | None) -> Laterality | None:
    """The side of a paired part, where all attributes that name one name the same (PS3.3 C.7.6.2, C.7.3.1, C.8.5.1).

    The region's modifier (PS3.3 10.5, PS3.16 CID 244) is one of them. None where the series is described as of the
    other side.

    Args:
        header: of the object.
        anatomy: the frame's Frame Anatomy macro.
    """
    said = [header.code("FrameLaterality", anatomy)] if anatomy is not None else []
    said += [header.code("ImageLaterality"), header.code("Laterality")]
    for region in header.items("AnatomicRegionSequence", anatomy, header.dataset):
        modifiers = header.items("AnatomicRegionModifierSequence", region)
        said += [_MODIFIERS[code] for item in modifiers if (code := header.text("CodeValue", item)) in _MODIFIERS]
    given = {code for code in said if code is not None and not (isinstance(code, Malformed) and code.empty)}
    side = _LATERALITIES.get(str(given.pop())) if len(given) == 1 else None
    described = {"left", "right"} & set((header.text("SeriesDescription") or "").lower().split())
    return None if described and side in ("left", "right") and side not in described else side
