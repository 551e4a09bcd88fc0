"""PNG and JPEG files as frames. Whatever else such a file carries (EXIF, text) stays behind."""

from models.imaging import windows
from models.imaging.burned_in import UNKNOWN_SOURCE, BurnedInPolicy, Cleaner
from models.imaging.codestreams import PNG_SIGNATURE, jpeg_extent, kind_of, png_size
from models.imaging.colour import jpeg_profile, png_profile, to_srgb
from models.imaging.cut_jpeg import is_cut
from models.imaging.errors import CorruptPixels, UnsupportedPixels
from models.imaging.frames import Frame, Source, frame_of
from models.imaging.limits import check_size
from models.imaging.png import decode_png
from models.imaging.policy import FramePolicy
from models.imaging.quantities import Quantities, plain
from schemas.images import ImageMetadata
from schemas.limits import DEFAULT_LIMITS, Limits

_GREY_WITH_ALPHA = 4
_MIDDLE = 128


def open_picture(
    data: bytes, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS, burned_in: BurnedInPolicy | None = None
) -> Source:
    """A PNG or JPEG file: one frame, grey or RGB, 8 or 16 bits; EXIF orientation is applied, alpha dropped.

    Colours are brought to sRGB from the profile that the file holds, and taken as sRGB where it holds none.

    Raises:
        TruncatedFile, CorruptPixels, UnsupportedPixels, TooLarge.
    """
    png = data.startswith(PNG_SIGNATURE)
    rows, columns = png_size(data) if png else _jpeg_size(data)
    check_size(rows, columns, limits=limits)
    profile = png_profile(data) if png else jpeg_profile(data)

    if png:
        metadata = ImageMetadata(source_format="PNG")
    else:
        metadata = ImageMetadata(source_format="JPEG", lossy_compression=True)

    def quantities(_index: int) -> Quantities:
        stored = decode_png(data)
        if png and data[25] == _GREY_WITH_ALPHA and stored.ndim == 3:
            stored = stored[..., 0].copy()
        if not png and is_cut(data, stored, _MIDDLE, decode_png):
            raise CorruptPixels
        if sorted(stored.shape[:2]) != sorted((rows, columns)):
            raise CorruptPixels
        stored = to_srgb(stored, profile)
        return plain(stored, windows.of_picture(stored))

    cleaner = Cleaner(UNKNOWN_SOURCE, burned_in, 1, quantities)

    def decode(index: int) -> Frame:
        return frame_of(index, quantities(index), metadata)

    return Source(frames_total=1, taken=tuple(policy.choose(1)), decode=decode, clean=cleaner.clean)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    if kind_of(data) == "JPEG-LS":
        raise UnsupportedPixels("the file is a JPEG-LS codestream, which is taken only within DICOM")
    extent = jpeg_extent(data)
    if extent.components not in (1, 3):
        raise UnsupportedPixels(
            "the JPEG file is neither grey nor of three colours (CMYK, as printers use, is not taken)"
        )
    if extent.precision != 8:
        raise UnsupportedPixels("the JPEG file has more than 8 bits a sample")
    return extent.rows, extent.columns
