"""TIFF files: each page a frame, right or clearly refused, whatever its compression, layout and colour."""

import random
import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
import tifffile

from models.imaging import FramePolicy, open_source, render
from models.imaging import errors as causes
from models.imaging.frames import Frame
from schemas.failures import InvalidInput

ALL = FramePolicy()
GREY = np.random.default_rng(0).integers(0, 2**16, (70, 50), np.uint16)
COLOUR = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (70, 50, 3), np.uint8), (9, 9), 4)


def written(array: np.ndarray, **options: object) -> bytes:
    """A TIFF file."""
    buffer = BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def frames_of(data: bytes) -> list[Frame]:
    return list(open_source(data, ALL).frames())


def outcome(data: bytes) -> str:
    try:
        frames_of(data)
    except InvalidInput as error:
        return type(error).__name__
    return "frames"


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (GREY, {}),
        (GREY, {"bigtiff": True, "byteorder": ">"}),
        (GREY, {"compression": "lzw", "tile": (32, 32), "predictor": True}),
        (GREY, {"compression": "packbits"}),
        (GREY, {"compression": "lzma"}),
        (GREY, {"compression": "zstd", "rowsperstrip": 9}),
        ((GREY // 2).astype(np.int16) - 1000, {}),
        (GREY.astype(np.float32) - 1024, {"compression": "zlib", "predictor": True}),
        (GREY.astype(np.uint8), {"photometric": "minisblack"}),
        (COLOUR, {"photometric": "rgb"}),
        (COLOUR, {"photometric": "rgb", "compression": "zlib", "rowsperstrip": 7}),
        (COLOUR.astype(np.uint16) * 257, {"photometric": "rgb", "tile": (16, 48)}),
        (COLOUR, {"photometric": "rgb", "compression": "jpeg2000", "tile": (32, 32)}),
    ],
)
def test_values_come_back_exactly(array: np.ndarray, options: dict[str, object]) -> None:
    """Grey and colour, 8 and 16 bits, signed and whole floats, strips and tiles, either byte order."""
    (frame,) = frames_of(written(array, **options))
    np.testing.assert_array_equal(frame.values, array)
    assert (frame.unit, frame.metadata.source_format, frame.metadata.modality) == ("stored value", "TIFF", "unknown")
    assert frame.metadata.spacing is None


def test_planes_alpha_and_palettes_become_rgb() -> None:
    """Colours in separate planes, with alpha, or by a palette."""
    planes = written(np.moveaxis(COLOUR, -1, 0), photometric="rgb", planarconfig="separate")
    alpha = written(np.dstack([COLOUR, COLOUR[..., :1]]), photometric="rgb", extrasamples=["unassalpha"])
    for data in (planes, alpha):
        np.testing.assert_array_equal(frames_of(data)[0].stored, COLOUR)
    palette = np.zeros((3, 256), np.uint16)
    palette[0, 1], palette[1, 2] = 65_535, 0x8080
    (frame,) = frames_of(written(np.array([[0, 1, 2]], np.uint8), photometric="palette", colormap=palette))
    assert frame.stored.tolist() == [[[0, 0, 0], [255, 0, 0], [0, 128, 0]]]


def test_jpeg_colours_are_near_and_said_to_be_lossy() -> None:
    """YCbCr tiles come out as RGB."""
    (frame,) = frames_of(written(COLOUR, photometric="rgb", compression="jpeg", tile=(32, 32)))
    assert np.abs(frame.stored.astype(int) - COLOUR).mean() < 5
    assert frame.metadata.lossy_compression is True


def test_two_values_are_black_and_white_whichever_is_zero() -> None:
    """One bit a pixel; where zero is white, low values are shown bright."""
    bits = np.array([[True, False], [False, True]])
    for photometric, white in (("minisblack", bits), ("miniswhite", ~bits)):
        (frame,) = frames_of(written(bits, photometric=photometric))
        np.testing.assert_array_equal(render(frame.values, frame.window, frame.inverted), white * 255)


