"""Regions of interest and what was measured in them. Knows nothing of who found them or how they are described."""

from typing import Literal

from pydantic import Field

from schemas.base import FrameMessage, Message
from schemas.images import ImageMetadata, Pixels
from schemas.shapes import Box as Box
from schemas.shapes import Mask as Mask


class Intensity(Message):
    """Statistics of pixel values."""

    mean: float
    spread: float = Field(ge=0, description="Standard deviation")
    minimum: float
    maximum: float
    unit: str


class Region(Message):
    """A part of the image that a stated rule singled out. A candidate is never a diagnosis."""

    region_id: str = Field(pattern=r"^r\d+$", description="Unique within its image: r1, r2, …")
    kind: Literal["candidate", "source annotation", "whole image"] = "candidate"
    label: str = Field(description="What the rule selects, in a few lower-case words: 'air-density region'")
    rule: str = Field(description="The rule that found it, with its thresholds and units")
    expert: str = Field(description="name@version of the expert, or 'none' for the whole image")
    score: float | None = Field(default=None, description="Strength of the finding as the expert's card defines it")
    mask: Mask
    box: Box
    area_px: int = Field(ge=1)
    area_mm2: float | None = Field(default=None, description="None where the pixel spacing is unknown")
    centroid: tuple[float, float] = Field(description="x, y in px")
    position: str = Field(description="In words, in the image's frame, and in the patient's where it is known")
    intensity: Intensity
    surroundings: Intensity | None = Field(default=None, description="Of a ring around it; None where there is none")


class Relation(Message):
    """A measured relation between two regions."""

    subject: str = Field(description="region_id")
    predicate: Literal["larger than", "brighter than", "inside", "left of", "above", "similar in size to"]
    object: str = Field(description="region_id")
    value: float | None = Field(default=None, description="The measurement behind it, in `unit`")
    unit: str | None = None


class ExpertRun(Message):
    """One expert's turn on an image."""

    expert: str = Field(description="name@version")
    outcome: Literal["regions", "nothing found", "failed"]
    regions: int = Field(ge=0)
    left_out: int = Field(default=0, ge=0, description="Smaller components beyond the most that are reported")


class Grounding(Message):
    """All that grounding learnt of one image."""

    regions: tuple[Region, ...] = Field(min_length=1)
    relations: tuple[Relation, ...] = ()
    experts: tuple[ExpertRun, ...] = ()
    intensity: Intensity = Field(description="Of the whole image")


class GroundedImage(FrameMessage):
    """An image with its regions. From here on the pixels are the rendered view that the describer sees."""

    metadata: ImageMetadata
    view: Pixels
    grounding: Grounding
    preprocess_version: str
    grounding_version: str
