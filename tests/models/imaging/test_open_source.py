"""Whole files in: each becomes frames, or one error of ours that says what to do."""

import logging
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom.uid import UID, JPEG2000Lossless

from models.imaging import FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.limits import TooLarge
from schemas.failures import InvalidInput
from tests.models.imaging.samples import DATA, MORE_DATA, MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

ALL = FramePolicy()
SPREAD = FramePolicy("spread", 2)
Sample = Callable[[str], bytes]

DEAD_LETTERS = {
    "JPEG2000-embedded-sequence-delimiter.dcm": "WrongPixelLength",  # its codestream claims a width of 4 × 10⁹
    "MR_truncated.dcm": "TruncatedFile",
    "rtplan_truncated.dcm": "TruncatedFile",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "TruncatedFile",
    "badVR.dcm": "MalformedAttribute",  # Number of Frames is 1A
    "meta_missing_tsyntax.dcm": "CorruptHeader",  # no rows
    "nested_priv_SQ.dcm": "CorruptHeader",  # no rows
    "no_meta.dcm": "NotAnImage",
    "*.txt": "NotAnImage",
    "*.json": "NotAnImage",
    "*.dump": "NotAnImage",
    "*/README.md": "NotAnImage",
    "*/README": "NotAnImage",
    "crayons.icc": "NotAnImage",
    "zipMR.gz": "NotAnImage",
    "palettes/*.dcm": "NoPixelData",
    "TINY_ALPHA/*/IM*": "NoPixelData",
    "DICOMDIR*": "NoPixelData",
    "chr*Multi*.dcm": "NoPixelData",
    "chrSQEncoding*.dcm": "NoPixelData",
    "ExplVR_*NoMeta.dcm": "NoPixelData",
    "UN_sequence.dcm": "NoPixelData",
    "empty_charset_LEI.dcm": "NoPixelData",
    "no_meta_group_length.dcm": "NoPixelData",
    "priv_SQ.dcm": "NoPixelData",
    "reportsi*.dcm": "NoPixelData",
    "rtplan.dcm": "NoPixelData",
    "rtstruct.dcm": "MarksOtherImages",
    "test-SR.dcm": "MarksOtherImages",
    "liver*.dcm": "MarksOtherImages",
    "waveform_ecg.dcm": "NoPixelData",
}
IMAGES = {"chrFrenMulti.dcm"}


def expected_of(path: Path) -> str | None:
    """The dead letter that a file of pydicom's must become; None for an image."""
    if path.name in IMAGES:
        return None
    return next((error for pattern, error in DEAD_LETTERS.items() if fnmatch(str(path), f"*/{pattern}")), None)


def outcome_of(data: bytes, policy: FramePolicy) -> str | None:
    """Name of the error that a file ends in; None where all frames that were taken came out. Text is not looked for."""
    try:
        frames = list(open_source(data, policy, burned_in=None).frames())
    except InvalidInput as error:
        return type(error).__name__
    assert frames
    return None


