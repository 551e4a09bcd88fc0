"""Pixel data written anew: its samples are the same, and nothing that was planted around them is left."""

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    UID,
    ExplicitVRBigEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from benchmarks.identities import views
from benchmarks.planted_pixels import in_j2k, in_jpeg, in_rle
from models.imaging import FramePolicy, open_source
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import deidentify_file
from models.imaging.deidentify.jpeg import rewritten_jpeg
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from models.imaging.deidentify.surplus import without_surplus
from models.imaging.errors import CorruptPixels, TruncatedFile, UnsupportedPixels, UnsupportedTransferSyntax
from schemas.failures import InvalidInput
from tests.models.imaging.samples import MakeDicom

KEY = Pseudonyms(b"a key for the tests")
TOKEN = b"QXJVKWHQZPFK"
Pixels = NDArray[Any]


def picture(rows: int = 61, columns: int = 83, *, colour: bool = False, bits: int = 8) -> Pixels:
    """Smooth shades with noise, so that every byte of coded data matters."""
    chance = np.random.default_rng(4)
    down, across = np.mgrid[:rows, :columns]
    grey = (down + 2 * across) * 2 ** (bits - 8) % 2**bits // 2 + chance.integers(0, 2 ** (bits - 2), (rows, columns))
    grey = grey.astype(np.uint8 if bits == 8 else np.uint16)
    return np.stack([grey, grey[::-1], grey[:, ::-1]], axis=2) if colour else grey


def pillow_jpeg(image: Pixels, **options: Any) -> bytes:
    """Baseline or progressive, with restart markers where asked for."""
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", **options)
    return file.getvalue()


def planted(text: bytes) -> bool:
    """Whether the token can be read in it, in clear or out of parts of its bytes."""
    return any(TOKEN in view for view in views(text))


JPEGS = {
    "baseline": pillow_jpeg(picture()),
    "baseline colour": pillow_jpeg(picture(colour=True), subsampling=2),
    "restarts by row": pillow_jpeg(picture(colour=True), restart_marker_rows=1),
    "restarts by block": pillow_jpeg(picture(), restart_marker_blocks=3),
    "progressive": pillow_jpeg(picture(colour=True), progressive=True),
    "optimised": pillow_jpeg(picture(colour=True), optimize=True, quality=95),
    "lossless": imagecodecs.jpeg8_encode(picture(bits=12), lossless=True, bitspersample=12),
    "JPEG-LS": imagecodecs.jpegls_encode(picture(bits=12)),
    "JPEG-LS colour": imagecodecs.jpegls_encode(picture(colour=True)),
    "JPEG-LS near": imagecodecs.jpegls_encode(picture(), level=3),
}


def decoded_jpeg(stream: bytes) -> Pixels:
    """Samples by imagecodecs."""
    ls = b"\xff\xf7" in stream[:600]
    return imagecodecs.jpegls_decode(stream) if ls else imagecodecs.jpeg8_decode(stream)


@pytest.mark.parametrize("form", JPEGS)
def test_nothing_planted_in_a_jpeg_codestream_is_left(form: str) -> None:
    """Segments of all kinds, before, between and behind them, and tables that no scan uses: same samples, no text."""
    stream = JPEGS[form]
    expected = decoded_jpeg(stream)
    np.testing.assert_array_equal(decoded_jpeg(rewritten_jpeg(stream)), expected)
    assert rewritten_jpeg(rewritten_jpeg(stream)) == rewritten_jpeg(stream)
    places = in_jpeg(stream, TOKEN)
    assert len(places) > 25
    for place, bad in places.items():
        assert planted(bad), place
        found = rewritten_jpeg(bad)
        assert not planted(found), place
        np.testing.assert_array_equal(decoded_jpeg(found), expected, err_msg=place)


def test_text_before_a_restart_marker_goes() -> None:
    """Decoders pass over it to the next marker, in each interval."""
    stream = JPEGS["restarts by block"]
    for number in (0, 3, 7):
        at = stream.index(bytes((0xFF, 0xD0 + number)))
        found = rewritten_jpeg(stream[:at] + TOKEN + stream[at:])
        assert not planted(found)
        np.testing.assert_array_equal(decoded_jpeg(found), decoded_jpeg(stream))


