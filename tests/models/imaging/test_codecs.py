"""One image in every transfer syntax: the same where nothing is lost, near it where something is."""

import struct
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from models.imaging import Frame, FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.codecs import DECODABLE_SYNTAXES
from models.imaging.codestreams import rle_segments
from schemas.failures import InvalidInput
from tests.models.imaging.samples import MakeDicom, needs_dcmtk

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

Samples = NDArray[Any]
RLE = "1.2.840.10008.1.2.5"


def _noisy(low: int, high: int, dtype: str, *, colours: int = 0) -> Samples:
    """A smooth image with noise and with both ends of its range in it."""
    shape = (48, 62, colours) if colours else (48, 62)
    ramp = np.linspace(low, high, shape[0] * shape[1]).reshape(shape[:2])
    noise = np.random.default_rng(5).normal(0, (high - low) / 50, shape)
    image = (ramp[..., None] if colours else ramp) + noise
    image.flat[:2] = low, high
    return np.clip(np.rint(image), low, high).astype(dtype)


IMAGES: dict[str, tuple[Samples, int]] = {
    "8 bits": (_noisy(0, 255, "u1"), 8),
    "12 of 16 bits": (_noisy(0, 4095, "u2"), 12),
    "signed 16 bits": (_noisy(-32768, 32767, "i2"), 16),
    "signed 12 of 16 bits": (_noisy(-2048, 2047, "i2"), 12),
    "RGB": (_noisy(0, 255, "u1", colours=3), 8),
}


def unsigned(samples: Samples, bits: int) -> Samples:
    """The low `bits` of each, as JPEG and JPEG-LS know them."""
    wide = samples.view(f"u{samples.itemsize}")
    return wide & wide.dtype.type(2**bits - 1)


def rle(samples: Samples, _bits: int) -> bytes:
    """By pydicom's own encoder's rows, one segment a byte plane (PS3.5 G)."""
    planes = samples if samples.ndim == 2 else np.moveaxis(samples, -1, 0)
    big = np.ascontiguousarray(planes, planes.dtype.newbyteorder(">"))
    byte_planes = big.reshape(-1, samples.shape[0], samples.shape[1]).view("u1")
    byte_planes = byte_planes.reshape(-1, samples.shape[0] * samples.shape[1], samples.itemsize)
    segments = [
        imagecodecs.packbits_encode(plane[:, byte].tobytes())
        for plane in byte_planes
        for byte in range(samples.itemsize)
    ]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = np.cumsum([64, *map(len, segments[:-1])])
    return struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments))) + b"".join(segments)


def jpeg_lossless(samples: Samples, bits: int) -> bytes:
    """Process 14, predictor 1."""
    colours = {"colorspace": "RGB", "outcolorspace": "RGB"} if samples.ndim == 3 else {}
    plain = unsigned(samples, bits)
    return bytes(imagecodecs.jpeg8_encode(plain, lossless=True, predictor=1, bitspersample=bits, **colours))


Encoder = Callable[[Samples, int], bytes]
ENCODERS: dict[str, tuple[str, Encoder]] = {
    "encapsulated uncompressed": ("1.2.840.10008.1.2.1.98", lambda samples, _: samples.tobytes()),
    "RLE": ("1.2.840.10008.1.2.5", rle),
    "JPEG lossless": ("1.2.840.10008.1.2.4.57", jpeg_lossless),
    "JPEG lossless SV1": ("1.2.840.10008.1.2.4.70", jpeg_lossless),
    "JPEG-LS": (
        "1.2.840.10008.1.2.4.80",
        lambda samples, bits: bytes(imagecodecs.jpegls_encode(unsigned(samples, bits))),
    ),
    "JPEG 2000": (
        "1.2.840.10008.1.2.4.90",
        lambda samples, bits: bytes(
            imagecodecs.jpeg2k_encode(samples, codecformat="j2k", reversible=True, bitspersample=bits)
        ),
    ),
    "HTJ2K": ("1.2.840.10008.1.2.4.201", lambda samples, _: bytes(imagecodecs.htj2k_encode(samples, reversible=True))),
    "HTJ2K, signed as unsigned": (
        "1.2.840.10008.1.2.4.203",
        lambda samples, bits: bytes(imagecodecs.htj2k_encode(unsigned(samples, bits), reversible=True)),
    ),
}


