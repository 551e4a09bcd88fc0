"""Every row of table E.1-1, carried out at the top of an object and deep in sequences."""

import re

import pytest
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from models.imaging.deidentify import Policy, Pseudonyms, deidentify
from models.imaging.deidentify.table import Row, Types, rows

CT = "1.2.840.10008.5.1.4.1.1.2"
KEY = Pseudonyms(b"a key for the tests")
BASIC = Policy(clean_descriptors=False)
NEUTRAL = (0x00082218, 0x00289110)
"""Sequences that the table does not list: Anatomic Region, Pixel Measures."""

WORD, DATE, TIME, UID = "Vhqzvk", "19600203", "040506", "1.2.3.4.5"
VALUES = {
    "DA": DATE, "TM": TIME, "DT": DATE + TIME, "UI": UID, "PN": f"{WORD}^{WORD}", "AS": "044Y", "UN": WORD.encode(),
    "OB": WORD.encode(), "OW": WORD.encode(), "US": 4711, "DS": "4711", "IS": "4711", "FD": 4711.0, "FL": 4711.0,
    "UR": "https://vhqzvk", "CS": "VHQZVK", "UL": 4711, "SS": 4711,
}  # fmt: skip
PSEUDONYMOUS = {0x00100010, 0x00100020, 0x00120040, 0x00400512, 0x00400551}
REPEATED = {"50xxxxxx": (0x50003000, "OW"), "60xx3000": (0x60023000, "OW"), "60xx4000": (0x60004000, "LT")}

ROWS = sorted(rows().items())


def element_of(place: str) -> tuple[int, str]:
    """Tag and VR of an instance of a row."""
    if place == "private":
        return 0x00291010, "LO"
    if place in REPEATED:
        return REPEATED[place]
    tag = int(place, 16)
    vr = dictionary_VR(tag) if dictionary_has_tag(tag) else "LO"
    return tag, vr.split(" or ")[0]


def planted(tag: int, vr: str) -> DataElement:
    """The attribute with a value that must not be seen again."""
    if vr == "SQ":
        item = Dataset()
        item.PatientName, item.ReferencedSOPInstanceUID, item.StudyDate = f"{WORD}^{WORD}", UID, DATE
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = WORD, "99VHQZVK", WORD
        item.TextValue = WORD
        return DataElement(tag, vr, [item])
    return DataElement(tag, vr, VALUES.get(vr, WORD))


def objects(tag: int, vr: str) -> list[tuple[Dataset, Dataset, bool]]:
    """Objects with the attribute at their top, and in sequences; the dataset that holds it; whether it is nested."""
    found: list[tuple[Dataset, Dataset, bool]] = []
    for depth in range(3):
        dataset = holder = Dataset()
        for sequence in NEUTRAL[:depth]:
            item = Dataset()
            holder.add_new(sequence, "SQ", [item])
            holder = item
        dataset.SOPClassUID = CT
        holder[tag] = planted(tag, vr)
        found.append((dataset, holder, depth > 0))
    return found


def held(dataset: Dataset) -> str:
    """Everything that an object says."""
    return str(dataset) + "".join(repr(element.value) for element in dataset.iterall())


def assert_done(row: Row, action: str, tag: int, vr: str, holder: Dataset) -> None:
    if action == "X":
        assert tag not in holder
        return
    value = holder[tag].value
    if action == "Z":
        assert not value or tag in PSEUDONYMOUS
    elif action in ("D", "U"):
        assert value or vr == "OB" or value == 0
        assert value != planted(tag, vr).value
    if action == "U" and vr == "UI":
        assert value == KEY.uid(UID)
        assert re.fullmatch(r"2\.25\.[1-9]\d{0,38}", value)
        assert len(value) <= 64
    assert row.basic in ("K", action) or action in row.basic or (row.basic == "D" and action == "U")


def test_the_table_is_whole() -> None:
    """All 621 rows are read, each under a place of its own."""
    assert len(ROWS) == 621


@pytest.mark.parametrize(("place", "row"), ROWS, ids=[place for place, _ in ROWS])
def test_each_row_has_its_basic_action_at_any_depth(place: str, row: Row) -> None:
    """Removed, emptied, replaced or remapped as the row says, by the attribute's type where the row leaves a choice."""
    tag, vr = element_of(place)
    for dataset, holder, nested in objects(tag, vr):
        deidentify(dataset, KEY, BASIC)
        # Groups of commands, file meta and directories have no place in a data set, whatever is done to their UIDs.
        foreign = tag >> 16 < 8
        action = "X" if foreign else row.action(Types(CT).choice(tag, nested=nested))
        if row.basic == "X/Z/U*" and action == "U":
            assert holder[tag].value[0].ReferencedSOPInstanceUID == KEY.uid(UID)
        elif foreign:
            assert tag not in holder
        else:
            assert_done(row, action, tag, vr, holder)
        text = held(dataset)
        assert not re.search(rf"(?i){WORD}", text)
        assert DATE not in text
        assert repr(UID) not in text