def test_adobe_and_jfif_keep_what_they_say_of_colour() -> None:
    """Rebuilt: the transform stays, density and version do not."""
    stream = pillow_jpeg(picture(colour=True), dpi=(0x5158, 0x4A56))
    assert b"QXJV" in stream
    assert b"QXJV" not in rewritten_jpeg(stream)
    assert b"JFIF\0" in rewritten_jpeg(stream)
    adobe = stream[:2] + b"\xff\xee\x00\x0eAdobeQXJVKW\x00" + stream[2:]
    assert b"Adobe\0\x64\0\0\0\0\0" in rewritten_jpeg(adobe)


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda stream: stream[:-2], TruncatedFile),
        (lambda stream: stream[:40], TruncatedFile),
        (lambda stream: b"no codestream", CorruptPixels),
        (lambda stream: stream.replace(b"\xff\xc0", b"\xff\xc9"), UnsupportedPixels),
        (lambda stream: stream.replace(b"\xff\xc0", b"\xff\xc5"), UnsupportedPixels),
        (lambda stream: stream.replace(b"\xff\xc4", b"\xff\xfe"), CorruptPixels),
    ],
)
def test_a_jpeg_that_cannot_be_read_to_its_end_is_refused(damage: Any, error: type[InvalidInput]) -> None:
    """Cut, of an unknown process, or without its tables."""
    with pytest.raises(error):
        rewritten_jpeg(damage(JPEGS["baseline"]))


J2KS = {
    "lossless": imagecodecs.jpeg2k_encode(picture(bits=12), codecformat="j2k", reversible=True, level=0),
    "lossy colour": imagecodecs.jpeg2k_encode(picture(colour=True), codecformat="j2k", level=40),
    "high throughput": imagecodecs.htj2k_encode(picture(bits=12)),
}


@pytest.mark.parametrize("form", J2KS)
def test_nothing_planted_in_a_jpeg_2000_codestream_is_left(form: str) -> None:
    """Main and tile-part headers, coded data, boxes around and bytes behind: same samples, no text."""
    stream = J2KS[form]
    expected = imagecodecs.jpeg2k_decode(stream)
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(rewritten_j2k(stream)), expected)
    for place, bad in in_j2k(stream, TOKEN).items():
        assert planted(bad), place
        found = rewritten_j2k(bad)
        assert not planted(found), place
        assert found.endswith(b"\xff\xd9")
        np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(found), expected, err_msg=place)


def test_tiles_are_cleaned_one_by_one() -> None:
    """Each is decoded as an image of its own; lengths of tile-parts that were told are told anew."""
    image = picture(100, 130)
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG2000", tile_size=(64, 64), no_jp2=True)
    stream = file.getvalue()
    starts = [at for at in range(len(stream)) if stream.startswith(b"\xff\x90\x00\x0a", at)]
    assert len(starts) == 6
    bad = stream
    for at in reversed(starts):
        length = int.from_bytes(bad[at + 6 : at + 10], "big")
        bad = (
            bad[: at + 6]
            + (length + len(TOKEN)).to_bytes(4, "big")
            + bad[at + 10 : at + length]
            + TOKEN
            + bad[at + length :]
        )
    found = rewritten_j2k(bad)
    assert bad.count(TOKEN) == 6
    assert not planted(found)
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(found), image)
    size = 4 + int.from_bytes(stream[4:6], "big")
    pointed = rewritten_j2k(stream[:size] + b"\xff\x55\x00\x06\x00\x40QX" + stream[size:])
    at = pointed.index(b"\xff\x55") + 6
    lengths = [int.from_bytes(pointed[at + 6 * tile + 2 : at + 6 * tile + 6], "big") for tile in range(6)]
    begins = [at for at in range(len(pointed)) if pointed.startswith(b"\xff\x90\x00\x0a", at)]
    assert [begins[0] + sum(lengths[:tile]) for tile in range(6)] == begins
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(pointed), image)


def test_packed_headers_and_extensions_are_refused() -> None:
    """Their content cannot be told from text."""
    stream = J2KS["lossless"]
    size = 4 + int.from_bytes(stream[4:6], "big")
    for marker in (b"\xff\x60", b"\xff\x74"):
        with pytest.raises(UnsupportedPixels):
            rewritten_j2k(stream[:size] + marker + b"\x00\x06\x00QXJ" + stream[size:])
    with pytest.raises(TruncatedFile):
        rewritten_j2k(stream[:-2])


def test_only_an_end_that_changes_no_sample_is_blanked() -> None:
    """As long as it is, and no byte before it."""

    def decode(coded: bytes) -> Pixels:
        return np.frombuffer(coded[:50], np.uint8)

    for surplus in (0, 5, 33, 200):
        coded = bytes(range(1, 51)) + b"x" * surplus
        assert without_surplus(coded, decode) == coded[:50] + bytes(surplus)


