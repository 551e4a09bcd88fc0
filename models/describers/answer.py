"""What a model is asked to answer: sentences, by the five parts of a description. What they claim is read from them.

The JSON Schemas are what the server's grammar holds the model to: bounds are there so that every answer ends.
"""

from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field

Sentence = Annotated[str, Field(max_length=300)]
Part = Literal["modality", "organ", "regions", "texture", "relations"]
PARTS: tuple[Part, ...] = get_args(Part)

SENTENCES = 6
"""The most of one part."""


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Asked):
    """The five parts of a description, in sentences, each said once."""

    modality: tuple[Sentence, ...] = Field(min_length=1, max_length=2)
    organ: tuple[Sentence, ...] = Field(max_length=2)
    regions: tuple[Sentence, ...] = Field(max_length=SENTENCES)
    texture: tuple[Sentence, ...] = Field(max_length=SENTENCES)
    relations: tuple[Sentence, ...] = Field(max_length=SENTENCES)

    def sentences(self) -> list[tuple[Part, str]]:
        """All of them with their parts, in reading order; empty ones are none."""
        return [
            (part, text.strip())
            for part in PARTS
            for text in cast(tuple[str, ...], getattr(self, part))
            if text.strip()
        ]


class Mended(_Asked):
    """Sentences in place of those that were sent back; an empty one leaves its own out."""

    sentences: tuple[Sentence, ...]


SCHEMA = Answer.model_json_schema()


def mended_schema(n: int) -> dict[str, Any]:
    """Of the answer to a correction of n sentences."""
    schema = Mended.model_json_schema()
    schema["properties"]["sentences"] |= {"minItems": n, "maxItems": n}
    return schema
