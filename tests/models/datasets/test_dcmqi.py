"""DICOM marks on their original, as dcmqi reads them: the segments, and the measurements of the report."""

import json
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel
import pydicom.data
import pytest

from models.datasets.build import build
from models.datasets.formats import FORMATS
from models.datasets.formats.dicom import Dicom
from models.datasets.policy import Policy
from schemas.triplets import Triplet
from tests.models.datasets.conftest import lines

pytestmark = pytest.mark.skipif(find_spec("dcmqi") is None, reason="there is no dcmqi for this machine")


@pytest.fixture(scope="module")
def triplet(triplets: list[Triplet]) -> Triplet:
    """A CT slice with regions."""
    return next(one for one in triplets if one.metadata.modality == "CT" and one.metadata.source_format == "DICOM")


@pytest.fixture(scope="module")
def marks(triplet: Triplet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of its segmentation and report."""
    out = tmp_path_factory.mktemp("dcmqi") / "set"
    path = Path(str(pydicom.data.get_testdata_file("CT_small.dcm", download=False)))
    makers = {**FORMATS, "dicom": partial(Dicom, originals={triplet.object_id: path})}
    build(lambda: lines([triplet]), out, ("dicom",), Policy(), makers=makers)
    (found,) = (out / "dicom").glob(f"*/{triplet.triplet_id}")
    return found


def run(name: str, *arguments: str) -> str:
    """What a command of dcmqi says."""
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_segments_are_read_with_their_labels(marks: Path, triplet: Triplet, tmp_path: Path) -> None:
    """Each of as many pixels as its region has."""
    said = run(
        "segimage2itkimage", "--inputDICOM", str(marks / "segmentation.dcm"), "--outputDirectory", str(tmp_path),
        "--outputType", "nifti",
    )  # fmt: skip
    assert "error" not in said.lower()
    outlined = [region for region in triplet.regions if region.kind != "whole image"]
    assert outlined
    told: dict[str, Any] = json.loads((tmp_path / "meta.json").read_bytes())
    labels = [segment["SegmentLabel"] for group in told["segmentAttributes"] for segment in group]
    assert sorted(labels) == sorted(region.label for region in outlined)
    areas = [int((nibabel.load(path).get_fdata() > 0).sum()) for path in tmp_path.glob("*.nii.gz")]
    assert sorted(areas) == sorted(region.area_px for region in outlined)


def test_the_report_is_one_of_template_1500(marks: Path, triplet: Triplet, tmp_path: Path) -> None:
    """A group of measurements for each region, without a warning."""
    out = tmp_path / "report.json"
    said = run("tid1500reader", "--inputDICOM", str(marks / "report.dcm"), "--outputMetadata", str(out))
    assert not [line for line in said.splitlines() if line.startswith(("E:", "W:"))], said
    told: dict[str, Any] = json.loads(out.read_bytes())
    assert len(told["Measurements"]) == sum(region.kind != "whole image" for region in triplet.regions)
    assert all(group["measurementItems"] for group in told["Measurements"])
