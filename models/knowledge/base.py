"""What the pipeline asks of medical knowledge: a query in, ranked passages out.

Knows no store, no encoder and no corpus.
"""

from dataclasses import dataclass
from typing import Protocol

from schemas.images import Modality
from schemas.knowledge import FoundPassage


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for.

    `modality` keeps only passages that fit it; None, "unknown" and "other" keep all.
    `organ` keeps only passages that fit it, unless none would be left.
    `limit` is the most passages returned, at least 1.
    """

    text: str
    modality: Modality | None = None
    organ: str | None = None
    limit: int = 4

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit must be at least 1")


class KnowledgeBase(Protocol):
    """A searchable body of passages. Implementations may be called from several threads at once."""

    @property
    def snapshot(self) -> str:
        """name@digest of corpus and index: two bases with one snapshot hold the same passages, ranked alike."""
        ...

    def search(self, query: Query) -> tuple[FoundPassage, ...]:
        """Return the passages that fit best, best first, equal scores in the order of `passage_id`; blocks.

        Text without a known word finds nothing. Raises `schemas.failures.Unavailable` where a server is away.
        """
        ...
