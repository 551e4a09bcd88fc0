"""Each attribute that changes a number, a side or a name: valid, absent, or malformed, which is not the same."""

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import ExplicitVRLittleEndian

from models.imaging import Frame, FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.contrast import names_agent
from models.imaging.header import Header, Malformed
from models.imaging.metadata import is_localizer, read_metadata
from models.imaging.parsing import read_header
from models.imaging.vocabulary import organ_of
from schemas.images import ImageMetadata
from tests.models.imaging.samples import MakeDicom, with_octets

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

RAMP = np.arange(4096, dtype=np.uint16).reshape(64, 64)
CT: dict[str, Any] = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
AXES: dict[str, Any] = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}


def frame_of(data: bytes) -> Frame:
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


def metadata_of(**elements: Any) -> ImageMetadata:
    return read_metadata(header_of(**elements), 0, 1)


def header_of(**elements: Any) -> Header:
    dataset = Dataset()
    for keyword, value in ({"Modality": "CT"} | elements).items():
        setattr(dataset, keyword, value)
    return Header(dataset, ExplicitVRLittleEndian)


@pytest.mark.parametrize(
    ("octets", "number"),
    [
        (b"2.5", 2.5),
        (b" +2,5 ", 2.5),
        (b"-1024,00", -1024),
        (b"2,5E-1", 0.25),
        (b".5", 0.5),
        (b",5", 0.5),
        (b"5.", 5),
        (b"", None),
        (b"  ", None),
        (b"1.5.2", None),
        (b"1,024.5", None),
        (b"2.5 HU", None),
        (b"nan", None),
        (b"inf", None),
        (b"1e400", None),
        (b"1_000", None),
        (b"1\\1", None),
        (b"--1", None),
        (b"0x10", None),
        (b"1 2", None),
        (b"\xd9\xa1", None),
    ],
)
def test_a_number_is_read_or_malformed(make_dicom: MakeDicom, octets: bytes, number: float | None) -> None:
    """A decimal comma is read; all else that is not one finite number is neither taken nor defaulted."""
    frame = frame_of(with_octets(make_dicom(RAMP, **CT), RescaleSlope=octets))
    if number is None:
        assert (frame.unit, frame.slope, frame.intercept) == ("stored value", 1, 0)
    else:
        assert (frame.unit, frame.slope) == ("HU", number)


def test_absent_empty_and_malformed_are_three_things(make_dicom: MakeDicom) -> None:
    """A header tells them apart, and which attribute it was."""
    header, _, _ = read_header(with_octets(make_dicom(RAMP), SliceThickness=b"", PixelSpacing=b"1\\x", KVP=b"120"))
    assert header.number("EchoTime") is None
    assert header.number("SliceThickness") == Malformed("SliceThickness", empty=True)
    assert header.numbers("PixelSpacing", count=2) == Malformed("PixelSpacing")
    assert header.number("KVP") == 120
    assert header.numbers("KVP", count=2) == Malformed("KVP")
    assert header.code("Modality") == "CT"
    assert header_of(Modality=MultiValue(str, ["CT", "MR"])).code("Modality") == Malformed("Modality")


@pytest.mark.parametrize(
    "elements",
    [
        {"RescaleSlope": b"0"},
        {"RescaleSlope": b"1e-40"},
        {"RescaleIntercept": b"x"},
        {"RescaleIntercept": b"1e300"},
    ],
)
def test_what_cannot_scale_leaves_values_as_stored(make_dicom: MakeDicom, elements: dict[str, bytes]) -> None:
    """No HU of a slope of 0, nor of an intercept that is none."""
    frame = frame_of(with_octets(make_dicom(RAMP, **CT), **elements))
    assert (frame.unit, frame.slope, frame.intercept) == ("stored value", 1, 0)


