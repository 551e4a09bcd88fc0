"""The profile at the pipeline's door: what a header gives to the code that describes an image."""

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import ExplicitVRLittleEndian

from models.imaging.allowlist import TAGS
from models.imaging.deidentify.reading import FOR_CALCULATION
from models.imaging.deidentify.table import row_of
from models.imaging.header import Header

WORD = "Vhqzvk"


def header_of(**elements: Any) -> Header:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return Header(dataset, ExplicitVRLittleEndian)


@pytest.mark.parametrize("keyword", [*TAGS, "CodeMeaning", "PatientName", "PatientID", "StudyDate", "OperatorsName"])
def test_no_listed_attribute_or_free_text_is_read_as_it_is(keyword: str) -> None:
    """Unless its name stands in the list of exceptions, which are for arithmetic and comparison."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag)
    if keyword in FOR_CALCULATION or (
        row_of(tag) is None and vr not in ("LO", "SH", "LT", "ST", "UT", "UC", "PN", "DA")
    ):
        return
    text = "19600102" if vr == "DA" else f"{WORD} liver"
    found = header_of(**{keyword: text}).text(keyword)
    assert found in (None, "LIVER")
    assert header_of(**{keyword: WORD if vr != "DA" else text}).text(keyword) is None


def test_an_attribute_without_a_name_is_not_read() -> None:
    """The door knows what it lets through."""
    assert header_of(PatientName=WORD).text("NoSuchKeyword") is None


def test_exceptions_are_attributes_of_the_dictionary() -> None:
    """A misspelt exception would be none."""
    assert all(tag_for_keyword(keyword) for keyword in FOR_CALCULATION)
    header = header_of(PatientWeight="70.5", AcquisitionTime="101500", RescaleType="odd")
    assert header.number("PatientWeight") == 70.5
    assert header.text("AcquisitionTime") == "101500"
    assert header.text("RescaleType") == "odd"


def test_items_of_sequences_pass_the_same_door() -> None:
    """At whatever depth: each value is asked for by its name."""
    item = Dataset()
    item.CodeMeaning, item.ReferringPhysicianName = f"{WORD} Kidney", WORD
    header = header_of(AnatomicRegionSequence=[item])
    (found,) = header.items("AnatomicRegionSequence")
    assert header.text("CodeMeaning", found) == "KIDNEY"
    assert header.text("ReferringPhysicianName", found) is None
