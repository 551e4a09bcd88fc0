"""Passages of medical knowledge and the image they were found for. Knows nothing of how they are searched."""

from typing import Literal, get_args

from pydantic import Field

from schemas.base import FrameMessage, Message
from schemas.images import ImageMetadata, Pixels
from schemas.regions import Grounding

PassageKind = Literal["appearance", "anatomy", "measurement", "terminology", "technique"]
"""How it looks, what is normal, how it is measured, what a word means, how images are made: most telling first."""
PASSAGE_KINDS: tuple[PassageKind, ...] = get_args(PassageKind)

Condition = Literal[
    "frontal view", "lateral view", "craniocaudal view", "mediolateral oblique view", "axial plane", "coronal plane",
    "sagittal plane", "contrast agent given", "no contrast agent given", "T1-weighted", "T2-weighted", "FLAIR",
    "diffusion-weighted", "haematoxylin and eosin", "immunohistochemistry", "fluorescence", "phase contrast",
    "stained film", "narrow-band light",
]  # fmt: skip
"""What a passage may presuppose of an image beyond its modality."""
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


class Citation(Message):
    """Where a passage stands in its source: `text[start:end]` of the source's text, in characters, is the passage."""

    source: str = Field(description="Name of the source, such as pubmed:12345678 or a file's name")
    section: str = Field(default="", description="Headings above the passage, outermost first, joined by ' › '")
    start: int = Field(ge=0, description="First character")
    end: int = Field(ge=0, description="Character after the last")


class Passage(Message):
    """A citable piece of text."""

    passage_id: str = Field(description="Unique in its knowledge base")
    title: str = Field(description="Of the passage")
    text: str = Field(description="Of the passage, as it is quoted")
    reference: str = Field(description="The source, as a reader would cite it")
    modalities: tuple[str, ...] = Field(default=(), description="Empty: any")
    organs: tuple[str, ...] = Field(default=(), description="Empty: any")
    diseases: tuple[str, ...] = Field(
        default=(), description="Diseases and findings of models/vocabulary that it is about; empty: any"
    )
    structures: tuple[str, ...] = Field(default=(), description="Structures of models/vocabulary that it is about")
    regions: tuple[str, ...] = Field(
        default=(), description="Labels of models/statements/table.toml whose regions it explains"
    )
    kind: PassageKind | None = Field(default=None, description="None: not told")
    applies_when: tuple[Condition, ...] = Field(
        default=(), description="All of this must be known of an image for the passage to speak of it"
    )
    citation: Citation | None = Field(default=None, description="None: the reference alone tells where it stands")


class FoundPassage(Passage):
    """A passage with its place in a search result."""

    score: float = Field(
        description="Relative scores of words and vectors, added up; comparable within one result only"
    )
    answers: str | None = Field(
        default=None, description="What the image names that it explains; None: it is about the image as a whole"
    )


class EnrichedImage(FrameMessage):
    """A grounded image with the passages found for what was seen in it."""

    metadata: ImageMetadata = Field(description="What the source tells of the image")
    view: Pixels = Field(description="The image as the describer sees it")
    grounding: Grounding = Field(description="What the experts found")
    passages: tuple[FoundPassage, ...] = Field(description="Found for what was seen, the best first")
    knowledge_snapshot: str = Field(description="name@digest of the corpus and index that were searched")
    preprocess_version: str = Field(description="Of what read the image")
    grounding_version: str = Field(description="Of the experts and what runs them")
