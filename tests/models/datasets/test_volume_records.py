"""Volumes put together from the triplets of their slices, down from a series of CT files and a structure set of it."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from infra.cli import main
from models.datasets.volumes import volumes
from schemas.regions import VolumeFinding
from schemas.triplets import Triplet
from schemas.volumes import VolumeRecord
from tests.models.imaging.annotation_objects import NODULE, series, structure_set, uid, written

SLICES = 6


def outline(slice_: int, left: int, top: int, right: int, bottom: int) -> tuple[str, np.ndarray, str]:
    """Around pixels of a slice, along their edges, in the patient's coordinates."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    points = [(-20 + 0.5 * (x - 0.5), 30 + 1.5 * (y - 0.5), 7 + 5 * slice_) for x, y in corners]
    return "CLOSED_PLANAR", np.array(points), uid(slice_)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six slices; a nodule of 100 px in three of them, and a part of 16 px apart from it in the last."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("CT", "RT"):
        (folder / name).mkdir()
    for number, image in enumerate(series(SLICES)):
        (folder / f"CT/{number}.dcm").write_bytes(written(image))
    marks = [outline(number, 20, 5, 30, 15) for number in (1, 2, 3)] + [outline(5, 40, 20, 44, 24)]
    (folder / "RT/1.dcm").write_bytes(written(structure_set(marks, concept=NODULE)))
    arguments = [
        "annotate", str(folder / "CT"), "--annotations", str(folder / "RT"), "--volumes", "whole",
        "--triplets", str(folder / "triplets.jsonl"),
    ]  # fmt: skip
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def triplets(study: Path) -> list[Triplet]:
    text = (study / "triplets.jsonl").read_text(encoding="utf-8")
    return [Triplet.model_validate_json(line) for line in text.splitlines()]


def made(study: Path, *files: str) -> tuple[list[VolumeRecord], str]:
    """What the command writes and says."""
    arguments = ["dataset", "volumes", *(str(study / name) for name in files), "--out", str(study / "volumes.jsonl")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    lines = (study / "volumes.jsonl").read_text(encoding="utf-8").splitlines()
    return [VolumeRecord.model_validate_json(line) for line in lines], result.output


def test_a_structure_set_in_ml(study: Path) -> None:
    """Pixels of 0.75 mm², slices 5 mm apart: 300 and 16 of them are 1.185 ml, in two parts."""
    (record,), said = made(study, "triplets.jsonl")
    assert "1 volumes, 0 of them incomplete" in said
    assert (record.modality, record.slices, record.seen, record.complete) == ("CT", SLICES, SLICES, True)
    assert (record.spacing_mm, record.towards) == ((5.0, 1.5, 0.5), "head")
    (nodule,) = [one for one in record.labels if one.kind == "source annotation"]
    assert (nodule.label, nodule.expert, nodule.voxels, nodule.parts) == ("nodule", "source", 316, 2)
    assert nodule.volume_ml == pytest.approx(316 * 0.75 * 5 / 1000)
    assert nodule.largest_part_ml == pytest.approx(300 * 0.75 * 5 / 1000)
    assert (nodule.slices, nodule.first_slice, nodule.last_slice) == (4, 1, 5)
    assert nodule.extent_mm == (25.0, 19 * 1.5, 24 * 0.5)
    assert record.labels[0] == nodule
    assert record.provenance is not None
    assert record.provenance.series is not None
    # Names of a patient, as the structure set has one, stay behind.
    assert "DOE" not in (study / "volumes.jsonl").read_text(encoding="utf-8")


def test_of_an_incomplete_volume_figures_are_lower_bounds(triplets: Sequence[Triplet]) -> None:
    """The same triplet twice counts once; a slice that is missing is told."""
    (whole,), (part,) = volumes([*triplets, *triplets]), volumes(_without(triplets, 2))
    assert whole.complete
    assert (part.complete, part.seen) == (False, SLICES - 1)
    assert (part.labels[0].voxels, part.labels[0].parts) == (216, 3)


def test_what_is_no_slice_of_a_volume_is_passed_over(study: Path, triplets: Sequence[Triplet]) -> None:
    """And where nothing is, the command says what to do."""
    alone = [one.model_copy(update={"metadata": one.metadata.model_copy(update={"volume": None})}) for one in triplets]
    assert list(volumes(alone)) == []
    (study / "alone.jsonl").write_text(alone[0].model_dump_json() + "\n", encoding="utf-8")
    records, said = made(study, "alone.jsonl")
    assert records == []
    assert "annotate with --volumes whole" in said


def test_findings_of_three_dimensions_are_told_once(triplets: Sequence[Triplet]) -> None:
    """As they were measured; the parts of them in slices are not stacked besides. Boxes have no volume."""
    digest = triplets[0].metadata.volume
    assert digest is not None
    finding = VolumeFinding(
        volume=digest.digest, label="nodule", expert="source", voxels=9, parts=1, slices=1, first_slice=0, score=1.0
    )
    told = [one.model_copy(update={"volumes": (finding,)}) for one in triplets]
    (record,) = volumes(told)
    assert record.volumes == (finding,)
    assert all(one.label != "nodule" for one in record.labels)
    boxed = [json.loads(one.model_dump_json()) for one in triplets]
    for one in boxed:
        for region in one["regions"]:
            if region["kind"] == "source annotation":
                region["rule"] = "marked in the source by a box"
    (record,) = volumes(map(Triplet.model_validate, boxed))
    assert record.boxes_left_out == 4
    assert all(one.kind == "candidate" for one in record.labels)


def test_without_a_spacing_there_are_no_ml(triplets: Sequence[Triplet]) -> None:
    """Voxels are counted all the same."""
    flat = [one.model_copy(update={"metadata": one.metadata.model_copy(update={"spacing": None})}) for one in triplets]
    (record,) = volumes(flat)
    assert record.labels[0].voxels == 316
    assert (record.labels[0].volume_ml, record.labels[0].extent_mm) == (None, None)


def _without(triplets: Sequence[Triplet], place: int) -> list[Triplet]:
    return [one for one in triplets if one.metadata.volume and one.metadata.volume.place != place]
