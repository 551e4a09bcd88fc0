"""describe: the description is written, and the triplet is complete."""

from collections.abc import AsyncIterator

from agents import metrics
from models.describers import Describer, make_triplet
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet


async def describe(image: EnrichedImage, *, describer: Describer) -> AsyncIterator[Triplet]:
    """The triplet of an image.

    Raises:
        Unavailable: the model that writes does not answer.
    """
    yield make_triplet(image, await describer.describe(image), describer)
    metrics.TRIPLETS.labels(image.metadata.modality).inc()
