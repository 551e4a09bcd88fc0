"""What came again or was deleted, in a data set: of a frame that was annotated anew the newest annotation is kept."""

import json
from collections.abc import Sequence
from pathlib import Path

from models.datasets.build import build
from models.datasets.cards import INDEX
from models.datasets.lines import Deleted, Whole
from models.datasets.policy import Policy
from models.datasets.report import Report
from schemas.triplets import Triplet, triplet_id

NOW = Policy(unsupported=True)


def made(of: Sequence[Whole | Deleted], out: Path, policy: Policy = NOW) -> tuple[Report, dict[str, str]]:
    """What is built of messages: the report, and the group of each triplet."""
    report = build(lambda: iter(of), out, ("webdataset",), policy)
    index = map(json.loads, (out / INDEX).read_text().splitlines())
    return report, {line["triplet_id"]: line["group"] for line in index}


def again(triplet: Triplet, **changed: object) -> Triplet:
    """The same frame, annotated by another version."""
    lineage = triplet.lineage.model_copy(update={"describer": "lab/vlm@2", "prompt": "described@1", **changed})
    return triplet.model_copy(update={"triplet_id": triplet_id(triplet.image_id, lineage), "lineage": lineage})


def test_what_is_deleted_is_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Whatever was left out for it takes its place, and joins the group of what it is nearly the same as."""
    first, other = triplets[0], next(one for one in triplets if one.image_id != triplets[0].image_id)
    earlier = first.model_copy(update={"triplet_id": "0" * 32, "object_id": "0" * 32, "provenance": None})
    beside = first.model_copy(
        update={"triplet_id": "1" * 32, "image_id": "1" * 32, "object_id": "1" * 32, "provenance": None}
    )
    gone = (Deleted(first.triplet_id), Deleted("f" * 32))  # one of them compaction took away long ago
    report, groups = made([*map(Whole, (earlier, first, beside, other)), *gone], tmp_path / "set")
    assert groups.keys() == {earlier.triplet_id, beside.triplet_id, other.triplet_id}
    assert groups[earlier.triplet_id] == groups[beside.triplet_id]
    assert report.left_out == {"deleted from the topic": 1}
    assert sum(report.group_levels.values()) == 3


def test_the_newest_annotation_of_a_frame_is_kept(triplets: list[Triplet], tmp_path: Path) -> None:
    """As it came on the topic, in whatever order partitions are read; and what preprocessing made of it before is left
    out too, though its pixels, and so its image_id, are others."""
    first, other = triplets[0], next(one for one in triplets if one.image_id != triplets[0].image_id)
    unmasked = first.model_copy(update={"triplet_id": "0" * 32, "image_id": "0" * 32})
    replayed = again(first)
    came = [Whole(unmasked, 1), Whole(first, 2), Whole(other, 3), Whole(replayed, 4)]
    for number, order in enumerate((came, came[::-1])):
        report, groups = made(order, tmp_path / str(number))
        assert groups.keys() == {replayed.triplet_id, other.triplet_id}
        assert report.left_out == {"an older annotation of its frame": 2}
        assert sum("lab/vlm@2" in lineage for lineage in report.lineages) == 1


def test_of_files_what_stands_later_is_newer(triplets: list[Triplet], tmp_path: Path) -> None:
    """Also where the same pixels lie in another object, and where a version came back: it is the last that counts."""
    first = triplets[0]
    moved = again(first).model_copy(update={"object_id": "0" * 32})
    assert made([Whole(first), Whole(moved)], tmp_path / "moved")[1].keys() == {moved.triplet_id}
    told = first.model_copy(update={"provenance": None})
    back = [Whole(first), Whole(again(first)), Whole(told)]
    report, groups = made(back, tmp_path / "back")
    assert groups.keys() == {first.triplet_id}
    assert report.sources == {"not told": 1}, (
        "of a triplet that comes twice the last message is taken, as compaction has it"
    )
    assert report.left_out == {"an older annotation of its frame": 1, "a triplet that came before": 1}


def test_an_older_annotation_does_not_come_back(triplets: list[Triplet], tmp_path: Path) -> None:
    """Where the newest one is refused for what it is of; where it is its author that is not wanted it does, and where
    the newest was deleted."""
    first, other, *_ = [one for one in triplets if one.provenance and one.provenance.licence == "CC0-1.0"]
    assert first.provenance is not None
    refused = again(first).model_copy(update={"provenance": first.provenance.model_copy(update={"licence": "none"})})
    came = [Whole(first), Whole(other), Whole(refused)]
    permitted = Policy(unsupported=True, licences=("CC0-1.0",))
    assert made(came, tmp_path / "refused", permitted)[1].keys() == {other.triplet_id}
    composed = Policy(unsupported=True, composed=True)
    assert made(came, tmp_path / "composed", composed)[1].keys() == {first.triplet_id, other.triplet_id}
    gone = [*came, Deleted(refused.triplet_id)]
    assert made(gone, tmp_path / "deleted")[1].keys() == {first.triplet_id, other.triplet_id}
