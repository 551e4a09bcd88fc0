"""What is taken of triplets, what is left out, and what stays together."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from models.datasets.build import CannotBuild, build
from models.datasets.lines import BadLine, Line
from models.datasets.policy import Policy
from models.datasets.report import Report
from models.datasets.splits import Shares
from schemas.base import Provenance
from schemas.triplets import Triplet, Verdict
from tests.models.datasets.conftest import POLICY, lines, splits_of


def test_every_image_is_once_in_one_split(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """And nothing is lost without a reason."""
    folder, report = built
    splits = splits_of(folder)
    assert len(splits) == sum(report.images.values())
    assert len(splits) + sum(report.left_out.values()) == len({one.triplet_id for one in triplets})
    assert set(splits.values()) == {"train", "validation", "test"}


def test_frames_of_one_object_stay_together(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """A cine's frames, which are alike, never stand in two splits."""
    splits = splits_of(built[0])
    objects: dict[str, set[str]] = {}
    for triplet in triplets:
        if triplet.triplet_id in splits:
            objects.setdefault(triplet.object_id, set()).add(splits[triplet.triplet_id])
    assert any(sum(one.object_id == key for one in triplets) > 1 for key in objects)
    assert all(len(found) == 1 for found in objects.values())


def test_images_of_a_patient_stay_together(built: tuple[Path, Report], triplets: list[Triplet]) -> None:
    """Whatever files they are in; and what the collection tests on is tested on."""
    splits = splits_of(built[0])
    patients: dict[str, list[str]] = {}
    for triplet in triplets:
        assert triplet.provenance
        if triplet.triplet_id in splits and triplet.provenance.patient_by == "sidecar":
            patients.setdefault(str(triplet.provenance.patient), []).append(splits[triplet.triplet_id])
            if triplet.provenance.split:
                assert splits[triplet.triplet_id] == triplet.provenance.split
    assert sorted(len(found) for found in patients.values()) == [1, 1, 1, 2, 2, 2]
    assert all(len(set(found)) == 1 for found in patients.values())
    assert built[1].group_levels["patient by sidecar"] == 9


@pytest.mark.parametrize("shared", ["study", "series", "object_id"])
def test_what_shares_a_study_stays_together(shared: str, triplets: list[Triplet], tmp_path: Path) -> None:
    """Though of one image the patient is told, and of the other not."""
    pool = [one for one in triplets if one.provenance and one.provenance.patient_by == "sidecar"]
    told, untold = (
        one.model_copy(update={"provenance": Provenance(patient=patient)})
        for one, patient in zip(pool, ("a" * 32, None), strict=False)
    )
    named = {shared: "b" * 32}
    if shared == "object_id":
        told, untold = (one.model_copy(update={**named, "frame": n}) for n, one in enumerate((told, untold)))
    else:
        of_both = [Provenance.model_validate({**dict(one.provenance or {}), **named}) for one in (told, untold)]
        pairs = zip((told, untold), of_both, strict=True)
        told, untold = (one.model_copy(update={"provenance": own}) for one, own in pairs)
    rest = [one.model_copy(update={"provenance": None}) for one in pool[2:]]
    for key in range(8):
        out = tmp_path / str(key)
        report = build(lambda: lines([told, *rest, untold]), out, [], Policy(shares=Shares(0.3, 0.3), key=str(key)))
        splits = splits_of(out)
        assert splits[told.triplet_id] == splits[untold.triplet_id]
        assert report.joined_groups >= 1


def test_what_another_collection_tests_on_is_not_trained_on(triplets: list[Triplet], tmp_path: Path) -> None:
    """Though its image is the one that is left out, as the same or for a cap, and the other has no split."""
    pool = [one for one in triplets if one.provenance and one.provenance.patient_by == "sidecar"]
    first = pool[0].model_copy(update={"provenance": Provenance(patient="a" * 32)})
    named = {"triplet_id": "b" * 32, "object_id": "b" * 32, "provenance": Provenance(patient="b" * 32, split="test")}
    twin = first.model_copy(update=named)
    rest = [one.model_copy(update={"provenance": None}) for one in pool[1:]]
    report = build(lambda: lines([twin, *rest, first]), tmp_path / "same", [], Policy(shares=Shares(0, 0)))
    assert report.left_out == {"same image as another": 1}
    assert splits_of(tmp_path / "same")[first.triplet_id] == "test"
    tested = rest[0].model_copy(update={"provenance": Provenance(patient="a" * 32, split="test")})
    build(
        lambda: lines([first, tested, *rest[1:]]),
        tmp_path / "capped",
        [],
        Policy(most_a_patient=1, shares=Shares(0, 0)),
    )
    assert splits_of(tmp_path / "capped")[first.triplet_id] == "test"


