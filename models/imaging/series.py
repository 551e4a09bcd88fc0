"""Which objects of one frame lie beside each other in a DICOM series, whatever their names and numbers.

Knows nothing of where they are kept, nor of pixels. UIDs become fingerprints here, and those never leave preprocess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Generic, TypeVar

from models.imaging.malformed import Malformed, valid
from models.imaging.neighbours import Beside, Placed, Stack, stacks_of
from schemas.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from models.imaging.header import Header

K = TypeVar("K")

HEAD = 2**16
"""Bytes of a file within which its header ends as a rule."""

# Instance Number is none of them: it says when an image was made or sent, not where it lies.
_OF_ONE_STACK = (
    "SeriesInstanceUID", "FrameOfReferenceUID", "ImageType", "Rows", "Columns", "EchoNumbers", "EchoTime", "KVP",
    "TemporalPositionIdentifier", "DiffusionBValue", "DiffusionGradientOrientation", "NominalPercentageOfCardiacPhase",
)  # fmt: skip
# A table that moves step by step gives each slice, or each bed, another.
_OF_ONE_ACQUISITION = ("AcquisitionNumber", "FrameReferenceTime")


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice of a series, as its header tells it.

    Args:
        kind: fingerprint of what slices of one stack have in common.
        acquisition: fingerprint of the run of the scanner that it was taken in.
        uid: fingerprint of its SOP Instance UID: copies of an object share it.
        plane: where it lies.
        sided: whether its plane says on which side of the patient another slice lies, and nothing else says otherwise.
    """

    kind: bytes = field(repr=False)
    acquisition: bytes = field(repr=False)
    uid: bytes = field(repr=False)
    plane: Placed = field(repr=False)
    sided: bool = field(default=True, compare=False)


def slice_of(header: Header) -> Slice | None:
    """Which slice an object is. None where it has more frames than one, or is of no series, or tells no plane."""
    uid, series = header.text("SOPInstanceUID"), header.text("SeriesInstanceUID")
    axes, origin, spacing = (
        header.numbers(keyword) for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing")
    )
    frames = header.number("NumberOfFrames")
    alone = frames in (None, 0, 1) or (isinstance(frames, Malformed) and frames.empty)
    if None in (uid, series) or not alone or valid(header.number("Rows")) is None:
        return None
    plane = Placed.told(axes, origin, spacing)
    if plane is None or not plane.is_plausible:
        return None
    kind = _fingerprint(plane.parallel, *map(header.words, _OF_ONE_STACK))
    return Slice(kind, _fingerprint(*map(header.words, _OF_ONE_ACQUISITION)), _fingerprint(uid), plane)


def read_slice(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Slice | None:
    """The same of a file, or of its beginning.

    Raises:
        TruncatedFile: its header goes on beyond the data.
        InvalidInput: it is no DICOM, or damaged, or beyond the limits.
    """
    from models.imaging.parsing import read_header

    return slice_of(read_header(data, limits)[0])


def stacks_in(slices: Sequence[Slice]) -> tuple[Stack, ...]:
    """The stacks that slices of one kind form, each given once; their order is without meaning.

    As models.imaging.neighbours.stacks_of, but that files may be missing: a stack ends where a step is much longer than
    one beside it. Where several lie at one place, those of one acquisition belong together, if it has one at each
    place. Where acquisitions lie between each other otherwise, nothing is known of what lies beside what.
    """
    found = stacks_of([one.plane for one in slices], ranked=False)
    if found:
        stacks = [one for one in found if _in_turn(slices[frame].acquisition for frame in one.frames)]
    else:
        stacks = [one for part in _by_acquisition(slices) for one in _stacks_at(slices, part)]
    return tuple(part for one in stacks for part in one.without_gaps())


@dataclass(frozen=True, slots=True)
class Next(Generic[K]):
    """A slice beside another, and in what file it lies."""

    key: K
    slice: Slice
    beside: Beside


@dataclass(slots=True)
class _Kind(Generic[K]):
    """Slices that may be of one stack, each once, by their UIDs."""

    members: dict[bytes, tuple[K, Slice]] = field(default_factory=dict[bytes, tuple[K, Slice]])
    listed: list[tuple[K, Slice]] = field(default_factory=list[tuple[K, Slice]])
    places: dict[bytes, tuple[Stack, int]] | None = None
    """Of those that are of a stack, where in it."""

    def stack_of(self, found: Slice) -> tuple[Stack, int] | None:
        if self.places is None:
            self.listed = list(self.members.values())
            self.places = {
                self.listed[frame][1].uid: (stack, at)
                for stack in stacks_in([one for _, one in self.listed])
                for at, frame in enumerate(stack.frames)
            }
        if found.uid not in self.places:
            return None
        stack, at = self.places[found.uid]
        return stack if found.sided else stack.unsided(), at

    def around(self, found: Slice, most: int) -> tuple[list[Next[K]], Stack | None]:
        placed = self.stack_of(found)
        if placed is None:
            return [], None
        stack, at = placed
        return [Next(*self.listed[one.frame], one) for one in stack.beside(at, most)], stack


class Slices(Generic[K]):
    """The slices among some files, and which lie beside which.

    Args:
        files: the slice that each is, by its key; None where it is none.
    """

    def __init__(self, files: Mapping[K, Slice | None]) -> None:
        self._kinds: dict[bytes, _Kind[K]] = {}
        for key, found in files.items():
            if found is not None:
                self._kinds.setdefault(found.kind, _Kind()).members.setdefault(found.uid, (key, found))

    def around(self, found: Slice, most: int) -> list[Next[K]]:
        """Up to `most` slices on each side of one of them, by ascending steps; none of one that is not among them."""
        return self.in_stack(found, most)[0]

    def in_stack(self, found: Slice, most: int) -> tuple[list[Next[K]], Stack | None]:
        """The same, and the stack that they are of."""
        kind = self._kinds.get(found.kind)
        if kind is None or found.uid not in kind.members or kind.members[found.uid][1] != found:
            return [], None
        return kind.around(found, most)


def _in_turn(acquisitions: Iterable[bytes]) -> bool:
    """Whether none comes back after another."""
    runs = [one for one, _ in groupby(acquisitions)]
    return len(runs) == len(set(runs))


def _by_acquisition(slices: Sequence[Slice]) -> list[list[int]]:
    found: dict[bytes, list[int]] = {}
    for index, one in enumerate(slices):
        found.setdefault(one.acquisition, []).append(index)
    return list(found.values())


def _stacks_at(slices: Sequence[Slice], part: list[int]) -> list[Stack]:
    stacks = stacks_of([slices[index].plane for index in part], ranked=False)
    return [replace(one, frames=tuple(part[frame] for frame in one.frames)) for one in stacks]


def _fingerprint(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).digest()
