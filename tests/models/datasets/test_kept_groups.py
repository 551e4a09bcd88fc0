"""Groups over several data sets, and near duplicates: nothing that was tested on is trained on later."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from infra.cli import main
from models.datasets.build import build
from models.datasets.evaluation import BadPicture
from models.datasets.kept import GROUPS, Kept
from models.datasets.lines import Glance
from models.datasets.origin import origin_of
from models.datasets.policy import Policy
from models.datasets.soundness import sound_picture
from models.datasets.splits import Shares
from models.imaging import as_view, decode_png
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines, splits_of


def copies(one: Triplet, names: str) -> list[Triplet]:
    """The same picture under other ids, of which nothing tells that they are of one patient."""
    return [
        one.model_copy(update={**dict.fromkeys(("triplet_id", "image_id", "object_id"), name * 32), "provenance": None})
        for name in names
    ]


def made(triplets: list[Triplet], out: Path, key: str, kept: Kept | None = None, **policy: Any) -> list[str]:
    """Splits of the images of a data set, in the order of their ids."""
    build(lambda: lines(triplets), out, [], Policy(shares=Shares(0.3, 0.3), key=key, **policy), kept=kept)
    entries = sorted(map(json.loads, (out / "index.jsonl").read_text().splitlines()), key=lambda one: one["triplet_id"])
    return [one["split"] for one in entries]


@pytest.fixture
def pool(triplets: list[Triplet]) -> list[Triplet]:
    """One image of each object, so that groups are many and small."""
    return list({one.object_id: one for one in triplets}.values())


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_group_that_joins_another_keeps_the_stricter_split(first: str, pool: list[Triplet], tmp_path: Path) -> None:
    """Whichever of the two gives its name to both."""
    near = copies(pool[0], "ab")
    kept = Kept({name * 32: "test" if name == first else "train" for name in "ab"})
    made([*near, *pool[1:]], tmp_path / "later", "k", kept)
    groups = json.loads((tmp_path / "later" / GROUPS).read_bytes())
    assert (groups["a" * 32], groups["b" * 32]) == ("test", "test")


def test_a_group_that_had_joined_another_is_known_without_it(pool: list[Triplet], tmp_path: Path) -> None:
    """An image of a test set stays there when the image that it stood beside has gone."""
    near = copies(pool[0], "ab")
    made([*near, *pool[1:]], tmp_path / "first", "k", Kept({"a" * 32: "test"}))
    kept = Kept(Kept.of(tmp_path / "first").groups)
    for key in range(4):
        assert made([near[1], *pool[1:]], tmp_path / str(key), str(key), kept)
        assert json.loads((tmp_path / str(key) / GROUPS).read_bytes())["b" * 32] == "test"


def test_near_duplicates_are_left_out_where_it_is_asked(pool: list[Triplet], tmp_path: Path) -> None:
    """The first of them stays."""
    found = copies(pool[0], "abc")
    report = build(lambda: lines([*found, *pool[1:]]), tmp_path / "set", [], Policy(distinct=True))
    ids = [json.loads(line)["triplet_id"] for line in (tmp_path / "set" / "index.jsonl").read_text().splitlines()]
    assert report.left_out["nearly another image"] >= 2
    assert "a" * 32 in ids
    assert not {"b" * 32, "c" * 32} & {*ids}


def test_a_patient_gives_no_more_than_asked(triplets: list[Triplet], tmp_path: Path) -> None:
    """Though its images are of several objects."""
    build(lambda: lines(triplets), tmp_path / "set", [], Policy(most_a_patient=1, near=0))
    groups = [json.loads(line)["group"] for line in (tmp_path / "set" / "index.jsonl").read_text().splitlines()]
    assert len(groups) == len({*groups})
    patients = {one.provenance.patient for one in triplets if one.provenance and one.provenance.patient_by == "sidecar"}
    assert len(patients & {*groups}) == len(patients) > 1


def test_a_damaged_evaluation_picture_is_named(triplets: list[Triplet], tmp_path: Path) -> None:
    """For a set that was held against a part of what it is tested on has been held against nothing."""
    with pytest.raises(BadPicture, match=r"^a/x\.png of the evaluation set slake cannot be read"):
        build(lambda: lines(triplets), tmp_path / "set", [], Policy(), evaluation={"slake": [("a/x.png", b"no")]})
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_data_set_cannot_be_kept(triplet_file: Path, tmp_path: Path) -> None:
    """And is not taken for one that has no groups."""
    (tmp_path / "other").mkdir()
    arguments = [
        "dataset",
        "build",
        str(triplet_file),
        "--out",
        str(tmp_path / "set"),
        "--keep",
        str(tmp_path / "other"),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "the folder of --keep holds no data set" in result.output


def test_an_image_of_a_kept_test_set_is_tested_on_under_other_names(pool: list[Triplet], tmp_path: Path) -> None:
    """Of another patient, other ids, and mirrored: the set that is kept holds its hash, and nothing else tells."""
    assert set(made(pool, tmp_path / "first", "k", Kept({origin_of(Glance.of(pool[0])).group: "test"}))) > {"test"}
    copy = copies(pool[0], "a")[0]
    picture = np.ascontiguousarray(np.asarray(decode_png(sound_picture(copy)), np.uint8)[:, ::-1])
    mirrored = copies(copy.model_copy(update={"image": as_view(picture)}), "b")[0]
    for again in (copy, mirrored):
        for key in range(4):
            out = tmp_path / f"{again.triplet_id[0]}{key}"
            made([again, *pool[4:]], out, str(key), Kept.of(tmp_path / "first"))
            assert splits_of(out)[again.triplet_id] == "test"
