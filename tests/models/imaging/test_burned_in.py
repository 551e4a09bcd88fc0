"""Text in pixels: found and masked where it can be, left to no chance where it cannot."""

from typing import Any

import numpy as np
import orjson
import pytest
from pydicom import Dataset

from benchmarks.burned_text import burn, made_up
from models.imaging import BurnedInPolicy, Frame, FramePolicy, encode_png, open_source
from models.imaging import burned_in as module
from models.imaging.errors import IdentifyingPixels, TextOverRegion, UncertainText
from models.imaging.text import Box, Found
from schemas.images import PixelCleaning
from tests.models.imaging.samples import MakeDicom, characters_covered

ALL = FramePolicy()
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
BACKGROUNDS = [image for _, image in made_up(3, 256, 352)]


def with_text(background: np.ndarray, seed: int = 1, size: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """A view with white text on black boxes, and its characters."""
    burned = burn(background, seed, size=size, style="white on black box", font="aileron")
    assert burned.lines
    return burned.image, burned.labels


def cleaning_of(data: bytes, burned_in: BurnedInPolicy | None = None) -> PixelCleaning:
    """What is said of the first frame."""
    cleaning = open_source(data, ALL, burned_in=burned_in or BurnedInPolicy()).read(0).metadata.pixel_cleaning
    assert cleaning is not None
    return cleaning


@pytest.mark.parametrize("background", BACKGROUNDS, ids=["speckle", "tissue", "white", "colour", "black"])
def test_pictures_without_text_stay_as_they_are(background: np.ndarray) -> None:
    """Noise, speckle and plain surfaces are not text: no pixel of them changes."""
    frame = open_source(encode_png(background), ALL).read(0)
    assert frame.metadata.pixel_cleaning is not None
    assert frame.metadata.pixel_cleaning.boxes == ()
    np.testing.assert_array_equal(frame.stored, background)


def test_a_picture_of_unknown_source_leaves_without_its_text() -> None:
    """Each character's pixels have one value, the image says what was masked, and its id is of what is left."""
    image, labels = with_text(BACKGROUNDS[3])
    frame = open_source(encode_png(image), ALL).read(0)
    cleaning = frame.metadata.pixel_cleaning
    assert cleaning is not None
    assert (cleaning.scanned, cleaning.reason, cleaning.complete) == (True, "unknown source", True)
    mask = np.zeros(labels.shape, bool)
    for box in cleaning.boxes:
        mask[box.top : box.bottom, box.left : box.right] = True
    assert characters_covered(mask, labels) == set(range(1, labels.max() + 1))
    assert not (frame.stored[labels > 0] == 255).all(axis=1).any()
    assert cleaning.masked_share < 0.25
    assert open_source(encode_png(frame.stored), ALL).read(0).image_id == frame.image_id


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"]}, "not suspected"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "Modality": "MR"}, "not suspected"),
        ({"ImageType": ["DERIVED", "PRIMARY"], "Modality": "PT", "BurnedInAnnotation": "NO"}, "not suspected"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "derived"),
        ({}, "derived"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "screen capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "ConversionType": "WSD"}, "secondary capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "SOPClassUID": SECONDARY_CAPTURE}, "secondary capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "SOPClassUID": SECONDARY_CAPTURE + ".4"}, "secondary capture"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "Modality": "US", "BurnedInAnnotation": "NO"}, "ultrasound"),
        ({"Modality": "XC", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}, "visible light"),
        ({"ImageType": ["ORIGINAL", "PRIMARY"], "Modality": "DX"}, "projection X-ray"),
        ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]}, "not suspected"),
        ({"Modality": "RTDOSE"}, "not suspected"),
        ({"Modality": "OT"}, "unknown source"),
        ({"Modality": "DOE^JANE"}, "unknown source"),
    ],
)
def test_the_header_decides_who_is_looked_at(
    make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch, elements: dict[str, Any], reason: str
) -> None:
    """Originals of CT, MR and PET do not even load the detector, unless the policy is to look at all."""
    looked: list[bool] = []
    monkeypatch.setattr(module, "find_text", lambda *_, **__: looked.append(True) or Found((), complete=True))
    data = make_dicom(np.arange(64, dtype=np.uint16).reshape(8, 8), **elements)
    cleaning = cleaning_of(data)
    assert (cleaning.reason, cleaning.scanned) == (reason, reason != "not suspected")
    assert bool(looked) == cleaning.scanned
    always = cleaning_of(data, BurnedInPolicy.parse("mask:always"))
    assert (always.scanned, always.policy) == (True, "mask:always")
    assert always.reason == ("policy" if reason == "not suspected" else reason)


