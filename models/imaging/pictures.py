"""PNG and JPEG files as frames. Whatever else such a file carries (EXIF, text, profiles) stays behind."""

from models.imaging import windows
from models.imaging.codestreams import PNG_SIGNATURE, jpeg_extent, png_size
from models.imaging.errors import CorruptPixels
from models.imaging.frames import Frame, Source, identify
from models.imaging.limits import check_size
from models.imaging.png import decode_png
from models.imaging.policy import FramePolicy
from schemas.images import ImageMetadata
from schemas.limits import DEFAULT_LIMITS, Limits

UNIT = "stored value"


def open_picture(data: bytes, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS) -> Source:
    """A PNG or JPEG file: one frame, grey or RGB, 8 or 16 bits; EXIF orientation is applied, alpha dropped.

    Raises:
        TruncatedFile, CorruptPixels, UnsupportedPixels, TooLarge.
    """
    png = data.startswith(PNG_SIGNATURE)
    rows, columns = png_size(data) if png else jpeg_extent(data)[:2]
    check_size(rows, columns, limits=limits)

    def read(index: int) -> Frame:
        stored = decode_png(data)
        if sorted(stored.shape[:2]) != sorted((rows, columns)):
            raise CorruptPixels
        if png:
            metadata = ImageMetadata(source_format="PNG")
        else:
            metadata = ImageMetadata(source_format="JPEG", lossy_compression=True)
        return Frame(
            index=index,
            stored=stored,
            slope=1.0,
            intercept=0.0,
            unit=UNIT,
            window=windows.span(0, 2 ** (8 * stored.dtype.itemsize) - 1, "full range")
            if stored.ndim == 3 or stored.dtype.itemsize == 1
            else windows.from_values(stored, 1.0, 0.0, None),
            inverted=False,
            metadata=metadata,
            image_id=identify(stored, 1.0, 0.0, UNIT, index, inverted=False),
        )

    return Source(frames_total=1, taken=tuple(policy.choose(1)), read=read)
