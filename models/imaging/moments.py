"""Dates and times of DICOM attributes (PS3.5 6.2: DA, TM, DT, and the offset of Timezone Offset From UTC).

Knows nothing of what happened then. What is not written as the standard has it is no moment.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from models.imaging.header import Malformed

# With the separators of ACR-NEMA, which PS3.5 6.2 asks readers to take.
_DAY = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})")
_TIME = re.compile(r"(\d{2})(?:(:?)(\d{2})(?:\2(\d{2})(\.\d{1,6})?)?)?")
_MOMENT = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)([+-]\d{4})?")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")
_WEST, _EAST = timedelta(hours=-12), timedelta(hours=14)

Said = str | Malformed | None
"""What `Header.code` answers."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on some clock."""

    local: datetime
    zone: timezone | None
    """Of the clock; None where the value does not tell: then it is that of the object."""


def moment_of_day(day: Said, time: Said) -> datetime | None:
    """A DA and a TM value, on the object's own clock; None where either is missing or malformed.

    A TM of hours alone is one to the second here, as the standard has it. Leap seconds are the second after.
    """
    date = _DAY.fullmatch(day) if isinstance(day, str) else None
    clock = _TIME.fullmatch(time) if isinstance(time, str) else None
    if date is None or clock is None:
        return None
    hours, minutes, seconds = (int(clock[part] or 0) for part in (1, 3, 4))
    if hours > 23 or minutes > 59 or seconds > 60 or not 1900 <= int(date[1]) < 2200:
        return None
    try:
        start = datetime(int(date[1]), int(date[3]), int(date[4]))
    except ValueError:
        return None
    return start + timedelta(hours=hours, minutes=minutes, seconds=seconds + float(clock[5] or 0))


def moment_of(text: Said) -> Moment | None:
    """A DT value to the hour or finer; None where it is missing, malformed or coarser."""
    parts = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    local = moment_of_day(parts[1], parts[2]) if parts else None
    if parts is None or local is None:
        return None
    zone = zone_of(parts[3])
    return None if parts[3] and zone is None else Moment(local, zone)


def zone_of(text: Said) -> timezone | None:
    """An offset from UTC (&ZZXX, PS3.3 C.12.1.1.8); None where it is missing or malformed."""
    parts = _ZONE.fullmatch(text) if isinstance(text, str) else None
    if parts is None or int(parts[3]) > 59:
        return None
    offset = timedelta(hours=int(parts[2]), minutes=int(parts[3])) * (-1 if parts[1] == "-" else 1)
    # -0000 is not allowed (PS3.5 6.2).
    return timezone(offset) if _WEST <= offset <= _EAST and text != "-0000" else None


def zone_between(moment: Moment, time: datetime) -> timezone | None:
    """The zone of a clock that showed the time of day of `time` at a moment that is told in UTC or in that zone.

    None where the two differ by no offset that there is.
    """
    if moment.zone is None:
        return None
    offset = time - (moment.local - (moment.zone.utcoffset(None)))
    offset -= timedelta(days=(offset - _WEST) // timedelta(days=1))
    quarters = round(offset / timedelta(minutes=15))
    exact = timedelta(minutes=15) * quarters
    if abs(offset - exact) > timedelta(minutes=1) or exact > _EAST:
        return None
    return timezone(exact) if moment.zone.utcoffset(None) in (timedelta(0), exact) else None
