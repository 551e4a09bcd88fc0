"""A DICOM header, of which only the elements listed here are ever read, and typed access to their values.

Knows nothing of pixels, nor of what the values mean.
"""

import logging
import math
import warnings
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import cast

import numpy as np
import pydicom.config
from pydicom import Dataset
from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    AllTransferSyntaxes,
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
    UnsupportedPixels,
    UnsupportedTransferSyntax,
    failing_as,
)

# pydicom's warnings and log records can quote values, and so names. They say nothing that the checks here do not,
# so they are off for the whole process: a filter set and reset around each call would race between threads.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
for _library in ("pydicom", "pylibjpeg", "openjpeg", "rle"):
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)

MOST_INFLATED_BYTES = 2**30
"""Bound on a deflated object: a few kilobytes can inflate to any size."""

TAGS = (
    # what the image is
    "SOPClassUID", "Modality", "BodyPartExamined", "AnatomicRegionSequence", "StudyDescription", "SeriesDescription",
    "ProtocolName", "ViewPosition", "ViewCodeSequence", "ImageLaterality", "Laterality", "FrameLaterality",
    "PatientOrientation", "AnatomicalOrientationType", "ImageOrientationPatient",
    # how it was taken
    "SliceThickness", "ContrastBolusAgent", "ContrastBolusAgentSequence", "RepetitionTime", "EchoTime",
    "MagneticFieldStrength", "KVP", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "SequenceOfUltrasoundRegions", "LossyImageCompression",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    # how its pixels are stored
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "BurnedInAnnotation",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData",
    # what its values mean
    "RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "Units", "DoseGridScaling", "DoseUnits",
    "WindowCenter", "WindowWidth", "VOILUTFunction",
)  # fmt: skip
"""All that is read from a DICOM file (PS3.6 keywords). Any other element is skipped unparsed."""


PIXEL_ELEMENTS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
_TAGS = tuple(tag for tag in map(tag_for_keyword, TAGS) if tag is not None)
_VRS = {vr.value.encode() for vr in VR if len(vr.value) == 2}


class _Reader(BytesIO):
    """Notices reads that the end of the file cut short; pydicom passes over most of them."""

    cut = False
    _ends = 0

    def read(self, size: int | None = -1, /) -> bytes:
        value = super().read(size)
        if size is not None and len(value) < size:
            # Nothing at all where the next element's 8 bytes would start is how a whole file ends, once.
            self._ends += 1
            self.cut = self.cut or bool(value) or size != 8 or self._ends > 1
        return value


@dataclass(frozen=True, slots=True)
class Header:
    """The listed elements of one object, as the de-identification profile lets them be read.

    Absent, empty, hidden and malformed values are all None.
    """

    dataset: Dataset = field(repr=False)
    syntax: UID

    def text(self, keyword: str, *within: Dataset | None) -> str | None:
        """First value as stripped text. `within`: look in these datasets first, in order."""
        values = self._values(keyword, within)
        return (str(values[0]).strip() or None) if values else None

    def words(self, keyword: str, count: int) -> tuple[str, ...]:
        """Exactly `count` values as text, empty strings where there are others or none."""
        values = tuple(str(value).strip() for value in self._values(keyword, ()))
        return values if len(values) == count else ("",) * count

    def numbers(self, keyword: str, *within: Dataset | None) -> tuple[float, ...]:
        """All values as finite numbers; empty where one is not."""
        values = self._values(keyword, within)
        try:
            numbers = tuple(float(cast(str, value)) for value in values)
        except (TypeError, ValueError, OverflowError):
            return ()
        return numbers if all(map(math.isfinite, numbers)) else ()

    def number(self, keyword: str, *within: Dataset | None) -> float | None:
        """First value as a finite number."""
        numbers = self.numbers(keyword, *within)
        return numbers[0] if numbers else None

    def items(self, keyword: str, *within: Dataset | None) -> tuple[Dataset, ...]:
        """Items of a sequence."""
        return tuple(item for item in self._values(keyword, within) if isinstance(item, Dataset))

    def macro(self, keyword: str, frame: int) -> Dataset | None:
        """A functional group macro of a multi-frame object: per frame, else shared (PS3.3 C.7.6.16)."""
        per_frame = self.items("PerFrameFunctionalGroupsSequence")
        shared = self.items("SharedFunctionalGroupsSequence")
        for group in (*per_frame[frame : frame + 1], *shared[:1]):
            if items := self.items(keyword, group):
                return items[0]
        return None

    def _values(self, keyword: str, within: tuple[Dataset | None, ...]) -> Sequence[object]:
        for dataset in (*(item for item in within if item is not None), *(() if within else (self.dataset,))):
            try:
                value = dataset.get(keyword)
            except LIBRARY_ERRORS:
                continue
            if isinstance(value, str | bytes):
                value = [value] if value else []
            if value is not None:
                values = list(value) if hasattr(value, "__iter__") else [value]
                if values and values[0] is not None:
                    return permitted(keyword, values)
        return ()


