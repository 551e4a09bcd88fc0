"""Frames as they travel: PNG, base64, and which of them are taken."""

import imagecodecs
import numpy as np
import pytest

from models.imaging import FramePolicy, decode_png, encode_png, from_pixels, open_source, to_pixels
from models.imaging.errors import CorruptPixels
from schemas.images import Pixels
from tests.models.imaging.samples import MakeDicom


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1)])
def test_png_gives_back_every_bit(dtype: type[np.integer], shape: tuple[int, ...]) -> None:
    """8 and 16 bits, grey and RGB, also of an image turned over; two decoders agree."""
    stored = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)[::-1]
    png = encode_png(stored)
    for decoded in (decode_png(png), imagecodecs.png_decode(png)):
        assert decoded.dtype == dtype
        np.testing.assert_array_equal(decoded, stored)


def test_a_damaged_png_of_ours_is_never_another_picture() -> None:
    """Wherever one bit is turned round, it is read as it was, or not at all."""
    stored = np.random.default_rng(1).integers(0, 256, (9, 9), np.uint8, endpoint=False)
    png = encode_png(stored)
    for place in range(len(png)):
        damaged = bytearray(png)
        damaged[place] ^= 1
        try:
            decoded = decode_png(bytes(damaged))
        except CorruptPixels:
            continue
        # The check of IEND and the length of IHDR alone tell nothing of the picture.
        np.testing.assert_array_equal(decoded, stored)


def test_pixels_carry_the_frame(make_dicom: MakeDicom) -> None:
    """Size, depth, slope, intercept and unit travel with the image, and the values come back."""
    samples = np.arange(-50, 50, dtype=np.int16).reshape(10, 10)
    frame = open_source(make_dicom(samples, RescaleSlope=1, RescaleIntercept=-1024), FramePolicy()).read(0)
    pixels = Pixels.model_validate_json(to_pixels(frame).model_dump_json())
    assert (pixels.rows, pixels.columns, pixels.channels, pixels.bits, pixels.unit) == (10, 10, 1, 16, "HU")
    values = from_pixels(pixels) * pixels.slope + pixels.intercept
    np.testing.assert_array_equal(values, samples - 1024.0)


def test_pixels_that_are_not_what_they_say_are_refused(make_dicom: MakeDicom) -> None:
    """Another size, damaged base64, or no inline data at all."""
    pixels = to_pixels(open_source(make_dicom(np.ones((4, 4), np.uint8)), FramePolicy()).read(0))
    for changes in ({"rows": 5}, {"bits": 16}, {"channels": 3}, {"data": "AAAA"}, {"data": "*"}):
        with pytest.raises(CorruptPixels):
            from_pixels(pixels.model_copy(update=changes))
    with pytest.raises(ValueError, match="by reference"):
        from_pixels(pixels.model_copy(update={"data": None, "reference": "x"}))


@pytest.mark.parametrize(
    ("text", "total", "taken"),
    [
        ("all", 3, [0, 1, 2]),
        ("every:1", 3, [0, 1, 2]),
        ("every:3", 8, [0, 3, 6]),
        ("every:9", 8, [0]),
        ("spread:1", 9, [4]),
        ("spread:3", 9, [1, 4, 7]),
        ("spread:4", 4, [0, 1, 2, 3]),
        ("spread:8", 3, [0, 1, 2]),
        ("spread:3", 10, [1, 5, 8]),
    ],
)
def test_policies_choose_evenly(text: str, total: int, taken: list[int]) -> None:
    """All, each Nth from the first, or the middles of N equal parts."""
    assert list(FramePolicy.parse(text).choose(total)) == taken


@pytest.mark.parametrize("text", ["", "some", "all:3", "every", "every:0", "spread:-1", "spread:x", "every:²"])
def test_a_policy_that_is_none_says_how_to_write_one(text: str) -> None:
    """A setting that cannot be read is refused with its forms."""
    with pytest.raises(ValueError, match="write all, every:N or spread:N"):
        FramePolicy.parse(text)
