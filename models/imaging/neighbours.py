"""Which frames lie beside a frame in space, and a frame's message with those of its neighbours.

Knows nothing of file formats, nor of what is done with neighbours. Time is not space: a cine has none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from models.imaging.malformed import Numbers, valid
from models.imaging.sides import side_of
from schemas.images import MedicalImage, Neighbour, Side

_SAME_PLACE_MM = 0.01
_IN_REGISTER_PX = 0.5
"""Of a pixel that a frame may be shifted in its own plane against the one before: a pixel then lies over itself."""
_FARTHEST_MM = 1e6
_PARALLEL = 4
"""Decimals to which the direction cosines of frames of one stack agree."""
_GAP = 1.5
"""Times a step beside it: between steps of one stack that were written in few digits, and a slice that is missing."""
_ONE_WAY = (
    "modality", "organ", "plane", "orientation", "spacing", "pixel_aspect_ratio", "slice_thickness_mm",
    "contrast_agent", "repetition_time_ms", "echo_time_ms", "weighting", "magnetic_field_t", "tube_voltage_kv",
)  # fmt: skip
"""Of the metadata: what is the same of frames that were taken in one way."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Beside:
    """A frame, and how it lies to another: see schemas.images.Neighbour."""

    frame: int
    steps: int
    towards: Side | None
    distance_mm: float | None


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames one behind the other, in register: to the patient's left, back or head where the source tells.

    Args:
        frames: their indices in the object.
        places: mm along the normal, ascending; empty where the source does not tell.
        sides: where the first and the last lie, seen from the other; None where the source does not tell.
    """

    frames: tuple[int, ...]
    places: tuple[float, ...] = ()
    sides: tuple[Side | None, Side | None] = (None, None)

    def around(self, frame: int, most: int) -> tuple[Beside, ...]:
        """Up to `most` of its neighbours on each side, by ascending steps."""
        return self.beside(self.frames.index(frame), most) if frame in self.frames else ()

    def beside(self, at: int, most: int) -> tuple[Beside, ...]:
        """The same of the frame at a place among them: of thousands it is not looked for again."""
        return tuple(
            Beside(self.frames[other], other - at, self.sides[other > at], self._distance(at, other))
            for other in range(max(0, at - most), min(len(self.frames), at + most + 1))
            if other != at
        )

    @property
    def step_mm(self) -> float | None:
        """mm from one to the next; None where they lie unevenly, or the source does not tell."""
        if not self.places:
            return None
        first, count = self.places[0], len(self.places) - 1
        step = (self.places[-1] - first) / count
        # Headers round: of hundreds of slices each may lie a little off.
        even = all(abs(place - first - n * step) <= 0.1 * step for n, place in enumerate(self.places))
        return float(f"{step:.4g}") if even else None

    def unsided(self) -> "Stack":
        """The same, of which nobody knows how it lies in the patient."""
        return replace(self, sides=(None, None))

    def without_gaps(self) -> tuple["Stack", ...]:
        """The same, taken apart where a step is much longer than one beside it: something is missing there."""
        steps = [upper - lower for lower, upper in pairwise(self.places)]
        gaps = [n + 1 for n, step in enumerate(steps) if step > _GAP * min(steps[max(0, n - 1) : n + 2])]
        parts = [slice(*ends) for ends in pairwise([0, *gaps, len(self.frames)])]
        found = (replace(self, frames=self.frames[part], places=self.places[part]) for part in parts)
        return tuple(one for one in found if len(one.frames) > 1)

    def _distance(self, at: int, other: int) -> float | None:
        return float(f"{abs(self.places[other] - self.places[at]):.4g}") if self.places else None


@dataclass(frozen=True, slots=True)
class Placed:
    """A frame's plane (PS3.3 C.7.6.2.1.1).

    Args:
        axes: direction cosines of its rows and of its columns, LPS+.
        origin: of its first pixel's centre, mm, LPS+, from any point that is the object's.
        spacing: mm between rows, and between columns.
    """

    axes: tuple[float, ...]
    origin: tuple[float, ...]
    spacing: tuple[float, ...]

    @classmethod
    def told(cls, axes: Numbers, origin: Numbers, spacing: Numbers) -> "Placed | None":
        """Of a header's values; None where one is missing, malformed, or of another length."""
        axes, origin, spacing = valid(axes) or (), valid(origin) or (), valid(spacing) or ()
        return cls(axes, origin, spacing) if (len(axes), len(origin), len(spacing)) == (6, 3, 2) else None

    @property
    def parallel(self) -> tuple[object, ...]:
        """What frames have in common that may be of one stack."""
        return tuple(round(part, _PARALLEL) + 0.0 for part in self.axes), self.spacing

    @property
    def is_plausible(self) -> bool:
        """Axes of length one at right angles, lengths that a scanner has: what damaged headers hold may overflow."""
        axes = self.axes
        if max(map(abs, self.origin)) > _FARTHEST_MM or not all(0 < length < 1000 for length in self.spacing):
            return False
        right, down = axes[:3], axes[3:]
        lengths = [math.isclose(math.hypot(*axis), 1, abs_tol=0.05) for axis in (right, down)]
        return len(axes) == 6 and all(lengths) and abs(_dot(right, down)) < 0.05


