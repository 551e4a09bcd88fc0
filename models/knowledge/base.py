"""What the pipeline asks of medical knowledge: a query in, ranked passages out.

Knows no store, no encoder and no corpus.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from schemas.images import Modality
from schemas.knowledge import FoundPassage

ANY_MODALITY = frozenset({None, "unknown", "other"})
"""Modalities of a query that leave out nothing."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for.

    `modality` keeps only passages that fit it; None, "unknown" and "other" keep all.
    `organ`, then `disease`, keeps only passages that fit it, unless none would be left; case does not matter.
    `limit` is the most passages returned, at least 1.
    """

    text: str
    modality: Modality | None = None
    organ: str | None = None
    disease: str | None = None
    limit: int = 4

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit must be at least 1")


class KnowledgeBase(Protocol):
    """A searchable body of passages that does not change. Several threads may search it at once."""

    @property
    def snapshot(self) -> str:
        """name@digest of corpus and index: two bases with one snapshot hold the same passages, ranked alike."""
        ...

    def search(self, query: Query) -> tuple[FoundPassage, ...]:
        """Return the passages that fit best, best first, equal scores in the order of `passage_id`; blocks.

        Text without a known word finds nothing. Raises `schemas.failures.Unavailable` where a server is away.
        """
        ...


Knowledge = Callable[[], KnowledgeBase]
"""Gives the base to search now, and blocks. Another may take its place later: what was found in one, and its snapshot,
are asked of the object that one call gave. Raises `schemas.failures.Unavailable` where a server is away."""
