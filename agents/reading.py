"""Reading an object's bytes, for preprocess: what runs in an isolated process, as native decoders may crash.

The decoders are imported where they are called: who has these functions called elsewhere loads none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.imaging import VERSION, BurnedInPolicy, FramePolicy, Source, to_pixels
from models.imaging.belonging import Belonging
from models.imaging.neighbours import Stack
from models.imaging.series import Slice
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import Content, ObjectChanged, bucket_of
from streams.isolated import kept_between_calls


@dataclass(frozen=True, slots=True)
class Reading:
    """How objects are read.

    Args:
        frames: which of them are taken.
        burned_in: what becomes of text in pixels.
        limits: that each object is held to.
        neighbours: on each side of a frame in space, taken or not, that are sent with it.
        volumes: whether the volume that a frame is a slice of is sent with it.
        defaults: what holds of all objects of which nothing else says so, as JSON of schemas.sidecars.FolderDefaults.
    """

    frames: FramePolicy
    burned_in: BurnedInPolicy
    limits: Limits
    neighbours: int = 0
    volumes: bool = False
    defaults: bytes | None = None

    @property
    def looks_beside(self) -> bool:
        """Whether it is to be known which frames lie beside each other."""
        return self.volumes or self.neighbours > 0


# A cine's frames are asked for one by one: its file is read and parsed once, as long as few others come between.
@kept_between_calls(4)
def _open(reference: ObjectReference, reading: Reading) -> Source:
    return _opened(bucket_of(reference).read(reference), reading)


def _opened(content: Content, reading: Reading) -> Source:
    from models.imaging.source import open_source

    source = open_source(content.data, reading.frames, reading.limits, reading.burned_in)
    return described_by(content.companions, source, reading.limits, reading.defaults)


def described_by(
    companions: Mapping[str, bytes], source: Source, limits: Limits, defaults: bytes | None = None
) -> Source:
    """The same frames with what an object's companions say of them, and mark in them.

    Args:
        companions: as `Content` has them.
        source: the object's frames.
        limits: that each companion is held to.
        defaults: as `Reading` has them.

    Raises:
        InvalidInput: one of models.imaging.errors.
    """
    from models.imaging.source import described

    return described(
        source,
        limits,
        sidecar=companions.get("sidecar"),
        mask=companions.get("mask"),
        defaults=[data for data in (defaults, companions.get("defaults")) if data is not None],
        annotations=[data for role, data in companions.items() if role.startswith("annotations/")],
    )


@kept_between_calls(4)
def _marked(reference: ObjectReference, reading: Reading, given: tuple[ObjectReference, ...]) -> Source:
    from models.imaging.given.marking import marked

    return marked(_open(reference, reading), [bucket_of(one).get(one) for one in given], reading.limits)


@dataclass(frozen=True, slots=True)
class Found:
    """What an object is, before its frames are read.

    Args:
        taken: indices of the frames to take.
        skipped: how many are left out.
        names: the UIDs by which the object is meant.
        belonging: to whom and what it belongs. Names persons.
        stacks: how its frames lie, where neighbours or volumes are asked for.
        alone: which slice of a series it is, where they are.
        frames: how many it has.
        channels: of a file of several volumes in register, what each is, where its sidecar says so.
    """

    taken: tuple[int, ...]
    skipped: int
    names: frozenset[str] = field(repr=False)
    belonging: Belonging = field(repr=False)
    stacks: tuple[Stack, ...] = ()
    alone: Slice | None = None
    frames: int = 0
    channels: tuple[str, ...] = ()


def frames_of(reference: ObjectReference, reading: Reading) -> Found:
    """What an object is. Runs isolated."""
    source = _open(reference, reading)
    names = source.instance.names if source.instance else frozenset[str]()
    stacks, alone = (source.stacks(), source.in_series()) if reading.looks_beside else ((), None)
    return Found(
        source.taken, source.skipped, names, source.belonging, stacks, alone, source.frames_total, source.channels
    )


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
        raise ObjectChanged
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
