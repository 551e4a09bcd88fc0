"""What leaves of a header: closed words and plausible numbers, and nothing else."""

import numpy as np
import pytest
from pydicom import Dataset

from models.imaging import FramePolicy, open_source
from models.imaging.vocabulary import ORGANS, organ_of
from schemas.images import MODALITIES, ImageMetadata, Orientation, Spacing
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


@pytest.fixture
def metadata_of(make_dicom: MakeDicom):
    """Metadata of an object with these elements."""

    def read(**elements: object) -> ImageMetadata:
        return open_source(make_dicom(PIXELS, **elements), FramePolicy()).read(0).metadata

    return read


def test_no_text_of_the_file_gets_out(metadata_of) -> None:
    """A name written into every text element that is read appears nowhere in the metadata."""
    name = "DOE^JANE"
    words = [
        "PatientName", "PatientID", "InstitutionName", "StudyDescription", "SeriesDescription", "ProtocolName",
        "BodyPartExamined", "ViewPosition", "ImageLaterality", "Laterality", "ContrastBolusAgent", "Modality",
        "AnatomicalOrientationType", "LossyImageCompression", "RescaleType", "Units", "DoseUnits", "VOILUTFunction",
        "ImageType", "DecayCorrection", "CorrectedImage", "SUVType", "PixelSpacingCalibrationType",
    ]  # fmt: skip
    anatomy = Dataset()
    anatomy.CodeMeaning = anatomy.CodeValue = name
    metadata = metadata_of(
        **dict.fromkeys(words, name),
        AnatomicRegionSequence=[anatomy],
        ViewCodeSequence=[anatomy],
        PatientOrientation=[name, name],
    )
    assert "DOE" not in metadata.model_dump_json()
    assert metadata.modality == "CT"  # by its SOP class
    assert metadata.modality_code is None


@pytest.mark.parametrize(
    ("code", "sop_class", "modality"),
    [
        ("CT", "1.2.840.10008.5.1.4.1.1.2", "CT"),
        ("DX", "1.2.840.10008.5.1.4.1.1.1.1", "X-ray"),
        ("MG", "1.2.840.10008.5.1.4.1.1.1.2", "mammography"),
        ("SM", "1.2.840.10008.5.1.4.1.1.77.1.6", "histopathology"),
        ("OP", "1.2.840.10008.5.1.4.1.1.77.1.5.1", "fundus photography"),
        ("CT", "1.2.840.10008.5.1.4.1.1.7", "CT"),
        ("CT", "1.2.840.10008.5.1.4.1.1.7.4", "CT"),
        ("SEG", "1.2.840.10008.5.1.4.1.1.66", "other"),
        ("XC", "1.2.840.10008.5.1.4.1.1.77.1.4", "other"),
        ("DMS", "1.2.840.10008.5.1.4.1.1.77.1.7", "dermoscopy"),
        ("ES", "1.2.840.10008.5.1.4.1.1.77.1.1", "endoscopy"),
        ("GM", "1.2.840.10008.5.1.4.1.1.77.1.2", "microscopy"),
        ("GM", "1.2.840.10008.5.1.4.1.1.77.1.6", "histopathology"),
        ("CFM", "1.2.840.10008.5.1.4.1.1.77.1.8", "microscopy"),
        ("OP", "1.2.840.10008.5.1.4.1.1.77.1.5.5", "fundus photography"),
        ("OPT", "1.2.840.10008.5.1.4.1.1.77.1.5.4", "OCT"),
        ("OPTBSV", "1.2.840.10008.5.1.4.1.1.77.1.5.8", "OCT"),
        ("OPTENF", "1.2.840.10008.5.1.4.1.1.77.1.5.7", "other"),
        ("IVOCT", "1.2.840.10008.5.1.4.1.1.14.1", "other"),
        ("PT", "1.2.840.10008.5.1.4.1.1.128", "PET"),
        ("XA", "1.2.840.10008.5.1.4.1.1.12.2", "X-ray"),
        ("MR", "1.2.840.10008.5.1.4.1.1.4.1", "MR"),
        ("US", "1.2.840.10008.5.1.4.1.1.3.1", "ultrasound"),
        ("EC", "1.2.840.10008.5.1.4.1.1.6.1", "ultrasound"),
        ("BMD", "1.2.840.10008.5.1.4.1.1.1", "X-ray"),
        ("PA", "1.2.840.10008.5.1.4.1.1.6.3", "other"),
        ("SR", "1.2.840.10008.5.1.4.1.1.4", "MR"),
        ("SR", "1.2.3", "other"),
        ("SC", "1.2.840.10008.5.1.4.1.1.4", "MR"),
        ("SC", "1.2.3", "unknown"),
    ],
)
def test_modality_follows_its_code(metadata_of, code, sop_class, modality) -> None:
    """Of secondary captures too; visible-light images, whose UIDs begin alike, are not captures."""
    assert modality in MODALITIES
    assert metadata_of(Modality=code, SOPClassUID=sop_class).modality == modality


