"""The profile applied to a dataset, in place, sequences at any depth.

Two locks: what table E.1-1 lists gets the table's action; what it does not list stays only where `values` knows it to
be safe. Knows nothing of files.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.tag import BaseTag

from models.imaging.deidentify.bulk import VRS as BULK
from models.imaging.deidentify.bulk import bulk_value, lookup_value
from models.imaging.deidentify.codes import ATTRIBUTES as CODE_ATTRIBUTES
from models.imaging.deidentify.codes import VALUES as CODE_VALUES
from models.imaging.deidentify.codes import clean_code
from models.imaging.deidentify.dates import moved
from models.imaging.deidentify.dummies import PIXELS, dummy_items, dummy_value
from models.imaging.deidentify.elements import (
    WORDS,
    fits,
    has_uids,
    is_foreign,
    items_of,
    numbers_of,
    numbers_safe,
    readable,
    set_value,
    values_of,
    vr_of,
)
from models.imaging.deidentify.icc import bare_profile
from models.imaging.deidentify.policy import Policy
from models.imaging.deidentify.pseudonyms import Pseudonyms
from models.imaging.deidentify.table import Action, Row, Types, row_of
from models.imaging.deidentify.values import FREE_TEXT, NEVER, safe_decimal, safe_number, safe_text
from models.imaging.errors import LIBRARY_ERRORS
from models.imaging.image_types import names_localizer, plain_type

_ABSENT_MEANS_ANOTHER = frozenset({
    "VOILUTFunction", "SUVType", "AnatomicalOrientationType", "MultienergyCTAcquisition", "RescaleType",
    "PixelSpacingCalibrationType",
})  # fmt: skip
"""Their absence means something: LINEAR, body weight, BIPED, NO, HU (PS3.3 C.8.2.1), uncalibrated."""

Actions = dict[str, str]
"""What was done, by attribute: (gggg,eeee), those within sequences joined by >; and the table's letters. No values."""

_ICC_PROFILE = 0x00282000
_NOT_LETTERS = re.compile(r"[\W\d_]+")
# Patient's Name, Other Patient Names, Birth Name, and the physicians' and operators' names.
_NAMES = (0x00100010, 0x00101001, 0x00101005, 0x00080090, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x0008009C)
_TEMPORAL = ("DA", "DT", "TM")

_PSEUDONYMS = {0x00100020: "patient", 0x00120040: "subject", 0x00400512: "container", 0x00400551: "specimen"}
"""Identifiers whose dummy is a pseudonym, so that what belongs together stays together."""

_REMOVED_TOO = frozenset({0x04000500, 0x4FFE0001})
"""Not in the table. Encrypted Attributes hold the original values; MAC Parameters mean nothing without a signature."""


def deidentify(dataset: Dataset, pseudonyms: Pseudonyms, policy: Policy, *, pixels_cleaned: bool = False) -> Actions:
    """Apply the profile to a whole data set, in place, and have it say so (PS3.3 C.12.1, C.7.1.1).

    Pixel data is not touched. `pixels_cleaned`: the caller has masked the text in it.
    """
    types, days = Types(_text(dataset, "SOPClassUID")), _shift(dataset, pseudonyms, policy)
    run = _Run(pseudonyms, policy, types, days, _names(dataset), little=dataset.original_encoding[1] is not False)
    run.clean(dataset, ())
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "DICOM PS3.15 Annex E by Tristream"
    dataset.DeidentificationMethodCodeSequence = [_code(*code) for code in policy.codes(pixels_cleaned)]
    dataset.LongitudinalTemporalInformationModified = policy.temporal_information
    if pixels_cleaned:
        dataset.BurnedInAnnotation = "NO"
    return run.actions


def _shift(dataset: Dataset, pseudonyms: Pseudonyms, policy: Policy) -> int:
    """Days to add to all dates of the object; those of a study that names no patient move together."""
    patient = _identifier(_text(dataset, "PatientID")) or _text(dataset, "StudyInstanceUID")
    return pseudonyms.days(patient) if policy.dates == "shift" else 0


def _names(dataset: Dataset) -> frozenset[str]:
    """The words of the persons' names of an object, upper case."""
    found = [dataset[tag] for tag in _NAMES if tag in dataset and readable(dataset, BaseTag(tag)) is not None]
    words = _NOT_LETTERS.split(" ".join(value for element in found for value in values_of(element)).upper())
    return frozenset(word for word in words if len(word) > 1)


def _identifier(text: str) -> str:
    return text.strip(" \0^").casefold()


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        return str(dataset.get(keyword) or "").strip(" \0")
    except LIBRARY_ERRORS:
        return ""


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