@pytest.mark.parametrize("missing", ["RescaleSlope", "RescaleIntercept"])
def test_half_a_rescale_is_none(make_dicom: MakeDicom, missing: str) -> None:
    """Slope and intercept are both required: without one of them there is no HU."""
    assert (
        frame_of(make_dicom(RAMP, **{word: value for word, value in CT.items() if word != missing})).unit
        == "stored value"
    )


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({}, "HU"),
        ({"RescaleType": b"HU"}, "HU"),
        ({"RescaleType": b""}, "HU"),
        ({"RescaleType": b"OD"}, "0.001 optical density"),
        ({"RescaleType": b"US"}, "rescaled value"),
        ({"RescaleType": b"HU\\US"}, "rescaled value"),
        ({"RescaleType": b"hounsfield"}, "rescaled value"),
        ({"MultienergyCTAcquisition": b"YES"}, "rescaled value"),
        ({"MultienergyCTAcquisition": b"YES", "RescaleType": b"HU"}, "HU"),
        ({"ImageType": b"ORIGINAL\\PRIMARY\\LOCALIZER", "RescaleType": b"HU"}, "rescaled value"),
        ({"Modality": b"MR", "RescaleType": b"HU"}, "rescaled value"),
        ({"Modality": b"CT\\MR"}, "rescaled value"),
    ],
)
def test_hu_are_named_only_where_they_are_said(make_dicom: MakeDicom, elements: dict[str, bytes], unit: str) -> None:
    """By Rescale Type, or the lack of one in CT; never of a localizer or another modality."""
    sop_class = {"SOPClassUID": "1.2.3"} if "Modality" in elements else {}
    assert frame_of(with_octets(make_dicom(RAMP, **CT, **sop_class), **elements)).unit == unit


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": b"x", "WindowWidth": b"400"},
        {"WindowCenter": b"40", "WindowWidth": b""},
        {"WindowCenter": b"40", "WindowWidth": b"0"},
        {"WindowCenter": b"40", "WindowWidth": b"nan"},
        {"WindowCenter": b"40", "WindowWidth": b"400", "VOILUTFunction": b"CUBIC"},
    ],
)
def test_a_malformed_window_is_none(make_dicom: MakeDicom, elements: dict[str, bytes]) -> None:
    """Of an unknown function too: the window is then of the values."""
    assert frame_of(with_octets(make_dicom(RAMP, **CT), **elements)).window.source == "percentiles"


@pytest.mark.parametrize("octets", [b"0.7", b"0.7\\x", b"0\\0", b"-1\\-1", b"1\\2\\3", b"", b"nan\\1", b"5000\\5000"])
def test_a_malformed_spacing_is_none(make_dicom: MakeDicom, octets: bytes) -> None:
    """Neither a half, nor zero or negative ones."""
    assert frame_of(with_octets(make_dicom(RAMP, **CT), PixelSpacing=octets)).metadata.spacing is None


def test_a_decimal_comma_in_a_spacing_is_read(make_dicom: MakeDicom) -> None:
    """As in every decimal string."""
    spacing = frame_of(with_octets(make_dicom(RAMP, **CT), PixelSpacing=b"0,7\\0,8")).metadata.spacing
    assert spacing is not None
    assert (spacing.row_mm, spacing.column_mm) == (0.7, 0.8)


@pytest.mark.parametrize("keyword", ["NumberOfFrames", "BitsStored", "PixelRepresentation"])
def test_what_pixels_cannot_be_read_without_is_named(make_dicom: MakeDicom, keyword: str) -> None:
    """The refusal tells the attribute, never the value."""
    with pytest.raises(causes.MalformedAttribute) as caught:
        open_source(with_octets(make_dicom(RAMP, **CT), **{keyword: b"Mary"}), FramePolicy())
    assert "is malformed" in str(caught.value)
    assert "Mary" not in str(caught.value)


