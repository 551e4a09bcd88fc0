"""TIFF and BigTIFF files as frames, one a page. Whatever else such a file carries (descriptions, EXIF) stays behind.

Knows nothing of slides, whose pages are the levels of one pyramid.
"""

import logging
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile, TiffPage

from models.imaging import windows
from models.imaging.burned_in import UNKNOWN_SOURCE, BurnedInPolicy, Cleaner
from models.imaging.codestreams import Extent, j2k_extent, jpeg_extent
from models.imaging.colour import to_srgb
from models.imaging.errors import (
    CorruptHeader,
    CorruptPixels,
    TruncatedFile,
    UnsupportedPixels,
    failing_as,
)
from models.imaging.frames import Frame, Source, frame_of
from models.imaging.limits import check_size
from models.imaging.policy import FramePolicy
from models.imaging.quantities import Quantities, plain
from models.imaging.storing import Fitted, store
from schemas.images import ImageMetadata
from schemas.limits import DEFAULT_LIMITS, Limits

# Its records quote what the file says.
logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)

STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MOST_PAGES = 2**16

_REDUCED, _TRANSPARENCY = 1, 4  # NewSubfileType
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_ASSOCIATED_ALPHA, _ALPHA = 1, 2
_MOST_SAMPLES = 8
_JPEG = 7
# None, CCITT (3), LZW, JPEG, deflate, PackBits, deflate (old), JPEG 2000 (Aperio's RGB, and another), LZMA, ZSTD: their
# decoders are bounded by the segment's size, or their codestreams tell it.
_COMPRESSIONS = {1, 2, 3, 4, 5, _JPEG, 8, 32773, 32946, 33005, 34712, 34925, 50000}
_EXTENT_OF: dict[int, Callable[[bytes], Extent]] = {_JPEG: jpeg_extent, 33005: j2k_extent, 34712: j2k_extent}
_LOSSY = {_JPEG}
# Of each Orientation (TIFF 6.0, section 8): are rows and columns turned over, and are they exchanged after that?
_TURNS = {
    2: (False, True, False), 3: (True, True, False), 4: (True, False, False), 5: (False, False, True),
    6: (True, False, True), 7: (True, True, True), 8: (False, True, True),
}  # fmt: skip