def test_every_file_of_pydicom_becomes_frames_or_the_expected_dead_letter(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Exactly the listed files fail, each for its reason, and libraries print and log nothing."""
    files = [path for root in (DATA, MORE_DATA) for path in sorted(root.rglob("*")) if path.is_file()]
    files = [path for path in files if path.suffix not in (".py", ".pyc")]
    with caplog.at_level(logging.DEBUG, logger="unrelated"):
        outcomes = {path: outcome_of(path.read_bytes(), SPREAD) for path in files}
    assert {path: error for path, error in outcomes.items() if error != expected_of(path)} == {}
    assert len(files) > 250
    assert sum(error is None for error in outcomes.values()) > 150
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


@pytest.mark.parametrize(
    "name",
    [
        "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_bigendian.dcm",
        "MR_small_expb.dcm", "MR_small_implicit.dcm", "MR_small_padded.dcm",
    ],
)  # fmt: skip
def test_image_id_is_of_the_image_not_of_its_encoding(sample: Sample, name: str) -> None:
    """The same pixels in another lossless transfer syntax are the same image."""
    (plain,) = open_source(sample("MR_small.dcm"), ALL).frames()
    (other,) = open_source(sample(name), ALL).frames()
    assert other.image_id == plain.image_id
    np.testing.assert_array_equal(other.values, plain.values)


def test_image_id_depends_on_pixels_meaning_and_frame(make_dicom: MakeDicom) -> None:
    """One pixel, the slope, the inversion or the frame index changed is another image."""
    array = np.zeros((2, 8, 8), np.uint16)
    frames = list(open_source(make_dicom(array), ALL).frames())
    changed = array.copy()
    changed[0, 3, 3] = 1
    variants = [
        make_dicom(changed),
        make_dicom(array, RescaleSlope=2, RescaleIntercept=0),
        make_dicom(array, PhotometricInterpretation="MONOCHROME1"),
    ]
    others = [next(open_source(data, ALL).frames()) for data in variants]
    assert len({frame.image_id for frame in (*frames, *others)}) == 5


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "image_dfl.dcm",
        "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg_gdcm.dcm", "rtdose.dcm",
        "examples_ybr_color.dcm", "eCT_Supplemental.dcm",
    ],
)  # fmt: skip
def test_a_cut_dicom_file_is_never_half_an_image(sample: Sample, name: str) -> None:
    """Wherever the file is cut before the end of its pixel data, the outcome is an error."""
    data = sample(name)
    # What follows the pixels (padding elements, the delimiter's own last bytes) may be lost without harm.
    last = len(data) - 200
    cuts = {random.Random(cut).randrange(1, last) for cut in range(40)} | {132, 140, last}
    outcomes = {cut: outcome_of(data[:cut], ALL) for cut in cuts}
    assert {cut: error for cut, error in outcomes.items() if error is None} == {}
    assert set(outcomes.values()) <= {"TruncatedFile", "NotAnImage", "NoPixelData", "WrongPixelLength"}


def picture(kind: str) -> bytes:
    """A PNG or JPEG file with detail in it."""
    colours = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    settings = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1] if kind == "progressive" else []
    extension = ".png" if kind == "png" else ".jpg"
    return cv2.imencode(extension, cv2.GaussianBlur(colours, (5, 5), 2), settings)[1].tobytes()


def test_damaged_bytes_never_raise_anything_but_our_errors(sample: Sample) -> None:
    """Random damage in headers and codestreams ends in frames or an InvalidInput."""
    chance = random.Random(7)
    files = ["CT_small.dcm", "MR_small_RLE.dcm", "image_dfl.dcm", "MR_small_jp2klossless.dcm"]
    for data in [*map(sample, files), picture("png"), picture("jpeg")]:
        for _ in range(40):
            damaged = bytearray(data)
            for _ in range(chance.choice((1, 2, 8))):
                damaged[chance.randrange(min(len(data), chance.choice((400, 2000, 10**9))))] = chance.randrange(256)
            outcome_of(bytes(damaged), SPREAD)


@pytest.mark.parametrize(
    ("elements", "error"),
    [
        ({"PixelData": None}, causes.NoPixelData),
        ({"PixelData": b""}, causes.NoPixelData),
        ({"Rows": 9}, causes.WrongPixelLength),
        ({"NumberOfFrames": 2}, causes.WrongPixelLength),
        ({"Rows": 0}, causes.UnsupportedPixels),
        ({"Rows": 60_000, "Columns": 60_000}, TooLarge),
        ({"Rows": None}, causes.CorruptHeader),
        ({"BitsAllocated": 13}, causes.MalformedAttribute),
        ({"PhotometricInterpretation": "CMYK"}, causes.UnsupportedPixels),
        ({"BurnedInAnnotation": "YES"}, causes.IdentifyingPixels),
    ],
)
def test_each_contradiction_has_its_own_error(
    make_dicom: MakeDicom, elements: dict[str, object], error: type[InvalidInput]
) -> None:
    """A header that does not fit its pixels is refused for what is wrong with it."""
    data = make_dicom(np.ones((8, 8), np.uint16), **elements)
    with pytest.raises(error):
        list(open_source(data, ALL).frames())


@pytest.mark.parametrize(
    ("change", "sum_of_it"),
    [
        ({"Rows": 9}, "9 rows × 8 columns × 1 samples × 16 bits × 1 frames are 144 bytes.* has 128"),
        ({"NumberOfFrames": 3}, "× 3 frames are 384 bytes.* has 128"),
        (
            {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
            "8 rows × 8 columns × 1 samples × 8 bits .* 64 bytes.* 128",
        ),
        ({"Columns": 7}, "8 rows × 7 columns × .* are 112 bytes.* has 128"),
        ({"PixelData": bytes(127) + b"\1" + b"\2" * 16}, "are 128 bytes.* has 144"),
    ],
)
def test_native_pixels_of_another_length_are_refused_with_the_sum(
    make_dicom: MakeDicom, change: dict[str, object], sum_of_it: str
) -> None:
    """Too few, or a row or column too many; and they are not called compressed."""
    with pytest.raises(causes.WrongPixelLength, match=sum_of_it) as caught:
        open_source(make_dicom(np.ones((8, 8), np.uint16), **change), ALL)
    assert "native (uncompressed)" in str(caught.value)


@pytest.mark.parametrize("beyond", [b"\0", b"\7", b"\7" * 8, bytes(5000)], ids=["zero", "one", "eight", "zeros"])
def test_padding_behind_native_pixels_is_passed_over(make_dicom: MakeDicom, beyond: bytes) -> None:
    """Less than a row, or any number of zeros."""
    samples = np.arange(11 * 13, dtype=np.uint8).reshape(11, 13)
    value = samples.tobytes() + beyond
    padded = make_dicom(samples, PixelData=value + b"\0" * (len(value) % 2))
    (frame,), (plain,) = (open_source(data, ALL).frames() for data in (padded, make_dicom(samples)))
    assert frame.image_id == plain.image_id


def test_subsampled_pixels_as_long_as_whole_ones_are_told_so(make_dicom: MakeDicom) -> None:
    """Photometric Interpretation says 4:2:2, and each pixel has its own colour."""
    data = make_dicom(np.ones((8, 8, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422")
    with pytest.raises(causes.WrongPixelLength, match=r"128 bytes .*YBR_FULL_422.* has 192, as many as if none shared"):
        open_source(data, ALL)


def under(data: bytes, syntax: str) -> bytes:
    """The object under another transfer syntax, without a change of its data set."""
    at = data.index(b"\x02\0\x10\0UI") + 8
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    end = at + int.from_bytes(data[at - 2 : at], "little")
    return data[: at - 2] + len(value).to_bytes(2, "little") + value + data[end:]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"])
def test_native_pixels_under_a_compressed_syntax_are_a_contradiction(make_dicom: MakeDicom, syntax: str) -> None:
    """The value has a length and no items."""
    data = under(make_dicom(np.ones((8, 8), np.uint16)), syntax)
    with pytest.raises(causes.ContradictorySyntax, match=r"is native \(uncompressed\)"):
        open_source(data, ALL)


def test_encapsulated_pixels_under_a_native_syntax_are_a_contradiction(sample: Sample) -> None:
    """They are items, of a length that is not told."""
    with pytest.raises(causes.ContradictorySyntax, match="encapsulated"):
        open_source(under(sample("MR_small_RLE.dcm"), "1.2.840.10008.1.2.1"), ALL)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"PhotometricInterpretation": "RGB"}, "Samples per Pixel and Photometric Interpretation contradict"),
        ({"PhotometricInterpretation": "PALETTE COLOUR"}, "photometric interpretation is none of"),
    ],
)
def test_photometric_interpretations_that_cannot_be_are_refused_for_that(
    make_dicom: MakeDicom, elements: dict[str, object], reason: str
) -> None:
    """The word that is wrong is named, and the pixels are not called damaged."""
    with pytest.raises(causes.UnsupportedPixels, match=reason):
        list(open_source(make_dicom(np.ones((8, 8), np.uint8), **elements), ALL).frames())


def test_native_pixels_of_an_encoders_colours_are_refused_for_that(make_dicom: MakeDicom) -> None:
    """YBR_RCT and YBR_ICT are steps of JPEG 2000: as YBR_FULL the colours would be wrong."""
    data = make_dicom(np.ones((8, 8, 3), np.uint8), PhotometricInterpretation="YBR_RCT")
    with pytest.raises(causes.UnsupportedPixels, match="YBR_RCT, is of compressed pixels"):
        open_source(data, ALL)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 " * 40, b"\x00" * 500, b"plain text", b"\x08\x00"])
def test_what_is_not_an_image_is_said_to_be_none(data: bytes) -> None:
    """Empty is empty; other formats are not an image."""
    with pytest.raises(causes.NotAnImage if data else causes.EmptyFile):
        open_source(data, ALL)


def test_an_unknown_transfer_syntax_is_not_quoted_and_a_registered_one_is_named(make_dicom: MakeDicom) -> None:
    """A private UID can identify an installation; a registered name cannot, and helps."""
    plain = make_dicom(np.ones((8, 8), np.uint8), syntax=UID("1.2.840.10008.1.2.1"))
    private = plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.999.777.55.66.7\0")
    with pytest.raises(causes.UnsupportedTransferSyntax) as unknown:
        open_source(private, ALL)
    assert "777" not in str(unknown.value)
    mpeg = plain.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.4.100\0"[:20].ljust(20, b"\0"))
    with pytest.raises(causes.UnsupportedTransferSyntax):
        open_source(mpeg, ALL)


def test_errors_never_repeat_what_the_file_says(make_dicom: MakeDicom, caplog: pytest.LogCaptureFixture) -> None:
    """No message, chained exception or log record of a refused file holds its patient's name."""
    data = make_dicom(np.ones((8, 8), np.uint16), PatientName="DOE^JANE", StudyDescription="DOE JANE", Rows=9)
    for spoiled in (data, data[:-20], data.replace(b"MONOCHROME2 ", b"DOE JANE    ")):
        with pytest.raises(InvalidInput) as caught:
            list(open_source(spoiled, ALL).frames())
        assert "DOE" not in f"{caught.value!r} {caught.value} {caplog.text}"
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_value_of_the_wrong_length_is_malformed(make_dicom: MakeDicom) -> None:
    """Rows as four-byte UL with two bytes: pydicom's own error for it would quote them."""
    data = make_dicom(np.ones((8, 8), np.uint16)).replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00UL")
    with pytest.raises(causes.MalformedAttribute, match=r"Rows \(0028,0010\) is malformed"):
        open_source(data, ALL)


def test_a_damaged_frame_leaves_the_others_readable(sample: Sample) -> None:
    """Frames can be read one by one, so that one bad frame is one dead letter."""
    data = bytearray(sample("emri_small_jpeg_2k_lossless.dcm"))
    fifth = -1
    for _ in range(5):
        fifth = data.index(b"\xff\x4f\xff\x51", fifth + 1)
    data[fifth : fifth + 2] = b"\0\0"
    source = open_source(bytes(data), ALL)
    outcomes: list[bool] = []
    for index in source.taken:
        try:
            outcomes.append(source.read(index).index == index)
        except InvalidInput:
            outcomes.append(False)
    assert outcomes == [True] * 4 + [False] + [True] * 5


def test_policy_decides_what_is_taken_and_the_rest_is_counted(sample: Sample) -> None:
    """A 30-frame cine, every tenth frame: three taken, 27 skipped, decoded only when asked for."""
    source = open_source(sample("examples_ybr_color.dcm"), FramePolicy.parse("every:10"))
    assert (source.frames_total, source.taken, source.skipped) == (30, (0, 10, 20), 27)
    frames = source.frames()
    assert iter(frames) is frames
    assert [frame.index for frame in frames] == [0, 10, 20]
    assert next(source.frames()).metadata.frames_in_object == 30


def test_frames_can_be_read_from_many_threads(sample: Sample) -> None:
    """The same frames come out of eight threads as out of one."""
    source = open_source(sample("emri_small_jpeg_2k_lossless.dcm"), ALL)
    alone = [frame.image_id for frame in source.frames()]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda index: source.read(index).image_id, [*source.taken] * 4))
    assert together == alone * 4


def test_a_codestream_larger_than_its_header_is_refused_before_it_is_decoded(sample: Sample) -> None:
    """Decoders trust the codestream: one that says 64,000 rows would be given the memory for them."""
    data = sample("MR_small_jp2klossless.dcm")
    at = data.index(b"\xff\x4f\xff\x51")
    huge = data[: at + 12] + (64_000).to_bytes(4, "big") + data[at + 16 :]
    assert open_source(data, ALL).read(0).metadata.transfer_syntax == JPEG2000Lossless.name
    with pytest.raises(causes.WrongPixelLength):
        open_source(huge, ALL).read(0)


def test_a_stray_marker_is_refused_before_it_is_decoded(sample: Sample) -> None:
    """Some decoders end the process on a restart marker among the tables of a JPEG."""
    data = sample("SC_rgb_jpeg_dcmtk.dcm")
    stray = data.replace(b"\xff\xc4", b"\xff\xd3", 1)
    with pytest.raises(causes.CorruptPixels):
        open_source(stray, ALL).read(0)
