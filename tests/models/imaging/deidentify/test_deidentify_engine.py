"""What the table does not say: pseudonyms, dates, codes, and the second lock."""

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.tag import Tag

from models.imaging.deidentify import Policy, Pseudonyms, deidentify
from models.imaging.deidentify.dates import moved
from models.imaging.deidentify.descriptors import known_terms
from models.imaging.deidentify.values import safe_text
from models.imaging.vocabulary import PHRASES, organ_of

CT = "1.2.840.10008.5.1.4.1.1.2"
KEY = Pseudonyms(b"a key for the tests")


PLAIN = Policy()


def cleaned(policy: Policy = PLAIN, sop_class: str = CT, **elements: Any) -> Dataset:
    """A de-identified object of these elements."""
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    deidentify(dataset, KEY, policy)
    return dataset


def written(dataset: Dataset) -> bytes:
    """Its bytes."""
    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = False, True
    write_dataset(file, dataset)
    return file.getvalue()


def item(**elements: Any) -> Dataset:
    """A sequence item."""
    found = Dataset()
    for keyword, value in elements.items():
        setattr(found, keyword, value)
    return found


def test_an_object_says_what_was_done_to_it() -> None:
    """The flags and the codes of CID 7050, those of options only where they were taken."""
    plain = cleaned(Policy(clean_descriptors=False), BurnedInAnnotation="YES")
    assert (plain.PatientIdentityRemoved, plain.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    assert [code.CodeValue for code in plain.DeidentificationMethodCodeSequence] == ["113100"]
    assert plain.BurnedInAnnotation == "YES"
    full = Dataset()
    full.SOPClassUID, full.BurnedInAnnotation = CT, "YES"
    deidentify(full, KEY, Policy(dates="shift", keep_uids=True), pixels_cleaned=True)
    codes = [code.CodeValue for code in full.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113105", "113107", "113110"]
    assert (full.BurnedInAnnotation, full.LongitudinalTemporalInformationModified) == ("NO", "MODIFIED")


def test_what_belongs_together_stays_together_and_only_under_one_key() -> None:
    """One patient, study and frame of reference in two files is one in their copies, however the id is padded."""
    first = cleaned(PatientID="ID 7", StudyInstanceUID="1.2.3", FrameOfReferenceUID="1.2.4")
    second = cleaned(PatientID=" id 7 ", StudyInstanceUID="1.2.3", FrameOfReferenceUID="1.2.4")
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert first.get(keyword) == second.get(keyword)
    assert Pseudonyms(b"another key of ours").uid("1.2.3") != first.StudyInstanceUID
    assert cleaned(PatientID="ID 8").PatientID != first.PatientID
    assert not cleaned(PatientID="").PatientID
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(b"short")


@pytest.mark.parametrize(
    "uid", [CT, "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.4.1.1", "1.2.840.10008.2.16.4", "1.2.840.10008.6.1.308"]
)
def test_uids_that_dicom_registers_stay(uid: str) -> None:
    """SOP classes, transfer syntaxes, well-known frames of reference, coding schemes, context groups."""
    assert KEY.uid(uid) == uid
    assert KEY.uid(uid + ".99999") != uid + ".99999"


def test_intervals_between_the_dates_of_a_patient_are_kept() -> None:
    """All dates of a patient move by the same whole days, in all of their files; another patient's by others."""
    policy = Policy(dates="shift")
    first = cleaned(policy, PatientID="A", StudyDate="20200228", AcquisitionDateTime="20200301123456.5+0100")
    second = cleaned(policy, PatientID="A", StudyDate="20200302", StudyTime="101112")
    days = KEY.days("a")
    assert first.StudyDate == moved("DA", "20200228", days)
    assert first.AcquisitionDateTime == str(moved("DA", "20200301", days)) + "123456.5+0100"
    assert second.StudyDate == moved("DA", "20200302", days)
    assert second.StudyTime == "101112"
    assert cleaned(policy, PatientID="B", StudyDate="20200228").StudyDate != first.StudyDate
    assert -3653 <= days <= -366
    # The date of birth is not among the dates that the option retains.
    assert not cleaned(policy, PatientID="A", PatientBirthDate="19700101").PatientBirthDate


@pytest.mark.parametrize(
    ("vr", "text", "after"),
    [
        ("DA", "20200301", "20200229"), ("DA", "2020.03.01", "20200229"), ("DA", "20200230", None), ("DA",
        "JONES", None), ("DA", "00010101", None), ("DT", "2020", "2019"), ("DT", "202003", "202002"), ("DT",
        "20200301+0100", "20200229+0100"), ("DT", "2020030123", "2020022923"), ("DT", "20200301JONES", None),
        ("TM", "235959.999999", "235959.999999"), ("TM", "23:59", "23:59"), ("TM", "JONES", None), ("TM",
        "250000", None), ("SH", "+0100", "+0100"), ("SH", "JONES", None), ("DT", "202012", "202011"),
    ],
)  # fmt: skip
def test_only_valid_dates_are_moved(vr: str, text: str, after: str | None) -> None:
    """By one day back here; a year or month alone stays as exact as it was; a name in a date is no date."""
    assert moved(vr, text, -1) == after


def test_a_name_in_a_date_is_not_kept_by_any_option() -> None:
    """What is no date falls back to the basic profile."""
    for dates in ("shift", "keep"):
        dataset = cleaned(Policy(dates=dates), StudyDate="JONES", SeriesTime="JONES", TimezoneOffsetFromUTC="JONES")
        assert "JONES" not in str(dataset)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("CT Chest w/o contrast, Dr. Smith 555-1234", "CT CHEST CONTRAST"),
        ("MR left knee T2 3D", "MR LEFT KNEE T2 3D"),
        ("T-Spine", "T SPINE"),
        ("Jane Handley", ""),
        ("LIVER^Kowalski", "LIVER"),
        ("SMITH12CHEST34", "CHEST"),
        ("1234567", ""),
    ],
)
def test_a_description_gives_its_known_terms_only(text: str, terms: str) -> None:
    """Numbers and names never."""
    assert known_terms(text) == terms