@pytest.mark.parametrize(("code", "kept"), [("RTRAD", "RTRAD"), ("OPR", "OPR"), ("DR", None), ("ct", None)])
def test_only_defined_terms_are_passed_on_as_codes(metadata_of, code: str, kept: str | None) -> None:
    """Those of objects without pixels and retired ones too; DR, though common, is none."""
    assert metadata_of(Modality=code).modality_code == kept


def test_photographs_are_of_what_their_tags_say(metadata_of) -> None:
    """A dermoscope and the front of the eye are told by words; without them a photograph stays 'other'."""
    photograph = {"Modality": "XC", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}
    assert metadata_of(**photograph, SeriesDescription="Skin of arm").modality == "other"
    skin = metadata_of(**photograph, SeriesDescription="Dermatoscopy arm")
    assert (skin.modality, skin.organ) == ("dermoscopy", "arm")
    eye = {"Modality": "OP", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.5.1"}
    anatomy = Dataset()
    anatomy.CodeMeaning = "Anterior chamber of eye"
    front = metadata_of(**eye, AnatomicRegionSequence=[anatomy])
    assert (front.modality, front.organ) == ("other", "eye")
    assert (metadata_of(**eye).modality, metadata_of(**eye).organ) == ("fundus photography", "retina")


@pytest.mark.parametrize(
    ("text", "organ"),
    [
        ("CHEST", "chest"), ("CSPINE", "spine"), ("MR Left Knee w/o", "knee"), ("T-Spine lat", "spine"),
        ("WHOLEBODY", "whole body"), ("CT ABDOMEN^LIVER", "liver"), ("Jane Handley", None), ("Dr. Chesterton", None),
        ("", None), (None, None), ("thorax PA", "chest"), ("HAND_PA_2", "hand"),
    ],
)  # fmt: skip
def test_organs_are_whole_words_of_the_vocabulary(text: str | None, organ: str | None) -> None:
    """A word inside a name is not an organ."""
    assert organ_of(text) == organ
    assert organ is None or organ in ORGANS


def test_body_part_comes_before_codes_and_codes_before_descriptions(metadata_of) -> None:
    """The most exact attribute that names an organ decides."""
    anatomy = Dataset()
    anatomy.CodeMeaning = "Liver"
    elements = {"StudyDescription": "Brain", "AnatomicRegionSequence": [anatomy]}
    assert metadata_of(**elements).organ == "liver"
    assert metadata_of(**elements, BodyPartExamined="KNEE").organ == "knee"
    assert metadata_of(StudyDescription="Brain", BodyPartExamined="XYZ").organ == "brain"


@pytest.mark.parametrize(
    ("axes", "plane", "right", "down"),
    [
        ([1, 0, 0, 0, 1, 0], "axial", "patient left", "posterior"),
        ([1, 0, 0, 0, 0, -1], "coronal", "patient left", "feet"),
        ([0, 1, 0, 0, 0, -1], "sagittal", "posterior", "feet"),
        ([-1, 0, 0, 0, -1, 0], "axial", "patient right", "anterior"),
        ([0.985, 0, 0.174, 0, 1, 0], "axial", "patient left", "posterior"),
        ([0.9, 0, 0.436, 0, 1, 0], "oblique", "patient left", "posterior"),
    ],
)
def test_plane_and_sides_follow_the_axes(metadata_of, axes, plane, right, down) -> None:
    """Axial, coronal, sagittal within 20 degrees; sides by the patient's axes."""
    metadata = metadata_of(ImageOrientationPatient=axes)
    assert (metadata.plane, metadata.orientation) == (plane, Orientation(right=right, down=down))


@pytest.mark.parametrize("axes", [[1, 0, 0], [0, 0, 0, 0, 0, 0], [2, 0, 0, 0, 2, 0]])
def test_impossible_axes_tell_nothing(metadata_of, axes) -> None:
    """Too few, zero or not of length one."""
    metadata = metadata_of(ImageOrientationPatient=axes)
    assert (metadata.plane, metadata.orientation) == (None, None)


def test_a_radiograph_is_oriented_by_letters(metadata_of) -> None:
    """The first letter of each leads; an animal's letters mean other things."""
    orientation = metadata_of(PatientOrientation=["L", "FR"]).orientation
    assert orientation == Orientation(right="patient left", down="feet")
    assert metadata_of(PatientOrientation=["L", "F"], AnatomicalOrientationType="QUADRUPED").orientation is None
    assert metadata_of(PatientOrientation=["L"]).orientation is None


def ultrasound_region(unit: int, delta: float) -> Dataset:
    """A two-dimensional region calibrated in `unit`."""
    region = Dataset()
    region.RegionSpatialFormat = 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = unit
    region.PhysicalDeltaX, region.PhysicalDeltaY = delta, delta * 2
    return region


@pytest.mark.parametrize(
    ("elements", "spacing"),
    [
        ({"PixelSpacing": [0.5, 0.25], "ImagerPixelSpacing": [1, 1]}, (0.5, 0.25, "PixelSpacing")),
        ({"PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.2, 0.2]}, (0.2, 0.2, "ImagerPixelSpacing")),
        (
            {
                "PixelSpacing": [0.2, 0.2],
                "ImagerPixelSpacing": [0.2, 0.2],
                "PixelSpacingCalibrationType": "FIDUCIAL",
                "EstimatedRadiographicMagnificationFactor": 2,
            },
            (0.2, 0.2, "PixelSpacing"),
        ),
        (
            {"ImagerPixelSpacing": [0.2, 0.4], "EstimatedRadiographicMagnificationFactor": 1.25},
            (0.16, 0.32, "EstimatedRadiographicMagnificationFactor"),
        ),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, (0.1, 0.2, "ImagerPixelSpacing")),
        ({"NominalScannedPixelSpacing": [0.3, 0.3]}, (0.3, 0.3, "NominalScannedPixelSpacing")),
        ({"SequenceOfUltrasoundRegions": [ultrasound_region(3, 0.01)]}, (0.2, 0.1, "SequenceOfUltrasoundRegions")),
        ({"SequenceOfUltrasoundRegions": [ultrasound_region(4, 0.01)]}, None),
        ({"SequenceOfUltrasoundRegions": [ultrasound_region(3, 0.01), ultrasound_region(3, 0.02)]}, None),
        ({"PixelSpacing": [0, 0]}, None),
        ({}, None),
    ],
)
def test_spacing_names_its_source(metadata_of, elements, spacing) -> None:
    """In mm, rows first, in the patient where that is known; ultrasound only in centimetres and where regions agree."""
    expected = spacing and Spacing(row_mm=spacing[0], column_mm=spacing[1], source=spacing[2])
    assert metadata_of(**elements).spacing == expected


@pytest.mark.parametrize(("ratio", "expected"), [([4, 3], 4 / 3), ([1, 1], None), ([0, 1], None), ([1], None)])
def test_pixels_that_are_not_square_say_so(metadata_of, ratio, expected) -> None:
    """Height over width, vertical first (C.7.6.3.1.7)."""
    assert metadata_of(PixelAspectRatio=ratio).pixel_aspect_ratio == expected


def test_acquisition_is_numbers_in_their_units(metadata_of) -> None:
    """Plausible values pass, impossible ones do not."""
    metadata = metadata_of(
        KVP=120, SliceThickness=2.5, RepetitionTime=500, EchoTime=12.5, MagneticFieldStrength=15000, ViewPosition="PA",
        ImageLaterality="L", ContrastBolusAgent="agent and dose", LossyImageCompression="01",
    )  # fmt: skip
    assert metadata.tube_voltage_kv == 120
    assert metadata.slice_thickness_mm == 2.5
    assert (metadata.repetition_time_ms, metadata.echo_time_ms) == (500, 12.5)
    assert metadata.magnetic_field_t is None
    assert (metadata.view, metadata.laterality) == ("PA", "left")
    assert metadata.contrast_agent is True
    assert metadata.lossy_compression is True
    assert metadata.transfer_syntax == "Explicit VR Little Endian"


def test_spacing_and_plane_of_enhanced_objects_come_from_functional_groups(make_dicom: MakeDicom) -> None:
    """Shared first, and per frame where the macro is there."""
    shared, second = Dataset(), Dataset()
    measures, geometry = Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.4, 0.4], 3
    geometry.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    shared.PixelMeasuresSequence = [measures]
    second.PlaneOrientationSequence = [geometry]
    data = make_dicom(
        np.zeros((2, 8, 8), np.uint16),
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[Dataset(), second],
    )
    frames = [frame.metadata for frame in open_source(data, FramePolicy()).frames()]
    assert [frame.plane for frame in frames] == [None, "sagittal"]
    assert all(frame.spacing == Spacing(row_mm=0.4, column_mm=0.4, source="PixelSpacing") for frame in frames)
    assert frames[0].slice_thickness_mm == 3
