"""Limits: what is too large is refused before it is decoded, by an error that names the limit."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from models.imaging import FramePolicy, encode_png, open_source
from models.imaging.limits import TooLarge, check_size, most_inflated
from schemas.failures import NeedsTooMuchMemory
from schemas.limits import MEBIBYTE, Limits
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
LIMITS = Limits()
PREAMBLE = bytes(128) + b"DICM"


def element(group: int, number: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element in explicit VR little endian."""
    size = len(value) if length is None else length
    long = vr in (b"OB", b"OW", b"SQ", b"UN")
    return struct.pack("<HH2s" + ("2xI" if long else "H"), group, number, vr, size) + value


META = PREAMBLE + element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
UNDEFINED = 0xFFFFFFFF


def nested(depth: int, *, defined: bool = False) -> bytes:
    """A sequence in a sequence in a sequence …, each with one item."""
    inside = b""
    starts, ends = b"\xfe\xff\x00\xe0" + b"\xff" * 4, b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)
    if not defined:
        return (element(8, 0x1140, b"SQ", b"", UNDEFINED) + starts) * depth + ends * depth
    for _ in range(depth):
        inside = element(8, 0x1140, b"SQ", b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inside)) + inside)
    return inside


@pytest.mark.parametrize("depth", [33, 200, 10_000])
def test_sequences_nested_too_deep_are_refused(depth: int) -> None:
    """Before Python's own limit, or the C stack, ends it."""
    with pytest.raises(TooLarge, match="TRISTREAM_LIMIT_NESTING"):
        open_source(META + nested(depth), ALL)


def test_siblings_are_not_taken_for_nesting(make_dicom: MakeDicom) -> None:
    """Hundreds of items side by side, of both kinds of length, are depth one."""
    item = b"\xfe\xff\x00\xe0"
    items = (item + bytes(4) + item + b"\xff\xff\xff\xff" + b"\xfe\xff\x0d\xe0" + bytes(4)) * 200
    sequence = element(8, 0x1140, b"SQ", b"", UNDEFINED) + items + b"\xfe\xff\xdd\xe0" + bytes(4)
    data = make_dicom(np.ones((8, 8), np.uint16))
    at = data.index(b"\x08\x00\x60\x00CS")
    assert open_source(data[:at] + sequence + data[at:], ALL).read(0).index == 0


def test_deep_sequences_of_known_length_are_skipped(make_dicom: MakeDicom) -> None:
    """They are one value that nobody reads, so their depth does no harm."""
    data = make_dicom(np.ones((8, 8), np.uint16))
    at = data.index(b"\x08\x00\x60\x00CS")
    assert open_source(data[:at] + nested(2000, defined=True) + data[at:], ALL).read(0).index == 0


def test_too_many_elements_are_refused(make_dicom: MakeDicom) -> None:
    """A header of a million empty elements would hold the parser for minutes."""
    data = make_dicom(np.ones((8, 8), np.uint16))
    at = data.index(b"\x08\x00\x60\x00CS")
    many = data[:at] + element(8, 0x50, b"SH", b"") * 1000 + data[at:]
    assert open_source(many, ALL).frames_total == 1
    with pytest.raises(TooLarge, match="TRISTREAM_LIMIT_ELEMENTS"):
        open_source(many, ALL, replace(LIMITS, elements=500))


def bomb(mebibytes: int) -> bytes:
    """A deflated object of zeros."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = element(8, 0x50, b"OB", b"", mebibytes * MEBIBYTE)
    parts = [deflate.compress(head), *(deflate.compress(bytes(MEBIBYTE)) for _ in range(mebibytes)), deflate.flush()]
    return PREAMBLE + element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1.99") + b"".join(parts)


def test_a_deflated_bomb_is_refused_by_its_ratio_and_by_its_size() -> None:
    """Inflating stops at the limit; a blank image of the same ratio, but small, is taken for what it is."""
    with pytest.raises(TooLarge, match="TRISTREAM_LIMIT_INFLATION"):
        open_source(bomb(80), ALL)
    with pytest.raises(TooLarge, match="TRISTREAM_LIMIT_INFLATED_BYTES"):
        open_source(bomb(80), ALL, replace(LIMITS, inflated_bytes=MEBIBYTE))
    assert most_inflated(100)[0] == 64 * MEBIBYTE
    assert most_inflated(2**30)[0] == LIMITS.inflated_bytes


def test_a_blank_deflated_image_is_taken(make_dicom: MakeDicom) -> None:
    """Deflated a thousandfold, and whole."""
    data = make_dicom(np.zeros((2048, 2048), np.uint16), syntax=DeflatedExplicitVRLittleEndian)
    assert len(data) < 20_000
    assert open_source(data, ALL).read(0).stored.shape == (2048, 2048)


@pytest.mark.parametrize(
    ("rows", "columns", "frames", "limit"),
    [(65535, 65535, 1, "PIXELS"), (8192, 8192, 2000, "TOTAL_PIXELS"), (1, 1, 2**31 - 1, "FRAMES")],
)
def test_sizes_are_bounded(rows: int, columns: int, frames: int, limit: str) -> None:
    """In one frame, in all together, and in their number."""
    check_size(8192, 8192, 1000)
    with pytest.raises(TooLarge, match=f"TRISTREAM_LIMIT_{limit},"):
        check_size(rows, columns, frames)


@pytest.mark.parametrize("make", [lambda _, pixels: encode_png(pixels), lambda make, pixels: make(pixels)])
def test_limits_hold_for_every_format(make_dicom: MakeDicom, make: Callable[[MakeDicom, np.ndarray], bytes]) -> None:
    """A file, or a frame, above a limit that was set is refused, and one at it is taken."""
    data = make(make_dicom, np.zeros((9, 9), np.uint8))
    assert open_source(data, ALL, replace(LIMITS, pixels=81, file_bytes=len(data))).frames_total == 1
    for limits in (replace(LIMITS, pixels=80), replace(LIMITS, file_bytes=len(data) - 1)):
        with pytest.raises(TooLarge):
            open_source(data, ALL, limits)


def test_memory_that_a_decoder_does_not_get_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large image is not called corrupt because the process is small."""

    def no_memory(*_: object) -> None:
        raise MemoryError

    source = open_source(cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes(), ALL)
    monkeypatch.setattr("models.imaging.png.cv2.imdecode", no_memory)
    with pytest.raises(NeedsTooMuchMemory):
        source.read(0)