def test_a_picture_beyond_all_bounds_is_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Before anything is unpacked."""
    first, *others = triplets
    vast = first.model_copy(update={"image": first.image.model_copy(update={"rows": 10**6, "columns": 10**6})})
    report = build(lambda: lines([vast, *others]), tmp_path / "set", [], POLICY)
    assert report.left_out["larger than a picture can be"] == 1


def test_licences_that_are_not_permitted_are_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """An unknown one counts as not permitted."""
    report = build(lambda: lines(triplets), tmp_path / "set", [], Policy(licences=("permissive",)))
    assert report.licences == {"CC0-1.0": sum(report.images.values())}
    assert report.sources == {"Drawn 1": sum(report.images.values())}
    assert report.left_out["licence not permitted"] > 0
    with pytest.raises(CannotBuild, match="licence not permitted"):
        build(lambda: lines(triplets), tmp_path / "none", [], Policy(licences=("MIT",)))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (b"no JSON", "it is cut off, or no JSON"),
        (b'{"triplet_id": 1}', "its triplet_id is not as it was"),
        (b'{"stage": "preprocess"}', "it has no triplet_id"),
    ],
)
def test_a_line_that_is_no_triplet_is_named(damage: bytes, why: str, triplets: list[Triplet], tmp_path: Path) -> None:
    """By its place, without a word of it; nothing is left behind."""
    with pytest.raises(BadLine, match=rf"^file 1, line 9: is no triplet of this version: {why}$"):
        build(lambda: iter([*lines(triplets[:1]), Line("file 1, line 9", damage)]), tmp_path / "set", [], POLICY)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_borne_out_is_left_out(triplets: list[Triplet], tmp_path: Path) -> None:
    """Unless it is asked for."""
    first, *others = triplets
    modality = first.description.modality.model_copy(update={"verdict": Verdict(outcome="unsupported", reason="-")})
    made_up = first.model_copy(update={"description": first.description.model_copy(update={"modality": modality})})
    report = build(lambda: lines([made_up, *others]), tmp_path / "strict", [], POLICY)
    assert report.left_out["a statement without support"] == 1
    report = build(lambda: lines([made_up, *others]), tmp_path / "all", [], Policy(unsupported=True))
    assert "a statement without support" not in report.left_out


def test_caps_and_temperature_thin(triplets: list[Triplet], tmp_path: Path) -> None:
    """No series gives more than asked; at temperature 0 no modality leads by chance alone."""
    report = build(lambda: lines(triplets), tmp_path / "capped", [], Policy(most_a_series=1))
    assert sum(report.images.values()) == len({one.object_id for one in triplets}) - report.left_out.get(
        "same image as another", 0
    )
    even = build(lambda: lines(triplets), tmp_path / "even", [], Policy(temperature=0.0))
    assert sum(even.images.values()) < len(triplets)


def test_the_folder_of_another_set_is_left_alone(triplets: list[Triplet], tmp_path: Path) -> None:
    """Nor is there one where nothing was taken."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(CannotBuild, match="not empty"):
        build(lambda: lines(triplets), tmp_path / "mine", [], POLICY)
    with pytest.raises(CannotBuild, match=r"no triplet was taken: \d+ smaller than asked"):
        build(lambda: lines(triplets), tmp_path / "none", [], Policy(smallest_px=100_000))
    assert not (tmp_path / "none").exists()
    (tmp_path / "next.part").mkdir()
    with pytest.raises(CannotBuild, match=r"'\.part', which is none of ours"):
        build(lambda: lines(triplets), tmp_path / "next", [], POLICY)
    assert (tmp_path / "next.part").is_dir()


def test_the_command_builds_and_audits(triplet_file: Path, tmp_path: Path) -> None:
    """From a file of triplets to a data set, and exit status 1 where a promise is broken."""
    runner = CliRunner()
    out = tmp_path / "set"
    result = runner.invoke(main, ["dataset", "build", str(triplet_file), "--out", str(out), "--format", "llava"])
    assert result.exit_code == 0, result.output
    assert runner.invoke(main, ["dataset", "audit", str(out)]).exit_code == 0
    (out / "llava" / "train.json").write_text("[]")
    result = runner.invoke(main, ["dataset", "audit", str(out)])
    assert result.exit_code == 1
    assert "llava/train.json is not what croissant.json says" in result.output
    result = runner.invoke(main, ["dataset", "build", str(triplet_file), "--out", str(out), "--format", "tfrecord"])
    assert result.exit_code == 2
    assert "parquet, llava" in result.output
