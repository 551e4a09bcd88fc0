"""Passages of medical knowledge and the image they were found for. Knows nothing of how they are searched."""

from pydantic import Field

from schemas.base import FrameMessage, Message
from schemas.images import ImageMetadata, Pixels
from schemas.regions import Grounding


class Citation(Message):
    """Where a passage stands in its source: `text[start:end]` of the source's text, in characters, is the passage."""

    source: str = Field(description="Name of the source, such as pubmed:12345678 or a file's name")
    section: str = Field(default="", description="Headings above the passage, outermost first, joined by ' › '")
    start: int = Field(ge=0)
    end: int = Field(ge=0)


class Passage(Message):
    """A citable piece of text."""

    passage_id: str
    title: str
    text: str
    reference: str = Field(description="The source, as a reader would cite it")
    modalities: tuple[str, ...] = Field(default=(), description="Empty: any")
    organs: tuple[str, ...] = Field(default=(), description="Empty: any")
    diseases: tuple[str, ...] = Field(default=(), description="Empty: any")
    citation: Citation | None = Field(default=None, description="None: the reference alone tells where it stands")


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
