"""What other writers put into the same attributes: their words for a localizer, codes for a view, ends of a range."""

from typing import Any

import numpy as np
import pytest
from pydicom import DataElement, Dataset
from pydicom.uid import ExplicitVRLittleEndian

from models.imaging import FramePolicy, open_source
from models.imaging.contrast import names_agent
from models.imaging.deidentify.descriptors import known_terms
from models.imaging.errors import MalformedAttribute
from models.imaging.given.concepts import named
from models.imaging.header import Header
from models.imaging.metadata import read_metadata
from models.imaging.suv import suv_factor
from models.imaging.vocabulary import MARKED_REGION, organ_of
from schemas.images import ImageMetadata
from tests.models.imaging.samples import MakeDicom

ORIGINAL = ["ORIGINAL", "PRIMARY"]


def item(**elements: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def code(value: str, scheme: str = "SCT") -> list[Dataset]:
    return [item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning="of no account")]


def metadata_of(**elements: Any) -> ImageMetadata:
    return read_metadata(Header(item(**{"Modality": "CT"} | elements), ExplicitVRLittleEndian), 0, 1)


@pytest.mark.parametrize("elements", [
    {"ImageType": ["ORIGINAL", "SECONDARY", "OTHER", "CT_SOM4 TOP"]}, {"ImageType": [*ORIGINAL, "SCANO"]},
    *({"ImageType": ORIGINAL, "SeriesDescription": text} for text in (
        "Scanoscope", "Topogramm Abdomen", "Topo Thorax", "PILOT", "LOCALIZADOR", "Localizzatore", "REPERAGE",
        "UEBERSICHT", "ScoutView", "3-PLANE LOC", "LOCALIZERS",
    )),
    *({"Modality": "MR", "ImageType": ORIGINAL, "SeriesDescription": text} for text in (
        "AAHScout_MPR_cor", "Lokalizer", "LOC SSFSE", "SmartBrain",
    )),
])  # fmt: skip
def test_a_localizer_goes_by_many_words(elements: dict[str, Any]) -> None:
    """Those of vendors and of other languages (PS3.3 C.8.2.1.1.1 defines one, LOCALIZER)."""
    assert metadata_of(**elements).localizer is True


@pytest.mark.parametrize("text", ["Needle Loc breast", "WIRE LOC", "SKELETAL SURVEY", "Locke T1"])
def test_not_every_word_like_them_is_a_localizer(text: str) -> None:
    """A lesion is localized with a wire, too."""
    assert metadata_of(Modality="MR", ImageType=ORIGINAL, SeriesDescription=text).localizer is None


@pytest.mark.parametrize(("elements", "view"), [
    ({"ViewCodeSequence": code("399348003")}, "AP"), ({"ViewCodeSequence": code("272479007")}, "PA"),
    ({"ViewCodeSequence": code("R-10232", "SRT")}, "RL"), ({"ViewCodeSequence": code("399101009")}, "XCCM"),
    ({"ViewCodeSequence": code("399196006")}, "FB"), ({"ViewCodeSequence": code("399356000")}, None),
    ({"ViewCodeSequence": code("399348003"), "ViewPosition": "PA"}, None),
    ({"ViewCodeSequence": code("R-10236", "SRT"), "ViewPosition": "LAT"}, "LL"),
    ({"ViewCodeSequence": code("399162004", "99ACME")}, None),
])  # fmt: skip
def test_a_view_is_read_by_its_code(elements: dict[str, Any], view: str | None) -> None:
    """PS3.16 CID 4010 and 4014. A right anterior oblique has no term of View Position (PS3.3 C.8.1.1.1.1)."""
    assert metadata_of(Modality="DX", **elements).view == view


def test_a_side_that_another_attribute_contradicts_is_not_told() -> None:
    """The modifier of the region (PS3.16 CID 244), and the description of the series."""
    right = item(AnatomicRegionModifierSequence=code("24028007"))
    assert metadata_of(AnatomicRegionSequence=[right]).laterality == "right"
    assert metadata_of(AnatomicRegionSequence=[right], ImageLaterality="L").laterality is None
    assert metadata_of(ImageLaterality="R", SeriesDescription="KNEE LEFT").laterality is None
    assert metadata_of(ImageLaterality="R", SeriesDescription="KNEES RIGHT AND LEFT").laterality == "right"


@pytest.mark.parametrize(("text", "organ"), [
    ("PET CT SKULL BASE TO MIDTHIGH", "whole body"), ("SKULL BASE TO PROXIMAL THIGHS", "whole body"),
    ("SKULL-MIDTHIGH", None), ("NOSE TO THIGH", None), ("BASE OF SKULL TO CARINA", None), ("CRANE A MI-CUISSE", None),
    ("SCHAEDELBASIS BIS BECKEN", None), ("LUNG BASES TO SYMPHYSIS", None), ("LEG RAISED CT ABDOMEN", "abdomen"),
])  # fmt: skip
def test_one_end_of_a_range_is_not_what_is_shown(text: str, organ: str | None) -> None:
    """In the whole text and in what the profile leaves of it."""
    assert organ_of(text) == organ_of(known_terms(text)) == organ


