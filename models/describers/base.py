"""What writes descriptions, as the describe stage sees it. Knows nothing of Kafka or of how passages were found."""

from typing import Protocol

from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Removed, Statement


class Describer(Protocol):
    """Writes the description of a grounded, enriched image."""

    @property
    def name(self) -> str:
        """name@version: `composer@…`, or an MLLM's name and revision."""
        ...

    @property
    def prompt(self) -> str | None:
        """Version of the prompt; None where no MLLM writes."""
        ...

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image; each statement with its evidence.

        Raises:
            Unavailable: the model that writes does not answer.
        """
        ...


def make_description(
    modality: Statement,
    organ: Statement | None,
    regions: tuple[Statement, ...],
    texture: tuple[Statement, ...],
    relations: tuple[Statement, ...],
    context: tuple[Statement, ...],
    *,
    removed: tuple[Removed, ...] = (),
) -> Description:
    """The description of these parts, with the text of all statements in reading order."""
    statements = (modality, *((organ,) if organ else ()), *regions, *texture, *relations, *context)
    return Description(
        modality=modality,
        organ=organ,
        regions=regions,
        texture=texture,
        relations=relations,
        context=context,
        description=" ".join(statement.text for statement in statements),
        removed=removed,
    )
