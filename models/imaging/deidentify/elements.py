"""Elements of a data set, read so that nothing in them raises: VR, values, and whether they fit the dictionary.

Knows nothing of what is done with them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from models.imaging.deidentify.lettered import numbers_read_as_text
from models.imaging.deidentify.values import FREE_TEXT, NEVER
from models.imaging.errors import LIBRARY_ERRORS

WORDS = FREE_TEXT | {"CS"}
"""Value representations of text that can hold a word that is known."""
_BULK = ("OB", "OW", "UN")
_NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "IS", "DS"})


def values_of(element: DataElement) -> list[str]:
    """Its values as text."""
    value: Any = element.value
    if value is None or isinstance(value, str | bytes) or not isinstance(value, Sequence):
        value = [value]
    return [part.decode("latin-1") if isinstance(part, bytes) else str("" if part is None else part) for part in value]


def is_foreign(tag: BaseTag) -> bool:
    """Private; a group length; of commands, files or directories; or of a curve or overlay."""
    group = tag.group
    return tag.is_private or tag.element == 0 or group < 8 or group & 0xFF00 in (0x5000, 0x6000)


def readable(dataset: Dataset, tag: BaseTag) -> DataElement | None:
    """An element whose value can be converted; None where it cannot."""
    try:
        element = dataset[tag]
        element.is_empty  # noqa: B018  # some values are only converted when asked for
    except LIBRARY_ERRORS:
        return None
    return element


def vr_of(tag: BaseTag, element: DataElement | None) -> str:
    """The VR that the dictionary gives, or the element's own where it leaves a choice."""
    if dictionary_has_tag(tag):
        listed = dictionary_VR(tag)
        if " or " not in listed and listed != "NONE":
            return listed
    return str(element.VR) if element is not None else VR.UN


def fits(tag: BaseTag, element: DataElement) -> bool:
    """An element's VR, and the number of its values, are such that they mean what the dictionary says."""
    listed, most, vr = dictionary_VR(tag).split(" or "), dictionary_VM(tag), str(element.VR)
    numbers = not _NUMBERS.isdisjoint(listed)
    if numbers and vr in _NUMBERS:
        # More binary numbers than the attribute can have are likely to be the letters of a text.
        few = most.isdigit() and int(most) >= element.VM
        return few or (not most.isdigit() and vr in listed)
    families = (WORDS | NEVER | {"UI"}, frozenset(_BULK))
    return vr in listed or any(vr in family and not family.isdisjoint(listed) for family in families)


def numbers_of(element: DataElement) -> list[object]:
    """Its values, one or several."""
    value: Any = element.value
    return list(value) if isinstance(value, Iterable) else [value]


def numbers_safe(element: DataElement) -> bool:
    """Binary numbers that are no letters, and tags that stand for attributes of the standard (VR AT)."""
    if element.VR == "AT":
        return all(isinstance(tag, int) and dictionary_has_tag(tag) for tag in numbers_of(element))
    return not numbers_read_as_text(element)


def items_of(element: DataElement | None) -> list[Dataset]:
    """Of a sequence; none of anything else."""
    value: Iterable[object] = element.value if element is not None and element.VR == "SQ" and element.value else ()
    return [item for item in value if isinstance(item, Dataset)]


def has_uids(element: DataElement) -> bool:
    """Its values are UIDs, or nothing, in a VR of text: binary numbers would read as UIDs too."""
    return str(element.VR) in WORDS | {"UI"} and all(map(_looks_like_uid, values_of(element)))


def _looks_like_uid(text: str) -> bool:
    text = text.strip(" \0")
    return len(text) <= 64 and all(part.isdigit() for part in text.split(".")) if text else True


def set_value(dataset: Dataset, tag: BaseTag, vr: str, value: object) -> None:
    """Put a new element in the place of whatever is there."""
    dataset[tag] = DataElement(tag, vr, value)