def copied(data: bytes) -> tuple[bytes, pydicom.Dataset]:
    """Of the copy, its bytes and as pydicom reads it."""
    copy = deidentify_file(data, KEY, Policy())
    return copy.data, pydicom.dcmread(BytesIO(copy.data))


def compressed(source: bytes, syntax: UID, value: bytes, **elements: Any) -> bytes:
    """The object with this encapsulated pixel data."""
    dataset = pydicom.dcmread(BytesIO(source))
    dataset.PixelData = value
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, element in elements.items():
        setattr(dataset, keyword, element)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def frames_of(data: bytes) -> list[Pixels]:
    """As the pipeline decodes them."""
    return [frame.stored for frame in open_source(data, FramePolicy(), burned_in=None).frames()]


@pytest.mark.parametrize(
    ("syntax", "streams"),
    [
        (JPEGBaseline8Bit, [JPEGS["baseline"], pillow_jpeg(picture()[::-1])]),
        (JPEGLSLossless, [imagecodecs.jpegls_encode(image) for image in (picture(), picture()[::-1].copy())]),
        (JPEG2000, [imagecodecs.jpeg2k_encode(image, codecformat="j2k") for image in (picture(), picture()[::-1])]),
    ],
    ids=["JPEG", "JPEG-LS", "JPEG 2000"],
)
def test_fragments_are_joined_and_offset_tables_are_true(
    make_dicom: MakeDicom, syntax: UID, streams: list[bytes]
) -> None:
    """A comment over two fragments and text in either table are gone, and tables point to frames."""
    source = make_dicom(np.stack([picture()] * 2))
    at = 2 if syntax != JPEG2000 else 4 + int.from_bytes(streams[0][4:6], "big")
    head = b"\xff\xfe" if syntax != JPEG2000 else b"\xff\x64"
    comment = head + (len(TOKEN) + 4).to_bytes(2, "big") + b"\0\1" + TOKEN
    bad = streams[0][:at] + comment + streams[0][at:]
    bad += bytes(len(bad) % 2)
    split = at + 10
    value = encapsulate([bad, streams[1]], fragments_per_frame=1, has_bot=False)
    items = [bad[:split], bad[split:], streams[1] + bytes(len(streams[1]) % 2)]
    offsets = np.array([0, len(bad) + 16], "<u4").tobytes()
    body = b"".join(b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item for item in (offsets, *items))
    fragmented = body + b"\xfe\xff\xdd\xe0\0\0\0\0"
    for bad_value in (value, fragmented):
        data, dataset = copied(compressed(source, syntax, bad_value))
        assert not planted(data)
        assert dataset.file_meta.TransferSyntaxUID == syntax
        plain = frames_of(compressed(source, syntax, encapsulate(streams)))
        for found, expected in zip(frames_of(data), plain, strict=True):
            np.testing.assert_array_equal(found, expected)
        assert dataset.pixel_array.shape[0] == 2
    bad_tables = {"ExtendedOffsetTable": TOKEN.ljust(16), "ExtendedOffsetTableLengths": TOKEN.ljust(16)}
    data, dataset = copied(compressed(source, syntax, encapsulate(streams, has_bot=False), **bad_tables))
    assert not planted(data)
    assert len(dataset.ExtendedOffsetTable) == 16
    assert dataset.pixel_array.shape[0] == 2


def test_nothing_planted_in_an_rle_frame_is_left(make_dicom: MakeDicom) -> None:
    """Behind and between segments, and in offsets that none has."""
    image = picture(bits=12)
    source = make_dicom(image)
    dataset = pydicom.dcmread(BytesIO(source))
    dataset.compress(RLELossless, generate_instance_uid=False)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    for place, bad in in_rle(frame, TOKEN).items():
        data, _ = copied(compressed(source, RLELossless, encapsulate([bad])))
        assert not planted(data), place
        np.testing.assert_array_equal(frames_of(data)[0], image)


def hidden_bits(image: Pixels, stored: int, *, shifted: int = 0) -> Pixels:
    """Containers of 16 bits with the token in those that the samples leave, a few bits each."""
    room = 16 - stored
    bits = "".join(f"{byte:08b}" for byte in TOKEN * 40)
    values = [int(bits[at : at + room].ljust(room, "0"), 2) for at in range(0, len(bits), room)]
    found = image.astype(np.uint16).ravel()[: len(values)] & (2**stored - 1)
    place = 0 if shifted else stored
    found = found << shifted | np.array(values[: found.size], np.uint16) << place
    return np.concatenate([found, image.astype(np.uint16).ravel()[found.size :] << shifted]).reshape(image.shape)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("big", [False, True])
