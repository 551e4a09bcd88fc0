"""The whole chain on a real Kafka, one worker process a stage: real DICOM in, triplets or dead letters out."""

import csv
import re
import shutil
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

import cv2
import nibabel as nib
import numpy as np
import pytest

from infra.annotate import Outputs, annotate, find_files, in_processes
from models.imaging.png import decode_png
from schemas.triplets import Triplet, as_text, triplet_id
from streams.buckets.catalogue import FRESH
from streams.reader import latest, read
from streams.topics import IMAGES, TRIPLETS
from tests.integration.pipeline import GOOD, Pipeline, bad_inputs, rows, sample
from tests.models.imaging.annotation_objects import LIVER, segment, segmentation, series, written

pytestmark = pytest.mark.integration


def test_every_file_is_accounted_for(pipeline: Pipeline, tmp_path: Path) -> None:
    """Good files become triplets, bad ones dead letters with advice, and nothing names the patient."""
    good = tmp_path / "good"
    good.mkdir()
    for name in GOOD[:-1]:
        shutil.copy(sample(name), good / f"DOE_JOHN_{name}")
    shutil.copy(sample("examples_ybr_color.dcm"), good)
    cv2.imwrite(str(good / "photo.png"), np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    cv2.imwrite(str(good / "photo.jpg"), np.tile(np.arange(64, dtype=np.uint8), (64, 1)))
    bad = bad_inputs(tmp_path / "bad")

    summary, out = pipeline.annotate(tmp_path)

    triplets, letters = rows(out / "t.jsonl"), rows(out / "d.jsonl")
    good_count = len(list(good.iterdir()))
    assert summary.objects == good_count + len(bad)
    assert summary.dead_letters == len(letters) == len(bad)
    assert summary.triplets == len(triplets) == good_count + 2, "the cine gives three frames"
    assert summary.skipped_frames == 27
    with (out / "map.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["outcome"] for row in table if "/good/" in row["path"]} == {"triplet"}
    assert {row["outcome"] for row in table if "/bad/" in row["path"]} == {"dead-letter"}
    known = {row["object_id"] for row in (*triplets, *letters)}
    assert {row["object_id"] for row in table} == known
    for letter in letters:
        assert letter["stage"] == "preprocess"
        assert len(str(letter["message"])) > 30
        assert "defect" not in str(letter["message"])
    left = (out / "t.jsonl").read_text() + (out / "d.jsonl").read_text()
    for log in pipeline.folder.glob("*.log"):
        left += log.read_text()
    # Three letters in a row stand by chance in megabytes of base64 and run lengths.
    left = re.sub(r'"(data|counts)":"[^"]*"', "", left)
    for secret in ("DOE", "JOHN", "CompressedSamples", "1CT1", str(tmp_path)):
        assert secret not in left


def test_every_statement_has_evidence_in_its_triplet(pipeline: Pipeline) -> None:
    """On the wire too, each pointer of each statement leads to the value it names."""
    records = latest(pipeline.settings.wires, TRIPLETS).values()
    assert records
    statements = 0
    for record in records:
        assert isinstance(record.message, Triplet)
        triplet = record.message.model_dump(mode="json")
        described = record.message.description
        groups = (described.regions, described.texture, described.relations)
        told = [statement for group in groups for statement in group]
        assert all(statement.text in described.description for statement in told)
        # The kind of image may be told with a finding, and what a passage says may be left out.
        beside = [described.modality, *([described.organ] if described.organ else []), *described.context]
        for statement in (*told, *beside):
            for evidence in statement.evidence:
                value: Any = triplet
                for part in evidence.pointer.strip("/").split("/"):
                    value = value[int(part)] if isinstance(value, list) else value[part]
                assert as_text(value) == evidence.value
                statements += 1
    assert statements > len(records)


def test_large_pixels_travel_by_reference(pipeline: Pipeline, tmp_path: Path) -> None:
    """Above the inline limit the topics carry references; the export carries the image itself."""
    shutil.copy(sample("693_J2KR.dcm"), tmp_path)
    _, out = pipeline.annotate(tmp_path)
    (triplet,) = rows(out / "t.jsonl")
    image_id = triplet["image_id"]
    carried = [
        r.message for r in read(pipeline.settings.wires, [IMAGES]) if r and r.message and r.message.image_id == image_id
    ]
    assert carried
    assert all(message.pixels.reference is not None and message.pixels.data is None for message in carried)
    assert Triplet.model_validate(triplet).image.data is not None


def test_slices_beside_a_slice_travel_with_it(pipeline: Pipeline, tmp_path: Path) -> None:
    """Of three frames of a volume each has its true neighbours, taken or not; twice, the triplets are the same."""
    cube = np.full((64, 64, 9), -1000, np.int16)
    cube[8:56, 8:56] = 40
    for index in range(3, 8):
        cube[24:34, 30 - index : 40, index] = -1000
    volume = nib.Nifti1Image(cube, np.diag([-1.0, -1.0, 4.0, 1.0]), dtype=np.int16)
    volume.header.set_xyzt_units("mm")
    (tmp_path / "volume.nii").write_bytes(volume.to_bytes())
    (tmp_path / "volume.nii.json").write_text('{"modality": "CT", "unit": "HU"}')
    summary, out = pipeline.annotate(tmp_path)
    assert (summary.triplets, summary.skipped_frames) == (3, 6)
    triplets = sorted(map(Triplet.model_validate, rows(out / "t.jsonl")), key=lambda one: one.frame)
    taken = [one.frame for one in triplets]
    assert [[(near.frame, near.towards) for near in one.metadata.neighbours] for one in triplets] == [
        [(frame - 1, "feet"), (frame + 1, "head")] for frame in taken
    ]
    middle = triplets[1]
    assert {one.outcome for one in middle.continuations} == {"continues"}
    assert goes_on(middle, "head")
    _, again = pipeline.annotate(tmp_path)
    assert {str(row["triplet_id"]) for row in rows(again / "t.jsonl")} == {one.triplet_id for one in triplets}


def goes_on(triplet: Triplet, way: str) -> bool:
    """Whether a region goes on that way."""
    return any((one.outcome, one.towards) == ("continues", way) for one in triplet.continuations)


def test_the_next_slices_of_a_series_travel_with_a_slice(pipeline: Pipeline, tmp_path: Path) -> None:
    """Each a file, under names in another order: a finding goes on as in a volume; twice, the triplets are the same."""
    images = series(5, rows=64, columns=64)
    cube = np.full((5, 64, 64), -1000, np.int16)
    cube[:, 8:56, 8:56] = 40
    for number, image in enumerate(images):
        cube[number, 24:34, 26 - 2 * number : 40] = -1000
        image.PixelSpacing, image.PixelData = [1, 1], cube[number].tobytes()
        image.RescaleIntercept, image.RescaleSlope, image.PixelRepresentation = 0, 1, 1
        image.PixelPaddingValue = -2000
        (tmp_path / f"DOE JANE {number * 3 % 5}.dcm").write_bytes(written(image))
    summary, out = pipeline.annotate(tmp_path)
    assert (summary.objects, summary.triplets) == (5, 5)
    triplets = [Triplet.model_validate(row) for row in rows(out / "t.jsonl")]
    by_id = {one.image_id: one for one in triplets}
    (first,) = [one for one in triplets if [n.towards for n in one.metadata.neighbours] == ["head"]]
    order = [first]
    while onwards := [n.image_id for n in order[-1].metadata.neighbours if n.towards == "head"]:
        order.append(by_id[onwards[0]])
    assert len(order) == 5
    assert {one.outcome for one in order[2].continuations} == {"continues"}
    assert goes_on(order[2], "head")
    _, again = pipeline.annotate(tmp_path)
    assert {str(row["triplet_id"]) for row in rows(again / "t.jsonl")} == {one.triplet_id for one in triplets}


def test_what_a_segmentation_marks_is_a_region(pipeline: Pipeline, tmp_path: Path) -> None:
    """Of the image that it names; another one gives another triplet, and among the images it is a dead letter."""
    (image,) = series(1)
    image.PatientName = "DOE^JANE"
    masks = np.zeros((1, 40, 60, 1), np.uint8)
    masks[0, 5:15, 20:30] = 1
    triplets: list[Triplet] = []
    for name, mask in (("a.dcm", masks), ("b.dcm", masks[:, ::-1])):
        (tmp_path / name).write_bytes(written(image))
        (pipeline.folder / "annotations/DOE JANE.dcm").write_bytes(
            written(segmentation([image], mask, [segment(1, LIVER)]))
        )
        time.sleep(FRESH)
        summary, out = pipeline.annotate(tmp_path / name)
        assert summary.marked == 1
        triplets.append(Triplet.model_validate(rows(out / "t.jsonl")[0]))
    first, second = triplets
    assert [(one.regions[0].kind, one.regions[0].label) for one in triplets] == [("source annotation", "liver")] * 2
    assert [(one.regions[0].box.x, one.regions[0].box.y) for one in triplets] == [(20, 5), (20, 25)]
    assert (first.image_id, first.triplet_id) == (second.image_id, triplet_id(first.image_id, first.lineage))
    assert first.lineage.metadata_digest != second.lineage.metadata_digest
    assert "DOE" not in re.sub(r'"(data|counts)":"[^"]*"', "", second.model_dump_json())
    summary, out = pipeline.annotate(pipeline.folder / "annotations")
    assert (summary.dead_letters, rows(out / "d.jsonl")[0]["error"]) == (1, "MarksOtherImages")


def test_the_same_image_again_is_the_same_triplet(pipeline: Pipeline, tmp_path: Path) -> None:
    """Copies under other names are accounted for each, and share one triplet."""
    for name in ("a.dcm", "b.dcm"):
        shutil.copy(sample("MR_small.dcm"), tmp_path / name)
    summary, out = pipeline.annotate(tmp_path)
    assert (summary.objects, summary.images, summary.triplets) == (2, 2, 1)
    (triplet,) = rows(out / "t.jsonl")
    again, out = pipeline.annotate(tmp_path)
    assert again == summary
    assert rows(out / "t.jsonl")[0]["triplet_id"] == triplet["triplet_id"]


def told(path: Path) -> list[tuple[dict[str, Any], bytes]]:
    """Triplets in an order of their own, with their pixels: ISA-L does not always pack the same in the same bytes."""
    found: list[Any] = sorted(rows(path), key=lambda row: (str(row["object_id"]), str(row["frame"])))
    return [(row, decode_png(b64decode(row["image"].pop("data"))).tobytes()) for row in found]


def test_without_a_broker_the_results_are_the_same(pipeline: Pipeline, tmp_path: Path) -> None:
    """Files of several kinds, a series with neighbours and marks, pixel for pixel; dead letters but for the times."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in (*GOOD, "examples_ybr_color.dcm"):
        shutil.copy(sample(name), folder)
    bad_inputs(folder / "bad")
    images = series(4)
    for number, image in enumerate(images):
        image.PatientName = "DOE^JANE"
        (folder / f"{number}.dcm").write_bytes(written(image))
    masks = np.zeros((1, 40, 60, 1), np.uint8)
    masks[0, 5:15, 20:30] = 1
    (pipeline.folder / "annotations/liver.dcm").write_bytes(
        written(segmentation(images[1:2], masks, [segment(1, LIVER)]))
    )
    time.sleep(FRESH)
    expected, there = pipeline.annotate(folder)
    outputs = Outputs(tmp_path / "t.jsonl", tmp_path / "d.jsonl", tmp_path / "map.csv")
    files, way = find_files([folder]), in_processes(pipeline.settings, 2, 30)
    accounts = annotate(files, outputs, pipeline.settings, way)
    assert accounts.summary(0.0) == expected
    assert expected.marked >= 1
    assert told(outputs.triplets) == told(there / "t.jsonl")
    letters = [
        {(letter["object_id"], letter["stage"], letter["error"], letter["message"]) for letter in rows(path)}
        for path in (tmp_path / "d.jsonl", there / "d.jsonl")
    ]
    assert letters[0] == letters[1]
    assert outputs.map is not None
    assert outputs.map.read_bytes() == (there / "map.csv").read_bytes()
