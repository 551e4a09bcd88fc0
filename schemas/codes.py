"""Concepts of terminologies. Knows nothing of what they are said of."""

from typing import Literal

from schemas.base import Message


class Code(Message):
    """A concept of a terminology, by a coding scheme designator of DICOM PS3.16, 8."""

    scheme: Literal["SCT", "RADLEX", "DCM"]
    value: str
    meaning: str