def read_header(data: bytes) -> tuple[Header, bytes, int]:
    """Read the header of a DICOM object, with or without preamble (PS3.10, 7.1), up to its pixel data.

    Returns:
        The header; the bytes that offsets refer to (inflated where the object was deflated); and the offset in them at
        which reading stopped: at the pixel data element, or at their end where the object has none.

    Raises:
        NotAnImage: not DICOM at all.
        TruncatedFile: cut within the header.
        CorruptHeader: cannot be parsed.
        UnsupportedTransferSyntax: private or unknown.
        UnsupportedPixels: inflates beyond MOST_INFLATED_BYTES.
    """
    start = 132 if data[128:132] == b"DICM" else 0
    if start == 0 and not _plausible(data):
        raise NotAnImage
    reader = _Reader(data)
    reader.seek(start)
    with failing_as(CorruptHeader()):
        meta = read_dataset(reader, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 0x0002)
        syntax = Header(meta, ImplicitVRLittleEndian).text("TransferSyntaxUID")
    syntax = UID(syntax) if syntax else _guessed(data[reader.tell() :][:6])
    if syntax not in AllTransferSyntaxes:
        raise TruncatedFile if reader.cut else UnsupportedTransferSyntax
    if syntax == DeflatedExplicitVRLittleEndian:
        data, syntax = _inflated(data[reader.tell() :]), ExplicitVRLittleEndian
        reader = _Reader(data)
    try:
        dataset = read_dataset(
            reader, syntax.is_implicit_VR, syntax.is_little_endian, stop_when=_at_pixels, specific_tags=[*_TAGS]
        )
    except LIBRARY_ERRORS:
        raise (TruncatedFile if reader.cut else CorruptHeader) from None
    at = reader.tell()
    if at > len(data) or (reader.cut and at == len(data)):
        raise TruncatedFile
    # pydicom asks the dataset for the byte order of modality and segmented lookup tables, and takes palettes as little.
    dataset.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    if not syntax.is_little_endian:
        with failing_as(CorruptHeader()):
            _swap_palettes(dataset)
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


def _inflated(data: bytes) -> bytes:
    """Undo deflate without zlib header (PS3.5 A.5)."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    with failing_as(CorruptHeader()):
        plain = inflate.decompress(data, MOST_INFLATED_BYTES)
    if inflate.unconsumed_tail:
        raise UnsupportedPixels("the deflated object inflates to more than 1 GiB")
    if not inflate.eof:
        raise TruncatedFile
    return plain


def _swap_palettes(dataset: Dataset) -> None:
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTableData"
        if keyword in dataset and dataset[keyword].VR == "OW":
            dataset[keyword].value = np.frombuffer(dataset[keyword].value, "<u2").byteswap().tobytes()


def _at_pixels(tag: int, _vr: str | None, _length: int) -> bool:
    return tag in PIXEL_ELEMENTS
