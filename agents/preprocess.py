"""preprocess: an object becomes de-identified quantitative frames. The only stage that sees keys and headers.

What touches the file's bytes runs in a process of its own: native decoders crash on some damaged files.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache

from agents import metrics
from agents.given import GivenAnnotations
from models.imaging import VERSION, BurnedInPolicy, FramePolicy, Source, open_source, to_pixels
from models.imaging.given.marking import marked
from models.imaging.limits import check_file
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.bucket import read_object
from streams.dead_letters import FrameFailed, Subject
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads
from streams.places import read_file


@dataclass(frozen=True, slots=True)
class Reading:
    """How objects are read.

    Args:
        frames: which of them are taken.
        burned_in: what becomes of text in pixels.
        limits: that each object is held to.
    """

    frames: FramePolicy
    burned_in: BurnedInPolicy
    limits: Limits


async def preprocess(
    reference: ObjectReference,
    *,
    isolated: Isolated,
    identity: Identity,
    payloads: Payloads,
    reading: Reading,
    annotations: GivenAnnotations | None = None,
) -> AsyncIterator[MedicalImage | FrameFailed]:
    """One message a frame taken, with what the annotation objects beside the inbox mark in it.

    A frame that cannot be decoded, or marked, fails alone.

    Raises:
        InvalidInput: the object as a whole cannot be read.
    """
    check_file(reference.size, reading.limits)
    object_id = identity.object_id(reference)
    taken, skipped, names = await isolated.call(frames_of, reference, reading)
    given = await annotations.of(names) if annotations is not None else ()
    metrics.SKIPPED.inc(skipped)
    for index in taken:
        try:
            image = await isolated.call(image_of, reference, reading, index, object_id, given)
        except InvalidInput as error:
            yield FrameFailed(Subject(object_id, None, index, len(taken), skipped), error)
            continue
        yield image.model_copy(update={"pixels": await payloads.place(image.pixels)})
        metrics.IMAGES.labels(image.metadata.modality).inc()


# A cine's frames are asked for one by one: its file is read and parsed once, as long as few others come between.
@lru_cache(maxsize=4)
def _open(reference: ObjectReference, reading: Reading) -> Source:
    content = read_object(reference)
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
    return marked(_open(reference, reading), [read_file(one) for one in given], reading.limits)


def frames_of(reference: ObjectReference, reading: Reading) -> tuple[tuple[int, ...], int, frozenset[str]]:
    """Indices of the frames to take, how many are skipped, and the UIDs by which the object is meant. Runs isolated."""
    source = _open(reference, reading)
    return source.taken, source.skipped, source.instance.names if source.instance else frozenset()


def image_of(
    reference: ObjectReference, reading: Reading, index: int, object_id: str, given: tuple[ObjectReference, ...] = ()
) -> MedicalImage:
    """One frame of an object, its pixels inline, with what the given annotation objects mark in it. Runs isolated."""
    source = _marked(reference, reading, given) if given else _open(reference, reading)
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
