"""Text burned into whole objects: gone from the copy's stored samples, and all else as it was."""

from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    MPEG2MPML,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from benchmarks.burned_text import burn, made_up
from models.imaging import FramePolicy, open_source
from models.imaging import burned_in as module
from models.imaging.deidentify import Policy, Pseudonyms
from models.imaging.deidentify.files import Copy, Masked, PartlyMaskedText, deidentify_file
from models.imaging.deidentify.jpeg2000 import rewritten_j2k
from models.imaging.deidentify.pixels import clean_pixels
from models.imaging.errors import IdentifyingPixels, SlideLabel, UnsupportedTransferSyntax
from models.imaging.text import Box, Found
from schemas.failures import InvalidInput
from tests.models.imaging.samples import MakeDicom, Sample

KEY = Pseudonyms(b"a key for the tests")
IDS = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.4", "PatientName": "JONES^A", "PatientID": "4711"}
BACKGROUNDS = dict(made_up(3, 256, 352))
TISSUE = BACKGROUNDS["tissue"]
SECONDARY_CAPTURE = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "Modality": "OT"} | IDS
ULTRASOUND = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6.1", "Modality": "US"} | IDS
X_RAY = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1", "Modality": "DX"} | IDS

Pixels = NDArray[Any]


def clean(data: bytes) -> tuple[Copy, Dataset]:
    """The copy, and as pydicom reads it."""
    copy = deidentify_file(data, KEY, Policy(), clean_pixels=clean_pixels)
    return copy, pydicom.dcmread(BytesIO(copy.data))


def with_text(background: Pixels, seed: int = 1) -> tuple[Pixels, Pixels]:
    """A view with white text on black boxes, and where its ink is."""
    burned = burn(background, seed, size=16, style="white on black box", font="aileron")
    assert burned.lines
    return burned.image, burned.labels > 0


def frames_of(data: bytes) -> list[Pixels]:
    """As the pipeline decodes them, with nothing masked."""
    return [frame.stored for frame in open_source(data, FramePolicy(), burned_in=None).frames()]


def encoded(data: bytes, syntax: UID, streams: list[bytes], **elements: Any) -> bytes:
    """The object with these codestreams for pixel data."""
    dataset = pydicom.dcmread(BytesIO(data))
    dataset.PixelData = encapsulate(streams)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = syntax
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return _saved(dataset)


def _saved(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def in_rle(data: bytes) -> bytes:
    """The object compressed by pydicom."""
    dataset = pydicom.dcmread(BytesIO(data))
    dataset.compress(RLELossless, generate_instance_uid=False)
    return _saved(dataset)


def in_syntax(data: bytes, syntax: UID) -> bytes:
    """The object in another native transfer syntax: pydicom swaps no pixels, so these are of 16 bits."""
    dataset = pydicom.dcmread(BytesIO(data))
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    file = BytesIO()
    little = syntax != ExplicitVRBigEndian
    pydicom.dcmwrite(
        file, dataset, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=little, force_encoding=True
    )
    return file.getvalue()


def assert_masked(source: bytes, ink: Pixels, frame: int = 0) -> tuple[Copy, Dataset]:
    """The ink is flat, what is outside the pipeline's boxes is as in the source, and the copy says that it is clean."""
    copy, dataset = clean(source)
    before, after = frames_of(source)[frame], frames_of(copy.data)[frame]
    cleaning = open_source(source, FramePolicy()).read(frame).metadata.pixel_cleaning
    assert cleaning is not None
    hidden = np.zeros(ink.shape, bool)
    for box in cleaning.boxes:
        hidden[box.top : box.bottom, box.left : box.right] = True
    assert hidden[ink].all()
    if not cleaning.outside_ultrasound_regions:
        np.testing.assert_array_equal(after[~hidden], before[~hidden])
    # One level a box: nothing is left to be read.
    assert len(np.unique(after[hidden].reshape(hidden.sum(), -1), axis=0)) <= len(cleaning.boxes)
    assert copy.masked == Masked(len(cleaning.boxes) + cleaning.outside_ultrasound_regions, complete=True)
    assert copy.actions["(7fe0,0010)"] == "C"
    assert dataset.BurnedInAnnotation == "NO"
    assert "113101" in [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence]
    return copy, dataset


@pytest.mark.parametrize("elements", [SECONDARY_CAPTURE, ULTRASOUND, X_RAY], ids=["capture", "ultrasound", "x-ray"])
def test_text_in_native_bytes_is_masked_where_it_lies(make_dicom: MakeDicom, elements: dict[str, Any]) -> None:
    """The transfer syntax and all of the pixel description stay."""
    image, ink = with_text(TISSUE)
    source = make_dicom(image, **elements, BurnedInAnnotation="YES")
    _, dataset = assert_masked(source, ink)
    before = pydicom.dcmread(BytesIO(source))
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    for keyword in ("BitsAllocated", "BitsStored", "HighBit", "PhotometricInterpretation", "PixelRepresentation"):
        assert dataset[keyword].value == before[keyword].value


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.keyword,
)
@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_words_of_either_sign_and_order_are_masked(make_dicom: MakeDicom, syntax: UID, kind: type[Any]) -> None:
    """12 bits stored of 16; in a copy of the same transfer syntax."""
    image, ink = with_text(TISSUE)
    values = image.astype(np.int32) * 16 - (2048 if kind is np.int16 else 0)
    data = make_dicom(values.astype(kind), BitsStored=12, HighBit=11, **X_RAY)
    _, dataset = assert_masked(in_syntax(data, syntax), ink)
    assert dataset.file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize("form", ["pixel", "plane", "YBR_FULL", "YBR_FULL_422", "32 bits", "float"])
