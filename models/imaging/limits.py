"""How large an image may be. Knows nothing else."""

from models.imaging.errors import UnsupportedPixels

MOST_PIXELS = 2**26
"""In one frame: 8,192 × 8,192. The largest mammograms have 2²⁵; whole slides come as tiles, each a frame."""


def check_size(rows: int, columns: int) -> None:
    """Refuse an image before anything is allocated for it.

    Raises:
        UnsupportedPixels: without rows or columns, or with more than MOST_PIXELS.
    """
    if rows < 1 or columns < 1:
        raise UnsupportedPixels("the image has no rows or no columns")
    if rows * columns > MOST_PIXELS:
        raise UnsupportedPixels(f"the image has more than {MOST_PIXELS:,} pixels a frame")
