"""retrieve: passages of medical knowledge for what was seen."""

import asyncio
from collections.abc import AsyncIterator

from models.knowledge import Knowledge, find, questions
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import GroundedImage


async def retrieve(image: GroundedImage, *, knowledge: Knowledge) -> AsyncIterator[EnrichedImage]:
    """The image with the passages that were found for it.

    Raises:
        Unavailable: the knowledge base does not answer.
    """
    passages, snapshot = await asyncio.to_thread(_found, knowledge, image)
    yield EnrichedImage.following(image, passages=passages, knowledge_snapshot=snapshot)


def _found(knowledge: Knowledge, image: GroundedImage) -> tuple[tuple[FoundPassage, ...], str]:
    base = knowledge()
    return find(base, questions(image.metadata, image.grounding, image.view.channels)), base.snapshot
