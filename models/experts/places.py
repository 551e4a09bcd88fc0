"""Where a region lies: thirds, halves and fractions of the image or of an outlined part, on the patient's own axes.

Knows nothing of how regions are found or measured.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from schemas.images import Orientation, Side
from schemas.regions import Axis, Place

BinaryImage = npt.NDArray[np.uint8]
Direction = Side | Literal["image right", "image down"]

_OPPOSITE: dict[Side, Side] = {
    "patient left": "patient right", "patient right": "patient left", "anterior": "posterior",
    "posterior": "anterior", "head": "feet", "feet": "head",
}  # fmt: skip
# Each axis is told towards one of its ends, so that turned and mirrored copies of an image say the same.
_THIRDS: dict[Direction, tuple[str, str, str]] = {
    "patient left": ("patient's right", "middle", "patient's left"),
    "posterior": ("anterior", "middle", "posterior"),
    "feet": ("superior", "middle", "inferior"),
    "image right": ("left", "centre", "right"),
    "image down": ("upper", "middle", "lower"),
}
_SPOKEN: dict[Direction, int] = {"patient left": 0, "feet": 1, "posterior": 2, "image down": 3, "image right": 4}
"""The order in which words of two axes are said: the patient's right superior part; the upper left part."""
_KEPT: dict[Direction, int] = {"patient left": 0, "posterior": 1, "feet": 2, "image right": 3, "image down": 4}


@dataclass(frozen=True, slots=True)
class Within:
    """A part of the image, such as the body or the brain, that an expert outlined: its own axes are those of places.

    `mask`: 0 and 1, uint8, of the image's size. `box`: x, y, width, height around it.
    """

    name: str
    mask: BinaryImage
    area_px: int
    box: tuple[int, int, int, int]

    @classmethod
    def of(cls, name: str, mask: BinaryImage) -> "Within | None":
        """None where the mask is empty."""
        area = int(cv2.countNonZero(mask))
        x, y, width, height = cv2.boundingRect(mask)
        return cls(name, mask, area, (x, y, width, height)) if area else None

    def where(self, visible: BinaryImage | None) -> "Within | None":
        """What of it is not masked."""
        return self if visible is None else Within.of(self.name, self.mask & visible)


def directions(orientation: Orientation | None) -> tuple[tuple[Direction, bool], tuple[Direction, bool]]:
    """Where columns and rows lead: the end by which the axis is told, and whether the index grows towards it."""
    if orientation is None:
        return ("image right", True), ("image down", True)
    return _told(orientation.right), _told(orientation.down)


def _told(side: Side) -> tuple[Direction, bool]:
    return (side, True) if side in _THIRDS else (_OPPOSITE[side], False)


def place(
    x: float, y: float, size: tuple[int, ...], orientation: Orientation | None, within: Within | None, share: float
) -> Place:
    """Of a centroid (px) in an image of `size` (rows, columns); `share` in percent of what it lies within."""
    left, top, width, height = within.box if within else (0, 0, size[1], size[0])
    (across, along_columns), (down, along_rows) = directions(orientation)
    told = {
        across: _along(across, along_columns, (x + 0.5 - left) / width),
        down: _along(down, along_rows, (y + 0.5 - top) / height),
    }
    first, second = (across, down) if _KEPT[across] < _KEPT[down] else (down, across)
    spoken, last = (across, down) if _SPOKEN[across] < _SPOKEN[down] else (down, across)
    return Place(
        within=within.name if within else "image",
        axes=(told[first][0], told[second][0]),
        quadrant=f"{told[spoken][1]} {told[last][1]}",
        share_percent=share,
    )


def _along(towards: Direction, grows: bool, part: float) -> tuple[Axis, str]:
    """An axis, and its half in words."""
    fraction, thirds = part if grows else 1 - part, _THIRDS[towards]
    axis = Axis(towards=towards, fraction=round(fraction, 3), third=thirds[_part(fraction, 3)])
    return axis, thirds[2 * _part(fraction, 2)]


def _part(fraction: float, parts: int) -> int:
    # Copies that are turned differ in the last bits: what lies on a border must not fall to either side by chance.
    return min(max(int(parts * fraction + 1e-6), 0), parts - 1)


def position(where: Place) -> str:
    """A place in words, as they stand after 'lies in the'; says so where left and right are those of the display."""
    words = {axis.towards: axis.third for axis in where.axes if axis.third not in ("middle", "centre")}
    if not words:
        return f"centre of the {where.within}"
    told = " ".join(words[towards] for towards in _SPOKEN if towards in words)
    text = f"{told} {'third' if len(words) == 1 else 'part'} of the {where.within}"
    if any(towards in ("image right", "image down") for towards in words):
        return f"{text} as displayed (orientation unknown)"
    return text