def test_pages_are_frames_and_reduced_copies_are_not() -> None:
    """A stack of three, then one of another size, then a thumbnail."""
    buffer = BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        for shift in range(3):
            file.write(GREY + shift)
        file.write(GREY[:20])
        file.write(GREY[::4, ::4], subfiletype=1)
    frames = frames_of(buffer.getvalue())
    assert [frame.stored.shape for frame in frames] == [(70, 50)] * 3 + [(20, 50)]
    np.testing.assert_array_equal(frames[2].values, (GREY + 2).astype(np.float32))
    assert frames[0].metadata.frames_in_object == 4


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_orientation_tag_is_applied(turn: int) -> None:
    """The corner that the tag names is at the top left of the picture (TIFF 6.0, section 8)."""
    stored = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    upright = {
        1: [[1, 2, 3], [4, 5, 6]], 2: [[3, 2, 1], [6, 5, 4]], 3: [[6, 5, 4], [3, 2, 1]], 4: [[4, 5, 6], [1, 2, 3]],
        5: [[1, 4], [2, 5], [3, 6]], 6: [[4, 1], [5, 2], [6, 3]], 7: [[6, 3], [5, 2], [4, 1]],
        8: [[3, 6], [2, 5], [1, 4]],
    }  # fmt: skip
    (frame,) = frames_of(written(stored, photometric="minisblack", extratags=[(274, "H", 1, turn, True)]))
    assert frame.stored.tolist() == upright[turn]


@pytest.mark.parametrize(
    "data",
    [
        written(np.dstack([COLOUR, COLOUR[..., :1]]), photometric="separated"),  # CMYK
        written(COLOUR, photometric="cielab"),
        written(np.zeros((4, 70, 50), np.uint16), photometric="minisblack", planarconfig="separate"),
        written(GREY.astype(np.complex64)),
        written(COLOUR.astype(np.float32), photometric="rgb"),
        written(COLOUR, photometric="rgb", compression="webp"),
        written(np.zeros((3, 8, 8), np.uint8), photometric="minisblack", truncate=True),
    ],
    ids=["CMYK", "Lab", "channels", "complex", "float RGB", "WebP", "one directory"],
)
def test_what_is_not_taken_is_said(data: bytes) -> None:
    """Colour spaces, channels and compressions that would come out wrong are refused."""
    assert outcome(data) == "UnsupportedPixels"


