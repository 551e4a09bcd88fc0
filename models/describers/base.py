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

    @property
    def generation(self) -> int:
        """Of the text, as `Lineage` has it."""
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
    *,
    caption: Statement | None = None,
    absences: tuple[Statement, ...] = (),
    measurements: tuple[Statement, ...] = (),
    opinions: tuple[Statement, ...] = (),
    removed: tuple[Removed, ...] = (),
    text: str | None = None,
) -> Description:
    """The description of these parts; its text is that of all but captions, measurements and opinions, or as given."""
    statements = (modality, *regions, *texture, *relations, *((organ,) if organ else ()), *absences)
    return Description(
        caption=caption,
        modality=modality,
        organ=organ,
        regions=regions,
        texture=texture,
        relations=relations,
        absences=absences,
        measurements=measurements,
        opinions=opinions,
        description=text if text is not None else " ".join(statement.text for statement in statements),
        removed=removed,
    )
