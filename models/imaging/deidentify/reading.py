"""The profile at the door of the pipeline: what of a header the code that describes an image may see.

Applied to each value when it is asked for, so that thousands of functional groups cost nothing until one is read.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from pydicom.datadict import dictionary_VR, keyword_dict

from models.imaging.deidentify.table import row_of
from models.imaging.deidentify.values import FREE_TEXT, NEVER, safe_text

FOR_CALCULATION = frozenset({
    # Standardised uptake values (PS3.3 C.8.9.1, QIBA SUV): decay between injection and scan, and the body it spread in.
    "PatientWeight", "PatientSize", "PatientSex",
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime", "FrameAcquisitionDateTime",
    "FrameReferenceDateTime", "DecayCorrectionDateTime", "TimezoneOffsetFromUTC",
    "RadiopharmaceuticalInformationSequence", "RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime",
    # Whether one is named, not which.
    "ContrastBolusAgent", "ContrastBolusAgentSequence",
    # Compared with closed lists of ours: the views, and the units of values. An unknown one is not the same as none.
    "CodeValue", "CodingSchemeDesignator", "RescaleType", "ModalityLUTType",
    # Held against the vocabulary, of which a word or nothing is passed on: what an annotation object names.
    "SegmentLabel", "ROIName",
    # Held against each other: which images an annotation object means, and the sequences that say so; which images are
    # of one series, study and patient. Those three leave as hashes under the key.
    "SOPInstanceUID", "FrameOfReferenceUID", "ReferencedSOPInstanceUID", "ReferencedFrameOfReferenceUID",
    "SourceImageSequence", "ContentSequence", "SeriesInstanceUID", "StudyInstanceUID", "PatientID",
})  # fmt: skip
"""What the profile removes and the pipeline reads nevertheless: weights and times for arithmetic, words to compare.

Only what is computed from them leaves (a unit, a factor, yes or no); `ImageMetadata` has no field for any of them.
"""

_Rule = Literal["pass", "terms", "hide"]


@lru_cache(maxsize=1024)
def _rule(keyword: str) -> tuple[_Rule, str]:
    tag = keyword_dict.get(keyword)
    if tag is None:
        return "hide", ""
    vr, row = dictionary_VR(tag), row_of(tag)
    if keyword in FOR_CALCULATION:
        return "pass", vr
    if row is not None:
        return ("terms" if row.clean_descriptors and vr in FREE_TEXT else "hide"), vr
    return ("terms" if vr in FREE_TEXT else "hide" if vr in NEVER | {"DA", "TM", "DT"} else "pass"), vr


def permitted(keyword: str, values: Sequence[object]) -> Sequence[object]:
    """The values of an attribute that may be read, with descriptions cleaned to known terms (PS3.15 E.3.6).

    Numbers and code strings that table E.1-1 does not list pass: they are only compared with closed lists, or computed
    with. What it lists is hidden, unless named in FOR_CALCULATION.
    """
    rule, vr = _rule(keyword)
    if rule == "pass":
        return values
    if rule == "hide":
        return ()
    found = (safe_text(keyword, vr, str(value), terms=True) for value in values)
    return [text for text in found if text]
