"""Values that the standard does not allow, that are of another quantity than is usual, or contradict each other."""

import struct
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

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
    {"RescaleIntercept": b"64512"}, {"RescaleIntercept": b"1e20"}, {"RescaleSlope": b"1e6"},
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


@pytest.mark.parametrize("octets", [{"NumberOfFrames": b"1,000"}, {"NumberOfFrames": b"1,0"}])
def test_a_comma_in_an_integer_string_is_malformed(make_dicom: MakeDicom, octets: dict[str, bytes]) -> None:
    """It can part thousands as well (PS3.5 6.2 has it in neither)."""
    with pytest.raises(causes.MalformedAttribute, match="Number of Frames"):
        frame_of(with_octets(make_dicom(RAMP), **octets))


@pytest.mark.parametrize("behind", [b"", b"\0", b"text behind it", b"\xff\xd9more", bytes(range(256))])
def test_jpeg_2000_is_read_up_to_its_end(make_dicom: MakeDicom, behind: bytes) -> None:
    """Whatever stands behind the end marker; as OpenJPEG and pydicom read it."""
    stream = imagecodecs.jpeg2k_encode(RAMP, level=0, reversible=True, codecformat="j2k")
    data = make_dicom(RAMP, syntax=JPEG2000Lossless, PixelData=encapsulate([stream + behind]))
    np.testing.assert_array_equal(frame_of(data).values, RAMP)
    with pytest.raises((causes.TruncatedFile, causes.CorruptPixels)):
        frame_of(make_dicom(RAMP, syntax=JPEG2000Lossless, PixelData=encapsulate([stream[:-9] + behind])))


@pytest.mark.parametrize("view", ["XCCL", "TAN", "SIO", "LMO", "PA"])
def test_views_stay_in_copies(make_dicom: MakeDicom, view: str) -> None:
    """All that the pipeline reads, coded by the older code too."""
    film = {"Modality": "MG", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.2"}
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "R-10214", "SRT", "postero-anterior"
    for told in ({"ViewPosition": view}, {"ViewCodeSequence": [code]}):
        data = make_dicom(RAMP, **film, **told)
        copy = deidentify_file(data, Pseudonyms(b"a key for the tests"), Policy()).data
        assert frame_of(copy).metadata.view == frame_of(data).metadata.view is not None


def twice(data: bytes, tag: int, vr: bytes, values: tuple[bytes, bytes]) -> bytes:
    """A file in which an attribute that it lacks stands twice, ahead of its Rows."""
    at = data.index(b"\x28\x00\x02\x00US")
    parts = (struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value for value in values)
    return data[:at] + b"".join(parts) + data[at:]


def test_an_attribute_that_stands_twice_says_nothing(make_dicom: MakeDicom) -> None:
    """PS3.5 7.1 forbids it; pydicom takes the last, DCMTK the first. The same value twice is that value."""
    left, both = (twice(make_dicom(RAMP, **CT), 0x00200060, b"CS", (b"L ", second)) for second in (b"L ", b"R "))
    assert frame_of(left).metadata.laterality == "left"
    assert frame_of(both).metadata.laterality is None
    deidentify_file(left, Pseudonyms(b"a key for the tests"), Policy())
    with pytest.raises(causes.MalformedAttribute, match="Laterality"):
        deidentify_file(both, Pseudonyms(b"a key for the tests"), Policy())
    frames = twice(make_dicom(RAMP), 0x00280008, b"IS", (b"1 ", b"2 "))
    with pytest.raises(causes.MalformedAttribute, match="Number of Frames"):
        frame_of(frames)