class Pages:
    """The directories of a TIFF file, and segments of their pixels.

    Raises:
        TruncatedFile, CorruptHeader: the chain of directories is cut or damaged.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < 16:
            raise TruncatedFile
        self._data = data
        count = _directories(data)
        with failing_as(CorruptHeader()):
            self.file = TiffFile(BytesIO(data), _multifile=False)
            self.file.pages.useframes = False
            if len(self.file.pages) != count:
                raise CorruptHeader
            self.all = tuple(cast(TiffPage, self.file.pages[index]) for index in range(count))

    def check(self, page: TiffPage) -> None:
        """Refuse a page before anything is allocated for it.

        Raises:
            TruncatedFile, CorruptHeader, UnsupportedPixels.
        """
        if page.dtype is None or page.imagedepth != 1 or isinstance(page.bitspersample, tuple):
            raise UnsupportedPixels("the TIFF file's samples are of an uncommon kind, or it holds a volume in one page")
        if page.samplesperpixel > _MOST_SAMPLES or page.dtype.kind not in "buif":
            raise UnsupportedPixels("the TIFF file's pixels have many channels or are complex numbers")
        if int(page.compression) not in _COMPRESSIONS or page.jpegheader is not None:
            raise UnsupportedPixels("the TIFF file is compressed in a way that is not taken here")
        offsets, lengths = page.dataoffsets, _lengths(page, len(self._data))
        if min(_segments(page)) < 1 or len(offsets) != len(lengths) or len(offsets) != math.prod(_segments(page)):
            raise CorruptHeader
        if page.is_tiled:
            check_size(page.tilelength, page.tilewidth)
        if any(offset + length > len(self._data) for offset, length in zip(offsets, lengths, strict=True)):
            raise TruncatedFile
        if not any(lengths):
            raise UnsupportedPixels("not one strip or tile of the TIFF file's page is in it")

    def region(self, page: TiffPage, top: int, left: int, rows: int, columns: int) -> NDArray[Any]:
        """Samples (planes, rows, columns, channels) of a part of a page, of which one of the last two is 1.

        Raises:
            CorruptPixels, TruncatedFile: a segment within it cannot be decoded.
        """
        planes, channels = page.shaped[0], page.shaped[4]
        with failing_as(CorruptPixels()):
            found = np.zeros((planes, rows, columns, channels), page.dtype)
            for index in _within(page, top, left, rows, columns):
                row, column, height, width, plane = _place(page, index)
                segment = self._segment(page, index)
                if segment is None:
                    continue
                down, across = (
                    slice(max(row, top), min(row + height, top + rows)),
                    slice(max(column, left), min(column + width, left + columns)),
                )
                part = segment[down.start - row : down.stop - row, across.start - column : across.stop - column]
                found[plane, down.start - top : down.stop - top, across.start - left : across.stop - left] = part
        return found

    def _segment(self, page: TiffPage, index: int) -> NDArray[Any] | None:
        """One strip or tile (rows, columns, channels); None where a sparse file leaves it out."""
        start, length = page.dataoffsets[index], _lengths(page, len(self._data))[index]
        if length == 0:
            return None
        encoded = self._data[start : start + length]
        _, _, height, width, _ = _place(page, index)
        if extent_of := _EXTENT_OF.get(int(page.compression)):
            extent = extent_of(encoded)
            if extent.columns > width or extent.rows > max(height, page.rowsperstrip):
                raise CorruptPixels
        decoded, _, shape = page.decode(encoded, index, jpegtables=page.jpegtables)
        if decoded is None or decoded.shape != shape or shape[0] != 1:
            raise CorruptPixels
        return decoded[0]


def _directories(data: bytes) -> int:
    """Length of the chain of directories (TIFF 6.0, section 2): tifffile ends it in silence where the file does."""
    order = "<" if data.startswith(b"II") else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    at, offset = (8, order + "Q") if big else (4, order + "I")
    entries, entry = (order + "Q", 20) if big else (order + "H", 12)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(offset, data, at)
        while at:
            if at in seen or at < 8:
                raise CorruptHeader
            if len(seen) == MOST_PAGES:
                raise UnsupportedPixels(f"the TIFF file has more than {MOST_PAGES:,} pages")
            seen.add(at)
            (count,) = struct.unpack_from(entries, data, at)
            (at,) = struct.unpack_from(offset, data, at + struct.calcsize(entries) + count * entry)
    except (struct.error, OverflowError):
        raise TruncatedFile from None
    if not seen:
        raise CorruptHeader
    return len(seen)


def _lengths(page: TiffPage, end: int) -> tuple[int, ...]:
    """Bytes of each strip or tile; 0 of those that a sparse file leaves out.

    A count of 0 beside an offset is a mistake, read as libtiff does: uncompressed pixels are as long as they must be;
    compressed ones, where no count says anything, go on to the next or to the file's end.
    """
    offsets, counts = page.dataoffsets, page.databytecounts
    if all(counts) or len(offsets) != len(counts):
        return counts
    if int(page.compression) == 1:
        bits = page.bitspersample * page.shaped[4]
        places = (_place(page, index) for index in range(len(counts)))
        whole = [height * -(-width * bits // 8) for _, _, height, width, _ in places]
        return tuple(
            count or (length if offset else 0) for offset, count, length in zip(offsets, counts, whole, strict=True)
        )
    if any(counts):
        return counts
    after = sorted({*offsets, end})
    return tuple(next(other for other in after if other > at) - at if 0 < at < end else 0 for at in offsets)


def _segments(page: TiffPage) -> tuple[int, int, int]:
    """Numbers of strips or tiles: planes, down, across."""
    height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    if height < 1 or width < 1:
        raise CorruptHeader
    return page.shaped[0], -(-page.imagelength // height), -(-page.imagewidth // width)


def _within(page: TiffPage, top: int, left: int, rows: int, columns: int) -> Iterator[int]:
    """Indices of the strips or tiles that a part of the image touches."""
    planes, down, across = _segments(page)
    height, width = (page.tilelength, page.tilewidth) if page.is_tiled else (page.rowsperstrip, page.imagewidth)
    for plane in range(planes):
        for row in range(top // height, -(-(top + rows) // height)):
            for column in range(left // width, -(-(left + columns) // width)):
                yield (plane * down + row) * across + column


def _place(page: TiffPage, index: int) -> tuple[int, int, int, int, int]:
    """Row, column, height, width and plane of a strip or tile; tiles at the edges may reach beyond the image."""
    _, down, across = _segments(page)
    plane, place = divmod(index, down * across)
    row, column = divmod(place, across)
    if page.is_tiled:
        return row * page.tilelength, column * page.tilewidth, page.tilelength, page.tilewidth, plane
    top = row * page.rowsperstrip
    return top, 0, min(page.rowsperstrip, page.imagelength - top), page.imagewidth, plane


def open_pages(
    pages: Pages, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS, burned_in: BurnedInPolicy | None = None
) -> Source:
    """Each page as a frame, grey of up to 64 bits or RGB of 8 or 16; alpha is dropped.

    Reduced copies and transparency masks are no frames; the Orientation tag is applied. Resolution tags give no
    spacing: most writers put there what a printer should do. Colours are brought to sRGB from the page's profile.

    Raises:
        TruncatedFile, CorruptHeader, CorruptPixels, UnsupportedPixels, TooLarge.
    """
    with failing_as(CorruptHeader()):
        taken = [page for page in pages.all if not int(page.subfiletype) & (_REDUCED | _TRANSPARENCY)] or pages.all
        for page in taken:
            check_size(page.imagelength, page.imagewidth, len(taken), limits)
            pages.check(page)
        if len(pages.all) == 1 and _holds_more(pages.file):
            raise UnsupportedPixels(
                "the TIFF file holds several images under one directory, as ImageJ writes large stacks"
            )

    def quantities(index: int) -> Quantities:
        page = taken[index]
        with failing_as(CorruptPixels()):
            picture = picture_of(page, pages.region(page, 0, 0, page.imagelength, page.imagewidth))
            stored, slope, intercept, known = _stored(picture.samples, _no_data(page))
        stored = to_srgb(_upright(stored, page), profile_of(page))
        if picture.bits < 8:
            window = windows.span(0, 2**picture.bits - 1, "full range")
        else:
            window = windows.of_picture(stored, slope, intercept, None if known is None else _upright(known, page))
        return replace(plain(stored, window, slope, intercept), inverted=picture.inverted)

    cleaner = Cleaner(UNKNOWN_SOURCE, burned_in, len(taken), quantities)

    def decode(index: int) -> Frame:
        lossy = True if int(taken[index].compression) in _LOSSY else None
        metadata = ImageMetadata(source_format="TIFF", frames_in_object=len(taken), lossy_compression=lossy)
        return frame_of(index, quantities(index), metadata)

    return Source(frames_total=len(taken), taken=tuple(policy.choose(len(taken))), decode=decode, clean=cleaner.clean)


def profile_of(page: TiffPage) -> bytes | None:
    """The page's ICC profile (tag 34675)."""
    profile = page.tags.valueof("InterColorProfile")
    return profile if isinstance(profile, bytes) else None