def test_colours_and_wide_samples_are_masked_in_their_own_space(make_dicom: MakeDicom, form: str) -> None:
    """RGB by pixel and by plane, YBR, with and without shared colour, 32 bits and floats."""
    image, ink = with_text(BACKGROUNDS["colour"])
    elements: dict[str, Any] = dict(SECONDARY_CAPTURE)
    if form in ("32 bits", "float"):
        grey = image[..., 1]
        source = make_dicom(grey.astype(np.uint32 if form == "32 bits" else np.float32), **elements)
        assert clean(source)[0].masked
        hidden = frames_of(clean(source)[0].data)[0][ink]
        assert hidden.max() < frames_of(source)[0].max()
        return
    if form == "plane":
        data = pydicom.dcmread(BytesIO(make_dicom(image, PlanarConfiguration=1, **elements)))
        data.PixelData = np.moveaxis(image, -1, 0).tobytes()
        assert_masked(_saved(data), ink)
        return
    if form != "pixel":
        image = _ybr(image)
        elements["PhotometricInterpretation"] = form
    data = pydicom.dcmread(BytesIO(make_dicom(image, **elements)))
    if form == "YBR_FULL_422":
        pairs = image.reshape(image.shape[0], -1, 2, 3)
        data.PixelData = np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=2).tobytes()
        copy, dataset = clean(_saved(data))
        before, after = frames_of(_saved(data))[0], frames_of(copy.data)[0]
        assert after[ink].max() < 250 < before[ink].max()
        assert (after == before).all(axis=2).mean() > 0.7
        assert dataset.PhotometricInterpretation == form
        assert len(dataset.PixelData) == len(data.PixelData)
        return
    assert_masked(_saved(data), ink)


def _ybr(rgb: Pixels) -> Pixels:
    """PS3.3 C.7.6.3.1.2."""
    weights = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    return np.clip(np.rint(rgb @ weights.T + (0, 128, 128)), 0, 255).astype(np.uint8)


def palette() -> dict[str, Any]:
    """Elements of a palette in which neighbouring indices are no neighbouring colours: odd ones are white."""
    grey = np.arange(256, dtype=np.uint16) * 257
    grey[1::2] = 65535
    found: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in ("Red", "Green", "Blue"):
        found[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        found[f"{colour}PaletteColorLookupTableData"] = grey.tobytes()
    return found


@pytest.mark.parametrize("compressed", [False, True])
def test_a_palette_is_masked_with_an_index_that_is_there(make_dicom: MakeDicom, compressed: bool) -> None:
    """Between two indices there may be any colour."""
    chance = np.random.default_rng(1)
    background = (chance.integers(10, 13, TISSUE.shape) * 2).astype(np.uint8)
    image, ink = with_text(background)
    indices = np.where(image > 127, 255, image & 254).astype(np.uint8)
    source = make_dicom(indices, **SECONDARY_CAPTURE, **palette())
    if compressed:
        source = in_rle(source)
    _, dataset = assert_masked(source, ink)
    assert dataset.PhotometricInterpretation == "PALETTE COLOR"
    stored = np.frombuffer(dataset.PixelData, np.uint8).reshape(indices.shape)
    assert set(np.unique(stored[ink])) <= {0, 20, 22, 24}


def _j2k(image: Pixels, **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(image, codecformat="j2k", **options))


@pytest.mark.parametrize("kind", ["grey 8", "grey 16", "colour"])
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, RLELossless], ids=lambda syntax: syntax.keyword)
def test_losslessly_compressed_text_is_masked_and_the_rest_is_exact(
    make_dicom: MakeDicom, kind: str, syntax: UID
) -> None:
    """The copy is native, and its header says so."""
    image, ink = with_text(BACKGROUNDS["colour"] if kind == "colour" else TISSUE)
    image = image.astype(np.uint16) * 257 if kind == "grey 16" else image
    native = make_dicom(image, **SECONDARY_CAPTURE)
    if syntax == JPEG2000Lossless:
        form = {"PhotometricInterpretation": "YBR_RCT"} if kind == "colour" else {}
        source = encoded(native, syntax, [_j2k(image, mct=kind == "colour", reversible=True, level=0)], **form)
    else:
        source = in_rle(native)
    np.testing.assert_array_equal(frames_of(source)[0], image)
    _, dataset = assert_masked(source, ink)
    assert dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert dataset.PhotometricInterpretation == ("RGB" if kind == "colour" else "MONOCHROME2")
    assert "LossyImageCompression" not in dataset
    assert dataset.pixel_array.shape == image.shape


