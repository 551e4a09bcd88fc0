"""What was deleted from a topic, in a data set that is made of it."""

import json
from collections.abc import Iterator
from pathlib import Path

from models.datasets.build import build
from models.datasets.cards import INDEX
from models.datasets.lines import Deleted, Whole
from models.datasets.policy import Policy
from schemas.triplets import Triplet


def test_what_is_deleted_is_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Whatever was left out for it takes its place, and joins the group of what it is nearly the same as."""
    first, other = triplets[0], next(one for one in triplets if one.image_id != triplets[0].image_id)
    later = first.model_copy(update={"triplet_id": "0" * 32, "object_id": "0" * 32, "provenance": None})
    beside = first.model_copy(
        update={"triplet_id": "1" * 32, "image_id": "1" * 32, "object_id": "1" * 32, "provenance": None}
    )

    def deleted() -> Iterator[Whole | Deleted]:
        yield from map(Whole, (first, later, beside, other))
        yield Deleted(first.triplet_id)
        yield Deleted("f" * 32)  # of what compaction took away long ago

    report = build(deleted, tmp_path / "set", ("webdataset",), Policy(unsupported=True))
    index = map(json.loads, (tmp_path / "set" / INDEX).read_text().splitlines())
    found = {line["triplet_id"]: line["group"] for line in index}
    assert found.keys() == {later.triplet_id, beside.triplet_id, other.triplet_id}
    assert found[later.triplet_id] == found[beside.triplet_id]
    assert report.left_out == {"deleted from the topic": 1}
    assert sum(report.group_levels.values()) == 3
