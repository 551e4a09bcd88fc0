"""Copy and triplet mask the same pixels, whatever marks a region: sidecar, segmentation, structure set or report."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pycocotools.mask as coco
import pydicom
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.data import get_testdata_file

from infra.cli import main
from models.imaging import BurnedInPolicy, Frame, FramePolicy, encode_png, open_source
from models.imaging.errors import TextOverRegion
from models.imaging.given.marking import marked
from schemas.images import SourceAnnotation
from tests.models.imaging.annotation_objects import (
    group,
    region,
    report,
    segment,
    segmentation,
    series,
    structure_set,
    written,
)

KEY = "00112233445566778899aabbccddeeff"
REGION = np.s_[170:200, 110:150]
"""Over the begin of a certain line of text of the real ultrasound image, which is 240 × 320 px."""


def run(*arguments: object, policy: str) -> Result:
    environment = {"TRISTREAM_KEY": KEY, "TRISTREAM_BURNED_IN": policy}
    return CliRunner().invoke(main, ["deidentify", *map(str, arguments)], env=environment)


def copied(out: Path) -> NDArray[np.uint8 | np.uint16]:
    """The first frame of the only copy, with nothing masked by the reader."""
    (path,) = out.rglob("*.dcm")
    return open_source(path.read_bytes(), FramePolicy(), burned_in=None).read(0).stored


def told(frame: Frame) -> tuple[int, int]:
    """Pixels of marked regions that were masked, and that were left."""
    cleaning = frame.metadata.pixel_cleaning
    assert cleaning is not None
    return cleaning.masked_over_regions_px, cleaning.left_over_regions_px


def pixels_of(one: SourceAnnotation) -> NDArray[np.bool_]:
    """Where a marked region lies."""
    assert one.mask is not None
    return coco.decode({"size": list(one.mask.size), "counts": one.mask.counts.encode()}).astype(bool)


@pytest.fixture(scope="module")
def ultrasound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real image with text, and beside it a sidecar whose mask marks a region that some of the text crosses."""
    folder = tmp_path_factory.mktemp("marked")
    image = folder / "echo.dcm"
    dataset = pydicom.dcmread(str(get_testdata_file("examples_rgb_color.dcm")))
    dataset.save_as(image)
    labels = np.zeros((dataset.Rows, dataset.Columns), np.uint8)
    labels[REGION] = 1
    (folder / "labels.png").write_bytes(encode_png(labels))
    (folder / "echo.dcm.json").write_text(json.dumps({"mask": "labels.png", "labels": {"1": "heart"}}))
    return image


@pytest.mark.parametrize("policy", ["mask", "pass"])
def test_a_region_of_a_sidecars_mask_is_masked_or_kept_as_in_the_triplet(
    ultrasound: Path, tmp_path: Path, policy: str
) -> None:
    """Pixel for pixel, and the report says of it what the triplet says; kept text is not called clean."""
    sidecar, mask = (ultrasound.with_name(name).read_bytes() for name in ("echo.dcm.json", "labels.png"))
    source = open_source(
        ultrasound.read_bytes(), FramePolicy(), burned_in=BurnedInPolicy.parse(policy), sidecar=sidecar, mask=mask
    )
    triplet = source.read(0)
    report = tmp_path / "report.json"
    done = run(ultrasound.parent, "--out", tmp_path / "out", "--report", report, policy=policy)
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(copied(tmp_path / "out"), triplet.stored)
    pixels = json.loads(report.read_text())["copied"][0]["pixels"]
    assert (pixels["masked_over_regions_px"], pixels["left_over_regions_px"]) == told(triplet)
    before = source.decode(0).stored[REGION]
    if policy == "pass":
        np.testing.assert_array_equal(triplet.stored[REGION], before)
        assert told(triplet)[1] > 0
        assert pixels["complete"] is False
    else:
        assert (triplet.stored[REGION] != before).any()
        assert told(triplet)[0] > 0


def test_text_over_a_region_is_refused_by_the_same_policy(ultrasound: Path, tmp_path: Path) -> None:
    """What would be a dead letter of the pipeline is no copy."""
    done = run(ultrasound, "--out", tmp_path / "out", policy="dead-letter")
    assert done.exit_code == 1
    assert "TextOverRegion" in done.output or "UncertainText" in done.output
    assert not list(tmp_path.rglob("*.dcm"))