def test_lossy_jpeg_becomes_rgb_and_stays_lossy(make_dicom: MakeDicom) -> None:
    """As decoded, but for the text; what was lost is said even where the source was silent."""
    image, ink = with_text(BACKGROUNDS["colour"])
    stream = bytes(imagecodecs.jpeg8_encode(image, level=95, subsampling="422"))
    elements = {"PhotometricInterpretation": "YBR_FULL_422"}
    source = encoded(make_dicom(image, **SECONDARY_CAPTURE), JPEGBaseline8Bit, [stream], **elements)
    _, dataset = assert_masked(source, ink)
    assert (dataset.PhotometricInterpretation, dataset.PlanarConfiguration) == ("RGB", 0)
    assert dataset.LossyImageCompression == "01"


def test_compressed_frames_without_text_stay_compressed(make_dicom: MakeDicom) -> None:
    """Without their comments; and since all of it was looked at, the copy says that it is clean."""
    image = BACKGROUNDS["black"]
    stream = _j2k(image)
    copy, dataset = clean(encoded(make_dicom(image, **SECONDARY_CAPTURE), JPEG2000, [stream]))
    assert dataset.PixelData == encapsulate([rewritten_j2k(stream)])
    assert dataset.file_meta.TransferSyntaxUID == JPEG2000
    assert copy.masked == Masked(0, complete=True)
    assert dataset.BurnedInAnnotation == "NO"


def test_a_cine_is_masked_in_every_frame(make_dicom: MakeDicom) -> None:
    """Also text that only one frame has, native and compressed, with an offset table that goes."""
    static, ink = with_text(BACKGROUNDS["speckle"], seed=2)
    frames = np.stack([static, static, static])
    later = burn(frames[1], 9, size=12, style="white", font="opencv", count=1)
    frames[1] = later.image
    native = make_dicom(frames, **ULTRASOUND)
    streams = [_j2k(frame, reversible=True, level=0) for frame in frames]
    offsets = {"ExtendedOffsetTable": bytes(24), "ExtendedOffsetTableLengths": bytes(24)}
    for source in (native, encoded(native, JPEG2000Lossless, streams, **offsets)):
        copy, dataset = clean(source)
        after = frames_of(copy.data)
        assert len(after) == 3
        assert all(frame[ink].max() < 255 for frame in after)
        assert after[1][later.labels > 0].max() < 255
        assert "ExtendedOffsetTable" not in dataset


@pytest.mark.parametrize("form", ["MONOCHROME2", "MONOCHROME1", "RGB", "YBR_FULL", "YBR_FULL_422", "PALETTE COLOR"])
def test_what_lies_outside_ultrasound_regions_is_dark(make_dicom: MakeDicom, form: str) -> None:
    """In any colour space, whatever its black is; the inside stays."""
    chance = np.random.default_rng(0)
    grey = cv_blurred(chance.integers(0, 60, (120, 160)))
    grey[50:60, 60:100] = 0
    grey[:20] = 250
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0, item.RegionLocationMaxX1, item.RegionLocationMaxY1 = (
        40,
        30,
        139,
        109,
    )
    elements = {**ULTRASOUND, "SequenceOfUltrasoundRegions": [item]}
    image: Pixels = np.repeat(grey[..., None], 3, axis=2)
    if form == "YBR_FULL_422":
        pixels = np.full((120, 80, 4), 128, np.uint8)
        pixels[..., :2] = grey.reshape(120, 80, 2)
        data = pydicom.dcmread(BytesIO(make_dicom(image, PhotometricInterpretation=form, **elements)))
        data.PixelData = pixels.tobytes()
        source = _saved(data)
    elif form in ("RGB", "YBR_FULL"):
        image = image if form == "RGB" else _ybr(image)
        source = make_dicom(image, **{"PhotometricInterpretation": form, **elements})
    elif form == "PALETTE COLOR":
        source = make_dicom(grey & 254, **elements, **palette())
    else:
        image = 255 - grey if form == "MONOCHROME1" else grey
        source = make_dicom(image, PhotometricInterpretation=form, **elements)
    copy, _ = clean(source)
    assert copy.masked is not None
    assert copy.masked.areas >= 1
    before, after = frames_of(source)[0], frames_of(copy.data)[0]
    inside = np.zeros((120, 160), bool)
    inside[30:110, 40:140] = True
    assert np.unique(after[~inside].reshape(-1, after.shape[2] if after.ndim == 3 else 1), axis=0).shape[0] == 1
    dark = 255 - after[~inside] if form == "MONOCHROME1" else after[~inside]
    assert dark.max() <= 3
    np.testing.assert_array_equal(after[inside], before[inside])