def test_a_term_that_is_a_name_in_the_object_is_taken_for_the_name() -> None:
    """Mrs Hand's description says nothing of hands; code strings that make an image readable are not touched."""
    dataset = cleaned(
        PatientName="Hand^Rgb", ReferringPhysicianName="Crane^A", SeriesDescription="Hand PA, Mrs. Hand, Dr. Crane",
        BodyPartExamined="HAND", PhotometricInterpretation="RGB", Manufacturer="SIEMENS",
    )  # fmt: skip
    assert dataset.SeriesDescription == "PA"
    assert dataset.get("BodyPartExamined") != "HAND"
    assert dataset.PhotometricInterpretation == "RGB"
    assert cleaned(SeriesDescription="Hand PA").SeriesDescription == "HAND PA"


def test_a_cleaned_description_names_the_same_organ() -> None:
    """Cleaning takes nothing from what `organ_of` can find, whatever stands around it."""
    for phrase in sorted(PHRASES):
        text = f"Dr. Q. {phrase.lower()} of Qwzx/2"
        assert organ_of(known_terms(text)) == organ_of(text)
    assert len(known_terms("LIVER " * 40, 16)) <= 16


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ScheduledProcedureStepLocation", "Ward of Jones"),
        ("SequenceName", "JONES"),
        ("AcquisitionContextDescription", "for Jones"),
        ("EvaluatorName", "Jones^A"),
        ("RetrieveURL", "https://jones"),
        ("SendingApplicationEntityTitle", "JONES"),
        ("ScanOptions", "JONES"),
        ("SecondaryReviewDate", "19700101"),
        ("StudyUpdateDateTime", "19700101"),
        ("SegmentedRedPaletteColorLookupTableData", None),
        ("HPGLDocument", b"JONES "),
        ("ICCProfile", b"JONES "),
        ("EncryptedContent", b"JONES "),
    ],
)
def test_what_the_table_does_not_list_is_kept_only_where_it_is_safe(keyword: str, value: Any) -> None:
    """Free text, names, addresses, dates, terms that the standard does not define, and unknown bytes go."""
    if value is None:
        value = b"\0\1"
        assert keyword in cleaned(**{keyword: value})
        return
    text = str(cleaned(**{keyword: value}))
    assert "JONES" not in text.upper()
    assert "19700101" not in text


def test_what_is_safe_stays_as_it_is() -> None:
    """Numbers, defined terms, units, kernels, geometry and their structure are what an image is used for."""
    elements = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "Modality": "CT", "BodyPartExamined": "CHEST", "KVP": "120",
        "ConvolutionKernel": "B30f", "Manufacturer": "SIEMENS", "RescaleType": "HU", "PatientPosition": "HFS",
        "PatientOrientation": ["L", "P"], "ImagePositionPatient": [-1.5, 2, 3], "Rows": 4, "WindowCenter": [40, 400],
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"], "PositionReferenceIndicator": "SN",
    }  # fmt: skip
    before, after = item(**elements), cleaned(**elements)
    assert {keyword: after[keyword].value for keyword in elements} == {
        keyword: before[keyword].value for keyword in elements
    }


def test_of_many_values_the_unsafe_ones_go() -> None:
    """Values of Image Type keep their places."""
    dataset = cleaned(ImageType=["ORIGINAL", "PRIMARY", "JONES"], ScanOptions=["FS", "JONES"])
    assert list(dataset.ImageType) == ["ORIGINAL", "PRIMARY", "OTHER"]
    assert dataset.ScanOptions == "FS"


