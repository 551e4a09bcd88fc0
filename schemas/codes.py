"""Concepts of terminologies. Knows nothing of what they are said of."""

from typing import Literal

from pydantic import Field

from schemas.base import Message


class Code(Message):
    """A concept of a terminology, by a coding scheme designator of DICOM PS3.16, 8."""

    scheme: Literal["SCT", "RADLEX", "DCM"] = Field(description="Coding scheme designator: SNOMED CT, RadLex or DICOM")
    value: str = Field(description="Code Value")
    meaning: str = Field(description="Code Meaning, in English")
