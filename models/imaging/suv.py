"""PET activity as standardised uptake value by body weight, as QIBA's FDG-PET profile reads the DICOM attributes.

Weight, dose and times are read for this factor and go nowhere else. Knows nothing of pixels.
"""

from datetime import datetime, timedelta

from models.imaging.header import Header

_MOST_HALF_LIVES = 10


def suv_factor(header: Header) -> float | None:
    """What Bq/ml are to be multiplied with to become SUVbw, g/ml; None where the attributes do not tell for certain.

    SUVbw = activity × weight / dose, both decayed to the same moment: the start of the scan where Decay Correction is
    START, that of the injection where it is ADMIN (PS3.3 C.8.9.1.1.6, C.8.9.2).
    """
    correction = header.text("DecayCorrection")
    corrected = set(header.words("CorrectedImage"))
    weight = header.number("PatientWeight")
    drugs = header.items("RadiopharmaceuticalInformationSequence")
    if len(drugs) != 1 or not {"ATTN", "DECY"} <= corrected or weight is None or not 0.2 <= weight <= 500:
        return None
    dose = header.number("RadionuclideTotalDose", drugs[0])
    # In MBq, as some write it, a dose is below any that could be imaged in Bq.
    if dose is None or not 1e5 <= dose <= 1e11:
        return None
    if correction == "ADMIN":
        return weight * 1000 / dose
    half_life = header.number("RadionuclideHalfLife", drugs[0])
    passed = _from_injection_to_scan(header)
    if correction != "START" or passed is None or not half_life or half_life <= 0:
        return None
    half_lives = passed.total_seconds() / half_life
    if not 0 <= half_lives <= _MOST_HALF_LIVES:
        return None
    return weight * 1000 / (dose * 0.5**half_lives)


def _from_injection_to_scan(header: Header) -> timedelta | None:
    """Series time is that of the scan's start, unless the series was made later from another: then nothing tells."""
    drug = header.items("RadiopharmaceuticalInformationSequence")[0]
    scan = _moment(header.text("SeriesDate"), header.text("SeriesTime"))
    acquisition = _moment(header.text("AcquisitionDate"), header.text("AcquisitionTime"))
    if scan is None or acquisition is None or scan > acquisition:
        return None
    whole = header.text("RadiopharmaceuticalStartDateTime", drug)
    if whole:
        injection = _moment(whole[:8], whole[8:].partition("+")[0].partition("-")[0])
    else:
        injection = _moment(header.text("SeriesDate"), header.text("RadiopharmaceuticalStartTime", drug))
    return None if injection is None else scan - injection


def _moment(date: str | None, time: str | None) -> datetime | None:
    """DA and TM values (PS3.5 6.2) in the scanner's own time."""
    if not date or not time:
        return None
    try:
        day = datetime.strptime(date, "%Y%m%d")
        clock = time.partition(".")[0].ljust(6, "0")
        seconds = int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:6])
    except ValueError:
        return None
    return day + timedelta(seconds=seconds)