def test_a_sidecar_that_cannot_be_used_is_a_refusal(ultrasound: Path, tmp_path: Path) -> None:
    """Without it a marked region might be masked unseen."""
    image = tmp_path / "in.dcm"
    image.write_bytes(ultrasound.read_bytes())
    (tmp_path / "in.dcm.json").write_text('{"mask": "gone.png"}')
    done = run(image, "--out", tmp_path / "out", policy="mask")
    assert done.exit_code == 1
    assert "InvalidSidecar" in done.output


def as_segmentation(image: Dataset) -> Dataset:
    """The marked region as a mask."""
    masks = np.zeros((1, 128, 128, 1), bool)
    masks[0, 20:50, 0:64] = True
    return segmentation([image], masks, [segment(1)])


def as_structure_set(image: Dataset) -> Dataset:
    """The same as a contour in the patient's mm, around the centres of its pixels."""
    corners = np.array([(-0.4, 19.6), (63.4, 19.6), (63.4, 49.4), (-0.4, 49.4)])
    x, y, z = map(float, image.ImagePositionPatient)
    points = np.column_stack([x + 0.5 * corners[:, 0], y + 1.5 * corners[:, 1], np.full(4, z)])
    return structure_set([("CLOSED_PLANAR", points, image.SOPInstanceUID)], name="Lung")


def as_report(image: Dataset) -> Dataset:
    """The same as a polyline of a structured report, by the image's columns and rows."""
    return report([image], [group(region(image, "POLYLINE", [(0, 20), (64, 20), (64, 50), (0, 50), (0, 20)]))])


@pytest.mark.parametrize("given_as", [as_segmentation, as_structure_set, as_report])
@pytest.mark.parametrize("policy", ["mask:always", "pass:always", "mask/dead-letter:always"])
def test_a_region_of_an_object_is_masked_or_kept_as_in_the_triplet(
    tmp_path: Path, policy: str, given_as: Callable[[Dataset], Dataset]
) -> None:
    """A real slice of CT with text in it, whose segmentation, structure set or report lies in another folder."""
    (image,) = series(1, rows=128, columns=128)
    ink = np.zeros((128, 128), np.uint8)
    cv2.putText(ink, "JANE DOE 47", (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    pixels = image.pixel_array.copy()
    pixels[24:46, 8:122] = 0
    image.PixelData = np.maximum(pixels, ink.astype(pixels.dtype) * 8).tobytes()
    for folder in ("images", "marks"):
        (tmp_path / folder).mkdir()
    source, given = written(image), written(given_as(image))
    (tmp_path / "images/slice.dcm").write_bytes(source)
    (tmp_path / "marks/marks.dcm").write_bytes(given)
    opened = marked(open_source(source, FramePolicy(), burned_in=BurnedInPolicy.parse(policy)), [given])
    if policy.startswith("mask/dead-letter"):
        with pytest.raises(TextOverRegion):
            opened.read(0)
        done = run(tmp_path / "images", "--annotations", tmp_path / "marks", "--out", tmp_path / "out", policy=policy)
        assert done.exit_code == 1
        assert "TextOverRegion" in done.output
        return
    triplet = opened.read(0)
    assert sum(told(triplet)) > 0
    inside = np.zeros((128, 128), bool)
    inside[20:50, 0:64] = True
    np.testing.assert_array_equal(np.any([pixels_of(one) for one in triplet.annotations], axis=0), inside)
    changed = triplet.stored != opened.decode(0).stored
    assert (changed & inside).any() == (policy == "mask:always")
    assert (changed & ~inside).any()
    report_file = tmp_path / "report.json"
    done = run(
        tmp_path / "images", "--annotations", tmp_path / "marks", "--out", tmp_path / "out", "--report", report_file,
        policy=policy,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(copied(tmp_path / "out"), triplet.stored)
    found = json.loads(report_file.read_text())["copied"][0]["pixels"]
    assert (found["masked_over_regions_px"], found["left_over_regions_px"]) == told(triplet)
    # The object is what decides: without it the text is masked whole.
    alone = run(tmp_path / "images", "--out", tmp_path / "alone", policy=policy)
    assert alone.exit_code == 0
    assert (copied(tmp_path / "alone") != triplet.stored).any() == (policy == "pass:always")
