"""How samples lie in their containers and which colours they mean."""

import struct
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import DataElement, Dataset
from pydicom.uid import ExplicitVRBigEndian

from models.imaging import Frame, FramePolicy, open_source
from models.imaging import errors as causes
from tests.models.imaging.samples import MakeDicom, needs_dcmtk

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

COLOURS = np.random.default_rng(2).integers(0, 256, (6, 8, 3), np.uint8)


def only_frame(data: bytes) -> Frame:
    """The frame of a single-frame object."""
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


@pytest.mark.parametrize(
    ("dtype", "stored", "high"),
    [
        ("u2", 12, 11), ("u2", 12, 15), ("u2", 10, 12), ("u2", 8, 7), ("u2", 1, 0), ("u1", 6, 5),
        ("i2", 12, 11), ("i2", 12, 15), ("i2", 8, 9), ("i2", 15, 14), ("u4", 20, 19), ("i4", 24, 30),
    ],
)  # fmt: skip
@pytest.mark.parametrize("order", ["<", ">"])
def test_only_the_stored_bits_count(make_dicom: MakeDicom, dtype: str, stored: int, high: int, order: str) -> None:
    """Overlays or garbage around them are cut off and signs extended, wherever High Bit puts them."""
    random = np.random.default_rng(1)
    low = -(2 ** (stored - 1)) if dtype[0] == "i" else 0
    values = random.integers(low, low + 2**stored, (16, 16))
    wide = 8 * int(dtype[1])
    garbage = random.integers(0, 2**wide, (16, 16), np.uint64)
    mask = (2**stored - 1) << (high + 1 - stored)
    container = (garbage & ~np.uint64(mask)) | ((values.astype(np.uint64) << (high + 1 - stored)) & np.uint64(mask))
    samples = container.astype(f"u{dtype[1]}").view(dtype)
    elements: dict[str, Any] = {"BitsStored": stored, "HighBit": high, "Modality": "OT"}
    if order == ">":
        elements["syntax"], samples = ExplicitVRBigEndian, samples.byteswap()
    frame = only_frame(make_dicom(samples, **elements))
    step = frame.slope if stored > 16 else 1e-6
    np.testing.assert_allclose(frame.values, values, atol=step, rtol=1e-6)
    assert frame.stored.dtype.itemsize == (1 if stored <= 8 else 2)


def test_single_bits_need_no_whole_bytes_a_frame(make_dicom: MakeDicom) -> None:
    """Frames of 15 pixels start within a byte (PS3.5 8.1.1)."""
    bits = np.random.default_rng(0).integers(0, 2, (3, 3, 5), np.uint8)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data = make_dicom(bits, BitsAllocated=1, BitsStored=1, HighBit=0, Modality="SEG", PixelData=packed)
    frames = list(open_source(data, FramePolicy()).frames())
    np.testing.assert_array_equal([frame.values for frame in frames], bits)


def test_double_floats_are_read(make_dicom: MakeDicom) -> None:
    """Double Float Pixel Data, within a step of 65,536 of its range."""
    samples = np.linspace(-1e-3, 2e-3, 48).reshape(6, 8)
    data = make_dicom(samples, Modality="MR", FloatPixelData=None, DoubleFloatPixelData=samples.tobytes())
    np.testing.assert_allclose(only_frame(data).values, samples, atol=3e-3 / 65_535)


def ybr(rgb: NDArray[np.uint8], *, partial: bool = False) -> NDArray[np.uint8]:
    """PS3.3 C.7.6.3.1.2, as it is written there."""
    red, green, blue = np.moveaxis(rgb.astype(float), -1, 0)
    if partial:
        planes = [
            0.2568 * red + 0.5041 * green + 0.0979 * blue + 16,
            -0.1482 * red - 0.2910 * green + 0.4392 * blue + 128,
            0.4392 * red - 0.3678 * green - 0.0714 * blue + 128,
        ]
    else:
        planes = [
            0.2990 * red + 0.5870 * green + 0.1140 * blue,
            -0.1687 * red - 0.3313 * green + 0.5000 * blue + 128,
            0.5000 * red - 0.4187 * green - 0.0813 * blue + 128,
        ]
    return np.clip(np.rint(np.stack(planes, -1)), 0, 255).astype(np.uint8)


def test_planes_or_pixels_make_no_difference(make_dicom: MakeDicom) -> None:
    """Planar Configuration 1: the same image, and the same identity."""
    pixels = only_frame(make_dicom(COLOURS))
    planar = make_dicom(COLOURS, PlanarConfiguration=1, PixelData=np.moveaxis(COLOURS, -1, 0).tobytes())
    np.testing.assert_array_equal(pixels.stored, COLOURS)
    assert only_frame(planar).image_id == pixels.image_id