def described(samples: Samples, bits: int) -> dict[str, Any]:
    """What the header says of these samples."""
    return {"BitsStored": bits, "HighBit": bits - 1, "WindowCenter": 100, "WindowWidth": 200}


def encapsulated(
    make_dicom: MakeDicom, syntax: str, samples: Samples, codestreams: list[bytes], **elements: Any
) -> bytes:
    """An object of these codestreams."""
    dataset = pydicom.dcmread(BytesIO(make_dicom(samples, **elements)))
    dataset.PixelData = encapsulate([stream + b"\0" * (len(stream) % 2) for stream in codestreams])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    file = BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def only_frame(data: bytes) -> Frame:
    """The frame of a single-frame object."""
    (frame,) = open_source(data, FramePolicy()).frames()
    return frame


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_image_in_every_lossless_syntax_has_the_same_id(
    make_dicom: MakeDicom, image: str, encoder: str
) -> None:
    """Encapsulated syntaxes against plain explicit little endian: same values, same identity."""
    samples, bits = IMAGES[image]
    elements = described(samples, bits)
    plain = only_frame(make_dicom(samples, **elements))
    expected = samples.astype(np.float32)
    np.testing.assert_array_equal(plain.values, expected)
    syntax, encode = ENCODERS[encoder]
    colour = {"PhotometricInterpretation": "YBR_RCT"} if samples.ndim == 3 and "2" in encoder else {}
    other = only_frame(encapsulated(make_dicom, syntax, samples, [encode(samples, bits)], **elements, **colour))
    np.testing.assert_array_equal(other.values, expected)
    assert other.image_id == plain.image_id


