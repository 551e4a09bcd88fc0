"""DICOM objects as frames: where the pixel data is, that it is whole, and one frame of it decoded at a time.

Knows nothing of the patient: see header.TAGS for all that is read.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
)

from models.imaging.codestreams import Extent, j2k_extent, jpeg_extent
from models.imaging.errors import (
    CorruptHeader,
    CorruptPixels,
    IdentifyingPixels,
    NoPixelData,
    TruncatedFile,
    UnsupportedTransferSyntax,
    WrongPixelLength,
    failing_as,
)
from models.imaging.frames import Frame, Source, identify
from models.imaging.header import PIXEL_ELEMENTS, Header, read_header
from models.imaging.limits import check_size
from models.imaging.metadata import read_metadata
from models.imaging.policy import FramePolicy
from models.imaging.quantities import quantify
from models.imaging.slides import choose_tiles, refuse_labels

_UNDEFINED = 0xFFFFFFFF
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")

_EXTENT_OF: dict[UID, Callable[[bytes], Extent]] = (
    dict.fromkeys(JPEGTransferSyntaxes, jpeg_extent)
    | dict.fromkeys(JPEGLSTransferSyntaxes, jpeg_extent)
    | dict.fromkeys(JPEG2000TransferSyntaxes, j2k_extent)
)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the pixel data of an object is laid out, as pydicom's decoders want it said."""

    keyword: str
    vr: str
    start: int
    """Offset of the first byte of native pixels, or of the first item of encapsulated ones."""
    end: int
    frames: int
    options: dict[str, Any]


def open_dicom(data: bytes, policy: FramePolicy) -> Source:
    """The frames of a DICOM object, none decoded yet.

    Raises:
        An InvalidInput of models.imaging.errors.
    """
    header, data, at = read_header(data)
    if at >= len(data):
        raise NoPixelData
    if header.text("BurnedInAnnotation") == "YES":
        raise IdentifyingPixels
    refuse_labels(header)
    layout = _layout(header, data, at)
    encoded = _encoded_frames(header, data, layout) if header.syntax.is_encapsulated else None

    def read(index: int) -> Frame:
        if encoded is None:
            samples, photometric = _decode(header, memoryview(data)[layout.start : layout.end], layout, index)
        else:
            samples, photometric = _decode(header, encoded(index), layout, None)
        found = quantify(samples, photometric, header, index)
        return Frame(
            index=index,
            stored=found.stored,
            slope=found.slope,
            intercept=found.intercept,
            unit=found.unit,
            window=found.window,
            inverted=found.inverted,
            metadata=read_metadata(header, index, layout.frames),
            image_id=identify(found.stored, found.slope, found.intercept, found.unit, index, found.inverted),
        )

    taken = choose_tiles(header, policy, layout.frames, read)
    return Source(frames_total=layout.frames, taken=taken, read=read)


def _layout(header: Header, data: bytes, at: int) -> _Layout:
    """Read the image pixel module and the pixel data element's own header, and check one against the other."""
    keyword, vr, length, start = _element(header, data, at)
    rows, columns, bits = (_whole(header, word) for word in ("Rows", "Columns", "BitsAllocated"))
    frames = _whole(header, "NumberOfFrames", 1) or 1
    samples = _whole(header, "SamplesPerPixel", 1)
    photometric = header.text("PhotometricInterpretation")
    if photometric is None or samples not in (1, 3) or bits not in (1, 8, 16, 32, 64):
        raise CorruptHeader
    check_size(rows, columns)
    _check_decodable(header)
    stored = _whole(header, "BitsStored", bits)
    if not 1 <= stored <= bits:
        raise CorruptHeader
    end = len(data) if length == _UNDEFINED else start + length
    if end > len(data):
        raise TruncatedFile
    if not header.syntax.is_encapsulated:
        expected = (rows * columns * samples * bits * frames + 7) // 8
        if photometric == "YBR_FULL_422":
            expected = expected // 3 * 2
        if length == _UNDEFINED:
            raise CorruptHeader
        if length == 0:
            raise NoPixelData
        if length < expected:
            raise WrongPixelLength
    options = {
        "rows": rows,
        "columns": columns,
        "samples_per_pixel": samples,
        "bits_allocated": bits,
        "bits_stored": stored,
        "photometric_interpretation": photometric,
        "pixel_representation": _whole(header, "PixelRepresentation", 0) & 1,
        "planar_configuration": _whole(header, "PlanarConfiguration", 0) & 1,
        "pixel_keyword": keyword,
        "pixel_vr": vr,
        "allow_excess_frames": False,
    }
    return _Layout(keyword, vr, start, end, frames, options)


