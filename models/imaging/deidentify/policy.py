"""Which options of the profile are taken, and how an object says so (PS3.15 E.3, PS3.16 CID 7050)."""

from dataclasses import dataclass
from typing import Literal

Dates = Literal["remove", "shift", "keep"]

_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
_CLEAN_DESCRIPTORS = ("113105", "Clean Descriptors Option")
_KEEP_UIDS = ("113110", "Retain UIDs Option")
_DATES: dict[Dates, tuple[str, str]] = {
    "keep": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "shift": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
}
_TEMPORAL: dict[Dates, str] = {"remove": "REMOVED", "shift": "MODIFIED", "keep": "UNMODIFIED"}


@dataclass(frozen=True, slots=True)
class Policy:
    """The profile's options. Retain Device Identity, Institution, Patient Characteristics and Safe Private are off.

    Args:
        clean_descriptors: descriptions give the anatomical and imaging terms they hold (E.3.6); else nothing.
        dates: removed as the basic profile wants; shifted by whole days, the same number for all of a patient, times
            of day kept (E.3.9); or kept (E.3.8). Removed by default: shifted dates still tell ages and seasons apart.
        keep_uids: UIDs stay as they are (E.3.11), and so can be linked to their source by anyone who has it.
    """

    clean_descriptors: bool = True
    dates: Dates = "remove"
    keep_uids: bool = False

    @property
    def temporal_information(self) -> str:
        """Longitudinal Temporal Information Modified (0028,0303)."""
        return _TEMPORAL[self.dates]

    def codes(self, pixels_cleaned: bool) -> list[tuple[str, str]]:
        """Value and meaning of the items of De-identification Method Code Sequence (0012,0064), scheme DCM."""
        found = [_PROFILE]
        found += [_CLEAN_PIXELS] if pixels_cleaned else []
        found += [_CLEAN_DESCRIPTORS] if self.clean_descriptors else []
        found += [_DATES[self.dates]] if self.dates in _DATES else []
        return found + ([_KEEP_UIDS] if self.keep_uids else [])