@pytest.mark.parametrize(
    ("place", "row"), [(place, row) for place, row in ROWS if row.dates and int(place, 16) >> 16 >= 8]
)
def test_each_date_can_be_shifted_or_kept(place: str, row: Row) -> None:
    """Options of E.3.8 and E.3.9: the same number of days for all, times of day as they were; nothing unless asked."""
    tag, vr = element_of(place)
    for policy in (Policy(dates="shift"), Policy(dates="keep")):
        dataset = Dataset()
        dataset.SOPClassUID, dataset.PatientID = CT, "4711"
        dataset[tag] = DataElement(tag, vr, "+0100" if vr == "SH" else VALUES.get(vr, []))
        before = dataset[tag].value
        deidentify(dataset, KEY, policy)
        if vr in ("DA", "DT"):
            assert (dataset[tag].value == before) == (policy.dates == "keep")
            assert str(dataset[tag].value).removeprefix(str(dataset[tag].value)[:8]) == str(before)[8:]
        elif vr in ("TM", "SH"):
            assert dataset[tag].value == before


@pytest.mark.parametrize(
    ("place", "row"), [(place, row) for place, row in ROWS if row.clean_descriptors and "x" not in place]
)
def test_each_descriptor_can_be_cleaned(place: str, row: Row) -> None:
    """Option of E.3.6: known terms stay, all else goes; a description without any is treated as the profile says."""
    tag, vr = element_of(place)
    if vr not in ("LO", "LT", "SH", "ST", "UC", "UT"):
        pytest.skip("not text")
    dataset, empty = Dataset(), Dataset()
    dataset.SOPClassUID = empty.SOPClassUID = CT
    dataset[tag] = DataElement(tag, vr, f"{WORD} liver, T2")
    empty[tag] = DataElement(tag, vr, WORD)
    deidentify(dataset, KEY, Policy())
    deidentify(empty, KEY, Policy())
    assert dataset[tag].value == "LIVER T2"
    assert_done(row, row.action(Types(CT).choice(tag, nested=False)), tag, vr, empty)


@pytest.mark.parametrize(("place", "row"), [(place, row) for place, row in ROWS if row.uids])
def test_each_uid_can_be_kept(place: str, row: Row) -> None:
    """Option of E.3.11."""
    tag, vr = element_of(place)
    if vr != "UI" or tag >> 16 < 8:
        pytest.skip("not a UID of a data set")
    for dataset, holder, _ in objects(tag, vr):
        deidentify(dataset, KEY, Policy(keep_uids=True))
        assert holder[tag].value == UID


@pytest.mark.parametrize(
    ("sop_class", "keyword", "action"),
    [
        (CT, "ContentDate", "Z"),  # General Image: 2C
        ("1.2.840.10008.5.1.4.1.1.66.4", "ContentDate", "D"),  # Segmentation: 1
        (CT, "AcquisitionDateTime", "X"),  # 3
        ("1.2.840.10008.5.1.4.1.1.4.1", "AcquisitionDateTime", "D"),  # Enhanced MR: 1C
        (CT, "SeriesDate", "X"),  # 3
        (CT, "ContrastBolusAgent", "Z"),  # 2
        (CT, "DeviceSerialNumber", "X"),  # 3
        ("1.2.840.10008.5.1.4.1.1.66.4", "DeviceSerialNumber", "D"),  # 1
        ("1.2.840.10008.5.1.4.1.1.4.1", "DeviceSerialNumber", "D"),  # 1
        ("1.2.840.113619.4.26", "AcquisitionDateTime", "D"),  # a class without known types: the strictest
    ],
)
def test_the_type_in_the_objects_iod_decides(sop_class: str, keyword: str, action: str) -> None:
    """Type 1 gets a dummy, Type 2 is emptied, Type 3 removed; unknown counts as Type 1."""
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    setattr(dataset, keyword, DATE if "Date" in keyword else WORD)
    deidentify(dataset, KEY, BASIC)
    assert (keyword in dataset) == (action != "X")
    if action != "X":
        assert bool(dataset[keyword].value) == (action == "D")