@pytest.mark.parametrize("vr", ["LO", "UT", "OB", "UN", "PN", "UI", "DS", "US", "FL", "SQ"])
def test_text_in_an_attribute_of_another_kind_is_not_trusted(vr: str) -> None:
    """A file says the VR itself: Rows written as text, or a name in a UN."""
    for tag in (0x00280010, 0x00100010, 0x00081030, 0x0020000D, 0x00080060, 0x00180050, 0x00409096):
        dataset = Dataset()
        dataset.SOPClassUID = CT
        dataset[tag] = RawDataElement(Tag(tag), vr, 6, b"JONES ", 0, False, True)
        deidentify(dataset, KEY, Policy())
        assert b"JONES" not in written(dataset)


def test_private_and_unknown_attributes_go_with_all_they_hold() -> None:
    """Creators too, at any depth, and the report names neither: their tags can be bytes of a text."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.AnatomicRegionSequence = CT, [Dataset()]
    for holder in (dataset, dataset.AnatomicRegionSequence[0]):
        holder.private_block(0x0029, "JONES CLINIC", create=True).add_new(1, "SQ", [item(PatientName="JONES")])
        holder.add_new(0x00200BAD, "LO", "JONES")
        holder.add_new(0x60003000, "OW", b"JONES ")
        holder.add_new(0x00100000, "UL", 8)
    actions = deidentify(dataset, KEY, Policy())
    assert "JONES" not in str(dataset)
    assert actions["(private)"] == actions["(unknown)"] == actions["(0008,2218)>(private)"] == "X"
    assert not any("0029" in tag or "bad" in tag for tag in actions)
    assert set("".join(actions.values())) <= set("XZDUCK|")


@pytest.mark.parametrize(
    ("code", "after"),
    [
        (("T-62000", "SRT", "Liver"), ("T-62000", "SRT", None)),
        (("10200004", "SCT", "JONES"), ("10200004", "SCT", "Liver structure (body structure)")),
        (("113100", "DCM", "JONES"), ("113100", "DCM", "Basic Application Confidentiality Profile")),
        (("JONES", "DCM", "JONES"), ("261665006", "SCT", "Unknown")),
        (("4711", "99JONES", "Liver"), ("261665006", "SCT", "Unknown")),
        (("123456", "SCT", "JONES"), ("261665006", "SCT", "Unknown")),
        (("mm", "UCUM", "mm"), ("mm", "UCUM", None)),
    ],
)
def test_codes_are_those_that_the_standard_lists(
    code: tuple[str, str, str], after: tuple[str, str, str | None]
) -> None:
    """Others become Unknown; a meaning is the one that is listed for the code."""
    words = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    dataset = cleaned(AnatomicRegionSequence=[item(**dict(zip(words, code, strict=True)))])
    found = dataset.AnatomicRegionSequence[0]
    assert (found.CodeValue, found.CodingSchemeDesignator) == after[:2]
    assert after[2] is None or found.CodeMeaning == after[2]
    assert "JONES" not in str(dataset)


def test_a_report_keeps_its_form_and_none_of_its_content() -> None:
    """Content Sequence is replaced by a dummy: one item, of dummies."""
    measured = item(NumericValue="47.11", MeasurementUnitsCodeSequence=[item(CodeValue="mm", CodeMeaning="mm")])
    content = [
        item(RelationshipType="CONTAINS", ValueType="NUM", MeasuredValueSequence=[measured], PersonName="JONES"),
        item(RelationshipType="CONTAINS", ValueType="TEXT", TextValue="JONES is well"),
    ]
    dataset = cleaned(sop_class="1.2.840.10008.5.1.4.1.1.88.33", ValueType="CONTAINER", ContentSequence=content)
    assert len(dataset.ContentSequence) == 1
    first = dataset.ContentSequence[0]
    assert (first.RelationshipType, first.ValueType, first.PersonName) == ("CONTAINS", "NUM", "REMOVED")
    assert first.MeasuredValueSequence[0].NumericValue == 0
    assert "JONES" not in str(dataset)
    assert "47.11" not in str(dataset)


def test_signatures_icons_and_original_values_go() -> None:
    """What would bring removed values back, or prove them."""
    dataset = cleaned(
        IconImageSequence=[item(Rows=1, PixelData=b"\0\0")],
        OriginalAttributesSequence=[item(PatientName="JONES")],
        EncryptedAttributesSequence=[item(EncryptedContent=b"JONES ")],
        DigitalSignaturesSequence=[item(Signature=b"JONES ")],
        MACParametersSequence=[item(MACAlgorithm="MD5")],
        DataSetTrailingPadding=b"JONES ",
    )
    for keyword in ("Icon", "Original", "EncryptedAttr", "DigitalSig", "MACParam", "DataSetTrailing"):
        assert not [word for word in dataset.dir() if word.startswith(keyword)]


def test_a_pattern_takes_the_whole_value() -> None:
    """What begins like a kernel is none."""
    assert safe_text("ConvolutionKernel", "SH", "B30f", terms=False) == "B30f"
    assert not safe_text("ConvolutionKernel", "SH", "B30f JONES", terms=False)
