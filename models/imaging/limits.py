"""How large an object may be: each bound of schemas.limits.Limits that is checked before anything is allocated.

Knows nothing of file formats.
"""

from models.imaging.errors import UnsupportedPixels
from schemas.failures import InvalidInput
from schemas.limits import DEFAULT_LIMITS, MEBIBYTE, Limits

_INFLATED_AT_WILL = 64 * MEBIBYTE
"""Up to here a blank image may well have deflated a thousandfold."""


class TooLarge(InvalidInput):
    """Beyond a limit. `what` is shown: pass text of our own only.

    Args:
        what: the object has too much of.
        limit: field of schemas.limits.Limits.
        most: its value.
    """

    def __init__(self, what: str, limit: str, most: int) -> None:
        super().__init__(
            f"the file has more than {most:,} {what}, as damaged files and bombs do; if this one is whole, "
            f"split it, or raise TRISTREAM_LIMIT_{limit.upper()}, and replay it"
        )


def check_size(rows: int, columns: int, frames: int = 1, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse an image before anything is allocated for it.

    Raises:
        UnsupportedPixels: without rows or columns.
        TooLarge: more pixels, or frames, than the limits allow.
    """
    if rows < 1 or columns < 1:
        raise UnsupportedPixels("the image has no rows or no columns")
    if rows * columns > limits.pixels:
        raise TooLarge("pixels a frame", "pixels", limits.pixels)
    if frames > limits.frames:
        raise TooLarge("frames", "frames", limits.frames)
    if rows * columns * frames > limits.total_pixels:
        raise TooLarge("pixels in all frames together", "total_pixels", limits.total_pixels)


def check_file(size: int, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse a file by its size in bytes.

    Raises:
        TooLarge: see there.
    """
    if size > limits.file_bytes:
        raise TooLarge("bytes", "file_bytes", limits.file_bytes)


def most_inflated(size: int, limits: Limits = DEFAULT_LIMITS) -> tuple[int, TooLarge]:
    """Bytes to which `size` deflated bytes may inflate, and the error for when they inflate to more."""
    by_ratio = max(_INFLATED_AT_WILL, size * limits.inflation)
    if by_ratio < limits.inflated_bytes:
        return by_ratio, TooLarge("times its size when it is inflated", "inflation", limits.inflation)
    return limits.inflated_bytes, TooLarge("bytes when it is inflated", "inflated_bytes", limits.inflated_bytes)
