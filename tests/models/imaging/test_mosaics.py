"""Siemens mosaics as slices, each where it lies; and those of which nobody knows how many or where."""

import struct
from typing import Any

import numpy as np
import pytest

from models.imaging import FramePolicy, Source, open_source
from models.imaging import errors as causes
from tests.models.imaging.samples import MakeDicom, with_private

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

VOLUME = np.arange(5 * 8 * 8, dtype=np.uint16).reshape(5, 8, 8) + 1
"""Five slices: four of the nine tiles are empty."""


def csa(second: bool = True, **values: tuple[str, ...]) -> bytes:
    """A CSA header in either of its forms."""
    parts = [b"SV10\4\3\2\1"] if second else []
    parts.append(struct.pack("<II", len(values), 77))
    first = 6
    for name, texts in values.items():
        parts.append(struct.pack("<64si4siii", name.encode(), len(texts), b"FD", 3, first, 77))
        for number in range(first):
            text = texts[number].encode() + b"\0" if number < len(texts) else b""
            lengths = (len(text), len(text), 77, len(text)) if second else (len(text) + first, 0, 77, 0)
            parts += [struct.pack("<4i", *lengths), text, b"\0" * (-len(text) % 4)]
    return b"".join(parts)


def mosaic(
    make: MakeDicom, *, number: object = 5, header: bytes | None = None, volume: np.ndarray = VOLUME, **changes: Any
) -> bytes:
    """Slices in three rows of three tiles, sagittal, 2 mm apart; pixels of 3 × 4 mm."""
    picture = np.zeros((24, 24), np.uint16)
    for index, tile in enumerate(volume):
        down, right = divmod(index, 3)
        picture[down * 8 :, right * 8 :][:8, :8] = tile
    elements: dict[str, Any] = {
        "Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"],
        "ImageOrientationPatient": [0, 1, 0, 0, 0, -1], "ImagePositionPatient": [10, -50, 70], "PixelSpacing": [3, 4],
        "SpacingBetweenSlices": "2", "AcquisitionMatrix": [8, 0, 0, 8],
    }  # fmt: skip
    data = make(picture, **elements | changes)
    if number is not None:
        data = with_private(data, 0x0019, "SIEMENS MR HEADER", {0x0A: ("US", number)})
    if header is not None:
        data = with_private(data, 0x0029, "SIEMENS CSA HEADER", {0x10: ("OB", header)})
    return data


def opened(data: bytes) -> Source:
    return open_source(data, FramePolicy())


@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("towards", [1, -1])
def test_slices_lie_where_siemens_header_says(make_dicom: MakeDicom, *, second: bool, towards: int) -> None:
    """Neighbours are 2 mm apart, to the side that SliceNormalVector names, whichever way the picture is turned."""
    normal = (f"{towards:.8f}", "0.00000000", "0.0")
    source = opened(mosaic(make_dicom, header=csa(second, SliceNormalVector=normal)))
    frames = list(source.frames())
    assert [frame.metadata.plane for frame in frames] == ["sagittal"] * 5
    np.testing.assert_array_equal([frame.stored for frame in frames], VOLUME)
    (stack,) = source.stacks()
    assert stack.frames == (tuple(range(5)) if towards > 0 else tuple(reversed(range(5))))
    assert stack.sides == ("patient right", "patient left")
    np.testing.assert_allclose(stack.places, np.sort(10 + towards * 2.0 * np.arange(5)))


def test_without_a_normal_no_side_is_told(make_dicom: MakeDicom) -> None:
    """Slices are neighbours all the same, as far from each other as the header says."""
    for header in (None, csa(SliceNormalVector=("0", "1", "0")), csa(SliceNormalVector=("x", "0", "0"))):
        (stack,) = opened(mosaic(make_dicom, header=header)).stacks()
        assert (stack.frames, stack.places, stack.sides) == (tuple(range(5)), (0, 2, 4, 6, 8), (None, None))


def test_the_number_of_slices_is_in_either_element(make_dicom: MakeDicom) -> None:
    """Where both tell, both tell the same."""
    by_csa = csa(NumberOfImagesInMosaic=("5",))
    assert opened(mosaic(make_dicom, number=None, header=by_csa)).frames_total == 5
    assert opened(mosaic(make_dicom, header=by_csa)).frames_total == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"number": None},
        {"number": None, "header": csa(NumberOfImagesInMosaic=("5",))[:60]},
        {"number": 1},
        {"number": 0},
        {"number": 4, "header": csa(NumberOfImagesInMosaic=("5",))},
        {"number": None, "header": csa(NumberOfImagesInMosaic=("many",))},
        {"number": 5, "volume": np.concatenate([VOLUME, VOLUME[:1]])},
        {"number": 4},
        {"number": 25},
        {"number": 5, "AcquisitionMatrix": [12, 0, 0, 12]},
    ],
)
def test_a_mosaic_of_unknown_slices_is_refused(make_dicom: MakeDicom, changes: dict[str, Any]) -> None:
    """No number, two, one that does not fit the frame, or more slices than it says."""
    with pytest.raises(causes.UnsupportedPixels, match="NumberOfImagesInMosaic"):
        opened(mosaic(make_dicom, **changes))


def test_an_image_that_is_no_mosaic_stays_one(make_dicom: MakeDicom) -> None:
    """Whatever private elements are left in it."""
    assert opened(mosaic(make_dicom, ImageType=["DERIVED", "SECONDARY", "MPR"])).frames_total == 1


@pytest.mark.parametrize("elements", [{"Modality": ""}, {"ImageType": ["ORIGINAL", "PRIMARY", "M", "mosaic"]}])
def test_a_mosaic_is_known_by_its_class_and_in_small_letters(make_dicom: MakeDicom, elements: dict[str, Any]) -> None:
    """Where Modality is missing, an MR Image Storage object is one of MR (PS3.4 B.5)."""
    assert opened(mosaic(make_dicom, **elements)).frames_total == 5
