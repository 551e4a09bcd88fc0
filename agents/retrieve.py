"""retrieve: passages of medical knowledge for what was seen."""

import asyncio
from collections.abc import AsyncIterator

from models.knowledge import KnowledgeBase, query_for
from schemas.knowledge import EnrichedImage
from schemas.regions import GroundedImage


async def retrieve(image: GroundedImage, *, knowledge: KnowledgeBase) -> AsyncIterator[EnrichedImage]:
    """The image with the passages that were found for it.

    Raises:
        Unavailable: the knowledge base does not answer.
    """
    passages = await asyncio.to_thread(knowledge.search, query_for(image.metadata, image.grounding))
    yield EnrichedImage(
        image_id=image.image_id,
        object_id=image.object_id,
        frame=image.frame,
        frames_taken=image.frames_taken,
        frames_skipped=image.frames_skipped,
        metadata=image.metadata,
        view=image.view,
        grounding=image.grounding,
        passages=passages,
        knowledge_snapshot=knowledge.snapshot,
        preprocess_version=image.preprocess_version,
        grounding_version=image.grounding_version,
    )
