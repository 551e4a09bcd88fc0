"""A copy in the pipeline: pixels, values, windows and regions of its source, but for what the profile removes."""

from io import BytesIO
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from benchmarks.identities import images
from models.imaging import FramePolicy, open_source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import deidentify_file
from models.imaging.frames import Frame
from schemas.failures import InvalidInput
from tests.models.imaging.annotation_objects import (
    LIVER,
    segment,
    segmentation,
    series,
    structure_set,
    uid,
    written,
)
from tests.models.imaging.samples import MakeDicom, with_octets
from tests.models.imaging.test_given import MASKS, SQUARE, given, in_patient

KEY = Pseudonyms(b"a key for the tests")
# A named agent goes with its name; and of one image all descriptions are a word of the patient's name.
REMOVED = {"contrast_agent"}
NAMED_AS_THE_ORGAN = "explicit_VR-UN.dcm"


def copy_of(data: bytes) -> bytes:
    return deidentify_file(data, KEY, Policy()).data


def first_frame(data: bytes) -> Frame:
    return next(open_source(data, FramePolicy("spread", 1), burned_in=None).frames())


def assert_reads_the_same(data: bytes, copy: bytes, removed: set[str]) -> None:
    before, after = first_frame(data), first_frame(copy)
    assert after.image_id == before.image_id
    np.testing.assert_array_equal(after.stored, before.stored)
    for name in ("slope", "intercept", "unit", "window"):
        assert getattr(after, name) == getattr(before, name), name
    said = before.metadata.model_dump()
    assert {key: value for key, value in after.metadata.model_dump().items() if key not in removed} == {
        key: value for key, value in said.items() if key not in removed
    }


def test_every_image_of_pydicom_reads_the_same_after_it_was_copied() -> None:
    """Pixels, metadata, values and windows of all that the pipeline takes."""
    taken = 0
    for path in images():
        data = path.read_bytes()
        try:
            first_frame(data)
        except InvalidInput:
            continue
        removed = REMOVED | ({"organ", "organ_source"} if path.name == NAMED_AS_THE_ORGAN else set())
        assert_reads_the_same(data, copy_of(data), removed)
        taken += 1
    assert taken >= 150


def copied(dataset: Dataset) -> Dataset:
    return pydicom.dcmread(BytesIO(copy_of(written(dataset))))


@pytest.mark.parametrize("geometry", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_regions_are_the_same_in_copies(geometry: str) -> None:
    """Segmentations, and structure sets with holes, are read on the copies of the images they mark."""
    sources = series()
    inner = [[15, 13], [20, 13], [20, 18], [15, 18], [15, 13]]
    rings = [(geometry, in_patient(sources[0], np.array(ring, float)), uid(0)) for ring in (SQUARE, inner)]
    objects = [
        segmentation(sources, MASKS, [segment(1), segment(2, LIVER)]),
        structure_set(rings, name="Liver", kind="ORGAN", concept=LIVER),
    ]
    images_of_copies = [copied(source) for source in sources]
    for marks in objects:
        before, after = given(sources[0], marks), given(images_of_copies[0], copied(marks))
        assert before.annotations
        assert [(one.label, one.mask, one.box) for one in after.annotations] == [
            (one.label, one.mask, one.box) for one in before.annotations
        ]


def test_a_sigmoid_window_and_a_lean_body_mass_stay() -> None:
    """What changes how values are shown, and what they are called."""
    source = series(1)[0]
    source.VOILUTFunction, source.WindowCenter, source.WindowWidth = "SIGMOID", 40, 400
    source.SUVType, source.PixelSpacingCalibrationType = "LBM", "GEOMETRY"
    copy = copied(source)
    assert (copy.VOILUTFunction, copy.SUVType, copy.PixelSpacingCalibrationType) == ("SIGMOID", "LBM", "GEOMETRY")
    assert_reads_the_same(written(source), written(copy), REMOVED)


CT = (np.arange(4096).reshape(64, 64) % 2000).astype(np.uint16)
HU = {"RescaleSlope": "1", "RescaleIntercept": "-1024", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
MR = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "SeriesDescription": "T2", "EchoTime": "90"}
FILM = {"Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "ImagerPixelSpacing": [0.2, 0.2]}
SECONDARY = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}


@pytest.mark.parametrize("octets", [
    {"RescaleIntercept": b"-1024,00"}, {"RescaleSlope": b"0,5"}, {"RescaleIntercept": b"(1024)"},
    {"RescaleIntercept": b"-1024\\0"}, {"PixelSpacing": b"0,5\\0,5"}, {"PixelSpacing": b"x\\1\\1"},
    {"WindowCenter": b"x\\40", "WindowWidth": b"100\\400"}, {"ImageOrientationPatient": b"1\\0\\0\\x\\0\\1\\0"},
])  # fmt: skip
def test_a_malformed_number_is_no_other_number_in_the_copy(make_dicom: MakeDicom, octets: dict[str, bytes]) -> None:
    """A dummy 0 as the intercept made Hounsfield units of stored values, and of numbers some alone mean others."""
    data = with_octets(make_dicom(CT, **HU), **octets)
    assert_reads_the_same(data, copy_of(data), set())


@pytest.mark.parametrize("elements", [
    {"RescaleType": "ours"}, {"MultienergyCTAcquisition": "MAYBE"}, {"AcquisitionType": "CONSTANT_ANGLE"},
    {"VOILUTFunction": "CUBIC", "WindowCenter": "40", "WindowWidth": "400"}, {"ScanOptions": ["ours", "TOPO MODE"]},
    {"ImageType": ["original", "primary", "localizer"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "CORONAL SCOUT 2"]},
    {"AnatomicalOrientationType": "FISH", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
    {"PhotometricInterpretation": "Monochrome1"}, {"LossyImageCompression": "1"}, {"BodyPartExamined": "chest"},
    SECONDARY | {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
    SECONDARY | {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "DOSE_INFO"]},
    FILM | {"PatientOrientation": ["L", "X", "F"]},
    FILM | {"PixelSpacing": [0.2, 0.2], "PixelSpacingCalibrationType": "ours",
            "EstimatedRadiographicMagnificationFactor": "1.5"},
    MR | {"ImageType": ["DERIVED", "PRIMARY", "eADC"], "DiffusionBValue": 1000.0},
    MR | {"AcquisitionContrast": "t2"}, MR | {"ScanningSequence": "gr"},
    {"Modality": "PT", "Units": "GML", "SUVType": "ours", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"},
])  # fmt: skip
def test_a_word_that_goes_does_not_leave_another_meaning(make_dicom: MakeDicom, elements: dict[str, Any]) -> None:
    """Where the absence of an attribute means something (HU, LINEAR, BIPED), and in terms as other writers spell them.

    PS3.15 E.3: an object must stay what it was.
    """
    data = make_dicom(CT, **HU | elements)
    assert_reads_the_same(data, copy_of(data), set())
