"""How a snapshot lies in Weaviate: the form of its collection, and what the collection says of itself.

A collection is made for each snapshot, and never changed once it is whole. Its description is JSON of `Description`.
That it is whole says a record in a collection of records, written last, with the encoder if one was fitted.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
from pydantic import ValidationError
from weaviate import WeaviateClient
from weaviate.classes.config import Configure, DataType, Property, Tokenization, VectorDistances
from weaviate.exceptions import UnexpectedStatusCodeError

from models.knowledge.base import presupposed, subjects
from models.knowledge.encoder import LatentSemanticEncoder
from schemas.base import Message
from schemas.knowledge import Passage

SCHEMA_VERSION = 3
"""Raise it with any change below, or of how the collection is searched."""

ANY = "any"
"""Among the labels of a passage that has none: a filter cannot ask for nothing."""
NOTHING = "nothing"
"""What a passage without a subject is about, and what one that presupposes nothing presupposes."""
_NAMESPACE = UUID("6f2c3c1e-5f0b-4c8e-9a86-1d3f7a0d9b11")


class Description(Message):
    """What a collection says of itself."""

    schema_version: int
    snapshot: str
    encoder: str
    passages: int
    built_at: datetime


def create(client: WeaviateClient, name: str, description: Description) -> None:
    """Make an empty collection. Text is analysed by us, so that both stores count the same words."""
    labels = [
        Property(
            name=label, data_type=DataType.TEXT_ARRAY, tokenization=Tokenization.FIELD,
            index_filterable=True, index_searchable=False,
        )
        for label in ("modalities", "organs", "diseases", "subjects", "kinds", "presupposes")
    ]  # fmt: skip
    client.collections.create(
        name,
        description=description.model_dump_json(),
        vector_config=Configure.Vectors.self_provided(
            vector_index_config=Configure.VectorIndex.hnsw(distance_metric=VectorDistances.DOT)
        ),
        # k1 and b as in models/knowledge/bm25.py.
        inverted_index_config=Configure.inverted_index(
            bm25_b=0.75, bm25_k1=1.2, stopwords_preset=None, stopwords_removals=None
        ),
        properties=[
            Property(
                name="terms", data_type=DataType.TEXT, tokenization=Tokenization.WHITESPACE,
                index_filterable=False, index_searchable=True,
            ),
            Property(
                name="passage", description="JSON of schemas.knowledge.Passage", data_type=DataType.TEXT,
                index_filterable=False, index_searchable=False,
            ),
            *labels,
        ],
    )  # fmt: skip


def stored(passage: Passage, terms: Sequence[str]) -> dict[str, Any]:
    """The properties of a passage's object; `terms`: the words by which it is found."""
    return {
        "terms": " ".join(terms),
        "passage": passage.model_dump_json(),
        **{
            name: [label.lower() for label in labels] or [ANY]
            for name, labels in (
                ("modalities", passage.modalities),
                ("organs", passage.organs),
                ("diseases", passage.diseases),
            )
        },
        "subjects": list(subjects(passage)) or [NOTHING],
        "kinds": [passage.kind or ANY],
        "presupposes": [presupposed(passage.applies_when) or NOTHING],
    }


def object_id(passage_id: str) -> UUID:
    """The same for the same passage in every collection."""
    return uuid5(_NAMESPACE, passage_id)


def describe(client: WeaviateClient, name: str) -> Description | None:
    """What a collection says of itself; None where it says nothing that we know, or is not there."""
    try:
        return described(client.collections.use(name).config.get(simple=True).description)
    except UnexpectedStatusCodeError as error:
        if error.status_code == 404:
            return None
        raise


def described(text: str | None) -> Description | None:
    """The description in a collection's own words; None for those of others."""
    try:
        return Description.model_validate_json(text or "")
    except ValidationError:
        return None


def record(client: WeaviateClient, alias: str, collection: str, encoder: LatentSemanticEncoder | None) -> None:
    """Note that a collection is whole, and the encoder that was fitted to it."""
    records = _records(alias)
    if not client.collections.exists(records):
        client.collections.create(
            records,
            description="Collections of passages that are whole, and the encoders fitted to them",
            vector_config=Configure.Vectors.self_provided(),
            properties=[Property(name="encoder", data_type=DataType.BLOB)],
        )
    data = {} if encoder is None else {"encoder": base64.b64encode(encoder.to_bytes()).decode()}
    client.collections.use(records).data.insert(data, uuid=object_id(collection))


def is_whole(client: WeaviateClient, alias: str, collection: str) -> bool:
    """Whether it was recorded."""
    return client.collections.use(_records(alias)).data.exists(object_id(collection))


def fitted_encoder(client: WeaviateClient, alias: str, collection: str) -> LatentSemanticEncoder | None:
    """The encoder that was fitted to a collection; None where there is none."""
    records = client.collections.use(_records(alias))
    found = records.query.fetch_object_by_id(object_id(collection), return_properties=["encoder"])
    data = found and found.properties.get("encoder")
    return LatentSemanticEncoder.from_bytes(base64.b64decode(str(data))) if data else None


def remove(client: WeaviateClient, alias: str, collection: str) -> None:
    """Remove a collection and its record."""
    client.collections.use(_records(alias)).data.delete_by_id(object_id(collection))
    client.collections.delete(collection)


def prefix(alias: str) -> str:
    """What the names of an alias's collections begin with."""
    return f"{alias}_Snapshot_"


def _records(alias: str) -> str:
    return f"{alias}_Records"


def passage_of(properties: Any) -> dict[str, Any]:
    """The fields of a stored passage."""
    return orjson.loads(str(properties["passage"]))