@dataclass(slots=True)
class _Run:
    """One object's way through the profile."""

    pseudonyms: Pseudonyms
    policy: Policy
    types: Types
    days: int
    names: frozenset[str]
    little: bool = True
    """Byte order of the object's words."""
    actions: Actions = field(default_factory=dict)

    def clean(self, dataset: Dataset, path: tuple[int, ...]) -> None:
        """All elements of a dataset; `path`: tags of the sequences around it."""
        patient = _identifier(_text(dataset, "PatientID"))
        coded = any(word in dataset for word in CODE_VALUES)
        if coded and clean_code(dataset):
            self._note((*path, 0x00080100), "D")
        for tag in list(dataset.keys()):
            if coded and keyword_for_tag(tag) in CODE_ATTRIBUTES:
                continue
            here = (*path, int(tag))
            if is_foreign(tag):
                del dataset[tag]
                self._note(here, "X")
                continue
            row = row_of(tag)
            element = readable(dataset, tag)
            if element is not None and vr_of(tag, None) == "SQ" != element.VR:
                element = None  # Whatever it is, no sequence.
            if row is None:
                self._unlisted(dataset, tag, element, here)
            else:
                self._listed(dataset, tag, element, here, row)
        if patient and 0x00100010 in dataset:
            dataset.PatientName = self.pseudonyms.name("patient", patient)

    def _listed(
        self, dataset: Dataset, tag: BaseTag, element: DataElement | None, path: tuple[int, ...], row: Row
    ) -> None:
        basic = row.action(self.types.choice(tag, nested=len(path) > 1))
        vr = vr_of(tag, element)
        if element is None:
            self._act(dataset, tag, None, path, "X" if basic == "X" else "Z" if vr != "UI" else "X")
            return
        if row.uids and self.policy.keep_uids and vr in ("UI", "SQ"):
            if vr == "SQ":
                self._within(element, path)
            elif not has_uids(element):
                self._act(dataset, tag, element, path, basic)
            return
        done = False
        if row.dates and self.policy.dates != "remove":
            done = self._dated(dataset, tag, element, path)
        elif row.clean_descriptors and self.policy.clean_descriptors:
            done = self._described(dataset, tag, element, path)
        if not done:
            self._act(dataset, tag, element, path, basic)

    def _unlisted(self, dataset: Dataset, tag: BaseTag, element: DataElement | None, path: tuple[int, ...]) -> None:
        keyword, vr = keyword_for_tag(tag), vr_of(tag, element)
        if tag in PIXELS and len(path) == 1:
            return
        if tag in _REMOVED_TOO:
            self._act(dataset, tag, element, path, "X")
        elif element is None or not keyword or not fits(tag, element):
            self._give_up(dataset, tag, element, path)
        elif tag == _ICC_PROFILE:
            self._bare_profile(dataset, tag, element, path)
        elif vr == "SQ":
            self._within(element, path)
        elif vr == "UI":
            self._replace_uids(dataset, tag, element, path)
        elif vr in WORDS:
            self._keep_safe(dataset, tag, element, path, self._safe_words(keyword, vr))
        elif (vr in ("DS", "IS") or element.VR in ("DS", "IS")) and numbers_safe(element):
            self._keep_numbers(dataset, tag, element, path)
        elif vr in _TEMPORAL:
            if self.policy.dates == "remove" or not self._dated(dataset, tag, element, path):
                self._give_up(dataset, tag, element, path)
        elif vr in NEVER or tag in PIXELS:
            self._give_up(dataset, tag, element, path)
        elif vr in BULK or keyword == "LUTData":
            self._keep_bulk(dataset, tag, element, path)
        elif not numbers_safe(element):
            self._give_up(dataset, tag, element, path)

    def _keep_bulk(self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...]) -> None:
        """Keep as many bytes as the attribute has by the others around it."""
        binary = element.VR in BULK
        value = bulk_value(dataset, tag, little=self.little) if binary else lookup_value(dataset)
        if value is None:
            self._give_up(dataset, tag, element, path)
        elif value != (element.value if binary else list(numbers_of(element))):
            element.value = value
            self._note(path, "C")

    def _bare_profile(self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...]) -> None:
        profile = bare_profile(element.value) if isinstance(element.value, bytes) else None
        if profile is None:
            self._give_up(dataset, tag, element, path)
        elif profile != element.value:
            element.value = profile
            self._note(path, "C")

    def _safe_words(self, keyword: str, vr: str) -> Callable[[str], str]:
        def safe(text: str) -> str:
            found = safe_text(keyword, vr, text, terms=self.policy.clean_descriptors)
            if vr in FREE_TEXT or keyword == "BodyPartExamined":
                # Mrs Hand's hand: a term that is a name in this very object is taken for the name.
                return " ".join(word for word in found.split(" ") if word.upper() not in self.names)
            return found

        return safe

    def _keep_safe(
        self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...], safe: Callable[[str], str]
    ) -> None:
        """Keep the values that are safe; where none is, the type of the attribute decides."""
        values = values_of(element)
        kept = [safe(value) for value in values]
        if all(after == before.strip(" \0") for before, after in zip(values, kept, strict=True)):
            return
        match keyword_for_tag(tag):
            case "ImageType" | "FrameType":
                # Their values have their places (PS3.3 C.7.6.1.1.2).
                kept = [after or plain_type(before) for before, after in zip(values, kept, strict=True)]
            case "ScanOptions":
                scout = any(map(names_localizer, values)) and not any(map(names_localizer, kept))
                kept = [*kept, "SCOUT MODE"] if scout else kept
            case "PatientOrientation":
                kept = kept if all(kept) else []
            case _:
                pass
        kept = [value for value in kept if value]
        if not kept:
            self._give_up(dataset, tag, element, path)
            return
        element.value = kept[0] if len(kept) == 1 else kept
        self._note(path, "C")

    def _keep_numbers(self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...]) -> None:
        """Keep all numbers of an attribute or leave it empty: some of them would mean others, and so would a dummy."""
        values = values_of(element)
        kept = [(safe_decimal if element.VR == "DS" else safe_number)(value) for value in values]
        if kept == values or element.is_empty:
            return
        if all(kept):
            element.value = kept[0] if len(kept) == 1 else kept
        else:
            set_value(dataset, tag, str(element.VR), None)
        self._note(path, "C" if all(kept) else "Z")

    def _give_up(self, dataset: Dataset, tag: BaseTag, element: DataElement | None, path: tuple[int, ...]) -> None:
        """Remove what is not known to be safe, as far as the object stays valid."""
        by_type: dict[int, Action] = {1: "D", 2: "Z", 3: "X"}
        empty = element is not None and element.is_empty
        if not empty:
            # A dummy number is a number.
            number = vr_of(tag, element) in ("DS", "IS")
            told = keyword_for_tag(tag) in _ABSENT_MEANS_ANOTHER
            action = "Z" if number else "D" if told else by_type[self.types.strictest(tag)]
            self._act(dataset, tag, element, path, action)

    def _described(self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...]) -> bool:
        """Clean Descriptors on a listed attribute; False where nothing is left of it."""
        vr = vr_of(tag, element)
        if vr == "SQ" and element.value:
            self._within(element, path)
            self._note(path, "C")
            return True
        if vr not in FREE_TEXT:
            return False
        safe = self._safe_words(keyword_for_tag(tag), vr)
        kept = [found for value in values_of(element) if (found := safe(value))]
        if kept:
            set_value(dataset, tag, vr, kept[0] if len(kept) == 1 else kept)
            self._note(path, "C")
        return bool(kept)

    def _dated(self, dataset: Dataset, tag: BaseTag, element: DataElement, path: tuple[int, ...]) -> bool:
        """Shift or keep a date or time; False where it is not a valid one."""
        vr = vr_of(tag, element)
        if vr == "SQ":
            self._within(element, path)
            return True
        if element.is_empty:
            return True
        found = [moved(vr, value, self.days) for value in values_of(element)]
        values = [value for value in found if value]
        if len(values) < len(found):
            return False
        if self.policy.dates == "shift":
            set_value(dataset, tag, vr, values[0] if len(values) == 1 else values)
        self._note(path, "C" if self.policy.dates == "shift" else "K")
        return True

    def _act(
        self, dataset: Dataset, tag: BaseTag, element: DataElement | None, path: tuple[int, ...], action: Action
    ) -> None:
        vr = vr_of(tag, element)
        if action == "U" and vr == "SQ" and element is not None:
            self._within(element, path)
        elif action == "U" or (action == "D" and vr == "UI"):
            self._replace_uids(dataset, tag, element, path)
            return
        elif action == "X":
            del dataset[tag]
        elif kind := _PSEUDONYMS.get(tag):
            identifier = _identifier(values_of(element)[0]) if element is not None and not element.is_empty else ""
            set_value(dataset, tag, vr, self.pseudonyms.name(kind, identifier) if identifier else None)
        elif action == "Z":
            set_value(dataset, tag, vr, [] if vr == "SQ" else None)
        elif vr == "SQ":
            dummy_items(dataset, tag, element, self._replaced)
        else:
            set_value(dataset, tag, vr, dummy_value(vr))
        self._note(path, action)

    def _replace_uids(self, dataset: Dataset, tag: BaseTag, element: DataElement | None, path: tuple[int, ...]) -> None:
        after = [] if element is None else self._replaced(element)
        if element is None or element.VR != "UI" or after != [uid.strip(" \0") for uid in values_of(element)]:
            set_value(dataset, tag, "UI", after[0] if len(after) == 1 else after)
            self._note(path, "U")

    def _replaced(self, element: DataElement) -> list[str]:
        """The UIDs that stand for an attribute's."""
        uids = [uid.strip(" \0") for uid in values_of(element)]
        if self.policy.keep_uids and row_of(element.tag) is None and has_uids(element):
            return uids
        return [self.pseudonyms.uid(uid) if uid else "" for uid in uids]

    def _within(self, element: DataElement, path: tuple[int, ...]) -> None:
        for item in items_of(element):
            self.clean(item, path)

    def _note(self, path: tuple[int, ...], action: str) -> None:
        if not path:
            return
        name = ">".join(map(_shown, path))
        before = self.actions.get(name, action)
        self.actions[name] = before if action in before.split("|") else f"{before}|{action}"


def _shown(tag: int) -> str:
    # The tags of private and unknown attributes can be bytes of a text that was never a tag.
    if tag >> 16 & 1:
        return "(private)"
    known = row_of(tag) is not None or dictionary_has_tag(tag)
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})" if known else "(unknown)"