def test_declared_text_is_masked_or_the_image_is_refused(make_dicom: MakeDicom) -> None:
    """Burned In Annotation YES on a CT original: found text is masked, and if there is none the image is refused."""
    original = {"ImageType": ["ORIGINAL", "PRIMARY"], "BurnedInAnnotation": "YES"}
    image, labels = with_text(BACKGROUNDS[1])
    frame = open_source(make_dicom(image, **original), ALL).read(0)
    cleaning = frame.metadata.pixel_cleaning
    assert cleaning is not None
    assert cleaning.reason == "declared"
    assert frame.stored[labels > 0].max() < 255
    source = open_source(make_dicom(BACKGROUNDS[4], **original), ALL)
    with pytest.raises(IdentifyingPixels):
        source.read(0)


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    """An item of the Sequence of Ultrasound Regions, corners inclusive."""
    item = Dataset()
    item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    return item


def test_ultrasound_keeps_what_is_inside_its_regions(make_dicom: MakeDicom) -> None:
    """All outside is black, text or not; regions of nearly no size tell nothing."""
    image = np.random.default_rng(0).integers(1, 60, (120, 160, 3), dtype=np.uint8)
    image[0, 0] = 0
    elements: dict[str, Any] = {"Modality": "US", "SOPClassUID": ULTRASOUND}
    regions = [region(40, 30, 139, 109), region(0, 100, 59, 119)]
    frame = open_source(make_dicom(image, SequenceOfUltrasoundRegions=regions, **elements), ALL).read(0)
    assert frame.metadata.pixel_cleaning is not None
    assert frame.metadata.pixel_cleaning.outside_ultrasound_regions
    inside = np.zeros((120, 160), bool)
    inside[30:110, 40:140] = inside[100:, :60] = True
    assert not frame.stored[~inside].any()
    np.testing.assert_array_equal(frame.stored[inside], image[inside])
    assert frame.metadata.pixel_cleaning.masked_share == pytest.approx(1 - inside.mean())
    tiny = make_dicom(image, SequenceOfUltrasoundRegions=[region(0, 0, 3, 3)], **elements)
    np.testing.assert_array_equal(open_source(tiny, ALL).read(0).stored, image)


def test_text_that_appears_later_in_a_cine_is_masked(make_dicom: MakeDicom) -> None:
    """Static text is masked in all frames, that of one frame where it is; the order of reading changes nothing."""
    static, labels = with_text(BACKGROUNDS[0], seed=2)
    behind = np.where(labels > 0, 0, BACKGROUNDS[0])
    frames = np.stack([np.maximum(np.where(static > behind, static, 0), np.roll(behind, i, axis=0)) for i in range(9)])
    later = burn(frames[2], 9, size=12, style="white", font="opencv", count=1)
    frames[2] = later.image
    data = make_dicom(frames, Modality="US", SOPClassUID=ULTRASOUND)
    forwards = list(open_source(data, ALL).frames())
    backwards = open_source(data, ALL)
    assert [backwards.read(index).image_id for index in (8, 2, 1)] == [forwards[index].image_id for index in (8, 2, 1)]
    for frame in forwards:
        assert frame.stored[labels > 0].max() < 255
    assert forwards[2].stored[later.labels > 0].max() < 255
    untouched = [frame.metadata.pixel_cleaning for frame in (forwards[1], forwards[3])]
    assert all(one is not None and one.masked_share < 0.2 for one in untouched)


def test_text_that_the_window_hides_is_masked(make_dicom: MakeDicom) -> None:
    """White text at 4,000 in tissue that the window shows white from 400 on."""
    _, labels = with_text(BACKGROUNDS[1], seed=4)
    values = np.where(labels > 0, 4000, BACKGROUNDS[1].astype(np.uint16) + 600).astype(np.uint16)
    data = make_dicom(values, Modality="DX", WindowCenter=200, WindowWidth=400)
    assert open_source(data, ALL).read(0).stored[labels > 0].max() < 4000


@pytest.mark.parametrize(("text", "boxes"), [("mask", 2), ("pass", 1), ("dead-letter", None)])
def test_the_policy_decides_what_is_uncertain(
    make_dicom: MakeDicom, monkeypatch: pytest.MonkeyPatch, text: str, boxes: int | None
) -> None:
    """Certain text is always masked."""
    found = Found((Box(1, 1, 5, 3, 0.95), Box(1, 5, 5, 7, 0.4)), complete=True)
    monkeypatch.setattr(module, "find_text", lambda *_, **__: found)
    data = make_dicom(np.arange(64, dtype=np.uint8).reshape(8, 8), Modality="OT")
    policy = BurnedInPolicy.parse(text)
    if boxes is None:
        with pytest.raises(UncertainText):
            cleaning_of(data, policy)
    else:
        assert len(cleaning_of(data, policy).boxes) == boxes


