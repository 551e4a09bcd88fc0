"""Which decoder reads which transfer syntax, and one frame's samples as they were before they were encoded.

The table and its measurements: docs/imaging.md. Knows nothing of headers, of files, or of what samples mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from models.imaging.codestreams import (
    RLE_PADDING,
    Codestream,
    Extent,
    j2k_extent,
    j2k_start,
    jpeg_extent,
    kind_of,
    rle_segments,
)
from models.imaging.cut_jpeg import is_cut
from models.imaging.errors import ContradictorySyntax, CorruptPixels, UnsupportedPixels, WrongPixelLength, failing_as
from models.imaging.photometric import SUBSAMPLED

Samples = NDArray[Any]
"""(rows, columns) or (rows, columns, 3); integers, or floats of Float and Double Float Pixel Data."""


@dataclass(frozen=True, slots=True)
class Raster:
    """The image pixel description of one object (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    high: int
    """High Bit: the most significant of the `stored` ones, counted from 0."""
    signed: bool
    photometric: str
    planar: bool
    keyword: str
    """Of the pixel data element."""
    vr: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the decoded samples."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)


def native_length(raster: Raster, frames: int) -> int:
    """Bytes of so many frames of native pixels, without padding."""
    bits = raster.rows * raster.columns * raster.samples * raster.allocated * frames
    # Two pixels of four samples for six (PS3.3 C.7.6.3.1.2).
    return (bits + 7) // 8 // 3 * 2 if raster.photometric in SUBSAMPLED else (bits + 7) // 8


def check_native(data: memoryview, raster: Raster, frames: int) -> None:
    """Native pixels must be those of the image that the header describes.

    What lies behind them is padding where it is zeros, or less than a row and than a column: as much as a wrong
    attribute would leave over is not.

    Raises:
        WrongPixelLength: there are fewer or more, with the sum.
    """
    expected, subsampled = native_length(raster, frames), raster.photometric in SUBSAMPLED
    beyond = data[expected:]
    step = min(raster.rows, raster.columns) * raster.samples * raster.allocated // 8
    if len(data) >= expected and (len(beyond) < max(step, 2) or not np.frombuffer(beyond, np.uint8).any()):
        return
    sums = (
        f"{raster.rows} rows × {raster.columns} columns × {raster.samples} samples × {raster.allocated} bits × "
        f"{frames} frames are {expected:,} bytes"
        f"{f' where two pixels share their colour, as in {raster.photometric}' if subsampled else ''}, "
        f"and the native (uncompressed) pixel data has {len(data):,}"
    )
    if subsampled and 0 <= len(data) - expected * 3 // 2 <= 1:
        sums += ", as many as if none shared it"
    raise WrongPixelLength(sums)


def decode_native(syntax: UID, data: memoryview, raster: Raster, index: int, frames: int) -> tuple[Samples, str]:
    """Frame `index` of native pixel data that was checked, and the photometric interpretation of what is returned.

    Raises:
        UnsupportedPixels.
    """
    if raster.allocated == 1:
        return _single_bits(data, raster, index), raster.photometric
    # Subsampled in the same way; pydicom knows only the one.
    photometric = "YBR_FULL_422" if raster.photometric in SUBSAMPLED else raster.photometric
    options: Any = {
        "rows": raster.rows,
        "columns": raster.columns,
        "number_of_frames": frames,
        "samples_per_pixel": raster.samples,
        "bits_allocated": raster.allocated,
        "bits_stored": raster.stored,
        "photometric_interpretation": photometric,
        "pixel_representation": int(raster.signed),
        "planar_configuration": int(raster.planar),
        "pixel_keyword": raster.keyword,
        "pixel_vr": raster.vr,
        "correct_unused_bits": False,
    }
    length = native_length(raster, frames)
    # Words in big endian need their padding byte: it stands before the last one.
    whole = data[: length + length % 2]
    with failing_as(UnsupportedPixels("its native (uncompressed) pixels are laid out in a way that is not read here")):
        samples, _ = get_decoder(syntax).as_array(whole, index=index, raw=True, **options)
    samples = _meant(samples, raster, raster.allocated)
    return _rgb(samples, raster.photometric, raster.stored)


def _single_bits(data: memoryview, raster: Raster, index: int) -> Samples:
    """Frames need not start at a byte (PS3.5 8.1.1), which pydicom passes over."""
    count = raster.rows * raster.columns * raster.samples
    start, end = index * count, (index + 1) * count
    octets = np.frombuffer(data[start // 8 : (end + 7) // 8], np.uint8)
    return np.unpackbits(octets, bitorder="little")[start % 8 :][:count].reshape(raster.shape)


def decode(syntax: UID, codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    """One frame's codestream, decoded; and the photometric interpretation of what is returned.

    Raises:
        TruncatedFile, CorruptPixels, UnsupportedPixels.
        ContradictorySyntax: it is no codestream of that syntax.
        WrongPixelLength: the codestream is not of the image that `raster` describes.
    """
    decoder, kind = _DECODERS[syntax]
    found = kind_of(codestream)
    if kind is not None and found != kind:
        if found is not None:
            raise ContradictorySyntax(syntax.name, f"a codestream of {found}")
        if 0 <= len(codestream) - native_length(raster, 1) <= 1:
            raise ContradictorySyntax(syntax.name, "as long as uncompressed pixels are")
    return decoder(codestream, raster)


def _jpeg(codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    extent = _checked(jpeg_extent(codestream), raster)
    decoder = _whole_jpeg(extent)
    if extent.components == 1:
        return _decoded(decoder, codestream, raster, extent), raster.photometric
    # What the codestream does not say, the header does: libjpeg would guess YBR.
    ybr = extent.colour == "YBR" if extent.colour else raster.photometric.startswith("YBR")
    if ybr and not extent.lossless:
        # Subsampled colour is interpolated here.
        colours = {"colorspace": "YCBCR", "outcolorspace": "RGB"}
        return _decoded(decoder, codestream, raster, extent, **colours), "RGB"
    colours = {"colorspace": "RGB", "outcolorspace": "RGB"}
    samples = _decoded(decoder, codestream, raster, extent, **colours)
    return _rgb(samples, "YBR_FULL" if ybr else "RGB", extent.precision)


def _whole_jpeg(extent: Extent) -> Callable[..., Any]:
    """A decoder that refuses a codestream whose data ends before its image does."""

    def decode(codestream: bytes, **options: Any) -> Any:
        samples: Any = imagecodecs.jpeg8_decode(codestream, **options)
        again = partial(imagecodecs.jpeg8_decode, **options)
        if is_cut(codestream, samples, 2 ** (extent.precision - 1), again):
            raise CorruptPixels
        return samples

    return decode


def _jpeg_ls(codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    extent = _checked(jpeg_extent(codestream), raster)
    samples = _decoded(imagecodecs.jpegls_decode, codestream, raster, extent)
    return _rgb(samples, raster.photometric, extent.precision)


def _j2k(codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    extent = _checked(j2k_extent(codestream), raster)
    # OpenJPEG for the high-throughput form too. OpenJPH is twice as fast; but it wraps around what the lossy wavelet
    # takes above white, and what it finds damaged comes back as an image all the same.
    samples = _decoded(imagecodecs.jpeg2k_decode, codestream[j2k_start(codestream) :], raster, extent)
    # YBR_RCT and YBR_ICT name the codestream's own transform, which its decoder undoes (PS3.3 C.7.6.3.1.2).
    photometric = "RGB" if extent.colour or raster.photometric in ("YBR_RCT", "YBR_ICT") else raster.photometric
    return _rgb(samples, photometric, extent.precision)


def _rle(codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    size, count = max(raster.allocated // 8, 1), raster.rows * raster.columns
    needed = -(-count // 8) if raster.allocated == 1 else count
    planes = np.empty((raster.samples, needed, size), np.uint8)
    for index, segment in enumerate(rle_segments(codestream, raster.samples * size)):
        # The first holds the most significant byte (PS3.5 G.2).
        planes[index // size, :, size - 1 - index % size] = _unpacked(segment, needed, raster)
    if raster.allocated == 1:
        values: Samples = np.unpackbits(planes[:, :, 0], axis=1, count=count, bitorder="little")
    else:
        values = planes.view(f"<u{size}")[:, :, 0]
    values = values.reshape(raster.samples, raster.rows, raster.columns)
    samples = _meant(values[0] if raster.samples == 1 else np.moveaxis(values, 0, -1), raster, raster.allocated)
    return _rgb(samples, raster.photometric, raster.stored)


def _unpacked(segment: bytes, needed: int, raster: Raster) -> NDArray[np.uint8]:
    """The bytes that an RLE segment stands for, without what it is padded with."""
    try:
        decoded = imagecodecs.packbits_decode(segment)
    except RuntimeError:  # imagecodecs' own are of it, and not in its stubs.
        # It ends within a run: a byte of padding that is none of PS3.5 looks like the start of one.
        with failing_as(CorruptPixels()):
            decoded = imagecodecs.packbits_decode(segment[:-1])
    found = np.frombuffer(decoded, np.uint8)
    if found.size < needed:
        raise WrongPixelLength(f"an RLE segment decodes to {found.size:,} bytes, and the image needs {needed:,}")
    padding = segment[len(segment.rstrip(RLE_PADDING)) :]
    if found.size - needed - len(padding) // 2 >= min(raster.rows, raster.columns):
        raise WrongPixelLength(
            f"an RLE segment decodes to {found.size:,} bytes, a row or more above the {needed:,} of the image"
        )
    return found[:needed]


def _uncompressed(codestream: bytes, raster: Raster) -> tuple[Samples, str]:
    check_native(memoryview(codestream), raster, 1)
    return decode_native(ExplicitVRLittleEndian, memoryview(codestream), raster, 0, 1)


def _checked(extent: Extent, raster: Raster) -> Extent:
    """A codestream must be of the image that the header describes: decoders allocate what it says."""
    if extent[:3] != (raster.rows, raster.columns, raster.samples):
        raise WrongPixelLength(
            f"its codestream is of {extent.rows} rows, {extent.columns} columns and {extent.components} samples per "
            f"pixel, and its header of {raster.rows}, {raster.columns} and {raster.samples}"
        )
    if extent.precision > raster.allocated:
        raise CorruptPixels
    return extent


def _decoded(decoder: Callable[..., Any], codestream: bytes, raster: Raster, extent: Extent, **options: Any) -> Samples:
    with failing_as(CorruptPixels()):
        samples: Samples = decoder(codestream, **options)
    if samples.shape != raster.shape:
        raise CorruptPixels
    return _meant(samples, raster, extent.precision)


def _meant(samples: Samples, raster: Raster, precision: int) -> Samples:
    """Only the stored bits, sign-extended, in the smallest type that holds them (PS3.5 8.1.1).

    What else shares the container is overlays or garbage. Codestreams of signed samples are often of unsigned ones:
    JPEG knows no other.

    Args:
        samples: as decoded.
        raster: of the object.
        precision: bits of a sample that the decoder gave a meaning; those above are of no account.
    """
    if samples.dtype.kind == "f" or raster.allocated == 1:
        return samples
    bits, kind = min(raster.stored, precision), "i" if raster.signed else "u"
    low = raster.high + 1 - raster.stored if precision > raster.high else 0
    wide = samples.dtype.itemsize * 8
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False).view(f"{kind}{wide // 8}")
    if bits < wide:
        samples = samples << (wide - low - bits)
        samples >>= wide - bits
    return samples.astype(f"{kind}{next(size for size in (1, 2, 4, 8) if size * 8 >= raster.stored)}", copy=False)


# RGB from YBR_FULL (the inverse of PS3.3 C.7.6.3.1.2), and from YBR_PARTIAL, whose black is 16 and white 235.
_FROM_FULL = np.array([[1, 0, 1.402], [1, -0.114 * 1.772 / 0.587, -0.299 * 1.402 / 0.587], [1, 1.772, 0]])
_FROM_PARTIAL = _FROM_FULL * (255 / 219, 255 / 224, 255 / 224)


def _rgb(samples: Samples, photometric: str, bits: int) -> tuple[Samples, str]:
    """Samples of a YBR space as RGB; others as they are."""
    if samples.ndim != 3 or not photometric.startswith("YBR"):
        return samples, photometric
    if samples.dtype.kind != "u" or samples.dtype.itemsize > 2:
        raise UnsupportedPixels("its YBR samples are signed or have more than 16 bits")
    partial = photometric.startswith("YBR_PARTIAL")
    matrix = _FROM_PARTIAL if partial else _FROM_FULL
    middle = 2.0 ** (bits - 1)
    black = np.array((middle / 8 if partial else 0.0, middle, middle))
    # In whole numbers OpenCV is faster, and one level off in one pixel of 25.
    converted: Any = cv2.transform(samples.astype(np.float32), np.column_stack((matrix, -matrix @ black)))
    return np.clip(np.rint(converted, out=converted), 0, 2**bits - 1).astype(samples.dtype), "RGB"


# Registered, and without a name in pydicom.
_ENCAPSULATED_UNCOMPRESSED = UID("1.2.840.10008.1.2.1.98")
_JPEG_SPECTRAL_SELECTION = UID("1.2.840.10008.1.2.4.53")
_JPEG_FULL_PROGRESSION = UID("1.2.840.10008.1.2.4.55")

_DECODERS: dict[UID, tuple[Callable[[bytes, Raster], tuple[Samples, str]], Codestream | None]] = {
    _ENCAPSULATED_UNCOMPRESSED: (_uncompressed, None),
    RLELossless: (_rle, "RLE"),
    **dict.fromkeys(
        (JPEGBaseline8Bit, JPEGExtended12Bit, _JPEG_SPECTRAL_SELECTION, _JPEG_FULL_PROGRESSION, JPEGLossless,
         JPEGLosslessSV1),
        (_jpeg, "JPEG"),
    ),
    **dict.fromkeys((JPEGLSLossless, JPEGLSNearLossless), (_jpeg_ls, "JPEG-LS")),
    **dict.fromkeys(
        (JPEG2000Lossless, JPEG2000, JPEG2000MCLossless, JPEG2000MC, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K),
        (_j2k, "JPEG 2000"),
    ),
}  # fmt: skip
"""The decoder of each transfer syntax, and what its codestreams are."""

NATIVE_SYNTAXES = frozenset(
    {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian}
)
DECODABLE_SYNTAXES = NATIVE_SYNTAXES | _DECODERS.keys()
"""Transfer syntaxes whose pixels can be read here."""


def codestreams_of(syntax: UID) -> Codestream | None:
    """What kind of codestreams an encapsulated transfer syntax that can be read here has; None: none, native pixels."""
    return _DECODERS[syntax][1]
