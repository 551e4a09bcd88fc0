"""preprocess: an object becomes de-identified quantitative frames. The only stage that sees keys and headers."""

import asyncio
from collections.abc import AsyncIterator, Callable

from models.imaging import VERSION, FramePolicy, Source, open_source, to_pixels
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.objects import ObjectReference
from streams.dead_letters import FrameFailed, Subject
from streams.identity import Identity
from streams.payloads import Payloads


async def preprocess(
    reference: ObjectReference,
    *,
    read: Callable[[ObjectReference], bytes],
    identity: Identity,
    payloads: Payloads,
    policy: FramePolicy,
) -> AsyncIterator[MedicalImage | FrameFailed]:
    """One message a frame taken. A frame that cannot be decoded fails alone.

    Raises:
        InvalidInput: the object as a whole cannot be read.
    """
    object_id = identity.object_id(reference)
    source = await asyncio.to_thread(lambda: open_source(read(reference), policy))
    for index in source.taken:
        try:
            image = await asyncio.to_thread(_image, source, index, object_id)
        except InvalidInput as error:
            yield FrameFailed(Subject(object_id, None, index, len(source.taken), source.skipped), error)
            continue
        yield image.model_copy(update={"pixels": await payloads.place(image.pixels)})


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
        preprocess_version=VERSION,
    )