def with_sidecar(image: np.ndarray, x: int, y: int, width: int, height: int, policy: str) -> Frame:
    """A picture in which the source marks a box."""
    sidecar = orjson.dumps({"boxes": [{"label": "lesion", "x": x, "y": y, "width": width, "height": height}]})
    return open_source(encode_png(image), ALL, burned_in=BurnedInPolicy.parse(policy), sidecar=sidecar).read(0)


def test_certain_text_over_a_marked_region_is_for_the_policy() -> None:
    """Masked, left whole with the rest of the text masked, or refused; the triplet says how many px it concerns."""
    burned = burn(np.zeros((60, 200), np.uint8), 5, size=16, style="white", font="aileron", count=1)
    left, top, right, bottom = burned.lines[0].box
    image, half, rest = burned.image, (left + right) // 2, slice(left + 4, (left + right) // 2)
    hidden = with_sidecar(image, half, 0, 200 - half, 60, "mask/mask")
    assert characters_covered(hidden.stored == hidden.stored[top, left], burned.labels) == set(
        range(1, burned.labels.max() + 1)
    )
    kept = with_sidecar(image, half, 0, 200 - half, 60, "mask/pass")
    np.testing.assert_array_equal(kept.stored[:, half:], image[:, half:])
    assert len(np.unique(kept.stored[top:bottom, rest])) == 1
    told = [frame.metadata.pixel_cleaning for frame in (hidden, kept)]
    assert all(one is not None for one in told)
    assert [(one.masked_over_regions_px > 200, one.left_over_regions_px > 200) for one in told if one] == [
        (True, False),
        (False, True),
    ]
    with pytest.raises(TextOverRegion):
        with_sidecar(image, half, 0, 200 - half, 60, "mask/dead-letter")


def test_a_mask_ends_where_a_region_begins() -> None:
    """Where only the margin of a line, and no sign of it, lies over the region, there is nothing to decide."""
    burned = burn(np.zeros((60, 200), np.uint8), 5, size=16, style="white", font="aileron", count=1)
    image = burned.image + np.random.default_rng(0).integers(0, 9, burned.image.shape, dtype=np.uint8) * (
        burned.image < 200
    )
    bottom = int(np.nonzero(burned.labels)[0].max()) + 1
    frame = with_sidecar(image, 0, bottom, 200, 60 - bottom, "mask/dead-letter")
    np.testing.assert_array_equal(frame.stored[bottom:], image[bottom:])
    assert frame.stored[burned.labels > 0].max() < 60
    told = frame.metadata.pixel_cleaning
    assert told is not None
    assert told.boxes
    assert (told.masked_over_regions_px, told.left_over_regions_px) == (0, 0)


@pytest.mark.parametrize("policy", ["mask", "pass"])
def test_uncertain_text_never_enters_a_marked_region(monkeypatch: pytest.MonkeyPatch, policy: str) -> None:
    """A lesion that looks like two letters stays a lesion."""
    monkeypatch.setattr(module, "find_text", lambda *_, **__: Found((Box(10, 10, 50, 20, 0.8),), complete=True))
    image = np.random.default_rng(0).integers(0, 255, (60, 80), dtype=np.uint8)
    frame = with_sidecar(image, 30, 0, 30, 40, policy)
    np.testing.assert_array_equal(frame.stored[0:40, 30:60], image[0:40, 30:60])
    assert len(np.unique(frame.stored[10:20, 10:30])) == 1


def test_regions_of_a_larger_image_are_not_believed(make_dicom: MakeDicom) -> None:
    """Of an echocardiogram made smaller: what lies outside them there is the heart here."""
    image = np.random.default_rng(0).integers(1, 60, (120, 160, 3), dtype=np.uint8)
    elements: dict[str, Any] = {"Modality": "US", "SOPClassUID": ULTRASOUND}
    source = make_dicom(image, SequenceOfUltrasoundRegions=[region(42, 15, 297, 207)], **elements)
    np.testing.assert_array_equal(open_source(source, ALL).read(0).stored, image)


@pytest.mark.parametrize("text", ["", "masked", "mask:", "mask:never", "always", "pass:2"])
def test_a_burned_in_policy_that_is_none_says_how_to_write_one(text: str) -> None:
    """A setting that cannot be read is refused with its forms."""
    with pytest.raises(ValueError, match="write mask, dead-letter or pass"):
        BurnedInPolicy.parse(text)
