"""A DICOM header: typed access to the values of its elements, as the de-identification profile lets them be read.

Knows nothing of pixels, nor of what the values mean.
"""

import logging
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import pydicom.config
from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag
from pydicom.uid import UID

from models.imaging.allowlist import BLOCKS
from models.imaging.deidentify.reading import permitted
from models.imaging.errors import LIBRARY_ERRORS
from models.imaging.malformed import Malformed as Malformed
from models.imaging.malformed import Numbers as Numbers
from models.imaging.malformed import valid as valid
from models.imaging.photometric import term_of

# pydicom's warnings and log records can quote values, and so names. They say nothing that the checks here do not,
# so they are off for the whole process: a filter set and reset around each call would race between threads.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)


# A comma is no character of DS (PS3.5 6.2): in one it can only be the decimal point of another language.
_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Header:
    """The listed elements of one object, as the de-identification profile lets them be read.

    Every reading has three outcomes: a value, None where the attribute is absent (or hidden), `Malformed` where
    something else stands there. `text`, `words`, `items` and `octets` are for what is compared with closed lists or
    with each other, where all but a value is the same as none.

    `within`, for each: look in these datasets, in order; the first that has the attribute tells.
    """

    dataset: Dataset = field(repr=False)
    syntax: UID
    contradicted: frozenset[int] = frozenset()
    """Tags that stand twice in the object itself, with different values. pydicom takes the last, DCMTK the first."""

    def text(self, keyword: str, *within: Dataset | None) -> str | None:
        """First value as stripped text; datasets where it is empty are passed over."""
        values = self._values(keyword, within)
        return (str(values[0]).strip() or None) if values else None

    @property
    def photometric(self) -> str | None:
        """Photometric Interpretation as the standard spells it, one that is none as it stands; None: no value."""
        value = self.text("PhotometricInterpretation")
        return value and term_of(value)

    def words(self, keyword: str, *within: Dataset | None) -> tuple[str, ...]:
        """All values as stripped text."""
        return tuple(str(value).strip() for value in self._values(keyword, within))

    def code(self, keyword: str, *within: Dataset | None) -> str | Malformed | None:
        """The value, as stripped text, of an attribute that has one; malformed where it has several, or none."""
        values = self._present(keyword, within)
        if values is None or isinstance(values, Malformed):
            return values
        texts = [str(value).strip(" \0") for value in values]
        return texts[0] if len(texts) == 1 and texts[0] else Malformed(keyword, empty=not any(texts))

    def numbers(self, keyword: str, *within: Dataset | None, count: int | None = None) -> Numbers:
        """All values, each a finite number; malformed where one is not, or where there are not `count`."""
        values = self._present(keyword, within)
        if values is None or isinstance(values, Malformed):
            return values
        found: list[float] = []
        for value in values:
            number = _as_number(value, decimal=not _is_integer(keyword))
            if number is None:
                return Malformed(keyword, empty=not any(str(value).strip(" \0") for value in values))
            found.append(number)
        if not found or count not in (None, len(found)):
            return Malformed(keyword, empty=not found)
        return tuple(found)

    def number(self, keyword: str, *within: Dataset | None) -> float | Malformed | None:
        """The value of an attribute that has one, a finite number."""
        numbers = self.numbers(keyword, *within, count=1)
        return numbers[0] if isinstance(numbers, tuple) else numbers

    def items(self, keyword: str, *within: Dataset | None) -> tuple[Dataset, ...]:
        """Items of a sequence."""
        return tuple(item for item in self._values(keyword, within) if isinstance(item, Dataset))

    def octets(self, keyword: str, *within: Dataset | None) -> bytes | None:
        """A value that is bytes."""
        values = self._values(keyword, within)
        return values[0] if values and isinstance(values[0], bytes) else None

    def private(self, creator: str, group: int, last: int) -> bytes | None:
        """The octets of one of allowlist.PRIVATE; None where it is not there."""
        for block in BLOCKS:
            try:
                name = self.dataset.get_item(group << 16 | block).value
                value = self.dataset.get_item(group << 16 | block << 8 | last).value
            except LIBRARY_ERRORS:  # absent ones too
                continue
            text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
            if text.strip(" \0") == creator:
                return value if isinstance(value, bytes) else None
        return None

    def macro(self, keyword: str, frame: int) -> Dataset | None:
        """A functional group macro of a multi-frame object: per frame, else shared (PS3.3 C.7.6.16)."""
        per_frame = self.items("PerFrameFunctionalGroupsSequence")
        shared = self.items("SharedFunctionalGroupsSequence")
        for group in (*per_frame[frame : frame + 1], *shared[:1]):
            if items := self.items(keyword, group):
                return items[0]
        return None

    def _values(self, keyword: str, within: tuple[Dataset | None, ...]) -> Sequence[object]:
        """Of the first dataset where there are any."""
        for dataset in within or (self.dataset,):
            values = self._told(dataset, keyword)
            if values and not isinstance(values, Malformed):
                return permitted(keyword, values)
        return ()

    def _told(self, dataset: Dataset | None, keyword: str) -> Sequence[object] | Malformed | None:
        if self.contradicted and dataset is self.dataset and _tag(keyword) in self.contradicted:
            return Malformed(keyword)
        return _elements(dataset, keyword)

    def _present(self, keyword: str, within: tuple[Dataset | None, ...]) -> Sequence[object] | Malformed | None:
        """Of the first dataset that has the attribute, and be it empty."""
        for dataset in within or (self.dataset,):
            values = self._told(dataset, keyword)
            if isinstance(values, Malformed):
                return values
            if values is not None:
                # What the profile hides counts as absent.
                return permitted(keyword, values) or None if values else values
        return None


def _elements(dataset: Dataset | None, keyword: str) -> Sequence[object] | Malformed | None:
    """An element's values as pydicom converts them, or as text where it cannot; None where it is absent."""
    tag = _tag(keyword)
    # Most are absent, and pydicom takes its time to say so.
    if dataset is None or tag is None or tag not in dataset.keys():  # noqa: SIM118  (its own `in` is as slow)
        return None
    try:
        value = dataset[tag].value
    except LIBRARY_ERRORS:
        return Malformed(keyword)
    if isinstance(value, str | bytes):
        return [value] if value else []
    if value is None:
        return []
    values: list[object] = list(value) if hasattr(value, "__iter__") else [value]
    return values if values and values[0] is not None else []


def _as_number(value: object, *, decimal: bool) -> float | None:
    """A finite number: of a binary VR as it is, of DS and IS by its text (pydicom takes "1_000" and "nan" too).

    `decimal`: a comma is the decimal point. In IS it can part thousands, too.
    """
    kind = type(value)
    if kind is not float and kind is not int:
        text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
        text = text.strip(" \0")
        if not _NUMBER.fullmatch(text) or ("," in text and not decimal):
            return None
        value = text.replace(",", ".")
    number = float(cast(str, value))
    return number if math.isfinite(number) else None


@lru_cache(maxsize=1024)
def _is_integer(keyword: str) -> bool:
    tag = _tag(keyword)
    return tag is not None and dictionary_has_tag(tag) and dictionary_VR(tag) == "IS"


@lru_cache(maxsize=1024)
def _tag(keyword: str) -> BaseTag | None:
    # As pydicom keeps them: it compares a tag with a number by a method in Python.
    tag = tag_for_keyword(keyword)
    return None if tag is None else BaseTag(tag)