def test_ybr_full_becomes_rgb(make_dicom: MakeDicom) -> None:
    """Within the two levels that rounding to YBR costs."""
    frame = only_frame(make_dicom(ybr(COLOURS), PhotometricInterpretation="YBR_FULL"))
    assert np.abs(frame.stored.astype(int) - COLOURS).max() <= 2


@pytest.mark.parametrize("partial", [False, True], ids=["YBR_FULL_422", "YBR_PARTIAL_422"])
def test_subsampled_colour_becomes_rgb(make_dicom: MakeDicom, partial: bool) -> None:
    """Two luminances share their colour; black and white of the partial range are black and white."""
    pairs = np.repeat(COLOURS[:, ::2], 2, axis=1)
    pairs[0, :2], pairs[0, 2:4] = 0, 255
    converted = ybr(pairs, partial=partial)
    words = np.stack([converted[:, ::2, 0], converted[:, 1::2, 0], converted[:, ::2, 1], converted[:, ::2, 2]], -1)
    label = "YBR_PARTIAL_422" if partial else "YBR_FULL_422"
    frame = only_frame(make_dicom(pairs, PhotometricInterpretation=label, PixelData=words.tobytes()))
    assert np.abs(frame.stored.astype(int) - pairs).max() <= 3
    assert frame.stored[0, 0].tolist() == [0, 0, 0]
    assert frame.stored[0, 3].tolist() == [255, 255, 255]


def palette(entries: NDArray[np.uint16], bits: int, first: int = 0) -> dict[str, Any]:
    """Three tables, each a shift of the first; entries of 8 bits two to a word."""
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR", "Modality": "OT"}
    for shift, colour in enumerate(("Red", "Green", "Blue")):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [entries.size, first, bits]
        table = np.roll(entries, shift).astype("u1" if bits == 8 else "<u2")
        elements[f"{colour}PaletteColorLookupTableData"] = table.tobytes()
    return elements


@pytest.mark.parametrize(("bits", "scale"), [(8, 1), (16, 257), (16, 1)])
def test_palettes_of_8_and_16_bits_are_the_same_colours(make_dicom: MakeDicom, bits: int, scale: int) -> None:
    """Entries of 16 bits that hold values of 8 are meant as such: else the image is black."""
    entries = np.random.default_rng(4).integers(0, 256, 256).astype(np.uint16)
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frame = only_frame(make_dicom(indices, **palette(entries * scale, bits)))
    expected = np.stack([np.roll(entries, shift)[indices] for shift in range(3)], -1)
    np.testing.assert_array_equal(frame.stored, expected)


def test_a_palette_starts_at_its_first_value(make_dicom: MakeDicom) -> None:
    """Lower indices take the first entry, higher ones the last (C.7.6.3.1.5)."""
    entries = np.array([10, 20, 30, 40], np.uint16)
    indices = np.array([[0, 100, 101, 103, 200]], np.uint8)
    frame = only_frame(make_dicom(indices, **palette(entries, 8, first=100)))
    assert frame.stored[0, :, 0].tolist() == [10, 10, 20, 40, 40]


def signed_palette(size: int, *, descriptor: str, segmented: bool = False) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """A palette for signed indices around 0, whose entries rise; and its reds."""
    first, entries = -size // 2, np.linspace(0, 65_535, size).astype(np.uint16)
    elements: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR", "Modality": "OT"}
    for colour in ("Red", "Green", "Blue"):
        keyword = f"{colour}PaletteColorLookupTable"
        first_as_written = first if descriptor == "SS" else first % 2**16
        elements[f"{keyword}Descriptor"] = DataElement(f"{keyword}Descriptor", descriptor, [size, first_as_written, 16])
        # One discrete entry, and a line to the last.
        segments = struct.pack("<6H", 0, 1, 0, 1, size - 1, 65_535)
        elements[f"{'Segmented' if segmented else ''}{keyword}Data"] = segments if segmented else entries.tobytes()
    return elements, entries >> 8


