"""A DICOM header, of which only the elements listed here are ever read, and typed access to their values.

Knows nothing of pixels, nor of what the values mean.
"""

import logging
import math
import re
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import NoReturn, TypeVar, cast

import pydicom.config
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from models.imaging.deidentify.reading import permitted
from models.imaging.errors import (
    LIBRARY_ERRORS,
    CorruptHeader,
    NotAnImage,
    TruncatedFile,
    UnsupportedTransferSyntax,
    failing_as,
)
from models.imaging.limits import TooLarge, most_inflated
from schemas.limits import DEFAULT_LIMITS, Limits

# pydicom's warnings and log records can quote values, and so names. They say nothing that the checks here do not,
# so they are off for the whole process: a filter set and reset around each call would race between threads.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)

TAGS = (
    # what the image is
    "SOPClassUID", "ImageType", "Modality", "BodyPartExamined", "AnatomicRegionSequence", "StudyDescription",
    "SeriesDescription", "ProtocolName", "ViewPosition", "ViewCodeSequence", "ImageLaterality", "Laterality",
    "FrameLaterality", "PatientOrientation", "AnatomicalOrientationType", "ImageOrientationPatient",
    "DetectorInformationSequence",
    # which image it is and where it lies, for objects that mark regions of it
    "SOPInstanceUID", "FrameOfReferenceUID", "ImagePositionPatient",
    # which slices of its series lie beside it
    "SeriesInstanceUID", "AcquisitionNumber", "EchoNumbers", "TemporalPositionIdentifier", "DiffusionBValue",
    "DiffusionGradientOrientation", "NominalPercentageOfCardiacPhase", "FrameReferenceTime",
    # how it was taken
    "SliceThickness", "ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusVolume",
    "AcquisitionType", "ScanOptions", "SpacingBetweenSlices",
    "AcquisitionMatrix", "RepetitionTime", "EchoTime",
    "MagneticFieldStrength", "KVP", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelSpacingCalibrationType", "EstimatedRadiographicMagnificationFactor", "PixelAspectRatio",
    "SequenceOfUltrasoundRegions", "LossyImageCompression",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    # how its pixels are stored
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit", "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData", "ICCProfile",
    "OpticalPathSequence",
    # whether text may be burned into them
    "BurnedInAnnotation", "ConversionType", "RecognizableVisualFeatures", "SpecimenLabelInImage",
    # what its values mean
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "Units", "DoseGridScaling", "DoseUnits",
    "MultienergyCTAcquisition", "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence",
    "PresentationLUTShape", "DecayCorrection", "CorrectedImage", "SUVType", "PatientWeight",
    "RadiopharmaceuticalInformationSequence",
    "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "TimezoneOffsetFromUTC",
)  # fmt: skip
"""All that is read from a DICOM image (PS3.6 keywords), with PRIVATE. Any other element is skipped unparsed."""

PRIVATE = {
    ("SIEMENS MR HEADER", 0x0019, 0x0A): "NumberOfImagesInMosaic",
    ("SIEMENS CSA HEADER", 0x0029, 0x10): "CSA Image Header Info, of which two values are looked at",
}
"""Private elements that are read: creator, group and last byte of the element (PS3.5 7.8.1), and what they are."""


PIXEL_ELEMENTS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_TAGS = tuple(tag for tag in map(tag_for_keyword, TAGS) if tag is not None)
_BLOCKS = range(0x10, 0x18)
"""Of private elements, those in which a creator is looked for: writers take the first that is free."""
_PRIVATE_TAGS = tuple(
    group << 16 | element for _, group, last in PRIVATE for block in _BLOCKS for element in (block, block << 8 | last)
)
_VRS = {vr.value.encode() for vr in VR if len(vr.value) == 2}


_ITEMS, _ITEM_ENDS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"), (b"\xfe\xff\x0d\xe0", b"\xff\xfe\xe0\x0d")
"""Item and Item Delimitation Item, in little and big endian (PS3.5, 7.5)."""