@pytest.mark.parametrize(
    ("elements", "known"),
    [
        ({"PatientOrientation": ["L", "F"]}, True),
        ({"PatientOrientation": ["LPH", "FP"]}, True),
        ({"PatientOrientation": ["LE", "PR"]}, False),
        ({"PatientOrientation": ["RT", "D"]}, False),
        ({"PatientOrientation": ["L", "R"]}, False),
        ({"PatientOrientation": ["LR", "F"]}, False),
        ({"PatientOrientation": ["L"]}, False),
        ({"PatientOrientation": ["L", "F", "A"]}, False),
        ({"PatientOrientation": ["l", "f"]}, False),
        ({"PatientOrientation": ["L", "F"], "AnatomicalOrientationType": "QUADRUPED"}, False),
        ({"PatientOrientation": ["L", "F"], "AnatomicalOrientationType": "BIPED"}, True),
        ({"PatientOrientation": ["L", "F"], "AnatomicalOrientationType": "BIPEDAL"}, False),
        (AXES, True),
        (AXES | {"AnatomicalOrientationType": "QUADRUPED"}, False),
        (AXES | {"PatientOrientation": ["L", "P"]}, True),
        (AXES | {"PatientOrientation": ["R", "P"]}, False),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0], "PatientOrientation": ["L", "P"]}, False),
        ({"ImageOrientationPatient": [1, 0, 0], "PatientOrientation": ["L", "P"]}, False),
    ],
)
def test_sides_are_told_where_all_say_the_same(elements: dict[str, Any], known: bool) -> None:
    """Of a person, in the letters for one, without contradiction."""
    assert (metadata_of(**elements).orientation is not None) is known


@pytest.mark.parametrize(
    ("elements", "side"),
    [
        ({"ImageLaterality": "L"}, "left"),
        ({"Laterality": "R"}, "right"),
        ({"ImageLaterality": "L", "Laterality": "R"}, None),
        ({"ImageLaterality": "L", "Laterality": "L"}, "left"),
        ({"ImageLaterality": "L", "Laterality": ""}, "left"),
        ({"ImageLaterality": "X", "Laterality": "L"}, None),
        ({"ImageLaterality": "LEFT"}, None),
        ({"ImageLaterality": ["L", "R"]}, None),
        ({"ImageLaterality": "U"}, None),
        ({"ImageLaterality": "B"}, "both"),
    ],
)
def test_a_laterality_is_told_where_none_contradicts_it(elements: dict[str, Any], side: str | None) -> None:
    """One that is malformed contradicts all others."""
    assert metadata_of(**elements).laterality == side


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        *(
            (word, False)
            for word in (
                "NONE",
                "none.",
                "NO",
                "N",
                "0",
                "N/A",
                "WITHOUT",
                "UNKNOWN",
                "OHNE",
                "ohne KM",
                "KEIN",
                "Kein Kontrastmittel",
                "SIN CONTRASTE",
                "NON",
                "NIL",
                "No contrast",
                "w/o contrast",
                "NON-CONTRAST",
                "sans injection",
                "Senza mdc",
                "unenhanced",
                "Omnipaque not given",
                "NULL",
                "000",
                "sem contraste",
                "NATIVE",
                "PRE CONTRAST",
            )
        ),
        *((word, None) for word in ("-", "?", "X", "Mary", "see notes", "999", "...")),
        *(
            (word, True)
            for word in (
                "OMNIPAQUE 350",
                "Ultravist-370",
                "Iohexol",
                "gadobutrol",
                "GADOVIST 1.0",
                "IV",
                "I.V. contrast",
                "YES",
                "APPLIED",
                "Contraste yodado",
                "Kontrastmittel",
                "Dotarem 10 ml",
                "barium",
                "SonoVue",
                "Iomeron 400",
                "contrast & oral",
            )
        ),
    ],
)
def test_a_contrast_agent_is_one_that_is_named(text: str, agent: bool | None) -> None:
    """No word for none is an agent, in whatever language; nor is a word that nobody knows."""
    assert names_agent(text) is agent
    assert metadata_of(ContrastBolusAgent=text).contrast_agent is (True if agent else None)


def test_a_volume_makes_an_unknown_agent_one() -> None:
    """And a code that says none makes a named one none."""
    assert metadata_of(ContrastBolusAgent="Novum 17", ContrastBolusVolume="80").contrast_agent is True
    assert metadata_of(ContrastBolusAgent="Novum 17", ContrastBolusVolume="0").contrast_agent is None
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "373067005", "SCT"
    assert metadata_of(ContrastBolusAgent="Iohexol", ContrastBolusAgentSequence=[code]).contrast_agent is None
    code.CodeValue = "109218001"
    assert metadata_of(ContrastBolusAgentSequence=[code]).contrast_agent is True


