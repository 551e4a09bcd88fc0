"""The name of a knowledge base as it stands in a triplet's lineage. Knows no store."""

import hashlib
from collections.abc import Iterable, Sequence

import orjson

from models.knowledge.text import ANALYSIS_VERSION
from models.knowledge.wording import WORDING
from schemas.knowledge import Passage


def snapshot_of(name: str, passages: Iterable[Passage], recipe: Sequence[object]) -> str:
    """Return name@digest over every passage, in the order given, and everything that decides how they are ranked.

    `recipe`: store, its version, encoder and dimensions; JSON values.
    """
    digest = hashlib.sha256()
    for part in ([ANALYSIS_VERSION, WORDING, *recipe], *(passage.model_dump(mode="json") for passage in passages)):
        digest.update(orjson.dumps(part, option=orjson.OPT_SORT_KEYS) + b"\n")
    return f"{name}@{digest.hexdigest()[:16]}"
