"""Building a snapshot on Weaviate: a new collection, filled, counted, and only then named by the alias."""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from weaviate import WeaviateClient
from weaviate.classes.data import DataObject
from weaviate.classes.query import Filter, MetadataQuery

from models.knowledge.embedded import DIMENSIONS
from models.knowledge.encoder import Encoder, fit_encoder
from models.knowledge.snapshots import snapshot_of
from models.knowledge.text import indexed, words
from models.knowledge.weaviate import collections
from models.knowledge.weaviate.collections import Description
from models.knowledge.weaviate.connection import Connection
from models.knowledge.wording import counted
from schemas.failures import Unavailable
from schemas.knowledge import Passage
from schemas.weaviate import WeaviateServer

_BATCH = 200
# A collection that is not whole after so long belongs to a build that was broken off.
_GIVEN_UP = timedelta(days=1)
# Weaviate flushes what was written a minute ago (PERSISTENCE_MEMTABLES_FLUSH_DIRTY_AFTER_SECONDS).
_FLUSHED_WITHIN_S = 180.0
_ASKED_OF = 8
_DEPTH = 50
"""As deep as searches read: see searching.py."""


def build(
    server: WeaviateServer,
    name: str,
    passages: Sequence[Passage],
    *,
    encoder: Encoder | None = None,
    keep: int = 1,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Index passages, sorted by id and each id once, and switch the alias to them; return the snapshot.

    Where the alias names the same snapshot already, nothing is done. It is switched once the server finds passages by
    their own words: many versions of it leave out what is not flushed to disk yet. Searches go on in the old
    collection until the switch, and after it for as long as someone holds it: `keep` is how many earlier ones stay.

    `encoder`: None fits one to the passages. `tell`: how many of them all are in.
    Raises `schemas.failures.Unavailable`; the alias then names what it named before.
    """
    fitted = fit_encoder([indexed(p.title, p.text) for p in passages], DIMENSIONS) if encoder is None else None
    chosen = encoder or fitted
    assert chosen is not None
    recipe = ("weaviate", collections.SCHEMA_VERSION, chosen.name, DIMENSIONS if fitted else chosen.dimensions)
    snapshot = snapshot_of(name, passages, recipe)
    connection = Connection(server)
    try:
        with connection.use() as client:
            named = client.alias.get(alias_name=server.alias)
            current = named and collections.describe(client, named.collection)
            if current and current.snapshot == snapshot:
                return snapshot
            # The name is this build's alone: two that run at once never write into one collection.
            digest = snapshot.partition("@")[2]
            collection = f"{collections.prefix(server.alias)}{digest}_{secrets.token_hex(4)}"
            description = Description(
                schema_version=collections.SCHEMA_VERSION,
                snapshot=snapshot,
                encoder=chosen.name,
                passages=len(passages),
                built_at=datetime.now(UTC),
            )
            collections.create(client, collection, description)
            _fill(client, collection, passages, chosen, tell)
            _wait_until_found(client, collection, passages)
            collections.record(client, server.alias, collection, fitted)
            if not client.alias.update(alias_name=server.alias, new_target_collection=collection):
                client.alias.create(alias_name=server.alias, target_collection=collection)
            _clear(client, server.alias, keep)
    finally:
        connection.close()
    return snapshot


def current_passages(server: WeaviateServer) -> tuple[str, tuple[Passage, ...]]:
    """Name and passages, by id, of the base that the alias names. Raises `schemas.failures.Unavailable`."""
    connection = Connection(server)
    try:
        with connection.use() as client:
            alias = client.alias.get(alias_name=server.alias)
            description = alias and collections.describe(client, alias.collection)
            if alias is None or description is None:
                raise Unavailable("Weaviate holds no knowledge base of this alias; make one: tristream knowledge build")
            objects = client.collections.use(alias.collection).iterator(return_properties=["passage"])
            found = [Passage.model_validate(collections.passage_of(each.properties)) for each in objects]
    finally:
        connection.close()
    return description.snapshot.partition("@")[0], tuple(sorted(found, key=lambda passage: passage.passage_id))


def _fill(
    client: WeaviateClient,
    collection: str,
    passages: Sequence[Passage],
    encoder: Encoder,
    tell: Callable[[int, int], None],
) -> None:
    target = client.collections.use(collection)
    terms = counted(passages)
    for start in range(0, len(passages), _BATCH):
        batch = passages[start : start + _BATCH]
        vectors = encoder.encode_passages([(passage.title, passage.text) for passage in batch])
        answer = target.data.insert_many(
            [
                DataObject(
                    properties=collections.stored(passage, next(terms)),
                    uuid=collections.object_id(passage.passage_id),
                    vector=vector.tolist(),
                )
                for passage, vector in zip(batch, vectors, strict=True)
            ]
        )
        if answer.has_errors:
            raise Unavailable(f"Weaviate refused {len(answer.errors)} passages; its log says why, then build again")
        tell(start + len(batch), len(passages))
    count = target.aggregate.over_all(total_count=True).total_count
    if count != len(passages):
        raise Unavailable(f"Weaviate holds {count} of {len(passages)} passages; build again")


def _wait_until_found(client: WeaviateClient, collection: str, passages: Sequence[Passage]) -> None:
    """Return when the passages that were written last are found by their words. Raises Unavailable after minutes."""
    # Objects are numbered as they come, and what an unflushed index leaves out are those of high numbers.
    every = max(1, min(_BATCH, len(passages)) // _ASKED_OF)
    sample = passages[-1 : -min(_BATCH, len(passages)) - 1 : -every][:_ASKED_OF]
    deadline = time.monotonic() + _FLUSHED_WITHIN_S
    while sum(_is_found(client, collection, passage) for passage in sample) * 2 < len(sample):
        if time.monotonic() > deadline:
            raise Unavailable(
                "Weaviate holds the passages but does not find them by their words; start it with "
                "USE_INVERTED_SEARCHABLE=false, or a newer version, then build again"
            )
        time.sleep(1)


def _is_found(client: WeaviateClient, collection: str, passage: Passage) -> bool:
    """Whether the best of all for a passage's own words is at least as good as that passage."""
    asked = client.collections.use(collection).query
    terms = " ".join(words(indexed(passage.title, passage.text)))
    itself = Filter.by_id().equal(collections.object_id(passage.passage_id))
    best, own = (
        asked.bm25(
            terms, query_properties=["terms"], filters=kept, limit=_DEPTH, return_properties=[],
            return_metadata=MetadataQuery(score=True),
        ).objects
        for kept in (None, itself)
    )  # fmt: skip
    return not own or (bool(best) and _score(best[0]) >= _score(own[0]) - 1e-4)


def _score(found: Any) -> float:
    return float(found.metadata.score)


def _clear(client: WeaviateClient, alias: str, keep: int) -> None:
    """Remove earlier collections of this alias beyond `keep`, and what builds that were broken off left."""
    named = client.alias.get(alias_name=alias)
    found = {
        name: description
        for name, config in client.collections.list_all(simple=True).items()
        if name.startswith(collections.prefix(alias)) and (description := collections.described(config.description))
    }
    whole = {name for name in found if collections.is_whole(client, alias, name)}
    newest_first = sorted(found, key=lambda name: found[name].built_at, reverse=True)
    earlier = [name for name in newest_first if name in whole and named and name != named.collection]
    given_up = [name for name in found.keys() - whole if datetime.now(UTC) - found[name].built_at > _GIVEN_UP]
    for name in (*earlier[keep:], *given_up):
        collections.remove(client, alias, name)
