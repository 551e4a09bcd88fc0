"""PET activity as standardised uptake value by body weight, as QIBA's FDG-PET profile reads the DICOM attributes.

Weight, dose and times are read for this factor and go nowhere else. Knows nothing of pixels.
"""

from datetime import datetime, timedelta

from pydicom import Dataset

from models.imaging.header import Header, Malformed, valid
from models.imaging.moments import Moment, moment_of, moment_of_day, zone_between, zone_of

_DAY, _MINUTE = timedelta(days=1), timedelta(minutes=1)
_MOST_HALF_LIVES = 10
_LEAST_DOSE_BY_WEIGHT = 2e4
"""Bq/kg: below it no scan is made, and a dose was written in kBq."""
# Half lives in s of the nuclides that PET images (Nuclear Data Sheets; National Nuclear Data Center, NuDat 3).
_HALF_LIVES = {
    "Rb-82": 75.5, "Cu-62": 580, "O-15": 122.2, "N-13": 597.9, "C-11": 1221, "Ga-68": 4063, "Cu-61": 12_010,
    "F-18": 6584, "Tc-94m": 3120, "I-120": 4896, "Cu-60": 1422, "Sc-44": 14_360, "Sc-43": 14_010,
    "Cu-64": 45_720, "Y-86": 53_060,
    "Br-76": 58_320, "Tb-152": 63_000, "Co-55": 63_110, "Ga-66": 34_160, "As-72": 93_600, "Y-90": 230_500,
    "Zr-89": 282_300, "I-124": 360_800, "Mn-52": 483_100, "As-74": 1_535_000, "Na-22": 82_100_000,
}  # fmt: skip
_HALF_LIFE_AGREES = 0.02
# Their codes in SNOMED CT and SRT (PS3.16 CID 4020).
_NUCLIDES = {
    code: nuclide
    for nuclide, codes in {
        "C-11": "40565003 C-105A1", "N-13": "21576001 C-107A1", "O-15": "129504001 C-B1038", "F-18": "77004003 C-111A1",
        "Na-22": "71633006 C-155A1", "Cu-60": "425364008 C-127A4", "Cu-61": "71425003 C-127A1",
        "Cu-62": "422934004 C-127A5", "Cu-64": "3932008 C-127A2", "Ga-66": "79477007 C-131A1",
        "Ga-68": "35337001 C-131A3", "Br-76": "79523006 C-113A2", "Rb-82": "79197006 C-159A2",
        "Y-86": "10738001 C-162A3", "Zr-89": "63360001 C-168A4", "Y-90": "14691008 C-162A7",
        "I-124": "40937006 C-114A5",
    }.items()
    for code in codes.split()
}  # fmt: skip


def suv_factor(header: Header) -> float | None:
    """What Bq/ml are to be multiplied with to become SUVbw, g/ml; None where the attributes do not tell for certain.

    SUVbw = activity × weight / dose, both decayed to the same moment: the start of the scan where Decay Correction is
    START, that of the injection where it is ADMIN (PS3.3 C.8.9.1.1.6, C.8.9.2). Any attribute that is missing,
    malformed or not possible (in another unit, as a rule) is the end of it.
    """
    correction = header.code("DecayCorrection")
    corrected = set(header.words("CorrectedImage"))
    weight = valid(header.number("PatientWeight"))
    drugs = header.items("RadiopharmaceuticalInformationSequence")
    if len(drugs) != 1 or not {"ATTN", "DECY"} <= corrected or weight is None or not 0.2 <= weight <= 500:
        return None
    dose = valid(header.number("RadionuclideTotalDose", drugs[0]))
    # In MBq, as some write it, a dose is below any that could be imaged in Bq.
    if dose is None or not 1e5 <= dose <= 1e11 or dose < weight * _LEAST_DOSE_BY_WEIGHT:
        return None
    if correction == "ADMIN":
        return weight * 1000 / dose
    half_life = valid(header.number("RadionuclideHalfLife", drugs[0]))
    codes = {header.text("CodeValue", item) or "" for item in header.items("RadionuclideCodeSequence", drugs[0])}
    named = {_NUCLIDES[code] for code in codes if code in _NUCLIDES}
    if correction != "START" or half_life is None or not _is_known(half_life, named):
        return None
    passed = _from_injection_to_scan(header, drugs[0], half_life)
    if passed is None or not 0 <= passed <= _MOST_HALF_LIVES * half_life:
        return None
    return weight * 1000 / (dose * 0.5 ** (passed / half_life))


def _is_known(half_life: float, nuclides: set[str]) -> bool:
    """Whether each of some nuclides has it, or any that is known: one in minutes would pass for another's otherwise."""
    agrees = {name for name, known in _HALF_LIVES.items() if abs(half_life / known - 1) <= _HALF_LIFE_AGREES}
    return nuclides <= agrees if nuclides else bool(agrees)


def _from_injection_to_scan(header: Header, drug: Dataset, half_life: float) -> float | None:
    """Seconds.

    Series time is that of the scan's start, unless the series was made later from another: then nothing tells.
    """
    scan = moment_of_day(header.code("SeriesDate"), header.code("SeriesTime"))
    acquisition = moment_of_day(header.code("AcquisitionDate"), header.code("AcquisitionTime"))
    if scan is None or acquisition is None or scan > acquisition:
        return None
    injected = moment_of_day(header.code("SeriesDate"), header.code("RadiopharmaceuticalStartTime", drug))
    whole = header.code("RadiopharmaceuticalStartDateTime", drug)
    if whole is not None and not (isinstance(whole, Malformed) and whole.empty):
        return _between(moment_of(whole), scan, header, injected)
    # A time of day tells the day only where decay rules out every other.
    if injected is None or _MOST_HALF_LIVES * half_life >= _DAY.total_seconds():
        return None
    passed = scan - injected
    if passed < timedelta(0):
        # Before midnight; where that is long before, a clock was wrong instead.
        passed += _DAY
        return passed.total_seconds() if passed < _DAY / 2 else None
    return passed.total_seconds()


def _between(injection: Moment | None, scan: datetime, header: Header, injected: datetime | None) -> float | None:
    """Seconds to a moment on the scanner's clock from one that may be on another.

    Which zone the scanner's clock is in Timezone Offset From UTC says, or else the time of injection on it.
    """
    if injection is None:
        return None
    if injection.zone is None:
        # On one clock both times of the injection are the same.
        apart = abs(injection.local - injected) % _DAY if injected is not None else timedelta(0)
        return (scan - injection.local).total_seconds() if min(apart, _DAY - apart) <= _MINUTE else None
    offset = header.code("TimezoneOffsetFromUTC")
    zone = zone_of(offset)
    if offset is None and injected is not None:
        zone = zone_between(injection, injected)
    if zone is None:
        return None
    return (scan.replace(tzinfo=zone) - injection.local.replace(tzinfo=injection.zone)).total_seconds()
