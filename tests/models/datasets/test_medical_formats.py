"""DICOM and NIfTI as they are written: read back by highdicom, pydicom and nibabel, and by preprocess itself."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pydicom.data
import pytest
from pycocotools import mask as coco
from pydicom.sr.codedict import codes

from models.datasets.audit import audit
from models.datasets.build import build
from models.datasets.formats import FORMATS
from models.datasets.formats.dicom import Dicom
from models.datasets.policy import Policy
from models.datasets.soundness import sound_picture
from models.imaging import FramePolicy, decode_png, open_source
from models.imaging.given.marking import marked
from schemas.regions import Region
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines

FINDING, AREA = "121071", "42798000"


@pytest.fixture(scope="module")
def chosen(triplets: list[Triplet]) -> list[Triplet]:
    """A few with regions, one in colour, one that has none: for highdicom takes its time."""
    marked = [one for one in triplets if outlined(one)][:3]
    colour = [one for one in triplets if one.image.channels == 3][:1]
    bare = [one for one in triplets if not outlined(one)][:1]
    assert marked
    assert colour
    assert bare
    return list({one.triplet_id: one for one in (*marked, *colour, *bare)}.values())


@pytest.fixture(scope="module")
def built(chosen: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in both formats."""
    out = tmp_path_factory.mktemp("medical") / "set"
    build(lambda: lines(chosen), out, ("dicom", "nifti"), Policy())
    return out


def outlined(triplet: Triplet) -> list[Region]:
    """Its regions that have an outline."""
    return [region for region in triplet.regions if region.kind != "whole image"]


def pixels(region: Region) -> np.ndarray:
    """(rows, columns), True inside."""
    return coco.decode({"size": list(region.mask.size), "counts": region.mask.counts.encode()}).astype(bool)


def folder_of(built: Path, triplet: Triplet) -> Path:
    """Of an image's DICOM objects."""
    (found,) = (built / "dicom").glob(f"*/{triplet.triplet_id}")
    return found


def test_the_view_and_its_marks_are_dicom(built: Path, chosen: list[Triplet]) -> None:
    """Each pixel of the view, each mask with its label, in one study of one patient that nobody can be told by."""
    marked_images = 0
    for triplet in chosen:
        folder = folder_of(built, triplet)
        image = pydicom.dcmread(folder / "image.dcm")
        np.testing.assert_array_equal(image.pixel_array, decode_png(sound_picture(triplet)))
        assert triplet.provenance
        assert image.PatientID == triplet.provenance.patient
        assert image.PatientName == ""
        if not (regions := outlined(triplet)):
            assert not (folder / "segmentation.dcm").exists()
            continue
        marked_images += 1
        segmentation = hd.seg.segread(folder / "segmentation.dcm")
        report: Any = hd.sr.srread(folder / "report.dcm")
        assert image.StudyInstanceUID == segmentation.StudyInstanceUID == report.StudyInstanceUID
        assert segmentation.number_of_segments == len(regions)
        frames = segmentation.pixel_array.reshape(-1, image.Rows, image.Columns)
        for frame, region, described in zip(frames, regions, segmentation.SegmentSequence, strict=True):
            np.testing.assert_array_equal(frame.astype(bool), pixels(region))
            assert described.SegmentLabel == region.label
            by_source = region.kind == "source annotation"
            assert described.SegmentAlgorithmType == ("MANUAL" if by_source else "AUTOMATIC")
    assert marked_images >= 3


