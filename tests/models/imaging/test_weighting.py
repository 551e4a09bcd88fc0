"""What an MR image is weighted for: only what the header proves, and never a word of a description."""

from typing import get_args

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from models.imaging import FramePolicy, open_source
from models.imaging.header import Header
from models.imaging.metadata import read_metadata
from models.knowledge.conditions import holding
from schemas.images import ImageMetadata, Weighting
from schemas.knowledge import CONDITIONS
from schemas.regions import Grounding, Intensity
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

MR = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
FLAIR = {"ScanningSequence": ["SE", "IR"], "InversionTime": 2500, "EchoTime": 120, "RepetitionTime": 9000}


def metadata_of(**elements: object) -> ImageMetadata:
    """Metadata of an object with these elements."""
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return read_metadata(Header(dataset, ExplicitVRLittleEndian), 0, 1)


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        (FLAIR, "FLAIR"),
        (FLAIR | {"InversionTime": 160}, None),
        (FLAIR | {"EchoTime": 10}, None),
        (FLAIR | {"ScanningSequence": "SE"}, None),
        ({"AcquisitionContrast": "FLUID_ATTENUATED"}, "FLAIR"),
        ({"AcquisitionContrast": "T1", "EchoTime": 10}, "T1-weighted"),
        ({"AcquisitionContrast": "TOF", "SeriesDescription": "T1"}, None),
        ({"DiffusionBValue": 1000.0}, "diffusion-weighted"),
        ({"DiffusionBValue": 0.0}, None),
        ({"DiffusionBValue": 1000.0, "ImageType": ["DERIVED", "PRIMARY", "ADC"]}, None),
        ({"SeriesDescription": "AX T2 FLAIR Doe", "EchoTime": 120, "ScanningSequence": ["SE", "IR"]}, "FLAIR"),
        ({"SeriesDescription": "AX FLAIR", "EchoTime": 120, "ScanningSequence": "SE"}, None),
        ({"SeriesDescription": "sag_T2_tse", "EchoTime": 100}, "T2-weighted"),
        ({"SeriesDescription": "sag T2*", "EchoTime": 70, "ScanningSequence": "GR"}, None),
        ({"SeriesDescription": "T1 post", "EchoTime": 10}, "T1-weighted"),
        ({"SeriesDescription": "T1 post", "EchoTime": 100}, None),
        ({"SeriesDescription": "T1", "ProtocolName": "T2", "EchoTime": 100}, None),
        ({"SeriesDescription": "Doe T2WEIGHT", "EchoTime": 100}, None),
        ({"SeriesDescription": "T2 mapping", "EchoTime": 90}, None),
        ({"SeriesDescription": "T1 quantification", "EchoTime": 10}, None),
        ({"SeriesDescription": "PD T2", "EchoTime": 90}, None),
        ({"AcquisitionContrast": "T2", "ImageType": ["DERIVED", "PRIMARY", "RELAXOMETRY", "T2_MAP"]}, None),
        ({"AcquisitionContrast": "T1", "ImageType": ["DERIVED", "PRIMARY", "T1", "SUBTRACTION"]}, None),
        ({"SeriesDescription": "T2"}, None),
        ({"EchoTime": 100, "RepetitionTime": 4000}, None),
    ],
)
def test_weighting(elements: dict[str, object], expected: str | None) -> None:
    """By the standard's word, a diffusion weight, an inversion that nulls fluid, a description that times bear out."""
    assert metadata_of(**(MR | elements)).weighting == expected


def test_read_from_a_file(make_dicom: MakeDicom) -> None:
    """The elements are among those that are read of a file at all."""
    data = make_dicom(np.zeros((8, 8), np.uint16), **(MR | FLAIR))
    assert open_source(data, FramePolicy()).read(0).metadata.weighting == "FLAIR"


def test_another_modality_has_none() -> None:
    """A CT series whose description says T2 is not weighted."""
    assert metadata_of(Modality="CT", SeriesDescription="T2", EchoTime=100).weighting is None


def test_what_is_known_holds_and_replaces_what_times_suggest() -> None:
    """A FLAIR is not taken for T2-weighted by its times; each weighting is a condition of passages."""
    values = Intensity(minimum=0, maximum=1, mean=0, standard_deviation=0, unit="stored value")
    grounding = Grounding.model_construct(regions=(), intensity=values)
    metadata = ImageMetadata(source_format="DICOM", modality="MR", repetition_time_ms=9000, echo_time_ms=120)
    assert "T2-weighted" in holding(metadata, grounding, 1)
    known = holding(metadata.model_copy(update={"weighting": "FLAIR"}), grounding, 1)
    assert "FLAIR" in known
    assert "T2-weighted" not in known
    assert set(get_args(Weighting)) <= set(CONDITIONS)