@pytest.mark.parametrize("descriptor", ["SS", "US"])
@pytest.mark.parametrize("segmented", [False, True], ids=["plain", "segmented"])
@pytest.mark.parametrize(("dtype", "size"), [(np.int8, 256), (np.int16, 1000)])
def test_a_palette_is_read_for_signed_indices(
    make_dicom: MakeDicom, dtype: type, size: int, segmented: bool, descriptor: str
) -> None:
    """Whichever way the first value that is mapped is written, and where indices lie beyond the table's ends."""
    palette, reds = signed_palette(size, descriptor=descriptor, segmented=segmented)
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    indices = np.array([[-size // 2, -3, -1, 0, 1, size // 2 - 1, low, high]], dtype)
    frame = only_frame(make_dicom(indices, **palette))
    expected = reds[np.clip(indices.astype(int) + size // 2, 0, size - 1)]
    np.testing.assert_allclose(frame.stored[..., 0], expected, atol=segmented)


@needs_dcmtk
@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_a_palette_of_signed_indices_looks_as_in_dcmtk(make_dicom: MakeDicom, tmp_path: Path, dtype: type) -> None:
    """The same colours in every pixel."""
    elements, _ = signed_palette(256, descriptor="SS")
    indices = np.arange(-128, 128).reshape(16, 16).astype(dtype)
    (tmp_path / "in.dcm").write_bytes(data := make_dicom(indices, **elements))
    subprocess.run(["dcmj2pnm", "-q", tmp_path / "in.dcm", tmp_path / "out.ppm"], check=True, capture_output=True)
    theirs = cv2.imread(str(tmp_path / "out.ppm"), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(only_frame(data).stored, theirs)


def test_a_palette_of_8_bits_may_have_more_entries_than_256(make_dicom: MakeDicom) -> None:
    """Indices of 16 bits are not wrapped around."""
    entries = np.random.default_rng(4).integers(0, 256, 400).astype(np.uint16)
    indices = np.arange(400, dtype=np.uint16).reshape(20, 20)
    frame = only_frame(make_dicom(indices, **palette(entries, 8)))
    np.testing.assert_array_equal(frame.stored[..., 0], entries[indices])


@pytest.mark.parametrize("segmented", [False, True], ids=["plain", "segmented"])
def test_palettes_in_big_endian_are_the_same_colours(make_dicom: MakeDicom, segmented: bool) -> None:
    """Words, and the units of segments, are swapped."""
    elements, _ = signed_palette(256, descriptor="SS", segmented=segmented)
    indices = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)
    little = only_frame(make_dicom(indices, **elements))
    for keyword in list(elements):
        if keyword.endswith("TableData"):
            elements[keyword] = np.frombuffer(elements[keyword], "<u2").byteswap().tobytes()
    big = only_frame(make_dicom(indices, syntax=ExplicitVRBigEndian, **elements))
    np.testing.assert_array_equal(big.stored, little.stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"GreenPaletteColorLookupTableData": b"\0" * 100},
        {"BluePaletteColorLookupTableData": None},
        {"RedPaletteColorLookupTableDescriptor": [256, 0, 3]},
    ],
)
def test_a_palette_that_is_not_whole_is_refused_by_its_colour(make_dicom: MakeDicom, changes: dict[str, Any]) -> None:
    """Never black, and never the colours of another table."""
    elements = palette(np.arange(256, dtype=np.uint16), 16) | changes
    (keyword,) = changes
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    elements = {key: value for key, value in elements.items() if value is not None}
    with pytest.raises(causes.CorruptPalette, match=keyword[: keyword.index("Palette")]):
        only_frame(make_dicom(indices, **elements))


@pytest.mark.parametrize("written", ["monochrome2", "MONOCHROME 2", "Monochrome2 ", "MONOCHROME_2"])
def test_case_and_spaces_of_photometric_interpretation_are_of_no_account(make_dicom: MakeDicom, written: str) -> None:
    """No two terms differ in them alone."""
    grey = COLOURS[..., 0]
    frame = only_frame(make_dicom(grey, PhotometricInterpretation=written))
    assert frame.image_id == only_frame(make_dicom(grey)).image_id


def test_case_and_spaces_are_of_no_account_in_colour(make_dicom: MakeDicom) -> None:
    """YBR is still converted, and palettes are still looked up."""
    plain = only_frame(make_dicom(ybr(COLOURS), PhotometricInterpretation="YBR_FULL"))
    assert only_frame(make_dicom(ybr(COLOURS), PhotometricInterpretation="ybr full")).image_id == plain.image_id
    elements = palette(np.arange(256, dtype=np.uint16), 8)
    looked_up = only_frame(make_dicom(COLOURS[..., 0], **elements))
    elements["PhotometricInterpretation"] = "palette_color"
    assert only_frame(make_dicom(COLOURS[..., 0], **elements)).image_id == looked_up.image_id


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_modality_tables_of_any_depth_are_applied(make_dicom: MakeDicom, bits: int) -> None:
    """Also to signed and narrow pixels, from a first value that is not 0."""
    item = Dataset()
    item.LUTDescriptor = [3, -2, bits]
    item["LUTDescriptor"].VR = "SS"
    item.LUTData = [5, 600, 1000]
    item["LUTData"].VR = "US"
    samples = np.array([[-128, -2, -1, 0, 127]], np.int8)
    frame = only_frame(make_dicom(samples, ModalityLUTSequence=[item]))
    assert frame.values.tolist() == [[5, 5, 600, 1000, 1000]]
