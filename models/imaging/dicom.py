"""DICOM objects as frames: where the pixel data is, that it is whole, and one frame of it decoded at a time.

Knows nothing of the patient: see allowlist.TAGS for all that is read.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pydicom import Dataset
from pydicom.encaps import get_frame

from models.imaging.allowlist import PIXEL_ELEMENTS
from models.imaging.belonging import told_by
from models.imaging.burned_in import BurnedInPolicy, Cleaner, evidence_of
from models.imaging.codecs import (
    DECODABLE_SYNTAXES,
    Raster,
    Samples,
    check_native,
    decode,
    decode_native,
    native_length,
)
from models.imaging.colour import dicom_profile, to_srgb
from models.imaging.errors import (
    ContradictorySyntax,
    CorruptHeader,
    CorruptPixels,
    MalformedAttribute,
    MarksOtherImages,
    NoPixelData,
    TruncatedFile,
    UnsupportedPixels,
    UnsupportedTransferSyntax,
    WrongPixelLength,
    failing_as,
)
from models.imaging.frames import Frame, Source, frame_of
from models.imaging.given.kinds import kind_of
from models.imaging.header import Header, Malformed, Numbers
from models.imaging.limits import check_size
from models.imaging.metadata import read_metadata
from models.imaging.mosaics import Mosaic, mosaic_of
from models.imaging.neighbours import Placed, Stack, stacks_of
from models.imaging.parsing import read_header
from models.imaging.photometric import COMPRESSED, NOT_TAKEN, SAMPLES, SUBSAMPLED
from models.imaging.planes import instance_of
from models.imaging.policy import FramePolicy
from models.imaging.quantities import Quantities, quantify
from models.imaging.series import Slice, slice_of
from models.imaging.sides import is_biped
from models.imaging.slides import choose_tiles, refuse_labels
from schemas.limits import DEFAULT_LIMITS, Limits

_UNDEFINED = 0xFFFFFFFF
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the pixel data of an object is, and how it is laid out."""

    raster: Raster
    start: int
    """Offset of the first byte of native pixels, or of the first item of encapsulated ones."""
    end: int
    frames: int


@dataclass(frozen=True, slots=True)
class PixelData:
    """An object's pixels: laid out as its header says, whole, and not decoded yet."""

    raster: Raster
    frames: int
    samples: Callable[[int], tuple[Samples, str]] = field(repr=False)
    """Decode one frame; with the photometric interpretation of what is returned. Raises an InvalidInput."""


def open_dicom(
    data: bytes, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS, burned_in: BurnedInPolicy | None = None
) -> Source:
    """The frames of a DICOM object, none decoded yet.

    Raises:
        An InvalidInput of models.imaging.errors, or TooLarge.
    """
    header, data, at = read_header(data, limits)
    if kind := kind_of(header.text("SOPClassUID")):
        raise MarksOtherImages(kind)
    if at >= len(data):
        raise NoPixelData
    refuse_labels(header)
    return source_of(header, pixel_data(header, data, at, limits), policy, burned_in)


def source_of(header: Header, pixels: PixelData, policy: FramePolicy, burned_in: BurnedInPolicy | None) -> Source:
    """The frames of an object's pixels; of a mosaic, its tiles.

    Raises:
        UnsupportedPixels: a mosaic that cannot be taken apart.
    """
    mosaic = mosaic_of(header, pixels.raster, pixels.frames)
    if mosaic is not None:
        pixels = _tiles(pixels, mosaic)
    cleaner = cleaner_of(header, pixels, burned_in)

    def decode(index: int) -> Frame:
        return frame_of(index, cleaner.quantities(index), read_metadata(header, index, pixels.frames))

    taken = choose_tiles(header, policy, pixels.frames, cleaner.quantities)

    def stacks() -> tuple[Stack, ...]:
        found = stacks_of(_planes(header, pixels.frames)) if mosaic is None else mosaic.stacks
        return found if is_biped(header) else tuple(stack.unsided() for stack in found)

    def in_series() -> Slice | None:
        found = slice_of(header) if mosaic is None else None
        return found and replace(found, sided=is_biped(header))

    return Source(
        frames_total=pixels.frames,
        taken=taken,
        decode=decode,
        clean=cleaner.clean,
        stacks=stacks,
        in_series=in_series,
        # What marks a mosaic marks pixels of the whole: of no tile.
        instance=instance_of(header, pixels.frames) if mosaic is None else None,
        belonging=told_by(header),
    )


