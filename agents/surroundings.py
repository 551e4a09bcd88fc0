"""What lies around a frame, for preprocess: its neighbours and its volume, in its own object or among others."""

from collections.abc import Awaitable, Callable, Sequence

from agents.reading import Found, Reading, slice_of
from agents.series import Series
from agents.volumes import MOST_SLICES, Member, Volumes
from models.imaging.neighbours import Beside, Stack, is_alike
from models.imaging.series import Next, Slice
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.objects import ObjectReference
from streams.isolation import Isolated
from streams.last_read import LastRead


class Frames:
    """The frames of one object. Where neighbours are asked for, those read last are kept: each is read once as a rule.

    What a frame's neighbours are depends on the object alone, never on what was read before.
    """

    def __init__(self, read: Callable[[int], Awaitable[MedicalImage]], neighbours: int) -> None:
        self._read, self._neighbours = read, neighbours
        self._last: LastRead[int, MedicalImage] = LastRead(2 * neighbours + 1)

    async def read(self, index: int) -> MedicalImage:
        """One frame, its pixels inline. Raises InvalidInput."""
        return await self._last.get(index, lambda: self._read(index))

    async def beside(self, image: MedicalImage, stacks: tuple[Stack, ...]) -> list[tuple[Beside, MedicalImage]]:
        """Its neighbours, outwards to the first that cannot be read or is not alike: those beyond are not known."""
        near = [one for stack in stacks for one in stack.around(image.frame, self._neighbours)]
        return await _outwards(image, near, self.read)


async def in_series(
    series: Series, reference: ObjectReference, alone: Slice, image: MedicalImage, isolated: Isolated, reading: Reading
) -> list[tuple[Beside, MedicalImage]]:
    """The neighbours of a slice that is an object: others are."""
    near = await series.beside(reference, alone, reading.neighbours)
    files = {one.beside.frame: one for one in near}

    async def read(index: int) -> MedicalImage:
        one = files[index]
        return await series.read(one, lambda: isolated.call(slice_of, one.key, reading, one.slice, image.object_id))

    return await _outwards(image, [one.beside for one in near], read)


async def in_volume(
    volumes: Volumes,
    image: MedicalImage,
    found: Found,
    frames: Frames,
    series: Series | None,
    reference: ObjectReference,
    isolated: Isolated,
    reading: Reading,
) -> MedicalImage:
    """The message of a frame with its whole volume, where it is known how slices lie."""
    near: list[tuple[Beside, Member]] = []
    of: Stack | None = None
    if series is not None and found.alone is not None:
        others, of = await series.whole(reference, found.alone, MOST_SLICES)
        near = [(one.beside, _slice_at(one, isolated, reading, image.object_id)) for one in others]
        own = Member(_name_of(reference, found.alone), lambda: _itself(image))
    else:
        own = _frame_of(reference, image.frame, frames)
        for stack in found.stacks:
            if image.frame in stack.frames:
                of = stack
                near = [
                    (one, _frame_of(reference, one.frame, frames)) for one in stack.around(image.frame, MOST_SLICES)
                ]
    before = [member for beside, member in near if beside.steps < 0]
    members = [*before, own, *(member for beside, member in near if beside.steps > 0)]
    step, towards = (of.step_mm, of.sides[1]) if of is not None else (None, None)
    channels = _channels(found, image.frame, of, reference, frames) or {"": members}
    name = image.metadata.channel if image.metadata.channel in channels else ""
    return await volumes.sent_with(image, channels, name, len(before), step, towards)


def _channels(
    found: Found, frame: int, of: Stack | None, reference: ObjectReference, frames: Frames
) -> dict[str, list[Member]]:
    """The slices of each channel of an object, by its name: volumes of one file lie in register, one after another."""
    if of is None or not found.channels:
        return {}
    each = found.frames // len(found.channels)
    first = frame // each * each
    return {
        name: [_frame_of(reference, number * each + one - first, frames) for one in of.frames]
        for number, name in enumerate(found.channels)
    }


def _frame_of(reference: ObjectReference, index: int, frames: Frames) -> Member:
    return Member((reference, index), lambda: frames.read(index))


def _slice_at(one: Next[ObjectReference], isolated: Isolated, reading: Reading, object_id: str) -> Member:
    return Member(_name_of(one.key, one.slice), lambda: isolated.call(slice_of, one.key, reading, one.slice, object_id))


def _name_of(reference: ObjectReference, known: Slice) -> tuple[object, ...]:
    # References of a listing have other ETags than those of messages, which count in the files that go along.
    return reference.bucket, reference.key, reference.size, known.uid


async def _itself(image: MedicalImage) -> MedicalImage:
    return image


async def _outwards(
    image: MedicalImage, near: Sequence[Beside], read: Callable[[int], Awaitable[MedicalImage]]
) -> list[tuple[Beside, MedicalImage]]:
    found: list[tuple[Beside, MedicalImage]] = []
    for side in ([one for one in reversed(near) if one.steps < 0], [one for one in near if one.steps > 0]):
        for one in side:
            try:
                other = await read(one.frame)
            except InvalidInput:  # of its own message too, where it is taken
                break
            if not is_alike(image, other):
                break
            found.append((one, other))
    return sorted(found, key=lambda one: one[0].steps)