def cv_blurred(values: Pixels) -> Pixels:
    """Speckle without strokes that could be taken for text."""
    import cv2

    return cv2.GaussianBlur(values.astype(np.uint8), (0, 0), 6)


def test_text_is_not_looked_for_in_an_original_ct(
    make_dicom: MakeDicom, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its samples pass, and nothing is said of them; damaged ones are refused."""
    monkeypatch.setattr(module, "find_text", None)
    image, _ = with_text(TISSUE)
    data = make_dicom(image, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"], **IDS)
    for source in (data, sample("CT_small.dcm")):
        copy, dataset = clean(source)
        assert copy.masked is None
        assert dataset.PixelData == pydicom.dcmread(BytesIO(source)).PixelData
        assert "BurnedInAnnotation" not in dataset
        assert copy.data == deidentify_file(source, KEY, Policy()).data
    with pytest.raises(InvalidInput):
        clean(encoded(data, JPEG2000Lossless, [b"\xff\x4f damaged "]))


def test_declared_text_that_is_not_found_is_refused(make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch) -> None:
    """And where not all could be looked at, too; without a declaration the copy does not claim to be clean."""
    black = make_dicom(BACKGROUNDS["black"], BurnedInAnnotation="YES", **SECONDARY_CAPTURE)
    with pytest.raises(IdentifyingPixels):
        clean(black)
    monkeypatch.setattr(module, "find_text", lambda *_, **__: Found((Box(5, 5, 40, 20, 0.9),), complete=False))
    with pytest.raises(PartlyMaskedText):
        clean(black)
    copy, dataset = clean(make_dicom(TISSUE, **SECONDARY_CAPTURE))
    assert copy.masked == Masked(1, complete=False)
    assert "BurnedInAnnotation" not in dataset
    assert "113101" not in [code.CodeValue for code in dataset.DeidentificationMethodCodeSequence]
    assert len(np.unique(frames_of(copy.data)[0][5:20, 5:40])) == 1


def test_what_is_suspected_and_cannot_be_read_is_refused(make_dicom: MakeDicom) -> None:
    """A video, whatever is done with pixels. Labels of slides too."""
    video = encoded(make_dicom(TISSUE, **SECONDARY_CAPTURE), MPEG2MPML, [b"\x00\x00\x01\xb3 JONES "])
    with pytest.raises(UnsupportedTransferSyntax) as caught:
        clean(video)
    assert "JONES" not in repr(caught.value)
    with pytest.raises(UnsupportedTransferSyntax):
        deidentify_file(video, KEY, Policy())
    slide = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.6",
        "Modality": "SM",
        "ImageType": ["ORIGINAL", "PRIMARY", "LABEL"],
    }
    with pytest.raises(SlideLabel):
        clean(make_dicom(BACKGROUNDS["colour"], **IDS, **slide))


def test_single_bits_that_are_declared_to_hold_text_are_masked(make_dicom: MakeDicom) -> None:
    """Frames that do not begin at a byte keep their other bits."""
    image, ink = with_text(np.zeros((93, 251), np.uint8), seed=4)
    bits = np.stack([image > 127, image > 127])
    data = pydicom.dcmread(BytesIO(make_dicom(bits.astype(np.uint8), BurnedInAnnotation="YES", **SECONDARY_CAPTURE)))
    data.BitsAllocated = data.BitsStored = 1
    data.HighBit = 0
    data.PixelData = np.packbits(bits, bitorder="little").tobytes() + bytes(-(-bits.size // 8) % 2)
    copy, dataset = clean(_saved(data))
    assert not any(frame[ink].any() for frame in frames_of(copy.data))
    assert len(dataset.PixelData) == len(data.PixelData)


def test_an_object_without_pixels_passes(make_dicom: MakeDicom) -> None:
    """A presentation state, for example."""
    data = make_dicom(TISSUE, PixelData=None, **{**SECONDARY_CAPTURE, "Modality": "PR"})
    assert clean(data)[0].masked is None