def _tiles(pixels: PixelData, mosaic: Mosaic) -> PixelData:
    """A mosaic's tiles as frames. Decodes it, to see that it holds no more than it says."""
    whole, photometric = pixels.samples(0)
    mosaic.check(whole)
    raster = replace(pixels.raster, rows=mosaic.rows, columns=mosaic.columns)
    return PixelData(raster, mosaic.tiles, lambda index: (mosaic.tile(whole, index), photometric))


def _planes(header: Header, frames: int) -> list[Placed | None]:
    """Of each frame of a multi-frame object whose functional groups tell where it lies (PS3.3 C.7.6.16.2.3)."""
    shared = header.items("SharedFunctionalGroupsSequence")[:1]
    found: list[Placed | None] = []
    for group in header.items("PerFrameFunctionalGroupsSequence")[:frames]:

        def told(macro: str, keyword: str, *within: Dataset) -> Numbers:
            items = next((items for each in within if (items := header.items(macro, each))), ())
            return header.numbers(keyword, *items[:1]) if items else None

        origin = told("PlanePositionSequence", "ImagePositionPatient", group)
        axes = told("PlaneOrientationSequence", "ImageOrientationPatient", group, *shared)
        spacing = told("PixelMeasuresSequence", "PixelSpacing", group, *shared)
        found.append(Placed.told(axes, origin, spacing))
    return found


def pixel_data(header: Header, data: bytes, at: int, limits: Limits = DEFAULT_LIMITS) -> PixelData:
    """The pixels of an object that `read_header` has read.

    Raises:
        An InvalidInput of models.imaging.errors, or TooLarge.
    """
    layout = _layout(header, data, at, limits)
    encoded = _encoded_frames(header, data, layout) if header.syntax.is_encapsulated else None

    def samples(index: int) -> tuple[Samples, str]:
        if encoded is None:
            native = memoryview(data)[layout.start : layout.end]
            return decode_native(header.syntax, native, layout.raster, index, layout.frames)
        return decode(header.syntax, encoded(index), layout.raster)

    return PixelData(layout.raster, layout.frames, samples)


def cleaner_of(header: Header, pixels: PixelData, burned_in: BurnedInPolicy | None) -> Cleaner:
    """What masks the text of an object's frames."""

    profile = dicom_profile(header)

    def quantities(index: int) -> Quantities:
        found = quantify(*pixels.samples(index), header, index)
        return replace(found, stored=to_srgb(found.stored, profile)) if profile else found

    return Cleaner(evidence_of(header), burned_in, pixels.frames, quantities)


