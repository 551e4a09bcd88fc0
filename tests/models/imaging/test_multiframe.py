"""Objects of many frames: enhanced CT and MR, PET, cine, nuclear medicine, tomosynthesis."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from models.imaging import Frame, FramePolicy, open_source
from schemas.images import Spacing
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

VOLUME = np.arange(3 * 64, dtype=np.uint16).reshape(3, 8, 8)


def frames_of(data: bytes) -> list[Frame]:
    """All frames."""
    return list(open_source(data, FramePolicy()).frames())


def group(**macros: dict[str, Any]) -> Dataset:
    """A functional group: each macro a sequence of one item."""
    item = Dataset()
    for keyword, elements in macros.items():
        macro = Dataset()
        for element, value in elements.items():
            setattr(macro, element, value)
        setattr(item, keyword, [macro])
    return item


def test_enhanced_ct_takes_each_attribute_where_it_is(make_dicom: MakeDicom) -> None:
    """Rescale and tube voltage shared, window and orientation per frame, spacing of one frame its own."""
    shared = group(
        PixelValueTransformationSequence={"RescaleSlope": 2, "RescaleIntercept": -1024, "RescaleType": "HU"},
        PixelMeasuresSequence={"PixelSpacing": [0.5, 0.5], "SliceThickness": 1.25},
        CTXRayDetailsSequence={"KVP": 100},
    )
    axial, coronal = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
    per_frame = [
        group(
            PlaneOrientationSequence={"ImageOrientationPatient": axes},
            FrameVOILUTSequence={"WindowCenter": center, "WindowWidth": 400},
        )
        for axes, center in ((axial, -900), (axial, -800), (coronal, -700))
    ]
    per_frame[1].PixelMeasuresSequence = group(PixelMeasuresSequence={"PixelSpacing": [0.7, 0.7]}).PixelMeasuresSequence
    data = make_dicom(
        VOLUME,
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=per_frame,
    )
    frames = frames_of(data)
    np.testing.assert_array_equal([frame.values for frame in frames], VOLUME * 2.0 - 1024)
    assert {frame.unit for frame in frames} == {"HU"}
    assert [frame.window.center for frame in frames] == [-900, -800, -700]
    assert [frame.metadata.plane for frame in frames] == ["axial", "axial", "coronal"]
    assert [frame.metadata.spacing and frame.metadata.spacing.row_mm for frame in frames] == [0.5, 0.7, 0.5]
    assert {frame.metadata.tube_voltage_kv for frame in frames} == {100}
    assert len({frame.image_id for frame in frames}) == 3


def test_enhanced_mr_has_the_echo_of_each_frame(make_dicom: MakeDicom) -> None:
    """A multi-echo series in one object."""
    data = make_dicom(
        VOLUME,
        Modality="MR",
        SharedFunctionalGroupsSequence=[group(MRTimingAndRelatedParametersSequence={"RepetitionTime": 2500})],
        PerFrameFunctionalGroupsSequence=[group(MREchoSequence={"EffectiveEchoTime": time}) for time in (10, 50, 90)],
    )
    metadata = [frame.metadata for frame in frames_of(data)]
    assert [each.echo_time_ms for each in metadata] == [10, 50, 90]
    assert {each.repetition_time_ms for each in metadata} == {2500}


@pytest.mark.parametrize("table", [True, False], ids=["offset table", "markers alone"])
def test_a_cine_whose_frames_are_split_into_fragments_is_whole(make_dicom: MakeDicom, table: bool) -> None:
    """Two fragments a frame, found by the offset table or by the codestreams' own ends."""
    images: list[NDArray[np.uint8]] = [np.full((16, 16), level, np.uint8) for level in (20, 120, 220)]
    streams = [cv2.imencode(".jpg", image)[1].tobytes() for image in images]
    streams = [stream + b"\0" * (len(stream) % 2) for stream in streams]
    dataset = pydicom.dcmread(BytesIO(make_dicom(np.stack(images), Modality="US")))
    dataset.PixelData = encapsulate(streams, fragments_per_frame=2, has_bot=table)
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    assert [frame.stored.mean() for frame in frames_of(file.getvalue())] == [20, 120, 220]


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("color3d_jpeg_baseline.dcm", 120),
        ("examples_ybr_color.dcm", 30),
        ("emri_small.dcm", 10),
        ("rtdose.dcm", 15),
        ("OBXXXX1A_rle_2frame.dcm", 2),
        ("SC_rgb_rle_16bit_2frame.dcm", 2),
        ("eCT_Supplemental.dcm", 2),
    ],
)
def test_frames_are_those_of_pydicom(sample: Callable[[str], bytes], name: str, count: int) -> None:
    """As many, in order, none of them another's: the first, the last and one between are unlike."""
    source = open_source(sample(name), FramePolicy())
    assert source.frames_total == count
    ends = [source.read(index).image_id for index in (0, count // 2, count - 1)]
    assert len(set(ends)) == len({0, count // 2, count - 1})


def test_a_spect_volume_is_oriented_by_its_detector_item(make_dicom: MakeDicom) -> None:
    """Reconstructed tomograms only: a planar view's detector says nothing of the patient's axes."""
    detector = Dataset()
    detector.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    elements = {"Modality": "NM", "DetectorInformationSequence": [detector], "PixelSpacing": [4.8, 4.8]}
    tomogram = frames_of(make_dicom(VOLUME, ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"], **elements))
    planar = frames_of(make_dicom(VOLUME, ImageType=["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"], **elements))
    assert {frame.metadata.plane for frame in tomogram} == {"axial"}
    assert {frame.metadata.plane for frame in planar} == {None}
    assert tomogram[0].metadata.modality == "nuclear medicine"
    assert tomogram[2].metadata.spacing == Spacing(row_mm=4.8, column_mm=4.8, source="PixelSpacing")


def test_tomosynthesis_has_side_view_and_spacing_of_its_groups(make_dicom: MakeDicom) -> None:
    """Breast tomosynthesis: laterality in Frame Anatomy, the view as a code."""
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "399368009", "SCT", "medio-lateral oblique"
    data = make_dicom(
        VOLUME,
        Modality="MG",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.13.1.3",
        ViewCodeSequence=[view],
        SharedFunctionalGroupsSequence=[
            group(
                FrameAnatomySequence={"FrameLaterality": "R"},
                PixelMeasuresSequence={"PixelSpacing": [0.1, 0.1], "SliceThickness": 1},
            )
        ],
    )
    metadata = frames_of(data)[1].metadata
    assert (metadata.laterality, metadata.view, metadata.organ) == ("right", "MLO", "breast")
    assert metadata.spacing == Spacing(row_mm=0.1, column_mm=0.1, source="PixelSpacing")
    assert metadata.slice_thickness_mm == 1


def test_a_cine_angiogram_is_measured_at_the_detector_unless_magnification_is_known(make_dicom: MakeDicom) -> None:
    """XA: Imager Pixel Spacing, divided by the estimated magnification."""
    cine = np.zeros((3, 8, 8), np.uint8)
    elements = {"Modality": "XA", "ImagerPixelSpacing": [0.3, 0.3]}
    (plain, *_), (corrected, *_) = (
        frames_of(make_dicom(cine, **elements)),
        frames_of(make_dicom(cine, **elements, EstimatedRadiographicMagnificationFactor=1.5)),
    )
    assert plain.metadata.spacing == Spacing(row_mm=0.3, column_mm=0.3, source="ImagerPixelSpacing")
    assert corrected.metadata.spacing is not None
    assert corrected.metadata.spacing.row_mm == pytest.approx(0.2)
