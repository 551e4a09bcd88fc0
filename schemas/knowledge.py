"""Passages of medical knowledge and the image they were found for. Knows nothing of how they are searched."""

from pydantic import Field

from schemas.base import FrameMessage, Message
from schemas.images import ImageMetadata, Pixels
from schemas.regions import Grounding


class Passage(Message):
    """A citable piece of text."""

    passage_id: str
    title: str
    text: str
    reference: str = Field(description="The source, as a reader would cite it")
    modalities: tuple[str, ...] = Field(default=(), description="Empty: any")
    organs: tuple[str, ...] = Field(default=(), description="Empty: any")


class FoundPassage(Passage):
    """A passage with its place in a search result."""

    score: float = Field(description="Fused rank score; higher is better; comparable within one result only")


class EnrichedImage(FrameMessage):
    """A grounded image with the passages found for what was seen in it."""

    metadata: ImageMetadata
    view: Pixels
    grounding: Grounding
    passages: tuple[FoundPassage, ...]
    knowledge_snapshot: str = Field(description="name@digest of the corpus and index that were searched")
    preprocess_version: str
    grounding_version: str
