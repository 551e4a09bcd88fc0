"""What writes descriptions, as the describe stage sees it. Knows nothing of Kafka or of how passages were found."""

from typing import Protocol

from schemas.knowledge import EnrichedImage
from schemas.triplets import Description


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