_Member = tuple[int, Placed]


def stacks_of(planes: Sequence[Placed | None], *, ranked: bool = True) -> tuple[Stack, ...]:
    """The stacks that frames form, by their planes; None of a frame whose plane is not told.

    Frames are put in the order of their places along the normal, whatever that of the file. Where several lie at one
    place (echoes, phases, times), the first of each place belong together, and so on, if each place has as many, and
    their order means something (`ranked`); else nothing is known of what lies beside what. Frames that are shifted
    against each other, as by a tilted gantry, are not of one stack.
    """
    parallel: dict[tuple[object, ...], list[int]] = {}
    for index, plane in enumerate(planes):
        if plane is not None and plane.is_plausible:
            parallel.setdefault(plane.parallel, []).append(index)
    found: list[Stack] = []
    for indices in parallel.values():
        found += _along([(index, plane) for index in indices if (plane := planes[index]) is not None], ranked)
    return tuple(found)


def _along(members: list[_Member], ranked: bool) -> list[Stack]:
    """Of parallel frames."""
    right, down = members[0][1].axes[:3], members[0][1].axes[3:]
    x = right[1] * down[2] - right[2] * down[1]
    y = right[2] * down[0] - right[0] * down[2]
    z = right[0] * down[1] - right[1] * down[0]
    length = math.hypot(x, y, z)
    normal = _upwards((x / length, y / length, z / length))
    places: list[tuple[float, list[_Member]]] = []
    for at, index, plane in sorted(
        ((_dot(plane.origin, normal), index, plane) for index, plane in members), key=lambda one: one[:2]
    ):
        if not places or at - places[-1][0] >= _SAME_PLACE_MM:
            places.append((at, []))
        places[-1][1].append((index, plane))
    ranks = len(places[0][1])
    if any(len(here) != ranks for _, here in places) or (ranks > 1 and not ranked):
        return []
    found: list[Stack] = []
    for rank in range(ranks):
        runs: list[list[tuple[float, _Member]]] = []
        for at, here in places:
            member = sorted(here, key=lambda one: one[0])[rank]
            if not runs or _shifted(runs[-1][-1][1][1], member[1]):
                runs.append([])
            runs[-1].append((at, member))
        found += [
            Stack(tuple(index for _, (index, _) in run), tuple(at for at, _ in run), _sides_of(normal)) for run in runs
        ]
    return [stack for stack in found if len(stack.frames) > 1]


def _shifted(one: Placed, other: Placed) -> bool:
    apart = tuple(b - a for a, b in zip(one.origin, other.origin, strict=True))
    across, down = _dot(apart, one.axes[:3]) / one.spacing[1], _dot(apart, one.axes[3:]) / one.spacing[0]
    return max(abs(across), abs(down)) > _IN_REGISTER_PX


def _upwards(direction: Vector) -> Vector:
    """The same line, towards the patient's left, back or head, whichever it runs along most."""
    # Rounded, so that of two equal parts always the same leads.
    leading = max(direction, key=lambda part: round(abs(part), 6))
    x, y, z = direction
    return direction if leading > 0 else (-x, -y, -z)


def _sides_of(direction: Vector) -> tuple[Side | None, Side | None]:
    """Where a direction comes from and where it leads, each None where it is within 30 degrees of no side."""
    x, y, z = direction
    return side_of((-x, -y, -z)), side_of(direction)


def _dot(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def is_alike(image: MedicalImage, other: MedicalImage) -> bool:
    """Whether values of two frames can be compared px by px: of one size, unit and display, and taken in one way."""
    pixels, others = (
        (each.pixels.rows, each.pixels.columns, each.pixels.channels, each.pixels.unit, each.inverted)
        for each in (image, other)
    )
    return pixels == others and all(
        getattr(image.metadata, field) == getattr(other.metadata, field) for field in _ONE_WAY
    )


def with_neighbours(image: MedicalImage, found: Sequence[tuple[Beside, MedicalImage]]) -> MedicalImage:
    """The message of a frame with those of its neighbours in it, by ascending steps."""
    told = tuple(
        Neighbour(
            image_id=other.image_id,
            frame=other.frame,
            steps=beside.steps,
            towards=beside.towards,
            distance_mm=beside.distance_mm,
            masked=other.metadata.pixel_cleaning.boxes if other.metadata.pixel_cleaning else (),
        )
        for beside, other in found
    )
    metadata = image.metadata.model_copy(update={"neighbours": told})
    return image.model_copy(update={"metadata": metadata, "neighbours": tuple(other.pixels for _, other in found)})
