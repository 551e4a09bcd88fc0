"""JPEG data that ends before its image does, behind it the end marker: decoders fill up what is missing."""

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, JPEGLosslessSV1

from models.imaging import FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.frames import Frame
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
SHADES = np.random.default_rng(1).integers(0, 256, (48, 64), dtype=np.uint8)
COLOURS = np.dstack([SHADES, SHADES[::-1], SHADES[:, ::-1]])
PLAIN = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"}


def cut(stream: bytes, tenths: int) -> bytes:
    """So much of it, and the end marker."""
    return stream[: len(stream) * tenths // 10].rstrip(b"\xff") + b"\xff\xd9"


def frame_of(data: bytes) -> Frame:
    (frame,) = open_source(data, ALL, burned_in=None).frames()
    return frame


KINDS: list[tuple[np.ndarray, Any, Callable[[np.ndarray], bytes]]] = [
    (SHADES, JPEGBaseline8Bit, imagecodecs.jpeg8_encode),
    (COLOURS, JPEGBaseline8Bit, imagecodecs.jpeg8_encode),
    (SHADES, JPEGLosslessSV1, imagecodecs.ljpeg_encode),
    (np.linspace(0, 4000, 3072).reshape(48, 64).astype(np.uint16), JPEGLosslessSV1, imagecodecs.ljpeg_encode),
]


@pytest.mark.parametrize("tenths", [3, 6, 9])
@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_half_an_image_is_damaged_whatever_its_end_says(make_dicom: MakeDicom, kind: int, tenths: int) -> None:
    """In grey and colour, and in lossless codestreams, whose missing rows are of one value too."""
    samples, syntax, encode = KINDS[kind]
    stream = encode(samples)
    space = {"PhotometricInterpretation": "YBR_FULL_422"} if samples.ndim == 3 else {}

    def written(codestream: bytes) -> bytes:
        return make_dicom(samples, syntax=syntax, PixelData=encapsulate([codestream]), **PLAIN, **space)

    assert frame_of(written(stream)).stored.shape == samples.shape
    with pytest.raises(causes.CorruptPixels):
        frame_of(written(cut(stream, tenths)))


@pytest.mark.parametrize("shape", [(48, 64), (41, 37), (48, 64, 3)])
def test_an_image_that_ends_in_grey_is_whole(shape: tuple[int, ...]) -> None:
    """Of the middle grey itself, at the end and everywhere."""
    picture = np.full(shape, 128, np.uint8)
    np.testing.assert_array_equal(frame_of(imagecodecs.jpeg8_encode(picture)).stored, picture)
    picture[:16] = 40
    assert frame_of(imagecodecs.jpeg8_encode(picture, level=95)).stored.shape == shape


def test_files_are_held_to_the_same() -> None:
    """A picture without DICOM around it; and JPEG-LS is said to be that, not to be damaged."""
    with pytest.raises(causes.CorruptPixels):
        frame_of(cut(imagecodecs.jpeg8_encode(SHADES), 6))
    with pytest.raises(causes.UnsupportedPixels, match="JPEG-LS"):
        frame_of(imagecodecs.jpegls_encode(SHADES))