class _Reader(BytesIO):
    """Notices reads that the end of the file cut short; pydicom passes over most of them.

    Counts what is read, and how deep in sequences, which pydicom does not bound.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        super().__init__(data)
        self.cut = False
        self.refused: TooLarge | None = None
        """Raised and kept: pydicom turns some of what a read raises into its own error."""
        self._limits = limits
        self._ends = self._elements = 0
        self._items: list[float] = []
        """Where each item ends that is being read; infinity: at its delimiter."""

    def read(self, size: int | None = -1, /) -> bytes:
        value = super().read(size)
        if size == 8:  # an element's tag, VR and length, or an item's tag and length
            self._elements += 1
            if self._elements > self._limits.elements:
                self._refuse(TooLarge("elements and items in its header", "elements", self._limits.elements))
            if value[:4] in _ITEMS:
                self._enter(value)
            elif value[:4] in _ITEM_ENDS and self._items:
                self._items.pop()
        if size is not None and len(value) < size:
            # Nothing at all where the next element's 8 bytes would start is how a whole file ends, once.
            self._ends += 1
            self.cut = self.cut or bool(value) or size != 8 or self._ends > 1
        return value

    def _enter(self, item: bytes) -> None:
        at = self.tell()
        while self._items and self._items[-1] < at:
            self._items.pop()
        length = int.from_bytes(item[4:], "little" if item[0] == 0xFE else "big")
        self._items.append(math.inf if length == 0xFFFFFFFF else at + length)
        if len(self._items) > self._limits.nesting:
            self._refuse(TooLarge("sequences within each other", "nesting", self._limits.nesting))

    def _refuse(self, error: TooLarge) -> NoReturn:
        self.refused = error
        raise error


@dataclass(frozen=True, slots=True)
class Malformed:
    """An attribute is there, and holds none of the values that it may have. Tells the attribute, never the value.

    Not to be taken for an absent one, for which the standard may have a default.
    """

    keyword: str
    empty: bool = False
    """Nothing stands in it: what the standard allows for Type 2, and means "unknown"."""


Value = TypeVar("Value")


def valid(value: Value | Malformed) -> Value | None:
    """The value; None where it is absent or malformed: for attributes of which either means that nothing is said."""
    return None if isinstance(value, Malformed) else value


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

    def text(self, keyword: str, *within: Dataset | None) -> str | None:
        """First value as stripped text; datasets where it is empty are passed over."""
        values = self._values(keyword, within)
        return (str(values[0]).strip() or None) if values else None

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

    def numbers(self, keyword: str, *within: Dataset | None, count: int | None = None) -> "Numbers":
        """All values, each a finite number; malformed where one is not, or where there are not `count`."""
        values = self._present(keyword, within)
        if values is None or isinstance(values, Malformed):
            return values
        found: list[float] = []
        for value in values:
            number = _as_number(value)
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
        """The octets of one of PRIVATE; None where it is not there."""
        for block in _BLOCKS:
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
            values = _elements(dataset, keyword)
            if values and not isinstance(values, Malformed):
                return permitted(keyword, values)
        return ()

    def _present(self, keyword: str, within: tuple[Dataset | None, ...]) -> Sequence[object] | Malformed | None:
        """Of the first dataset that has the attribute, and be it empty."""
        for dataset in within or (self.dataset,):
            values = _elements(dataset, keyword)
            if isinstance(values, Malformed):
                return values
            if values is not None:
                # What the profile hides counts as absent.
                return permitted(keyword, values) or None if values else values
        return None


Numbers = tuple[float, ...] | Malformed | None
"""See `Header.numbers`."""


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


def _as_number(value: object) -> float | None:
    """A finite number: of a binary VR as it is, of DS and IS by its text (pydicom takes "1_000" and "nan" too)."""
    kind = type(value)
    if kind is not float and kind is not int:
        text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
        text = text.strip(" \0")
        if not _NUMBER.fullmatch(text):
            return None
        value = text.replace(",", ".")
    number = float(cast(str, value))
    return number if math.isfinite(number) else None


@lru_cache(maxsize=1024)
def _tag(keyword: str) -> BaseTag | None:
    # As pydicom keeps them: it compares a tag with a number by a method in Python.
    tag = tag_for_keyword(keyword)
    return None if tag is None else BaseTag(tag)


def read_header(data: bytes, limits: Limits = DEFAULT_LIMITS, also: tuple[str, ...] = ()) -> tuple[Header, bytes, int]:
    """Read the header of a DICOM object, with or without preamble (PS3.10, 7.1), up to its pixel data.

    Args:
        data: the file.
        limits: that it is held to.
        also: keywords of elements to read beside TAGS.

    Returns:
        The header; the bytes that offsets refer to (inflated where the object was deflated); and the offset in them at
        which reading stopped: at the pixel data element, or at their end where the object has none.

    Raises:
        NotAnImage: not DICOM at all.
        TruncatedFile: cut within the header.
        CorruptHeader: cannot be parsed.
        UnsupportedTransferSyntax: private or unknown.
        TooLarge: inflates, nests or goes on beyond the limits.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    if start == 0 and not _plausible(data):
        raise NotAnImage
    reader = _Reader(data, limits)
    reader.seek(start)
    with failing_as(CorruptHeader()):
        meta = read_dataset(reader, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 0x0002)
        syntax = Header(meta, ImplicitVRLittleEndian).text("TransferSyntaxUID")
    syntax = UID(syntax) if syntax else _guessed(data[reader.tell() :][:6])
    if syntax.type != "Transfer Syntax":
        raise TruncatedFile if reader.cut else UnsupportedTransferSyntax
    if syntax == DeflatedExplicitVRLittleEndian:
        data, syntax = _inflated(data[reader.tell() :], limits), ExplicitVRLittleEndian
        reader = _Reader(data, limits)
    tags = [*_TAGS, *_PRIVATE_TAGS, *(tag for tag in map(tag_for_keyword, also) if tag is not None)]
    try:
        dataset = read_dataset(
            reader, syntax.is_implicit_VR, syntax.is_little_endian, stop_when=_at_pixels, specific_tags=tags
        )
    except (TooLarge, *LIBRARY_ERRORS):
        raise reader.refused or (TruncatedFile if reader.cut else CorruptHeader)() from None
    at = reader.tell()
    if at > len(data) or (reader.cut and at == len(data)):
        raise TruncatedFile
    # pydicom asks the dataset for the byte order of lookup tables.
    dataset.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    return Header(dataset, syntax), data, at


def _plausible(data: bytes) -> bool:
    """A data set without preamble starts with group 0002 or 0008, and its first value fits in the file."""
    if len(data) < 8 or data[:2] not in (b"\x02\x00", b"\x08\x00", b"\x00\x08"):
        return False
    return data[4:6] in _VRS or int.from_bytes(data[4:8], "little") < len(data)


def _guessed(first: bytes) -> UID:
    """Transfer syntax of a data set that does not name it, from its first element's tag and VR."""
    if first[4:6] not in _VRS:
        return ImplicitVRLittleEndian
    return ExplicitVRBigEndian if first[0] == 0 else ExplicitVRLittleEndian


def _inflated(data: bytes, limits: Limits) -> bytes:
    """Undo deflate without zlib header (PS3.5 A.5)."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    most, error = most_inflated(len(data), limits)
    with failing_as(CorruptHeader()):
        plain = inflate.decompress(data, most)
    if inflate.unconsumed_tail:
        raise error
    if not inflate.eof:
        raise TruncatedFile
    return plain


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_ELEMENTS