@needs_dcmtk
@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize(
    "command",
    [
        ["dcmconv", "+ti"], ["dcmconv", "+te"], ["dcmconv", "+tb"], ["dcmconv", "+td"], ["dcmcrle"],
        ["dcmcjpeg", "+e1"], ["dcmcjpeg", "+el", "+sv", "4"], ["dcmcjpls"], ["dcmcjpls", "+il"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_what_dcmtk_encodes_without_loss_is_the_same_image(
    make_dicom: MakeDicom, tmp_path: Path, image: str, command: list[str]
) -> None:
    """Native, deflated, RLE, JPEG lossless and JPEG-LS, as another implementation writes them."""
    samples, bits = IMAGES[image]
    plain = make_dicom(samples, **described(samples, bits))
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(plain)
    subprocess.run([*command, source, target], check=True, capture_output=True)
    assert only_frame(target.read_bytes()).image_id == only_frame(plain).image_id


@needs_dcmtk
@pytest.mark.parametrize("option", ["+eb", "+ee", "+es", "+ep"])
def test_every_process_of_lossy_jpeg_is_read(make_dicom: MakeDicom, tmp_path: Path, option: str) -> None:
    """Baseline, and 12 bits of extended, spectral selection and full progression, within the loss of quality 95."""
    bits = 8 if option == "+eb" else 12
    samples = _noisy(0, 2**bits - 1, "u1" if bits == 8 else "u2")
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(make_dicom(samples, **described(samples, bits), Modality="OT"))
    subprocess.run(["dcmcjpeg", option, "+q", "95", source, target], check=True, capture_output=True)
    frame = only_frame(target.read_bytes())
    assert np.abs(frame.values - samples).mean() < 2**bits / 100


def colour_jpeg(space: str, subsampling: str = "444") -> tuple[Samples, bytes]:
    """Colours in large areas, as JPEG of that space, without any marker that names it."""
    rgb = np.repeat(np.repeat(np.random.default_rng(1).integers(0, 255, (4, 4, 3), np.uint8), 16, 0), 16, 1)
    stream = imagecodecs.jpeg8_encode(rgb, level=98, colorspace="RGB", outcolorspace=space, subsampling=subsampling)
    at, stream = 2, bytes(stream)
    while stream[at + 1] & 0xF0 == 0xE0:
        at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return rgb, stream[:2] + stream[at:]


ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
JFIF = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"


@pytest.mark.parametrize(
    ("space", "subsampling", "marker", "label"),
    [
        ("YCBCR", "422", b"", "YBR_FULL_422"),
        ("YCBCR", "444", b"", "YBR_FULL"),
        ("YCBCR", "444", JFIF, "RGB"),
        ("YCBCR", "422", b"", "RGB"),
        ("YCBCR", "444", ADOBE + b"\x01", "RGB"),
        ("RGB", "444", b"", "RGB"),
        ("RGB", "444", ADOBE + b"\x00", "RGB"),
        ("RGB", "444", ADOBE + b"\x00", "YBR_FULL"),
    ],
)
def test_a_jpeg_has_the_colours_that_its_codestream_tells_else_its_header(
    make_dicom: MakeDicom, space: str, subsampling: str, marker: bytes, label: str
) -> None:
    """Adobe and JFIF markers and subsampling win over a wrong label; without them the label decides."""
    rgb, stream = colour_jpeg(space, subsampling)
    if space == "RGB" and not marker:
        # libjpeg names its components R, G, B, which would tell; other writers number them.
        for identifier, number in ((b"R", b"\0"), (b"G", b"\1"), (b"B", b"\2")):
            stream = stream.replace(identifier + b"\x11\0", number + b"\x11\0").replace(
                identifier + b"\0", number + b"\0", 1
            )
    stream = stream[:2] + marker + stream[2:]
    data = encapsulated(make_dicom, "1.2.840.10008.1.2.4.50", rgb, [stream], PhotometricInterpretation=label)
    middles = only_frame(data).stored[8::16, 8::16].astype(int)
    assert np.abs(middles - rgb[8::16, 8::16]).max() <= 6


def test_bright_pixels_of_lossy_htj2k_stay_bright(make_dicom: MakeDicom) -> None:
    """A decoder that does not clip turns what the lossy wavelet takes above white into black."""
    samples = np.zeros((64, 64, 3), np.uint8)
    samples[16:48, 16:48] = 255
    samples[::7, ::5] = 255
    stream = bytes(imagecodecs.htj2k_encode(samples, reversible=False, level=0.02))
    data = encapsulated(make_dicom, "1.2.840.10008.1.2.4.203", samples, [stream], PhotometricInterpretation="YBR_ICT")
    assert np.abs(only_frame(data).stored.astype(int) - samples).max() < 60


def test_a_jp2_file_in_a_fragment_is_read(make_dicom: MakeDicom) -> None:
    """DICOM wants the bare codestream, and some writers leave the boxes around it."""
    samples, bits = IMAGES["12 of 16 bits"]
    stream = bytes(imagecodecs.jpeg2k_encode(samples, codecformat="jp2", reversible=True, bitspersample=bits))
    data = encapsulated(make_dicom, "1.2.840.10008.1.2.4.90", samples, [stream], **described(samples, bits))
    np.testing.assert_array_equal(only_frame(data).values, samples)


@pytest.mark.parametrize("encoder", ["RLE", "JPEG lossless", "JPEG-LS", "JPEG 2000", "HTJ2K"])
def test_a_codestream_of_another_size_or_cut_short_is_refused(make_dicom: MakeDicom, encoder: str) -> None:
    """Never half an image, and never more memory than the header asks for."""
    samples, bits = IMAGES["12 of 16 bits"]
    syntax, encode = ENCODERS[encoder]
    stream = encode(samples, bits)
    elements = described(samples, bits)
    cut = [stream[: len(stream) * part // 10 & ~1] for part in (1, 5, 9)]
    for data in (
        *(encapsulated(make_dicom, syntax, samples, [short], **elements) for short in cut),
        encapsulated(make_dicom, syntax, samples[:-2], [stream], **elements),
    ):
        with pytest.raises((causes.TruncatedFile, causes.CorruptPixels, causes.WrongPixelLength)):
            only_frame(data)


@pytest.mark.parametrize("offsets", [[2, 60, 80], [2, 64, 64], [2, 90, 64], [0], [16, 64, 80]])
def test_rle_segments_that_overlap_are_refused(offsets: list[int]) -> None:
    """They must follow one another behind the header, and there are 15 at most."""
    data = struct.pack("<16I", *offsets, *[0] * (16 - len(offsets))) + b"\1" * 40
    with pytest.raises(causes.CorruptPixels):
        rle_segments(data, 2)
    with pytest.raises(causes.TruncatedFile):
        rle_segments(struct.pack("<16I", 2, 64, 400, *[0] * 13), 2)


def test_rle_of_another_number_of_segments_is_refused_with_the_numbers() -> None:
    """Colour under a header of grey, or grey under one of colour."""
    data = struct.pack("<16I", 3, 64, 70, 80, *[0] * 12) + b"\1" * 40
    for segments in (1, 2, 6):
        with pytest.raises(causes.WrongPixelLength, match=f"counts 3 segments, and the image has {segments}"):
            rle_segments(data, segments)


Segments = list[bytes]


def rle_planes(samples: Samples) -> Segments:
    """The bytes of each segment before they are encoded, the most significant first."""
    planes = samples[None] if samples.ndim == 2 else np.moveaxis(samples, -1, 0)
    octets = planes.astype(planes.dtype.newbyteorder(">"))[..., None].view("u1")
    return [plane[..., byte].tobytes() for plane in octets for byte in range(samples.itemsize)]


def rle_of(segments: Segments, count: int | None = None, offsets: tuple[int, ...] = ()) -> bytes:
    """A frame of encoded segments, made even; `offsets` stand behind those that are used."""
    even = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    starts = [int(start) for start in np.cumsum([64, *map(len, even[:-1])])] + list(offsets)
    return struct.pack("<16I", count or len(even), *starts, *[0] * (15 - len(starts))) + b"".join(even)


@pytest.mark.parametrize("image", ["8 bits", "12 of 16 bits", "signed 16 bits", "RGB"])
@pytest.mark.parametrize("tail", [b"\1", b"\1\2", b"\1\2\3\4\5", b"\7" * 40], ids=lambda tail: f"{len(tail)} bytes")
def test_rle_segments_that_decode_to_some_bytes_too_many_are_read(
    make_dicom: MakeDicom, image: str, tail: bytes
) -> None:
    """What is less than a row or a column lies behind the image."""
    samples, bits = IMAGES[image]
    segments = [bytes(imagecodecs.packbits_encode(plane + tail)) for plane in rle_planes(samples)]
    data = encapsulated(make_dicom, RLE, samples, [rle_of(segments)], **described(samples, bits))
    np.testing.assert_array_equal(only_frame(data).values, samples)


@pytest.mark.parametrize("image", ["12 of 16 bits", "RGB"])
@pytest.mark.parametrize(
    "padding",
    [b"\0", b"\0" * 4, b"\0" * 600, b"\x80" * 3, b"\xff", b"\xff\xff"],
    ids=lambda one: f"{one[:2].hex()} {len(one)}",
)
def test_rle_segments_that_end_in_padding_are_read(make_dicom: MakeDicom, image: str, padding: bytes) -> None:
    """Zeros in any number, bytes that stand for nothing, and a byte that begins a run which never comes."""
    samples, bits = IMAGES[image]
    segments = [bytes(imagecodecs.packbits_encode(plane)) + padding for plane in rle_planes(samples)]
    data = encapsulated(make_dicom, RLE, samples, [rle_of(segments)], **described(samples, bits))
    np.testing.assert_array_equal(only_frame(data).values, samples)


def test_what_an_rle_header_says_of_segments_that_are_not_used_is_of_no_account(make_dicom: MakeDicom) -> None:
    """Offsets left behind those that count, and segments too many that hold nothing."""
    samples, bits = IMAGES["12 of 16 bits"]
    segments = [bytes(imagecodecs.packbits_encode(plane)) for plane in rle_planes(samples)]
    for frame in (
        rle_of(segments, offsets=(77, 99_999)),
        rle_of(segments, count=3),
        rle_of(segments, count=4, offsets=(99_999, 0)),
        rle_of([*segments, b"\0\0"]),
    ):
        data = encapsulated(make_dicom, RLE, samples, [frame], **described(samples, bits))
        np.testing.assert_array_equal(only_frame(data).values, samples)


@pytest.mark.parametrize("image", ["12 of 16 bits", "RGB"])
def test_rle_segments_with_too_few_bytes_or_a_row_too_many_are_refused_with_the_sum(
    make_dicom: MakeDicom, image: str
) -> None:
    """Never an image that is filled up, and never a part of a larger one."""
    samples, bits = IMAGES[image]
    for change, numbers in ((slice(0, -1), "2,975 bytes, and the image needs 2,976"), (slice(0, -500), "2,476 bytes")):
        segments = [bytes(imagecodecs.packbits_encode(plane[change])) for plane in rle_planes(samples)]
        data = encapsulated(make_dicom, RLE, samples, [rle_of(segments)], **described(samples, bits))
        with pytest.raises(causes.WrongPixelLength, match=numbers):
            only_frame(data)
    segments = [bytes(imagecodecs.packbits_encode(plane + plane[-62:])) for plane in rle_planes(samples)]
    data = encapsulated(make_dicom, RLE, samples, [rle_of(segments)], **described(samples, bits))
    with pytest.raises(causes.WrongPixelLength, match="3,038 bytes, a row or more above the 2,976"):
        only_frame(data)


def family(encoder: str) -> str:
    """Of codestreams that one decoder reads."""
    return next(word for word in ("uncompressed", "RLE", "lossless", "JPEG-LS", "2") if word in encoder)


@pytest.mark.parametrize("said", ENCODERS)
def test_a_codestream_of_another_syntax_is_told_as_a_contradiction(make_dicom: MakeDicom, said: str) -> None:
    """Not as damage: the pixels may be whole."""
    samples, bits = IMAGES["12 of 16 bits"]
    syntax, _ = ENCODERS[said]
    for name, (_, encode) in ENCODERS.items():
        if family(name) == family(said):
            continue
        data = encapsulated(make_dicom, syntax, samples, [encode(samples, bits)], **described(samples, bits))
        # Of what has no form of its own, only the length tells.
        with pytest.raises(causes.WrongPixelLength if family(said) == "uncompressed" else causes.ContradictorySyntax):
            only_frame(data)


def test_damaged_codestreams_never_raise_anything_but_our_errors(make_dicom: MakeDicom) -> None:
    """Random bytes changed in a codestream of each kind."""
    chance = np.random.default_rng(3)
    for image in ("12 of 16 bits", "RGB"):
        samples, bits = IMAGES[image]
        for syntax, encode in ENCODERS.values():
            stream = encode(samples, bits)
            for _ in range(15):
                damaged = bytearray(stream)
                for at in chance.integers(0, len(stream), 4):
                    damaged[at] = chance.integers(0, 256)
                data = encapsulated(make_dicom, syntax, samples, [bytes(damaged)], **described(samples, bits))
                try:
                    only_frame(data)
                except InvalidInput:
                    continue


def test_a_syntax_without_a_decoder_is_named(make_dicom: MakeDicom) -> None:
    """Video and pixels behind a URL are registered, and not read here."""
    samples = np.zeros((8, 8), np.uint8)
    for syntax in ("1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.94", "1.2.840.10008.1.2.4.59"):
        assert UID(syntax) not in DECODABLE_SYNTAXES
        data = encapsulated(make_dicom, syntax, samples, [b"\0" * 64])
        with pytest.raises(causes.UnsupportedTransferSyntax, match=r"MPEG-4|JPIP|Hierarchical"):
            open_source(data, FramePolicy())