def _element(header: Header, data: bytes, at: int) -> tuple[str, str, int, int]:
    """Keyword, VR, length and start of the value of the pixel data element at `at` (PS3.5, 7.1.2 and 7.1.3)."""
    order = "<" if header.syntax.is_little_endian else ">"
    try:
        group, element = struct.unpack_from(order + "HH", data, at)
        # A length is even and these VRs read as odd ones, so the two encodings cannot be taken for each other.
        vr = data[at + 4 : at + 6]
        explicit = vr in _LONG_VRS
        (length,) = struct.unpack_from(order + "I", data, at + (8 if explicit else 4))
    except struct.error:
        raise TruncatedFile from None
    keyword = PIXEL_ELEMENTS.get(group << 16 | element)
    if keyword is None:
        raise CorruptHeader
    return keyword, vr.decode() if explicit else "OW", length, at + (12 if explicit else 8)


def _whole(header: Header, keyword: str, default: int | None = None) -> int:
    """A whole number from 0 that an image must have; `default` where the standard lets it be left out."""
    value = header.number(keyword)
    if value is None:
        if default is None:
            raise CorruptHeader
        return default
    if value < 0 or value != int(value):
        raise CorruptHeader
    return int(value)


def _check_decodable(header: Header) -> None:
    try:
        available = get_decoder(header.syntax).is_available
    except NotImplementedError:
        available = False
    # The plugin for the extended process decodes its 8-bit form alone.
    twelve_bits = header.syntax == JPEGExtended12Bit and (header.number("BitsStored") or 8) > 8
    if not available or twelve_bits:
        raise UnsupportedTransferSyntax(header.syntax.name)


def _check_extent(found: Extent, layout: _Layout) -> None:
    """A codestream must be of the image that the header describes.

    GDCM trusts the codestream, and writes past its buffer where it says more.
    """
    options = layout.options
    if found[:3] != (options["rows"], options["columns"], options["samples_per_pixel"]):
        raise WrongPixelLength
    if found.precision > options["bits_allocated"]:
        raise CorruptPixels


def _encoded_frames(header: Header, data: bytes, layout: _Layout) -> Callable[[int], bytes]:
    """How to cut one frame's codestream out of encapsulated pixel data (PS3.5 A.4).

    Raises:
        TruncatedFile, CorruptPixels: its items do not end in a delimiter.
        WrongPixelLength: fewer fragments than frames.
    """
    fragments = _fragments(data, layout.start, layout.end)
    if len(fragments) < layout.frames:
        raise WrongPixelLength
    if layout.frames == 1:
        return lambda _index: b"".join(data[start:end] for start, end in fragments)
    if layout.frames == len(fragments):
        return lambda index: data[slice(*fragments[index])]
    # Several fragments a frame: pydicom finds the borders by offset table or by JPEG markers.
    with failing_as(CorruptHeader()):
        tables = [header.dataset.get(word) for word in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")]
    extended = (tables[0], tables[1]) if all(tables) else None

    def cut(index: int) -> bytes:
        with failing_as(CorruptPixels()):
            items = data[layout.start : layout.end]
            return get_frame(items, index, number_of_frames=layout.frames, extended_offsets=extended)

    return cut


def _fragments(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of each fragment; the first item is the offset table, which is none."""
    items: list[tuple[int, int]] = []
    at = start
    while at + 8 <= end:
        tag, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        if tag == _DELIMITER:
            break
        if tag != _ITEM:
            raise CorruptPixels
        at += 8 + length
        if at > end:
            raise TruncatedFile
        items.append((at - length, at))
    else:
        raise TruncatedFile
    return items[1:]


def _decode(header: Header, encoded: Any, layout: _Layout, index: int | None) -> tuple[NDArray[np.generic], str]:
    """Samples (rows, columns) or (rows, columns, 3) of one frame, and their photometric interpretation.

    Args:
        header: of the object.
        encoded: one codestream, or the whole of native pixel data.
        layout: of the object.
        index: the frame within native pixel data; None for a codestream.
    """
    options: Any = layout.options | {"number_of_frames": layout.frames if index is not None else 1}
    if index is None:
        if extent_of := _EXTENT_OF.get(header.syntax):
            _check_extent(extent_of(encoded), layout)
        encoded = encapsulate([encoded], has_bot=False)
    with failing_as(CorruptPixels()):
        samples, found = get_decoder(header.syntax).as_array(encoded, index=index or 0, **options)
    return samples, str(found["photometric_interpretation"])
