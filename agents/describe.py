"""describe: the description is written, and the triplet is complete."""

import asyncio
from collections.abc import AsyncIterator

from agents import metrics
from models.describers import Describer, make_triplet
from schemas.knowledge import EnrichedImage
from schemas.triplets import Triplet
from streams.payloads import Payloads


async def describe(
    image: EnrichedImage, *, describer: Describer, payloads: Payloads | None = None
) -> AsyncIterator[Triplet]:
    """The triplet of an image.

    Args:
        image: as retrieval hands it on.
        describer: writes the description.
        payloads: where large pixels are fetched for a describer that looks at them; the triplet keeps the reference.

    Raises:
        Unavailable: the model that writes does not answer.
    """
    seen = image
    if payloads is not None:
        seen = image.model_copy(update={"view": await payloads.fetch(image.view)})
    description = await describer.describe(seen)
    yield await asyncio.to_thread(make_triplet, image, description, describer)
    metrics.TRIPLETS.labels(image.metadata.modality).inc()
