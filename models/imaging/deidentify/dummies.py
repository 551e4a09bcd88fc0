"""Dummies: what stands for a value that must be there and may not stay (PS3.15 E.3, action D)."""

from collections.abc import Callable

from pydicom import DataElement, Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.tag import BaseTag

from models.imaging.deidentify.codes import ATTRIBUTES as CODE_ATTRIBUTES
from models.imaging.deidentify.codes import UNKNOWN, VALUES
from models.imaging.deidentify.elements import is_foreign, items_of, readable, set_value, values_of, vr_of
from models.imaging.deidentify.table import row_of
from models.imaging.deidentify.values import FREE_TEXT, safe_text

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)

_VALUES: dict[str, str | bytes] = {
    "PN": "REMOVED", "AE": "REMOVED", "CS": "OTHER", "AS": "000Y", "DA": "19000101", "TM": "000000",
    "DT": "19000101000000", "UR": "urn:removed", "OB": b"\0\0", "OW": b"\0\0", "UN": b"\0\0", "OF": bytes(4),
    "OL": bytes(4), "OD": bytes(8), "OV": bytes(8),
} | dict.fromkeys(FREE_TEXT, "REMOVED")  # fmt: skip


def dummy_value(vr: str) -> str | bytes | int:
    """A valid value of a VR that says nothing."""
    return _VALUES.get(vr, 0)


def dummy_items(
    dataset: Dataset, tag: BaseTag, element: DataElement | None, uids: Callable[[DataElement], list[str]]
) -> None:
    """Put one item in a sequence's place: the first one's attributes, all of them dummies; codes become `UNKNOWN`.

    Args:
        dataset: with the sequence.
        tag: its tag.
        element: it, as it could be read.
        uids: those that stand for an attribute's.
    """
    items = items_of(element)
    item = items[0] if items else Dataset()
    _make_dummy(item, uids)
    set_value(dataset, tag, "SQ", [item])


def _make_dummy(item: Dataset, uids: Callable[[DataElement], list[str]]) -> None:
    coded = any(word in item for word in VALUES)
    for tag in list(item.keys()):
        element, keyword = readable(item, tag), keyword_for_tag(tag)
        vr = vr_of(tag, element)
        row = row_of(tag)
        unwanted = is_foreign(tag) or not keyword or tag in PIXELS or (row and row.basic == "X")
        if unwanted or element is None or (coded and keyword in CODE_ATTRIBUTES):
            del item[tag]
        elif vr == "UI":
            after = uids(element)
            set_value(item, tag, "UI", after[0] if len(after) == 1 else after)
        elif vr == "SQ":
            dummy_items(item, tag, element, uids)
        elif vr == "CS" and all(safe_text(keyword, vr, value, terms=False) for value in values_of(element)):
            continue
        else:
            set_value(item, tag, vr, dummy_value(vr))
    if coded:
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = UNKNOWN
