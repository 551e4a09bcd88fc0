"""preprocess: an object becomes de-identified quantitative frames. The only stage that sees keys and headers.

What touches the file's bytes runs in a process of its own: native decoders crash on some damaged files.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache

from agents import metrics
from models.imaging import VERSION, BurnedInPolicy, FramePolicy, Source, open_source, to_pixels
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
) -> AsyncIterator[MedicalImage | FrameFailed]:
    """One message a frame taken. A frame that cannot be decoded fails alone.

    Raises:
        InvalidInput: the object as a whole cannot be read.
    """
    check_file(reference.size, reading.limits)
    object_id = identity.object_id(reference)
    taken, skipped = await isolated.call(frames_of, reference, reading)
    metrics.SKIPPED.inc(skipped)
    for index in taken:
        try:
            image = await isolated.call(image_of, reference, reading, index, object_id)
        except InvalidInput as error:
            yield FrameFailed(Subject(object_id, None, index, len(taken), skipped), error)
            continue
        yield image.model_copy(update={"pixels": await payloads.place(image.pixels)})
        metrics.IMAGES.labels(image.metadata.modality).inc()


# A cine's frames are asked for one by one: its file is read and parsed once, as long as few others come between.
@lru_cache(maxsize=4)
def _open(reference: ObjectReference, reading: Reading) -> Source:
    content = read_object(reference)
    return open_source(content.data, reading.frames, reading.limits, reading.burned_in, **content.companions)


def frames_of(reference: ObjectReference, reading: Reading) -> tuple[tuple[int, ...], int]:
    """Indices of the frames to take, and how many are skipped. Runs isolated."""
    source = _open(reference, reading)
    return source.taken, source.skipped


def image_of(reference: ObjectReference, reading: Reading, index: int, object_id: str) -> MedicalImage:
    """One frame of an object, its pixels inline. Runs isolated."""
    source = _open(reference, reading)
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