@pytest.mark.parametrize(
    ("elements", "localizer"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, True),
        ({"ImageType": ["DERIVED", "PRIMARY", "OTHER", "SCOUT"]}, True),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SURVIEW"]}, True),
        ({"ScanOptions": "SCOUT MODE"}, True),
        ({"SeriesDescription": "Topogram 0.6"}, True),
        ({"SeriesDescription": "chest SURVIEW"}, True),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "SeriesDescription": "Chest after scout"}, False),
        ({"AcquisitionType": "CONSTANT_ANGLE"}, True),
        ({"AcquisitionType": "SPIRAL"}, False),
        ({"Modality": "MR", "SeriesDescription": "Survey"}, True),
        ({"Modality": "MR", "ProtocolName": "localizer"}, True),
        ({"SeriesDescription": "Skeletal survey"}, False),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, False),
        ({}, False),
    ],
)
def test_images_that_plan_others_are_told_apart(elements: dict[str, Any], localizer: bool) -> None:
    """By the words of the standard and of the makers."""
    assert is_localizer(header_of(**elements), 0) is localizer
    assert metadata_of(**elements).localizer is (True if localizer else None)


@pytest.mark.parametrize(
    ("elements", "modality"),
    [
        ({"Modality": "CR", "ViewPosition": "PA"}, "X-ray"),
        ({"Modality": "NM"}, "nuclear medicine"),
        ({"Modality": "CT"}, "CT"),
        ({"Modality": "DX", "SamplesPerPixel": 3, "ViewPosition": "PA"}, "X-ray"),
        ({"Modality": "CT", "SamplesPerPixel": 3}, "unknown"),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "unknown"),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, "unknown"),
        ({"Modality": "OT"}, "unknown"),
        ({"Modality": "US", "SamplesPerPixel": 3}, "ultrasound"),
    ],
)
def test_a_secondary_capture_has_the_modality_that_it_names(elements: dict[str, Any], modality: str) -> None:
    """Unless it is of a screen."""
    assert metadata_of(SOPClassUID="1.2.840.10008.5.1.4.1.1.7", **elements).modality == modality


def test_a_secondary_capture_of_ct_is_in_hu_only_where_it_says_so(make_dicom: MakeDicom) -> None:
    """Its grey values are often those of a window."""
    capture = {**CT, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}
    assert frame_of(make_dicom(RAMP, **capture)).unit == "rescaled value"
    assert frame_of(make_dicom(RAMP, **capture, RescaleType="HU")).unit == "HU"


@pytest.mark.parametrize(
    ("text", "organ"),
    [
        ("PET CT SKULL BASE TO MID THIGH", "whole body"),
        ("HEAD TO TOE", "whole body"),
        ("vertex to mid-thigh", "whole body"),
        ("CHEST ABDOMEN PELVIS", None),
        ("CHESTABDPELVIS", None),
        ("HEADNECK", None),
        ("NECK TO PELVIS", None),
        ("NECK OF FEMUR", "hip"),
        ("femoral neck L", "hip"),
        ("HEAD OF PANCREAS", "pancreas"),
        ("BASE OF SKULL", "skull"),
        ("SHOULDER COIL", None),
        ("MR KNEE WITH HEAD NECK COIL", "knee"),
        ("C-ARM FLUORO", None),
        ("CT LUNG WINDOW", None),
        ("CHEST LUNG KERNEL", "chest"),
        ("HEAD FIRST SUPINE", None),
        ("HEART RATE 60 CHEST", "chest"),
        ("ABDOMEN LIVER", "liver"),
        ("THORACIC SPINE", "spine"),
        ("THORACIC AORTA", "aorta"),
        ("HAND AND WRIST", None),
    ],
)
def test_a_title_names_one_part_or_none(text: str, organ: str | None) -> None:
    """Of a coil, a window or a range of parts no one is the part that is shown."""
    assert organ_of(text) == organ
    assert metadata_of(StudyDescription=text).organ == organ
