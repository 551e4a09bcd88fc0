"""Searching the snapshot that an alias names, and noticing when it names another."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from weaviate.classes.query import Filter, HybridFusion, MetadataQuery

from models.knowledge.base import KnowledgeBase, Only, Query, modality_asked, presuppositions
from models.knowledge.embedded import OtherEncoder
from models.knowledge.encoder import Encoder, LatentSemanticEncoder
from models.knowledge.weaviate import collections
from models.knowledge.weaviate.connection import Connection, RequestRefused
from models.knowledge.wording import asked
from schemas.failures import Unavailable
from schemas.knowledge import FoundPassage
from schemas.weaviate import WeaviateServer

# How deep both rankings are read.
_DEPTH = 50
# Scores that differ by less are equal: their last bits depend on the order in which terms were added up.
_SCORE_DIGITS = 5
# A vector that points away from the query's is no find. Distances are negated dot products.
_FURTHEST = -1e-5
_LOOK_EVERY_S = 3.0


class WeaviateKnowledge:
    """A `Knowledge`: called, it gives the base that the alias names, which it looks up every few seconds.

    Args:
        server: where it is.
        encoder: the one of TRISTREAM_ENCODER; None: bases bring one that was fitted to them.
        clock: seconds; for tests.
    """

    def __init__(
        self,
        server: WeaviateServer,
        encoder: Encoder | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._encoder, self._clock = server, encoder, clock
        self._connection = Connection(server)
        self._lock = threading.Lock()
        self._base: _Snapshot | None = None
        self._look_at = clock()

    def __call__(self) -> KnowledgeBase:
        """The current base. Raises `schemas.failures.Unavailable` where there is none that can be searched."""
        with self._lock:
            if self._base is None or self._clock() >= self._look_at:
                self._base = self._resolved(self._base)
                self._look_at = self._clock() + _LOOK_EVERY_S
            return self._base

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _resolved(self, before: "_Snapshot | None") -> "_Snapshot":
        with self._connection.use() as client:
            alias = client.alias.get(alias_name=self._server.alias)
            if alias is None:
                raise Unavailable("Weaviate holds no knowledge base of this alias; make one: tristream knowledge build")
            if before is not None and before.collection == alias.collection:
                return before
            description = collections.describe(client, alias.collection)
            if description is None or description.schema_version != collections.SCHEMA_VERSION:
                raise Unavailable(
                    "the knowledge base in Weaviate is of another version of Tristream; build it again by this one"
                )
            encoder = self._encoder
            if description.encoder == LatentSemanticEncoder.name:
                encoder = collections.fitted_encoder(client, self._server.alias, alias.collection)
            if encoder is None or encoder.name != description.encoder:
                raise Unavailable(str(OtherEncoder(description.encoder)))
            return _Snapshot(self._connection, alias.collection, description.snapshot, encoder)


class _Snapshot:
    """A `KnowledgeBase`: one collection, under its own name, whatever the alias comes to name."""

    def __init__(self, connection: Connection, collection: str, snapshot: str, encoder: Encoder) -> None:
        self._connection, self.collection, self._snapshot, self._encoder = connection, collection, snapshot, encoder
        # Which labels leave something: a handful, as queries draw them from the vocabulary.
        self._narrows: dict[tuple[tuple[str, str], ...], bool] = {}

    @property
    def snapshot(self) -> str:
        return self._snapshot

    def search(self, query: Query) -> tuple[FoundPassage, ...]:
        terms = " ".join(asked(query.text))
        if not terms:
            return ()
        vector = self._encoder.encode([query.text])[0]
        try:
            answer = self._asked(terms, vector, query)
        except RequestRefused:
            with self._connection.use() as client:
                if client.collections.exists(self.collection):
                    raise
            raise Unavailable("the knowledge base was removed from Weaviate while it was searched") from None
        found = [
            FoundPassage(**collections.passage_of(each.properties), score=round(each.metadata.score, _SCORE_DIGITS))
            for each in answer.objects
        ]
        return tuple(sorted(found, key=lambda each: (-each.score, each.passage_id))[: query.limit])

    def _asked(self, terms: str, vector: Any, query: Query) -> Any:
        with self._connection.use() as client:
            collection: Any = client.collections.use(self.collection)
            options = {
                "filters": self._filters(collection, query),
                "limit": max(_DEPTH, query.limit),
                "query_properties": ["terms"],
                "return_properties": ["passage"],
                "return_metadata": MetadataQuery(score=True),
            }
            if not vector.any():
                return collection.query.bm25(terms, **options)
            share = self._encoder.weight / (1 + self._encoder.weight)
            return collection.query.hybrid(
                terms, vector=vector.tolist(), alpha=share, fusion_type=HybridFusion.RELATIVE_SCORE,
                max_vector_distance=_FURTHEST, **options,
            )  # fmt: skip

    def _filters(self, collection: Any, query: Query) -> Any:
        """Those labels of the query that leave something, as one filter; None: no filter."""
        kept: list[tuple[str, str]] = []
        modality = modality_asked(query)
        if modality is not None:
            kept.append(("modalities", modality or collections.ANY))
        for name, label in (("organs", query.organ), ("diseases", query.disease)):
            if label is not None and self._leave_something(collection, (*kept, (name, label.lower()))):
                kept.append((name, label.lower()))
        return _all_of(kept, query.only)

    def _leave_something(self, collection: Any, labels: tuple[tuple[str, str], ...]) -> bool:
        if labels not in self._narrows:
            count = collection.aggregate.over_all(filters=_all_of(labels), total_count=True).total_count
            self._narrows[labels] = bool(count)
        return self._narrows[labels]


def _all_of(labels: Sequence[tuple[str, str]], only: Only | None = None) -> Any:
    filters = [Filter.by_property(name).contains_any([label, collections.ANY]) for name, label in labels]
    if only is not None:
        allowed = {
            "presupposes": [one or collections.NOTHING for one in presuppositions(only.conditions)],
            "organs": [collections.ANY, *(organ.lower() for organ in only.organs)],
        }
        if only.about:
            allowed["subjects"] = [one.lower() for one in only.about]
        if only.kinds:
            allowed["kinds"] = [collections.ANY, *only.kinds]
        filters += [Filter.by_property(name).contains_any(labels) for name, labels in allowed.items()]
    return Filter.all_of(filters) if filters else None
