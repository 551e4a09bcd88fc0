"""PNG and JPEG: read whole, upright and bare, or refused."""

import struct
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest

from models.imaging import encode_png, open_source
from models.imaging import errors as causes
from tests.models.imaging.test_open_source import ALL, outcome_of, picture


@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive"])
def test_a_cut_picture_is_never_half_an_image(kind: str) -> None:
    """OpenCV fills a cut JPEG with grey; here it is a truncated file, wherever it is cut."""
    data = picture(kind)
    assert outcome_of(data, ALL) is None
    assert {outcome_of(data[:cut], ALL) for cut in range(8, len(data), 7)} == {"TruncatedFile"}
    assert outcome_of(data[:-1], ALL) == "TruncatedFile"
    assert outcome_of(data + b"trailing bytes", ALL) is None


def test_pictures_are_read_upright_and_bare() -> None:
    """PNG and JPEG: alpha and EXIF are dropped, EXIF orientation applied, nothing claimed of modality."""
    grey = np.arange(48, dtype=np.uint16).reshape(6, 8) * 1000
    (frame,) = open_source(encode_png(grey), ALL).frames()
    np.testing.assert_array_equal(frame.values, grey)
    assert (frame.unit, frame.metadata.source_format, frame.metadata.modality) == ("stored value", "PNG", "unknown")
    alpha = np.dstack([np.full((6, 8, 3), (1, 2, 3), np.uint8), np.zeros((6, 8), np.uint8)])
    (frame,) = open_source(cv2.imencode(".png", alpha)[1].tobytes(), ALL).frames()
    assert frame.stored.shape == (6, 8, 3)
    assert frame.stored[0, 0].tolist() == [3, 2, 1]
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    jpeg = picture("jpeg")
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    assert open_source(turned, ALL).read(0).stored.shape == (64, 48, 3)


def test_png_of_every_kind_is_grey_or_rgb() -> None:
    """Grey with alpha is grey; one bit is black and white; a palette is its colours; 16 bits keep every value."""

    def png(colour: int, depth: int, row: bytes, *more: tuple[bytes, bytes]) -> np.ndarray:
        head = struct.pack(">IIBBBBB", 4, 1, depth, colour, 0, 0, 0)
        chunks = ((b"IHDR", head), *more, (b"IDAT", zlib.compress(b"\0" + row)), (b"IEND", b""))
        parts = [
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        ]
        return open_source(b"\x89PNG\r\n\x1a\n" + b"".join(parts), ALL).read(0).stored

    assert png(4, 8, bytes([10, 255, 20, 0, 30, 128, 40, 255])).tolist() == [[10, 20, 30, 40]]
    assert png(4, 16, bytes([1, 2, 9, 9] * 4)).tolist() == [[0x0102] * 4]
    assert png(0, 1, b"\xa0").tolist() == [[255, 0, 255, 0]]
    assert png(3, 2, b"\x1b", (b"PLTE", bytes(range(12)))).tolist() == [[[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]]
    assert png(2, 16, bytes(range(24)))[0, 1].tolist() == [0x0607, 0x0809, 0x0A0B]


@pytest.mark.parametrize(
    ("shape", "options"),
    [((16, 16, 4), {"colorspace": "CMYK", "outcolorspace": "CMYK"}), ((16, 16), {"bitspersample": 12})],
)
def test_jpeg_for_printers_and_of_many_bits_is_refused(shape: tuple[int, ...], options: dict[str, object]) -> None:
    """OpenCV would turn CMYK into colours by guess, and cannot read 12 bits."""
    array = np.full(shape, 100, np.uint16 if "bitspersample" in options else np.uint8)
    data = imagecodecs.jpeg8_encode(array, **options)
    with pytest.raises(causes.UnsupportedPixels):
        open_source(data, ALL)