FILES = {
    "plain": written(GREY),
    "tiles": written(GREY, compression="lzw", tile=(32, 32)),
    "strips": written(np.stack([GREY, GREY]), photometric="minisblack", compression="zlib", rowsperstrip=16),
    "jpeg": written(COLOUR, photometric="rgb", compression="jpeg", tile=(32, 32)),
    "jpeg2000": written(COLOUR, photometric="rgb", compression="jpeg2000"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_never_half_an_image(name: str) -> None:
    """Wherever it is cut, the outcome is an error."""
    data = FILES[name]
    assert outcome(data) == "frames"
    outcomes = {outcome(data[:cut]) for cut in range(8, len(data), 61)}
    assert outcomes <= {"TruncatedFile", "CorruptHeader"}


def test_a_file_cut_between_pages_is_cut() -> None:
    """Pages written one after the other: what is left of them is not taken for the whole."""
    buffer, ends = BytesIO(), []
    with tifffile.TiffWriter(buffer) as file:
        for shift in range(3):
            file.write(GREY + shift, contiguous=False)
            ends.append(buffer.tell())
    assert outcome(buffer.getvalue()) == "frames"
    assert {outcome(buffer.getvalue()[:end]) for end in ends[:2]} == {"TruncatedFile"}


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_never_raise_anything_but_our_errors(name: str) -> None:
    """Random damage in directories and segments ends in frames or an InvalidInput."""
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(FILES[name])
        for _ in range(chance.choice((1, 2, 8))):
            damaged[chance.randrange(min(len(damaged), chance.choice((400, 10**9))))] = chance.randrange(256)
        outcome(bytes(damaged))


def patched(data: bytes, **values: int) -> bytes:
    """The file with other values in the tags of its first page."""
    changed = bytearray(data)
    with tifffile.TiffFile(BytesIO(data)) as file:
        for name, value in values.items():
            tag = file.pages.first.tags[name]
            struct.pack_into("<H" if tag.dtype == 3 else "<I", changed, tag.valueoffset, value)
    return bytes(changed)


def test_sizes_are_bounded_before_anything_is_allocated() -> None:
    """A page that claims 60,000 rows and columns, and a strip that inflates to 256 MiB."""
    plain = written(GREY, compression="zlib", rowsperstrip=70)
    assert outcome(patched(plain, ImageWidth=60_000, ImageLength=60_000)) == "TooLarge"
    bomb = zlib.compress(bytes(2**28))
    assert outcome(patched(plain, StripOffsets=len(plain), StripByteCounts=len(bomb)) + bomb) == "CorruptPixels"


def test_a_damaged_page_leaves_the_others_readable() -> None:
    """One bad strip is one bad frame."""
    data = bytearray(FILES["strips"])
    with tifffile.TiffFile(BytesIO(bytes(data))) as file:
        data[file.pages[1].dataoffsets[0]] = 0xFF
    source = open_source(bytes(data), ALL)
    np.testing.assert_array_equal(source.read(0).values, GREY)
    with pytest.raises(causes.CorruptPixels):
        source.read(1)


@pytest.mark.parametrize("full", [255, 65_535])
def test_a_palette_of_8_bits_is_not_black(full: int) -> None:
    """Some writers put bytes where 16 bits belong; libtiff and Pillow take them as such."""
    palette = np.linspace(0, full, 256).astype(np.uint16)
    shades = np.arange(256, dtype=np.uint8).reshape(16, 16)
    (frame,) = frames_of(written(shades, photometric="palette", colormap=np.tile(palette, (3, 1))))
    np.testing.assert_array_equal(frame.stored, np.dstack([shades] * 3))


def changed(data: bytes, tag: int, value: int) -> bytes:
    """A TIFF file of one directory with another value of a tag that has one."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    places = range(directory + 2, directory + 2 + 12 * count, 12)
    at = next(place for place in places if struct.unpack_from("<H", data, place) == (tag,))
    return data[: at + 8] + struct.pack("<I", value) + data[at + 12 :]


_OFFSETS, _COUNTS = 273, 279


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_a_byte_count_of_0_is_read_as_libtiff_does(compression: str | None) -> None:
    """What is uncompressed is as long as it must be; the rest goes on to the next offset, or to the end."""
    samples = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    file = BytesIO()
    tifffile.imwrite(file, samples, compression=compression, rowsperstrip=64, photometric="minisblack")
    (frame,) = open_source(changed(file.getvalue(), _COUNTS, 0), FramePolicy()).frames()
    np.testing.assert_array_equal(frame.values, samples)


def test_a_page_that_is_not_in_the_file_is_refused() -> None:
    """No black picture is made of it."""
    file = BytesIO()
    tifffile.imwrite(file, np.ones((64, 48), np.uint8), rowsperstrip=64, photometric="minisblack")
    with pytest.raises(causes.UnsupportedPixels, match="not one strip or tile"):
        open_source(changed(changed(file.getvalue(), _COUNTS, 0), _OFFSETS, 0), FramePolicy())


def test_the_value_for_no_data_has_no_part_in_the_range() -> None:
    """GDAL_NODATA, as maps have it; NaN in halves too."""
    samples = np.linspace(0.5, 1, 64 * 48, dtype=np.float32).reshape(64, 48)
    samples[:9] = 7.25
    file = BytesIO()
    tifffile.imwrite(file, samples, extratags=[(42113, 2, 5, "7.25", True)], photometric="minisblack")
    (frame,) = open_source(file.getvalue(), FramePolicy()).frames()
    assert frame.values[9:].max() == pytest.approx(1, abs=1e-4)
    assert frame.values[:9].max() < 0.5
    halves = samples.astype(np.float16)
    halves[:9] = np.nan
    file = BytesIO()
    tifffile.imwrite(file, halves, photometric="minisblack")
    (frame,) = open_source(file.getvalue(), FramePolicy()).frames()
    assert (frame.values[:9].max(), frame.values.max()) == (0, 1)
