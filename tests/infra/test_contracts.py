"""The contracts as others meet them: schemas that explain themselves, and triplets that columnar readers take."""

from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow as pa
import pytest
from pyarrow import json as columns

from infra.contracts import asyncapi, json_schemas
from infra.results import result_of
from schemas.triplets import Evidence, Triplet
from tests.models.describers.drawn_images import composed, drawn_image


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_every_property_has_a_description(name: str) -> None:
    """Of each type that a message or file is made of."""
    schema = json_schemas()[name]
    types: dict[str, Any] = {name: schema, **schema.get("$defs", {})}
    silent = [
        f"{kind}.{field}"
        for kind, told in types.items()
        for field, value in told.get("properties", {}).items()
        if not value.get("description")
    ]
    assert not silent


def test_every_header_has_a_description() -> None:
    """Of each message."""
    for name, message in asyncapi()["components"]["messages"].items():
        for header, told in message.get("headers", {}).get("properties", {}).items():
            assert told["description"], (name, header)


async def test_columnar_readers_take_triplets_as_they_are() -> None:
    """Each field has one type over all lines, whatever the images are of; pyarrow infers it and finds every value."""
    triplets = [await composed(drawn_image(seed)) for seed in range(28)]
    lines = lines_of(triplets)
    # Schema is inferred a block at a time: a block must hold a line, and here all of them.
    table = columns.read_json(BytesIO(b"\n".join(lines)), columns.ReadOptions(block_size=64 << 20))
    assert table.num_rows == 28
    described: list[Any] = table["description"].to_pylist()
    for row, triplet in zip(described, triplets, strict=True):
        assert [[one["value"] for one in statement["evidence"]] for statement in row["regions"]] == [
            [one.value for one in statement.evidence] for statement in triplet.description.regions
        ]
    evidence = table.schema.field("description").type.field("regions").type.value_type.field("evidence").type
    assert evidence.value_type.field("value").type == pa.string()
    back = [Triplet.model_validate(row) for row in table.slice(0, 2).select(_told_by(triplets[0])).to_pylist()]
    assert [one.triplet_id for one in back] == [one.triplet_id for one in triplets[:2]]


async def test_tables_are_made_of_triplets_as_they_are(tmp_path: Path) -> None:
    """By duckdb and pandas, as they infer types themselves."""
    triplets = [await composed(drawn_image(seed)) for seed in range(12)]
    path = tmp_path / "triplets.jsonl"
    path.write_bytes(b"\n".join(lines_of(triplets)))
    kinds = duckdb.execute(
        "select typeof(evidence.value), count(*) from (select unnest(statement.evidence) as evidence from "
        f"(select unnest(description.regions) as statement from read_json('{path}'))) group by 1"
    ).fetchall()
    evidence = sum(len(one.evidence) for triplet in triplets for one in triplet.description.regions)
    assert kinds == [("VARCHAR", evidence)]
    frame = pandas.read_json(path, lines=True)
    assert list(frame["triplet_id"]) == [one.triplet_id for one in triplets]


def lines_of(triplets: list[Triplet]) -> list[bytes]:
    """As `annotate` writes them."""
    return [result.line for triplet in triplets if (result := result_of(triplet)) is not None]


def _told_by(triplet: Triplet) -> list[str]:
    return [name for name in triplet.model_dump(mode="json") if name not in ("also_in", "continuations")]


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (3, "3"), (160.5, "160.5"), (1e-7, "1e-7"), ("axial", "axial")]
)
def test_evidence_of_earlier_messages_is_read(value: object, text: str) -> None:
    """Numbers and truth values become text."""
    assert Evidence.model_validate({"kind": "region", "pointer": "/x", "value": value}).value == text
