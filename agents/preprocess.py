"""preprocess: an object becomes de-identified quantitative frames. The only stage that sees keys and headers.

What touches the file's bytes runs in a process of its own: native decoders crash on some damaged files.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agents import metrics
from agents.given import GivenAnnotations
from agents.series import Series
from models.imaging import VERSION, BurnedInPolicy, FramePolicy, Source, open_source, to_pixels
from models.imaging.given.marking import marked
from models.imaging.limits import check_file
from models.imaging.neighbours import Beside, Stack, is_alike, with_neighbours
from models.imaging.series import Slice
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import Content, ObjectChanged, bucket_of
from streams.dead_letters import FrameFailed, Subject
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads


@dataclass(frozen=True, slots=True)
class Reading:
    """How objects are read.

    Args:
        frames: which of them are taken.
        burned_in: what becomes of text in pixels.
        limits: that each object is held to.
        neighbours: on each side of a frame in space, taken or not, that are sent with it.
    """

    frames: FramePolicy
    burned_in: BurnedInPolicy
    limits: Limits
    neighbours: int = 0


async def preprocess(
    reference: ObjectReference,
    *,
    isolated: Isolated,
    identity: Identity,
    payloads: Payloads,
    reading: Reading,
    annotations: GivenAnnotations | None = None,
    series: Series | None = None,
) -> AsyncIterator[MedicalImage | FrameFailed]:
    """One message a frame taken, with what the annotation objects beside the inbox mark in it.

    Neighbours of a frame are sought in its own object, or where `series` is given and the object is one slice of a
    series, among the objects beside it.

    A frame that cannot be decoded, or marked, fails alone.

    Raises:
        InvalidInput: the object as a whole cannot be read.
    """
    check_file(reference.size, reading.limits)
    object_id = identity.object_id(reference)
    taken, skipped, names, stacks, alone = await isolated.call(frames_of, reference, reading)
    given = await annotations.of(names) if annotations is not None else ()
    metrics.SKIPPED.inc(skipped)
    frames = _Frames(
        lambda index: isolated.call(image_of, reference, reading, index, object_id, given), reading.neighbours
    )
    for index in taken:
        try:
            image = await frames.read(index)
        except InvalidInput as error:
            yield FrameFailed(Subject(object_id, None, index, len(taken), skipped), error)
            continue
        if reading.neighbours:
            found = await frames.beside(image, stacks)
            if series is not None and alone is not None:
                found = await _in_series(series, reference, alone, image, isolated, reading)
            image = with_neighbours(image, found)
        pixels, *others = await payloads.place_all((image.pixels, *image.neighbours))
        yield image.model_copy(update={"pixels": pixels, "neighbours": tuple(others)})
        metrics.IMAGES.labels(image.metadata.modality).inc()


class _Frames:
    """The frames of one object. Where neighbours are asked for, those read last are kept: each is read once as a rule.

    What a frame's neighbours are depends on the object alone, never on what was read before.
    """

    def __init__(self, read: Callable[[int], Awaitable[MedicalImage]], neighbours: int) -> None:
        self._read, self._neighbours = read, neighbours
        self._kept: OrderedDict[int, MedicalImage | InvalidInput] = OrderedDict()

    async def read(self, index: int) -> MedicalImage:
        """One frame, its pixels inline. Raises InvalidInput."""
        if not self._neighbours:
            return await self._read(index)
        if index not in self._kept:
            try:
                self._kept[index] = await self._read(index)
            except InvalidInput as error:
                self._kept[index] = error
        self._kept.move_to_end(index)
        while len(self._kept) > 2 * self._neighbours + 1:
            self._kept.popitem(last=False)
        found = self._kept[index]
        if isinstance(found, InvalidInput):
            raise found
        return found

    async def beside(self, image: MedicalImage, stacks: tuple[Stack, ...]) -> list[tuple[Beside, MedicalImage]]:
        """Its neighbours, outwards to the first that cannot be read or is not alike: those beyond are not known."""
        near = [one for stack in stacks for one in stack.around(image.frame, self._neighbours)]
        return await _outwards(image, near, self.read)


async def _in_series(
    series: Series, reference: ObjectReference, alone: Slice, image: MedicalImage, isolated: Isolated, reading: Reading
) -> list[tuple[Beside, MedicalImage]]:
    """The same of a slice that is an object: its neighbours are others."""
    near = await series.beside(reference, alone, reading.neighbours)
    files = {one.beside.frame: one for one in near}

    async def read(index: int) -> MedicalImage:
        one = files[index]
        return await series.read(
            one, lambda: isolated.call(slice_of, one.reference, reading, one.slice, image.object_id)
        )

    return await _outwards(image, [one.beside for one in near], read)


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


# A cine's frames are asked for one by one: its file is read and parsed once, as long as few others come between.
@lru_cache(maxsize=4)
def _open(reference: ObjectReference, reading: Reading) -> Source:
    return _opened(bucket_of(reference).read(reference), reading)


def _opened(content: Content, reading: Reading) -> Source:
    return open_source(
        content.data,
        reading.frames,
        reading.limits,
        reading.burned_in,
        sidecar=content.companions.get("sidecar"),
        mask=content.companions.get("mask"),
        annotations=[data for role, data in content.companions.items() if role.startswith("annotations/")],
    )


@lru_cache(maxsize=4)
def _marked(reference: ObjectReference, reading: Reading, given: tuple[ObjectReference, ...]) -> Source:
    return marked(_open(reference, reading), [bucket_of(one).get(one) for one in given], reading.limits)


def frames_of(
    reference: ObjectReference, reading: Reading
) -> tuple[tuple[int, ...], int, frozenset[str], tuple[Stack, ...], Slice | None]:
    """Indices of the frames to take, how many are skipped, the UIDs by which the object is meant, and where neighbours
    are asked for, how its frames lie, or which slice of a series it is. Runs isolated.
    """
    source = _open(reference, reading)
    names = source.instance.names if source.instance else frozenset[str]()
    stacks, alone = (source.stacks(), source.in_series()) if reading.neighbours else ((), None)
    return source.taken, source.skipped, names, stacks, alone


def image_of(
    reference: ObjectReference, reading: Reading, index: int, object_id: str, given: tuple[ObjectReference, ...] = ()
) -> MedicalImage:
    """One frame of an object, its pixels inline, with what the given annotation objects mark in it. Runs isolated."""
    source = _marked(reference, reading, given) if given else _open(reference, reading)
    return _image(source, index, object_id)


def slice_of(reference: ObjectReference, reading: Reading, known: Slice, object_id: str) -> MedicalImage:
    """The frame of an object that is a known slice of a series, as it is now, its pixels inline. Runs isolated.

    Raises:
        ObjectChanged: it is no longer that slice.
    """
    source = _opened(bucket_of(reference).read_now(reference), reading)
    if source.in_series() != known:
        raise ObjectChanged("The object is another slice than it was. Its new content is announced by itself.")
    return _image(source, 0, object_id)


def _image(source: Source, index: int, object_id: str) -> MedicalImage:
    frame = source.read(index)
    return MedicalImage(
        image_id=frame.image_id,
        object_id=object_id,
        frame=index,
        frames_taken=len(source.taken),
        frames_skipped=source.skipped,
        metadata=frame.metadata,
        pixels=to_pixels(frame),
        window=frame.window,
        inverted=frame.inverted,
        annotations=frame.annotations,
        preprocess_version=VERSION,
    )
