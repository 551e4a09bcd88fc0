"""What a model is asked to answer: five parts, each statement with its evidence. What it claims is read from its words.

The JSON Schema of `Answer` is what SGLang's grammar holds the model to: bounds are there so that every answer ends.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Pointer = Annotated[str, Field(max_length=48)]
Part = Literal["modality", "organ", "regions", "texture", "relations"]

STATEMENTS = 6
"""The most of one part."""


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Draft(_Asked):
    """A statement before it is believed."""

    text: str = Field(min_length=1, max_length=400)
    evidence: tuple[Pointer, ...] = Field(min_length=1, max_length=6)


class Answer(_Asked):
    """The five parts of a description."""

    modality: Draft
    organ: Draft | None
    regions: tuple[Draft, ...] = Field(max_length=STATEMENTS)
    texture: tuple[Draft, ...] = Field(max_length=STATEMENTS)
    relations: tuple[Draft, ...] = Field(max_length=STATEMENTS)

    def drafts(self) -> list[tuple[Part, Draft]]:
        """All statements with their parts, in reading order."""
        parts: list[tuple[Part, tuple[Draft, ...]]] = [
            ("modality", (self.modality,)), ("organ", (self.organ,) if self.organ else ()),
            ("regions", self.regions), ("texture", self.texture), ("relations", self.relations),
        ]  # fmt: skip
        return [(part, draft) for part, drafts in parts for draft in drafts]