@pytest.mark.parametrize(("text", "organ"), [
    ("METASTATIC BREAST CA CT CHEST", "chest"), ("PROSTATE CANCER PSMA PET", None), ("HEART FAILURE CXR", None),
    ("BREAST CENTER CT CHEST", "chest"), ("HEART CENTRE CT ABDOMEN", "abdomen"), ("LUNG CANCER SCREENING", "lung"),
    ("MR LIVER LESION", "liver"),
])  # fmt: skip
def test_why_and_where_an_image_was_made_is_not_what_it_shows(text: str, organ: str | None) -> None:
    """A part that has a disease, or whose name a clinic bears."""
    assert organ_of(text) == organ_of(known_terms(text)) == organ


@pytest.mark.parametrize(
    "text", ["0 ml", "0ml Omnipaque", "hold contrast", "oral water", "Saline", "kontrastsiz", "kontrastfrei"]
)
def test_nothing_or_water_is_no_contrast_agent(text: str) -> None:
    """In further words."""
    assert names_agent(text) is False
    assert names_agent("iohexol 100 mL") is names_agent("Gadovist 1.0") is True


@pytest.mark.parametrize("elements", [
    {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"},
    {"ImageType": ["DERIVED", "SECONDARY", "OTHER", "DOSE_INFO"], "RescaleType": "HU"},
])  # fmt: skip
def test_hounsfield_units_are_those_of_ct_images_alone(make_dicom: MakeDicom, elements: dict[str, Any]) -> None:
    """PS3.3 C.8.2.1 promises them for objects of CT, not for those of another class, nor for a page of doses."""
    rescaled = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
    pixels = np.eye(8, dtype=np.uint16)
    (without,) = open_source(make_dicom(pixels, **rescaled, **elements), FramePolicy(), burned_in=None).frames()
    (plain,) = open_source(make_dicom(pixels, **rescaled), FramePolicy(), burned_in=None).frames()
    assert (without.unit, plain.unit) == ("rescaled value", "HU")


def test_a_map_of_diffusion_is_not_diffusion_weighted() -> None:
    """Acquisition Contrast of an ADC map is DIFFUSION too (PS3.3 C.8.13.3.1.4), and its dark is the other's bright."""
    frame_type = item(FrameType=["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], AcquisitionContrast="DIFFUSION")
    groups = [item(MRImageFrameTypeSequence=[frame_type])]
    assert metadata_of(Modality="MR", SharedFunctionalGroupsSequence=groups).weighting is None
    frame_type.FrameType = ["ORIGINAL", "PRIMARY", "DIFFUSION", "NONE"]
    assert metadata_of(Modality="MR", SharedFunctionalGroupsSequence=groups).weighting == "diffusion-weighted"


@pytest.mark.parametrize(("nuclide", "told"), [("77004003", True), ("C-111A1", True), ("40565003", False)])
def test_a_half_life_is_that_of_the_nuclide_that_is_named(nuclide: str, told: bool) -> None:
    """PS3.16 CID 4020: fluorine-18 has 110 minutes, carbon-11 has not."""
    drug = item(
        RadionuclideTotalDose=370e6, RadionuclideHalfLife=6586.2, RadiopharmaceuticalStartTime="091500",
        RadionuclideCodeSequence=code(nuclide),
    )  # fmt: skip
    header = item(
        DecayCorrection="START", CorrectedImage=["ATTN", "DECY"], PatientWeight="70", SeriesDate="20240301",
        SeriesTime="101500", AcquisitionDate="20240301", AcquisitionTime="101500",
        RadiopharmaceuticalInformationSequence=[drug],
    )  # fmt: skip
    assert (suv_factor(Header(header, ExplicitVRLittleEndian)) is not None) is told


def test_a_table_of_16_bits_is_not_read_as_bytes(make_dicom: MakeDicom) -> None:
    """One entry short, it is malformed; only entries of 8 bits can be two to a word (PS3.3 C.11.1.1.1)."""
    table = Dataset()
    table.add(DataElement(0x00283002, "US", [5, 0, 16]))
    table.add(DataElement(0x00283006, "OW", np.arange(100, 500, 100, dtype=np.uint16).tobytes()))
    source = open_source(make_dicom(np.eye(8, dtype=np.uint16), ModalityLUTSequence=[table]), FramePolicy())
    with pytest.raises(MalformedAttribute):
        list(source.frames())


def test_a_region_that_codes_and_name_put_on_two_sides_is_on_neither() -> None:
    """PS3.3 C.8.20.4: the modifier of the property, and the segment's label, which people write."""
    header = Header(Dataset(), ExplicitVRLittleEndian)
    lung, left = code("39607008"), code("7771000")
    assert named(header, tuple(lung), "Lung L", sides=tuple(left)).label == "left lung"
    assert named(header, tuple(lung), "Lung_R", sides=tuple(left)).label == "lung"
    assert named(header, (), "kidney right", sides=tuple(left)).label == MARKED_REGION