def _holds_more(file: TiffFile) -> bool:
    return bool(file.is_stk) or (bool(file.is_imagej or file.is_shaped) and bool(file.series[0].is_truncated))


@dataclass(frozen=True, slots=True)
class Picture:
    """Samples with their photometric interpretation undone: (rows, columns) grey or (rows, columns, 3) RGB."""

    samples: NDArray[Any]
    bits: int
    inverted: bool


def picture_of(page: TiffPage, samples: NDArray[Any]) -> Picture:
    """What the samples (planes, rows, columns, channels) of a page show (TIFF 6.0, section 8).

    Raises:
        UnsupportedPixels: a colour space that is not taken.
        CorruptHeader: a palette is damaged.
    """
    channels = samples[..., 0].transpose(1, 2, 0) if samples.shape[3] == 1 else samples[0]
    extra = tuple(int(kind) for kind in page.extrasamples)
    photometric, count = int(page.photometric), channels.shape[2] - len(extra)
    bits = page.bitspersample
    alone = all(kind in (_ASSOCIATED_ALPHA, _ALPHA) for kind in extra)
    if photometric in (_MIN_IS_WHITE, _MIN_IS_BLACK) and count == 1 and alone:
        grey = channels[..., 0]
        grey = grey.astype(np.uint8) if grey.dtype == np.bool_ else grey
        return Picture(grey, bits, inverted=photometric == _MIN_IS_WHITE)
    if photometric == _PALETTE and count == 1 and channels.dtype.kind == "u":
        palette = page.colormap
        if palette is None or palette.ndim != 2 or palette.shape[0] != 3 or palette.shape[1] <= channels[..., 0].max():
            raise CorruptHeader
        # A palette has 16 bits a colour (section 5). Where all have 8 alone, these were meant, as libtiff takes it.
        shift = 8 if palette.max() > 255 else 0
        return Picture((palette.T[channels[..., 0]] >> shift).astype(np.uint8), 8, inverted=False)
    coloured = photometric == _RGB or (photometric == _YCBCR and int(page.compression) == _JPEG)
    if coloured and count == 3 and bits in (8, 16) and channels.dtype.kind == "u":
        return Picture(channels[..., :3], bits, inverted=False)
    raise UnsupportedPixels("the TIFF file is neither grey, nor RGB of 8 or 16 bits, nor of a palette")


def _stored(samples: NDArray[Any], no_data: tuple[float, float] | None) -> Fitted:
    if samples.ndim == 3:
        return Fitted(np.ascontiguousarray(samples, samples.dtype.newbyteorder("=")), 1.0, 0.0)
    return store(samples, no_data)


def _no_data(page: TiffPage) -> tuple[float, float] | None:
    """Lowest and highest of the value that stands for "no value" (GDAL_NODATA, tag 42113), where one is named."""
    text = page.tags.valueof(42113)
    try:
        value = float(text) if isinstance(text, str) else math.nan
    except ValueError:
        return None
    return (value, value) if math.isfinite(value) else None


def _upright(stored: NDArray[Any], page: TiffPage) -> NDArray[Any]:
    tag = page.tags.get("Orientation")
    turn = _TURNS.get(int(tag.value)) if tag is not None and isinstance(tag.value, int) else None
    if turn is None:
        return stored
    rows, columns, transposed = turn
    stored = stored[:: -1 if rows else 1, :: -1 if columns else 1]
    return np.ascontiguousarray(stored.swapaxes(0, 1) if transposed else stored)
