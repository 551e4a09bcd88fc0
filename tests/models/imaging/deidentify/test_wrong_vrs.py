"""A text in the bytes of an attribute whose VR is not the dictionary's, or in numbers that rise like a table's."""

from io import BytesIO

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from benchmarks.identities import views, words_in
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import deidentify_file
from tests.models.imaging.samples import Sample

KEY = Pseudonyms(b"a key for the tests")
# A word whose pairs of letters, as little-endian words, only rise; and one whose pairs do not.
RISING, ANY = "BBCCDDFFGGHH", "WGKLNLVVXNXS"


@pytest.mark.parametrize("word", [RISING, ANY])
@pytest.mark.parametrize(
    ("keyword", "vr"),
    [
        ("InstanceCreatorUID", "SL"),
        ("LargePaletteColorLookupTableUID", "FL"),
        ("ReferencedTreatmentPositionGroupUID", "UL"),
        ("ContourOffsetVector", "SL"),
        ("ControlPoint3DPosition", "UL"),
        ("PresentationPixelSpacing", "US"),
        ("EnergyWindowVector", "US"),
        ("VerticesOfTheRegion", "SS"),
        ("RTImageOrientation", "UV"),
    ],
)
def test_binary_numbers_that_are_letters_go_whatever_the_attribute_is(
    sample: Sample, keyword: str, vr: str, word: str
) -> None:
    """Where UIDs are kept, too: a binary number reads as the digits of one."""
    dataset = pydicom.dcmread(BytesIO(sample("CT_small.dcm")))
    tag, value = Tag(keyword), word.encode() + b"    " * (vr == "UV")
    dataset[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    file = BytesIO()
    dataset.save_as(file)
    assert value in file.getvalue()
    for policy in (Policy(), Policy(dates="keep", keep_uids=True)):
        copy = deidentify_file(file.getvalue(), KEY, policy).data
        assert not any(word in words_in(view) for view in views(copy))


def test_numbers_that_are_none_stay(sample: Sample) -> None:
    """Vectors of frames, vertices, and a UID that is kept."""
    dataset = pydicom.dcmread(BytesIO(sample("CT_small.dcm")))
    dataset.EnergyWindowVector = list(range(1, 300))
    dataset.VerticesOfTheRegion = [-5, 7, 300, 411]
    dataset.DimensionOrganizationUID = "1.2.3"
    file = BytesIO()
    dataset.save_as(file)
    copy = pydicom.dcmread(BytesIO(deidentify_file(file.getvalue(), KEY, Policy(keep_uids=True)).data))
    assert list(copy.EnergyWindowVector) == list(range(1, 300))
    assert list(copy.VerticesOfTheRegion) == [-5, 7, 300, 411]
    assert copy.DimensionOrganizationUID == "1.2.3"


@pytest.mark.parametrize("policy", [Policy(), Policy(dates="shift"), Policy(keep_uids=True)])
@pytest.mark.parametrize("vr", ["LO", "OB", "UT"])
@pytest.mark.parametrize(
    "keyword",
    ["RequestAttributesSequence", "AdmittingDiagnosesCodeSequence", "SourceImageSequence", "ReferencedImageSequence"],
)
def test_a_text_in_the_place_of_a_sequence_goes(sample: Sample, keyword: str, vr: str, policy: Policy) -> None:
    """Clean Descriptors (PS3.15 E.3.6) and kept UIDs are of a sequence's items, and a text has none."""
    dataset = pydicom.dcmread(BytesIO(sample("CT_small.dcm")))
    dataset[keyword] = RawDataElement(Tag(keyword), vr, len(ANY), ANY.encode(), 0, False, True)
    file = BytesIO()
    dataset.save_as(file)
    copy = deidentify_file(file.getvalue(), KEY, policy).data
    assert not any(ANY in words_in(view) for view in views(copy))
