"""PET activity as SUVbw, where the attributes tell, and as it is where they do not."""

from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from models.imaging import Frame, FramePolicy, open_source
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

ACTIVITY = np.arange(0, 25_600, 100, dtype=np.int16).reshape(16, 16)
HALF_LIFE = 6586.2
WHOLE: dict[str, Any] = {
    "Modality": "PT",
    "Units": "BQML",
    "RescaleSlope": 0.5,
    "RescaleIntercept": 0,
    "DecayCorrection": "START",
    "CorrectedImage": ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"],
    "PatientWeight": 70.0,
    "SeriesDate": "20240301",
    "SeriesTime": "101500.00",
    "AcquisitionDate": "20240301",
    "AcquisitionTime": "101500.00",
}


def frame_of(make_dicom: MakeDicom, *, drug: dict[str, Any] | None = None, **elements: Any) -> Frame:
    """A PET slice an hour after 370 MBq, but for what is changed here; None leaves out."""
    injected = Dataset()
    injected.RadionuclideTotalDose = 370e6
    injected.RadionuclideHalfLife = HALF_LIFE
    injected.RadiopharmaceuticalStartTime = "091500"
    for keyword, value in (drug or {}).items():
        setattr(injected, keyword, value)
    kept = {word: value for word, value in (WHOLE | elements).items() if value is not None}
    data = make_dicom(ACTIVITY, RadiopharmaceuticalInformationSequence=[injected], **kept)
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


@pytest.mark.parametrize(
    ("elements", "drug", "seconds"),
    [
        ({}, {}, 3600),
        ({"DecayCorrection": "ADMIN"}, {}, 0),
        (
            {},
            {"RadiopharmaceuticalStartTime": "231500", "RadiopharmaceuticalStartDateTime": "20240229231500.000000"},
            39600,
        ),
        ({"AcquisitionTime": "103000"}, {}, 3600),
    ],
    ids=["decayed to the scan", "to the injection", "injected the day before", "a later bed position"],
)
def test_suv_is_activity_times_weight_by_dose(
    make_dicom: MakeDicom, elements: dict[str, Any], drug: dict[str, Any], seconds: float
) -> None:
    """In g/ml, with the dose decayed to the moment that the image is corrected to."""
    frame = frame_of(make_dicom, drug=drug, **elements)
    dose = 370e6 * 0.5 ** (seconds / HALF_LIFE)
    assert frame.unit == "SUVbw"
    np.testing.assert_allclose(frame.values, ACTIVITY * 0.5 * 70_000 / dose, rtol=1e-5)


@pytest.mark.parametrize(
    ("started", "clock", "seconds"),
    [
        ({"RadiopharmaceuticalStartDateTime": "20240301081500+0000"}, "+0100", 3600),
        ({"RadiopharmaceuticalStartDateTime": "20240301091500.00+0100"}, "+0100", 3600),
        ({"RadiopharmaceuticalStartDateTime": "20240301021500-0500"}, "+0100", 7200),
        ({"RadiopharmaceuticalStartDateTime": "20240301081500+0000"}, None, 3600),  # by the time beside it
        ({"RadiopharmaceuticalStartDateTime": "20240301091500"}, "+0900", 3600),
        ({"RadiopharmaceuticalStartTime": "09:15:00"}, None, 3600),
        ({"RadiopharmaceuticalStartTime": "2315"}, None, 11 * 3600),  # the evening before
    ],
)
def test_decay_is_over_the_true_interval(
    make_dicom: MakeDicom, started: dict[str, str], clock: str | None, seconds: float
) -> None:
    """Whatever the zone that the injection is told in, and across midnight."""
    zone = {"TimezoneOffsetFromUTC": clock} if clock else {}
    frame = frame_of(make_dicom, drug=started, **zone)
    dose = 370e6 * 0.5 ** (seconds / HALF_LIFE)
    np.testing.assert_allclose(frame.values, ACTIVITY * 0.5 * 70_000 / dose, rtol=1e-5)


@pytest.mark.parametrize(
    ("elements", "drug"),
    [
        # Whose clock the scanner's is, nothing tells.
        ({}, {"RadiopharmaceuticalStartDateTime": "20240301091500+0530", "RadiopharmaceuticalStartTime": "120000"}),
        ({"TimezoneOffsetFromUTC": "CET"}, {"RadiopharmaceuticalStartDateTime": "20240301081500+0000"}),
        ({"TimezoneOffsetFromUTC": "+01:00"}, {"RadiopharmaceuticalStartDateTime": "20240301081500+0000"}),
        ({"TimezoneOffsetFromUTC": "+0100"}, {"RadiopharmaceuticalStartDateTime": "20240301081500+9900"}),
        ({}, {"RadiopharmaceuticalStartDateTime": "20240301"}),
        # Two times of one injection on one clock.
        ({}, {"RadiopharmaceuticalStartDateTime": "20240301081500"}),
        ({}, {"RadiopharmaceuticalStartDateTime": "20240231091500"}),
        ({}, {"RadiopharmaceuticalStartDateTime": "20240301101600"}),
        ({}, {"RadiopharmaceuticalStartTime": "091500+0100"}),
        ({}, {"RadiopharmaceuticalStartTime": "251500"}),
        ({}, {"RadiopharmaceuticalStartTime": "101600"}),
        ({"SeriesDate": "99991231", "AcquisitionDate": "99991231", "SeriesTime": "235960"}, {}),
        ({}, {"RadiopharmaceuticalStartDateTime": "00010101000000+1400"}),
        ({}, {"RadionuclideHalfLife": 109.8}),  # minutes
        ({}, {"RadionuclideHalfLife": 282_300}),  # imaged days after a start time without a date
        ({}, {"RadionuclideTotalDose": 370e3}),  # kBq
        ({"PatientWeight": 70_000}, {}),
        ({"PatientWeight": None}, {}),
        ({"PatientWeight": 0.0}, {}),
        ({"DecayCorrection": "NONE"}, {}),
        ({"CorrectedImage": ["NORM"]}, {}),
        ({"SeriesTime": None}, {}),
        ({"SeriesTime": "180000"}, {}),
        ({}, {"RadionuclideTotalDose": 370}),
        ({}, {"RadionuclideHalfLife": 0}),
        ({}, {"RadiopharmaceuticalStartTime": "120000"}),
        ({}, {"RadiopharmaceuticalStartTime": "x"}),
    ],
)
def test_what_is_not_certain_stays_activity(
    make_dicom: MakeDicom, elements: dict[str, Any], drug: dict[str, Any]
) -> None:
    """A missing or impossible weight, dose or time, or a series made after its acquisition: Bq/ml."""
    frame = frame_of(make_dicom, drug=drug, **elements)
    assert frame.unit == "Bq/ml"
    np.testing.assert_allclose(frame.values, ACTIVITY * 0.5)


def test_values_that_are_suv_already_are_named_so(make_dicom: MakeDicom) -> None:
    """Units GML is SUV by body weight, unless the type says otherwise (PS3.3 C.8.9.1.1.3)."""
    assert frame_of(make_dicom, Units="GML").unit == "SUVbw"
    assert frame_of(make_dicom, Units="GML", SUVType="LBM").unit == "rescaled value"


def test_nothing_of_the_patient_leaves_with_the_factor(make_dicom: MakeDicom) -> None:
    """Weight, dose and times are in no field of the metadata."""
    text = frame_of(make_dicom, PatientWeight=71.5).metadata.model_dump_json()
    assert not any(word in text for word in ("71.5", "20240301", "1015", "0915", "370"))
