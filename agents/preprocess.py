"""preprocess: an object becomes de-identified quantitative frames. The only stage that sees keys and headers.

What touches the file's bytes runs in a process of its own: native decoders crash on some damaged files.
"""

from collections.abc import AsyncIterator, Callable, Sequence

from agents import metrics
from agents.given import GivenAnnotations
from agents.reading import Reading, frames_of, image_of
from agents.series import Series
from agents.surroundings import Frames, in_series, in_volume
from agents.volumes import Volumes
from models.imaging.belonging import place_of
from models.imaging.limits import check_file
from models.imaging.neighbours import with_neighbours
from schemas.base import PatientPolicy
from schemas.failures import InvalidInput
from schemas.images import MedicalImage
from schemas.objects import ObjectReference
from streams.buckets import Bucket, ObjectElsewhere
from streams.dead_letters import FrameFailed, Subject
from streams.identity import Identity
from streams.isolation import Isolated
from streams.payloads import Payloads

Preprocess = Callable[[ObjectReference], AsyncIterator[MedicalImage | FrameFailed]]


async def preprocess(
    reference: ObjectReference,
    *,
    isolated: Isolated,
    identity: Identity,
    payloads: Payloads,
    reading: Reading,
    annotations: GivenAnnotations | None = None,
    series: Series | None = None,
    volumes: Volumes | None = None,
    patients: PatientPolicy = "folder",
) -> AsyncIterator[MedicalImage | FrameFailed]:
    """One message a frame taken, with what the annotation objects beside the inbox mark in it.

    Neighbours of a frame, and where `volumes` is given the volume that it is a slice of, are sought in its own object,
    or where `series` is given and the object is one slice of a series, among the objects beside it.

    `patients` says what stands for a patient where nothing else tells one. A frame that cannot be decoded, or marked,
    fails alone.

    Raises:
        InvalidInput: the object as a whole cannot be read.
    """
    check_file(reference.size, reading.limits)
    object_id = identity.object_id(reference)
    found = await isolated.call(frames_of, reference, reading)
    taken, skipped = found.taken, found.skipped
    given = await annotations.of(found.names) if annotations is not None else ()
    provenance = found.belonging.provenance(identity.group_id, place_of(reference, patients))
    metrics.SKIPPED.inc(skipped)
    frames = Frames(
        lambda index: isolated.call(image_of, reference, reading, index, object_id, given), reading.neighbours
    )
    for index in taken:
        try:
            image = await frames.read(index)
        except InvalidInput as error:
            yield FrameFailed(Subject(object_id, None, index, len(taken), skipped, identity.file_id(reference)), error)
            continue
        if reading.neighbours:
            near = await frames.beside(image, found.stacks)
            if series is not None and found.alone is not None:
                near = await in_series(series, reference, found.alone, image, isolated, reading)
            image = with_neighbours(image, near)
        if volumes is not None:
            image = await in_volume(volumes, image, found, frames, series, reference, isolated, reading)
        pixels, *others = await payloads.place_all((image.pixels, *image.neighbours))
        told = provenance.with_texts("annotations") if given and image.annotations else provenance
        yield image.model_copy(update={"pixels": pixels, "neighbours": tuple(others), "provenance": told})
        metrics.IMAGES.labels(image.metadata.modality).inc()


def below(places: Sequence[Bucket], handler: Preprocess) -> Preprocess:
    """The same for objects in these places alone: who can write to a topic must not have any file read.

    Raises, of others:
        ObjectElsewhere: see there.
    """

    async def only(reference: ObjectReference) -> AsyncIterator[MedicalImage | FrameFailed]:
        if not any(place.holds(reference) for place in places):
            raise ObjectElsewhere
        async for image in handler(reference):
            yield image

    return only
