"""retrieve: passages of medical knowledge for what was seen."""

import asyncio
from collections.abc import AsyncIterator

from models.knowledge import Knowledge, Query, query_for
from schemas.knowledge import EnrichedImage, FoundPassage
from schemas.regions import GroundedImage


async def retrieve(image: GroundedImage, *, knowledge: Knowledge) -> AsyncIterator[EnrichedImage]:
    """The image with the passages that were found for it.

    Raises:
        Unavailable: the knowledge base does not answer.
    """
    passages, snapshot = await asyncio.to_thread(_find, knowledge, query_for(image.metadata, image.grounding))
    yield EnrichedImage.following(image, passages=passages, knowledge_snapshot=snapshot)


def _find(knowledge: Knowledge, query: Query) -> tuple[tuple[FoundPassage, ...], str]:
    base = knowledge()
    return base.search(query), base.snapshot
