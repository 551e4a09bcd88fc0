"""DICOM dates and times moved by whole days (PS3.5 table 6.2-1: DA, DT, TM). What is not one is None."""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
_TIME = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?([0-5]\d|60)(\.\d{1,6})?)?)?")
_DATETIME = re.compile(
    r"(\d{4})(\d\d)?(\d\d)?((?:[01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d|60)?)?(?:\.\d{1,6})?)?([+-]\d{4})?"
)
_ZONE = re.compile(r"[+-](0\d|1[0-4])[0-5]\d")


def moved(vr: str, text: str, days: int) -> str | None:
    """A value of VR DA, DT or TM, or a time zone (SH), `days` later; times of day and zones stay. None: not valid."""
    text = text.strip(" \0")
    if vr == "DA":
        match = _DATE.fullmatch(text)
        return match and _moved(match[1], match[2], match[3], days)
    if vr == "DT":
        match = _DATETIME.fullmatch(text)
        if match is None or (match[4] and not match[3]):
            return None
        day = _moved(match[1], match[2] or "01", match[3] or "01", days)
        # A year or a month alone stays as exact as it was.
        return day and day[: sum(len(part or "") for part in match.groups()[:3])] + (match[4] or "") + (match[5] or "")
    pattern = {"TM": _TIME, "SH": _ZONE}.get(vr)
    return text if pattern is not None and pattern.fullmatch(text) else None


def _moved(year: str, month: str, day: str, days: int) -> str | None:
    try:
        found = date(int(year), int(month), int(day)) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    return f"{found.year:04}{found.month:02}{found.day:02}"
