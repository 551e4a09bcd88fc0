"""What the pipeline asks of medical knowledge: a query in, ranked passages out.

Knows no store, no encoder and no corpus.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from schemas.images import Modality
from schemas.knowledge import Condition, FoundPassage, Passage, PassageKind

ANY_MODALITY = frozenset({None, "unknown", "other"})
"""Modalities of a query that leave out nothing."""


@dataclass(frozen=True, slots=True)
class Only:
    """What a passage must fit to be found, even where none does; case does not matter.

    Args:
        about: keeps passages about one of these: diseases, findings, structures, labels of regions. Empty: any.
        organs: keeps passages without organs, and those of one of these.
        conditions: all that is known to hold; keeps passages that presuppose nothing else.
        kinds: keeps passages of these kinds. Empty: any.

    Of the query's modality only passages without one fit "unknown" and None.
    """

    about: tuple[str, ...] = ()
    organs: tuple[str, ...] = ()
    conditions: frozenset[Condition] = frozenset()
    kinds: tuple[PassageKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for.

    `modality` keeps only passages that fit it; None, "unknown" and "other" keep all.
    `organ`, then `disease`, keeps only passages that fit it, unless none would be left; case does not matter.
    `limit` is the most passages returned, at least 1. `only`: what a passage must fit besides; None: nothing.
    """

    text: str
    modality: Modality | None = None
    organ: str | None = None
    disease: str | None = None
    limit: int = 4
    only: Only | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit must be at least 1")


def modality_asked(query: Query) -> str | None:
    """The label of which passages are kept, beside those that have none; None: all are kept, "" only those."""
    if query.modality is not None and query.modality not in ANY_MODALITY:
        return query.modality.lower()
    if query.only is None:
        return None
    return "other" if query.modality == "other" else ""


def subjects(passage: Passage) -> tuple[str, ...]:
    """What a passage is about, in small letters: what `Only.about` is compared with."""
    return tuple(name.lower() for name in (*passage.diseases, *passage.structures, *passage.regions))


def presupposed(conditions: Iterable[Condition]) -> str:
    """Conditions as one label: passages that presuppose the same share it."""
    return "|".join(sorted(conditions))


def presuppositions(holding: Iterable[Condition]) -> tuple[str, ...]:
    """The labels of all passages that presuppose nothing beyond what holds."""
    known = sorted(holding)
    return tuple(presupposed(some) for size in range(len(known) + 1) for some in combinations(known, size))


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