def _layout(header: Header, data: bytes, at: int, limits: Limits) -> _Layout:
    """Read the image pixel module and the pixel data element's own header, and check one against the other."""
    keyword, vr, length, start = _element(header, data, at)
    rows, columns, bits = (_whole(header, word) for word in ("Rows", "Columns", "BitsAllocated"))
    frames = _whole(header, "NumberOfFrames", 1) or 1
    samples = _whole(header, "SamplesPerPixel", 1)
    photometric = header.photometric
    if photometric is None:
        raise CorruptHeader
    if isinstance(header.code("PhotometricInterpretation"), Malformed):
        raise MalformedAttribute("PhotometricInterpretation")
    if bits not in (1, 8, 16, 32, 64):
        raise MalformedAttribute("BitsAllocated")
    check_size(rows, columns, frames, limits)
    if header.syntax not in DECODABLE_SYNTAXES:
        raise UnsupportedTransferSyntax(header.syntax.name)
    stored = _whole(header, "BitsStored", bits)
    # Beyond the container is impossible, and was always meant to be the usual.
    high = min(_whole(header, "HighBit", stored - 1), bits - 1)
    if not 1 <= stored <= bits:
        raise MalformedAttribute("BitsStored")
    end = len(data) if length == _UNDEFINED else start + length
    if end > len(data):
        raise TruncatedFile
    if length == 0:
        raise NoPixelData
    raster = Raster(
        rows=rows,
        columns=columns,
        samples=samples,
        allocated=bits,
        stored=stored,
        high=max(high, stored - 1),
        signed=_either(header, "PixelRepresentation"),
        photometric=photometric,
        planar=samples > 1 and _either(header, "PlanarConfiguration"),
        keyword=keyword,
        vr=vr,
    )
    if photometric not in SAMPLES:
        raise UnsupportedPixels(NOT_TAKEN)
    if SAMPLES[photometric] != samples:
        raise UnsupportedPixels("its Samples per Pixel and Photometric Interpretation contradict each other")
    if samples not in (1, 3):
        raise UnsupportedPixels(NOT_TAKEN)
    _check_encoding(header, memoryview(data)[start:end], raster, frames, bounded=length != _UNDEFINED)
    return _Layout(raster, start, end, frames)


def _check_encoding(header: Header, pixels: memoryview, raster: Raster, frames: int, *, bounded: bool) -> None:
    """Pixels must be native or encapsulated as the transfer syntax says (PS3.5 8.2 and A.4), and native ones whole.

    Raises:
        ContradictorySyntax, UnsupportedPixels, WrongPixelLength.
    """
    in_items = bytes(pixels[:4]) == _ITEM
    if header.syntax.is_encapsulated:
        if bounded and not in_items:
            raise ContradictorySyntax(header.syntax.name, "native (uncompressed)")
        return
    # Two pixels can look like the tag of an item: only where there are too few of them, it is one.
    if not bounded or (in_items and len(pixels) < native_length(raster, frames)):
        raise ContradictorySyntax(header.syntax.name, "encapsulated, as compressed pixels are")
    if raster.photometric in COMPRESSED:
        raise UnsupportedPixels(
            f"its Photometric Interpretation, {raster.photometric}, is of compressed pixels, and it has native ones"
        )
    if raster.photometric in SUBSAMPLED and (raster.columns % 2 or raster.allocated != 8 or raster.planar):
        raise UnsupportedPixels(
            f"its native pixels of {raster.photometric} have an odd number of columns, other than 8 bits a sample, or "
            "a plane for each colour"
        )
    check_native(pixels, raster, frames)


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
    """A whole number from 0 that an image must have; `default` where it may be left out.

    Raises:
        CorruptHeader: it is missing, and has no default.
        MalformedAttribute: it is something else.
    """
    value = header.number(keyword)
    if value is None or (isinstance(value, Malformed) and value.empty and default is not None):
        if default is None:
            raise CorruptHeader
        return default
    if isinstance(value, Malformed) or value < 0 or value != int(value):
        raise MalformedAttribute(keyword)
    return int(value)


def _either(header: Header, keyword: str) -> bool:
    """Whether an attribute that is 0 or 1, and 0 where it is left out, is 1.

    Raises:
        MalformedAttribute: it is something else.
    """
    value = _whole(header, keyword, 0)
    if value > 1:
        raise MalformedAttribute(keyword)
    return value == 1


def _encoded_frames(header: Header, data: bytes, layout: _Layout) -> Callable[[int], bytes]:
    """How to cut one frame's codestream out of encapsulated pixel data (PS3.5 A.4).

    Raises:
        TruncatedFile, CorruptPixels: its items do not end in a delimiter.
        WrongPixelLength: fewer fragments than frames.
    """
    fragments = _fragments(data, layout.start, layout.end)
    if len(fragments) < layout.frames:
        raise WrongPixelLength(
            f"there are {len(fragments):,} fragments of compressed pixels for {layout.frames:,} frames"
        )
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