def test_native_pixels_hold_their_bits_alone(make_dicom: MakeDicom, signed: bool, big: bool) -> None:
    """Above Bits Stored and below High Bit, behind the last sample: gone, and signed values are what they were."""
    image = picture(bits=12)
    for stored, shifted in ((12, 0), (12, 4), (8, 0)):
        values = hidden_bits(image & (2**stored - 1), stored, shifted=shifted)
        elements: dict[str, Any] = {"BitsStored": stored, "HighBit": stored - 1 + shifted}
        dataset = pydicom.dcmread(BytesIO(make_dicom(values, PixelRepresentation=int(signed), **elements)))
        dataset.PixelData = values.astype(">u2" if big else "<u2").tobytes() + TOKEN
        if big:
            dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        file = BytesIO()
        pydicom.dcmwrite(file, dataset, implicit_vr=False, little_endian=not big)
        before = frames_of(file.getvalue())[0]
        data, copy = copied(file.getvalue())
        np.testing.assert_array_equal(frames_of(data)[0], before)
        sign = 2 ** (stored - 1) if signed else 0
        expected = (image.astype(np.int32) & (2**stored - 1) ^ sign) - sign
        assert not planted(copy.PixelData)
        assert len(copy.PixelData) == image.size * 2
        kind = f"{'>' if big else '<'}{'i' if signed else 'u'}2"
        raw = np.frombuffer(copy.PixelData, kind).reshape(image.shape) >> shifted
        np.testing.assert_array_equal(raw, expected)


def test_hidden_bits_of_compressed_pixels_go_by_decoding_them(make_dicom: MakeDicom) -> None:
    """RLE, JPEG-LS and JPEG 2000 keep what lies above Bits Stored: such frames are stored natively, others stay."""
    image = picture(bits=12)
    bad = hidden_bits(image, 12)
    elements = {"BitsStored": 12, "HighBit": 11}
    rle = pydicom.dcmread(BytesIO(make_dicom(bad, **elements)))
    rle.compress(RLELossless, generate_instance_uid=False)
    file = BytesIO()
    rle.save_as(file)
    sources = [
        file.getvalue(),
        compressed(make_dicom(bad, **elements), JPEGLSLossless, encapsulate([imagecodecs.jpegls_encode(bad)])),
        compressed(
            make_dicom(bad, **elements), JPEG2000Lossless,
            encapsulate([imagecodecs.jpeg2k_encode(bad, codecformat="j2k", reversible=True, level=0)]),
        ),
    ]  # fmt: skip
    for source in sources:
        data, dataset = copied(source)
        assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
        np.testing.assert_array_equal(frames_of(data)[0], image)
        assert np.frombuffer(dataset.PixelData, "<u2").max() < 4096
    clean = compressed(make_dicom(image, **elements), JPEGLosslessSV1, encapsulate([JPEGS["lossless"]]))
    assert copied(clean)[1].file_meta.TransferSyntaxUID == JPEGLosslessSV1


def test_floats_that_are_no_numbers_carry_nothing(make_dicom: MakeDicom) -> None:
    """A NaN has room for three letters."""
    values = picture().astype(np.float32)
    values[:2] = np.array([0x7FC00000 | int.from_bytes(b"QX", "big")], np.uint32).view(np.float32)[0]
    data, dataset = copied(make_dicom(values))
    assert b"XQ" not in dataset.FloatPixelData
    np.testing.assert_array_equal(np.frombuffer(dataset.FloatPixelData, "<f4").reshape(values.shape), values)
    assert b"XQ" not in data


def test_pixels_that_cannot_be_read_are_refused(make_dicom: MakeDicom) -> None:
    """A video can hold text and sound; an encoding without a decoder cannot be told from either."""
    source = make_dicom(picture())
    for syntax in (MPEG2MPML, UID("1.2.840.10008.1.2.4.107")):
        with pytest.raises(UnsupportedTransferSyntax):
            copied(compressed(source, syntax, encapsulate([b"\0\0\1\xb3" + TOKEN])))
    high = compressed(make_dicom(picture(bits=12)), HTJ2K, encapsulate([J2KS["high throughput"]]))
    assert copied(high)[1].file_meta.TransferSyntaxUID == HTJ2K
