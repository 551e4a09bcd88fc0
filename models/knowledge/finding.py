"""The passages for an image: each question asked in turn, and of its answers those that explain best.

Knows nothing of how a base searches, or of how passages are quoted.
"""

from collections.abc import Sequence

from models.knowledge.base import KnowledgeBase
from models.knowledge.query import Question
from models.knowledge.text import words
from schemas.knowledge import PASSAGE_KINDS, FoundPassage

MOST = 4
"""Passages of an image."""
EACH = 2
"""Passages of one thing that it names."""


def find(base: KnowledgeBase, asked: Sequence[Question], most: int = MOST) -> tuple[FoundPassage, ...]:
    """The passages that explain what an image names; where there is none, one on how such images are made.

    Raises `schemas.failures.Unavailable` where a server is away.
    """
    found: dict[str, FoundPassage] = {}
    for question in asked:
        if len(found) >= most or (question.name is None and found):
            break
        answers = sorted(
            (one for one in base.search(question.query) if one.passage_id not in found),
            key=lambda one: _telling(one, question.looks),
        )
        for one in answers[: min(EACH if question.name else 1, most - len(found))]:
            found[one.passage_id] = one.model_copy(update={"answers": question.name})
    return tuple(found.values())


def _telling(passage: FoundPassage, looks: Sequence[str]) -> tuple[object, ...]:
    """Smaller is better: how it looks before what it is, one of this modality, organ and view before general ones, one
    that tells of what was measured before others."""
    kind = PASSAGE_KINDS.index(passage.kind) if passage.kind else len(PASSAGE_KINDS)
    said = set(words(passage.text))
    shared = sum(said.issuperset(words(look)) for look in looks)
    return kind, not passage.modalities, not passage.organs, not passage.applies_when, -shared, -passage.score
