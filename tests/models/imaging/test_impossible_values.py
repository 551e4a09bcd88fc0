"""Values that the standard does not allow, that are of another quantity than is usual, or contradict each other."""

from typing import Any

import numpy as np
import pytest

from models.imaging import FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import deidentify_file
from models.imaging.frames import Frame
from tests.models.imaging.samples import MakeDicom, with_octets

RAMP = np.arange(256, dtype=np.uint16).reshape(16, 16)
CT = {"RescaleSlope": 1, "RescaleIntercept": -1024, "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}
CONTRAST = "Omnipaque 350"


def frame_of(data: bytes) -> Frame:
    (frame,) = open_source(data, FramePolicy(), burned_in=None).frames()
    return frame


@pytest.mark.parametrize("value", [
    "SUBTRACTION", "STD_DEVIATION", "QUANTITY", "EFF_ATOMIC_NUM", "ELECTRON_DENSITY", "MAT_SPECIFIC", "MAT_FRACTIONAL",
    "CBF", "rCBV", "MTT", "TMAX", "PERFUSION", "IODINE", "Z EFFECTIVE", "IODINE_MAP",
])  # fmt: skip
def test_a_map_has_no_hounsfield_units_unless_it_says_so(make_dicom: MakeDicom, value: str) -> None:
    """PS3.3 C.8.15.2.1.1 and C.8.16.1.4, and what makers write; in the copy, too, where a maker's word goes."""
    data = make_dicom(RAMP, **CT | {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", value]})
    for each in (data, deidentify_file(data, Pseudonyms(b"a key for the tests"), Policy()).data):
        assert frame_of(each).unit == "rescaled value"
    said = make_dicom(RAMP, **CT | {"ImageType": ["DERIVED", "SECONDARY", "AXIAL", value], "RescaleType": "HU"})
    assert frame_of(said).unit == "HU"


@pytest.mark.parametrize("value", ["VMI", "MAT_REMOVED", "MAT_MODIFIED", "MPR", "MAX_IP", "MEAN", "AVERAGE", "HELICAL"])
def test_other_derived_images_keep_them(make_dicom: MakeDicom, value: str) -> None:
    """Virtual energies, removed materials and projections of several slices are attenuation still."""
    assert frame_of(make_dicom(RAMP, **CT | {"ImageType": ["DERIVED", "PRIMARY", "AXIAL", value]})).unit == "HU"


@pytest.mark.parametrize("octets", [
    {"RescaleIntercept": b"64512"}, {"RescaleIntercept": b"1e20"}, {"RescaleSlope": b"4000"},
])  # fmt: skip
def test_no_hounsfield_units_where_none_can_be(make_dicom: MakeDicom, octets: dict[str, bytes]) -> None:
    """64512 is -1024 that was taken for unsigned."""
    assert frame_of(with_octets(make_dicom(RAMP, **CT), **octets)).unit == "rescaled value"


@pytest.mark.parametrize("image_type", [["LOCALIZER"], ["DERIVED", "LOCALIZER"], ["ORIGINAL", "PRIMARY", "ÜBERSICHT"]])
def test_a_localizer_is_told_wherever_the_word_stands(make_dicom: MakeDicom, image_type: list[str]) -> None:
    """Image Type can lack its first values."""
    made = make_dicom(RAMP, SpecificCharacterSet="ISO_IR 100", **CT | {"ImageType": image_type})
    assert frame_of(made).metadata.localizer
    assert frame_of(made).unit == "rescaled value"


@pytest.mark.parametrize(("elements", "said"), [
    ({"ContrastBolusAgent": CONTRAST}, True),
    ({"ContrastBolusAgent": CONTRAST, "ContrastBolusVolume": "100"}, True),
    ({"ContrastBolusAgent": CONTRAST, "ContrastBolusVolume": "0"}, None),
    ({"ContrastBolusAgent": "NoContrast"}, None),
    ({"ContrastBolusAgent": "NONCONTRAST"}, None),
])  # fmt: skip
def test_nothing_given_is_no_agent(make_dicom: MakeDicom, elements: dict[str, Any], said: bool | None) -> None:
    """A volume of 0 contradicts any name."""
    assert frame_of(make_dicom(RAMP, **CT | elements)).metadata.contrast_agent is said


@pytest.mark.parametrize(("keyword", "value"), [
    ("PixelRepresentation", 2), ("BitsStored", 0), ("BitsStored", 17), ("BitsAllocated", 12),
    ("PhotometricInterpretation", ["MONOCHROME2", "MONOCHROME1"]),
])  # fmt: skip
def test_what_pixels_may_not_be_is_refused_by_name(make_dicom: MakeDicom, keyword: str, value: object) -> None:
    """One of two values is no more likely than the other."""
    names = {"PixelRepresentation": "Pixel Representation", "BitsStored": "Bits Stored"}
    with pytest.raises(causes.MalformedAttribute, match=names.get(keyword, "malformed")):
        open_source(make_dicom(RAMP, **{keyword: value}), FramePolicy())
