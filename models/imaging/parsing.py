"""A DICOM object read up to its pixel data: the elements of the allowlist alone, within limits.

Knows nothing of pixels, nor of what values mean.
"""

import math
import zlib
from io import BytesIO
from typing import NoReturn

from pydicom.datadict import tag_for_keyword
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from models.imaging.allowlist import BLOCKS, PIXEL_ELEMENTS, PRIVATE, TAGS
from models.imaging.errors import (
    LIBRARY_ERRORS,
    CorruptHeader,
    NotAnImage,
    TruncatedFile,
    UnsupportedTransferSyntax,
    failing_as,
)
from models.imaging.header import Header
from models.imaging.limits import TooLarge, most_inflated
from schemas.limits import DEFAULT_LIMITS, Limits

_TAGS = tuple(tag for tag in map(tag_for_keyword, TAGS) if tag is not None)
_PRIVATE_TAGS = tuple(
    group << 16 | element for _, group, last in PRIVATE for block in BLOCKS for element in (block, block << 8 | last)
)
_COMPARED = 4096
"""Bytes of a value by which two of one attribute are told apart."""
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
    named = [*_TAGS, *(tag for tag in map(tag_for_keyword, also) if tag is not None)]
    seen, contradicted, compared = dict[int, bytes](), set[int](), frozenset(named)

    def at_pixels(tag: int, _vr: str | None, length: int) -> bool:
        # Of no length pydicom asks of the first element too, before it reads on.
        if length and tag in compared:
            value = data[reader.tell() : reader.tell() + min(length, _COMPARED)]
            if seen.setdefault(tag, value) != value:
                contradicted.add(tag)
        return tag in PIXEL_ELEMENTS

    try:
        dataset = read_dataset(
            reader,
            syntax.is_implicit_VR,
            syntax.is_little_endian,
            stop_when=at_pixels,
            specific_tags=[*named, *_PRIVATE_TAGS],
        )
    except (TooLarge, *LIBRARY_ERRORS):
        raise reader.refused or (TruncatedFile if reader.cut else CorruptHeader)() from None
    at = reader.tell()
    if at > len(data) or (reader.cut and at == len(data)):
        raise TruncatedFile
    # pydicom asks the dataset for the byte order of lookup tables.
    dataset.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    return Header(dataset, syntax, frozenset(contradicted)), data, at


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
