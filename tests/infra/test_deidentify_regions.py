"""The copy and the triplet mask the same pixels, whatever the source marks, by a sidecar or by a segmentation."""

import json
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

from infra.cli import main
from models.imaging import BurnedInPolicy, Frame, FramePolicy, encode_png, open_source
from models.imaging.given.marking import marked
from tests.models.imaging.annotation_objects import segment, segmentation, series, written

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


@pytest.mark.parametrize("policy", ["mask:always", "pass:always"])
def test_a_region_of_a_segmentation_is_masked_or_kept_as_in_the_triplet(tmp_path: Path, policy: str) -> None:
    """A real slice of CT with text in it, whose segmentation lies in another folder."""
    (image,) = series(1, rows=128, columns=128)
    ink = np.zeros((128, 128), np.uint8)
    cv2.putText(ink, "JANE DOE 47", (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)
    pixels = image.pixel_array.copy()
    pixels[24:46, 8:122] = 0
    image.PixelData = np.maximum(pixels, ink.astype(pixels.dtype) * 8).tobytes()
    masks = np.zeros((1, 128, 128, 1), bool)
    masks[0, 20:50, 0:64] = True
    for folder in ("images", "marks"):
        (tmp_path / folder).mkdir()
    source, given = written(image), written(segmentation([image], masks, [segment(1)]))
    (tmp_path / "images/slice.dcm").write_bytes(source)
    (tmp_path / "marks/seg.dcm").write_bytes(given)
    triplet = marked(open_source(source, FramePolicy(), burned_in=BurnedInPolicy.parse(policy)), [given]).read(0)
    assert sum(told(triplet)) > 0
    report = tmp_path / "report.json"
    done = run(
        tmp_path / "images", "--annotations", tmp_path / "marks", "--out", tmp_path / "out", "--report", report,
        policy=policy,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(copied(tmp_path / "out"), triplet.stored)
    found = json.loads(report.read_text())["copied"][0]["pixels"]
    assert (found["masked_over_regions_px"], found["left_over_regions_px"]) == told(triplet)
    # The segmentation is what decides: without it the text is masked whole.
    alone = run(tmp_path / "images", "--out", tmp_path / "alone", policy=policy)
    assert alone.exit_code == 0
    assert (copied(tmp_path / "alone") != triplet.stored).any() == (policy == "pass:always")