def test_the_report_has_the_measurements(built: Path, chosen: list[Triplet]) -> None:
    """By TID 1500, a group a region, each with its segment and its area in the unit that is known."""
    for triplet in filter(outlined, chosen):
        report: Any = hd.sr.srread(folder_of(built, triplet) / "report.dcm")
        groups = report.content.get_planar_roi_measurement_groups()
        assert [group.tracking_identifier for group in groups] == [one.region_id for one in outlined(triplet)]
        for number, (group, region) in enumerate(zip(groups, outlined(triplet), strict=True), start=1):
            (area,) = group.get_measurements(codes.SCT.Area)
            expected = (region.area_mm2, "mm2") if region.area_mm2 is not None else (region.area_px, "{pixels}")
            assert (area.value, area.unit.value) == (pytest.approx(expected[0], rel=1e-5), expected[1])
            (item,) = [one for one in group[0].ContentSequence if one.ValueType == "IMAGE"][:1]
            (referenced,) = item.ReferencedSOPSequence
            assert referenced.ReferencedSegmentNumber == number
            assert "ReferencedFrameNumber" not in referenced  # told only where no segment is (PS3.3 Table 10-3)
            assert group.referenced_segmentation_frame is not None


def test_marks_go_back_to_the_original(triplets: list[Triplet], tmp_path: Path) -> None:
    """Preprocess reads them beside the file that they were made of, as the same masks on the same pixels."""
    path = Path(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False)))
    triplet = next(one for one in triplets if one.metadata.modality == "CT" and one.metadata.source_format == "DICOM")
    makers = {**FORMATS, "dicom": partial(Dicom, originals={triplet.object_id: path})}
    build(lambda: lines([triplet]), tmp_path / "set", ("dicom",), Policy(), makers=makers)
    folder = folder_of(tmp_path / "set", triplet)
    assert not (folder / "image.dcm").exists()
    original, segmentation = pydicom.dcmread(path), (folder / "segmentation.dcm").read_bytes()
    assert pydicom.dcmread(folder / "report.dcm").PatientID == original.PatientID
    read = marked(open_source(path.read_bytes(), FramePolicy()), [segmentation]).read(0)
    masks = [
        coco.decode({"size": list(o.mask.size), "counts": o.mask.counts.encode()}) for o in read.annotations if o.mask
    ]
    assert len(masks) == len(outlined(triplet)) > 0
    for region in outlined(triplet):
        assert any(np.array_equal(mask.astype(bool), pixels(region)) for mask in masks)


def read_volume(path: Path) -> Any:
    """As nibabel reads it."""
    return nibabel.load(path)  # pyright: ignore[reportPrivateImportUsage]


def test_nifti_has_the_view_and_a_number_a_label(built: Path, chosen: list[Triplet]) -> None:
    """Voxels of the size that is known; numbers mean the same over the set."""
    names = json.loads((built / "nifti" / "labels.json").read_bytes())
    for triplet in chosen:
        (path,) = (built / "nifti").glob(f"*/{triplet.triplet_id}.nii.gz")
        image, labels = read_volume(path), read_volume(path.with_name(f"{triplet.triplet_id}_mask.nii.gz"))
        view, expected = np.asanyarray(image.dataobj)[..., 0].T, decode_png(sound_picture(triplet))
        if expected.ndim == 3:
            view = np.stack([view[name] for name in "RGB"], axis=-1)
        np.testing.assert_array_equal(view, expected)
        assert labels.shape == image.shape
        spacing = triplet.metadata.spacing
        assert image.header.get_zooms()[:2] == pytest.approx((spacing.column_mm, spacing.row_mm) if spacing else (1, 1))
        marks = np.asanyarray(labels.dataobj)[..., 0].T
        assert {names[one.label] for one in outlined(triplet)} >= set(np.unique(marks).tolist()) - {0}
        inside = [pixels(one) for one in outlined(triplet)]
        np.testing.assert_array_equal(marks > 0, np.any(inside, axis=0) if inside else np.zeros(marks.shape, bool))


def test_an_audit_looks_at_them(built: Path, chosen: list[Triplet]) -> None:
    """And sees a picture that is another one."""
    found = audit(built)
    assert found.faults == []
    assert found.counts["pictures in dicom"] == found.counts["pictures in nifti"] == len(chosen)
    first, second = (folder_of(built, one) / "image.dcm" for one in chosen[-2:])
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    try:
        assert any("in dicom is another one" in fault for fault in audit(built).faults)
    finally:
        first.write_bytes(kept)
