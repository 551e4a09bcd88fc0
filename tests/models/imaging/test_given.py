"""What DICOM segmentations, structure sets and reports mark: pixel for pixel, on the images that they mean."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pydicom
import pytest
from highdicom import sr
from pycocotools import mask as coco
from pydicom import Dataset
from pydicom.sr.codedict import codes
from skimage.draw import polygon2mask

from models.imaging import FramePolicy, open_source
from models.imaging.errors import InvalidAnnotations, InvalidSidecar
from models.imaging.frames import Frame
from models.imaging.given.concepts import _concepts
from models.imaging.given.marking import marked, read_given
from models.imaging.given.marks import filled
from models.imaging.vocabulary import MARKED_REGION, label_of
from schemas.images import SourceAnnotation
from schemas.limits import DEFAULT_LIMITS
from tests.models.imaging.annotation_objects import (
    AXIAL,
    CORONAL,
    FLIPPED,
    LEFT,
    LIVER,
    LUNG,
    NODULE,
    OBLIQUE,
    PLACE,
    SAGITTAL,
    group,
    region,
    report,
    segment,
    segmentation,
    series,
    structure_set,
    uid,
    written,
)
from tests.models.imaging.samples import MakeDicom

ALL = FramePolicy()
SHAPE = (40, 60)
CHANCE = np.random.default_rng(0)
MASKS = (CHANCE.random((3, *SHAPE, 2)) > 0.7).astype(np.uint8)
SQUARE = [[10, 10], [30, 10], [30, 22], [10, 22], [10, 10]]
"""Columns and rows, from the corner of the first pixel."""


def given(image: Dataset, *objects: Dataset, frame: int = 0) -> Frame:
    """A frame of an image with what objects mark in it."""
    return marked(open_source(written(image), ALL), [written(one) for one in objects]).read(frame)


def pixels(one: SourceAnnotation) -> np.ndarray:
    assert one.mask is not None
    return coco.decode({"size": list(one.mask.size), "counts": one.mask.counts.encode()}).astype(bool)


def in_patient(image: Dataset, places: np.ndarray) -> np.ndarray:
    """mm of (n, 2) columns and rows of pixel centres, by the formula of PS3.3 C.7.6.2.1.1."""
    x, y = np.array(image.ImageOrientationPatient[:3]), np.array(image.ImageOrientationPatient[3:])
    height, width = image.PixelSpacing
    return np.array(image.ImagePositionPatient) + places[:, :1] * x * width + places[:, 1:] * y * height


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, SAGITTAL, FLIPPED, OBLIQUE])
def test_a_segmentation_marks_each_image_it_names_pixel_for_pixel(axes: tuple[float, ...]) -> None:
    """In every orientation; each segment with the word and the code of what it is, and none of its free text."""
    images = series(axes=axes)
    found = segmentation(images, MASKS, [segment(1), segment(2, LIVER)])
    for number, image in enumerate(images):
        frame = given(image, found)
        for place, one in enumerate(frame.annotations):
            np.testing.assert_array_equal(pixels(one), MASKS[number, ..., place])
        assert [one.label for one in frame.annotations] == ["lung", "liver"]
        assert [one.code.value if one.code else "" for one in frame.annotations] == ["39607008", "10200004"]
        assert (frame.metadata.annotations_left_out, "DOE" in f"{frame}") == (0, False)


def test_the_same_marks_give_the_same_digest_and_others_another() -> None:
    """The digest is a part of the metadata, and so of the lineage; the image stays what it is."""
    images = series(1)
    first, second = (segmentation(images, one[:1], [segment(1), segment(2)]) for one in (MASKS, MASKS[::-1]))
    frames = [given(images[0], one) for one in (first, first, second)]
    digests = [frame.metadata.annotations_digest for frame in frames]
    assert digests[0] == digests[1] != digests[2]
    assert len({frame.image_id for frame in frames}) == 1
    plain = given(images[0])
    assert (plain.annotations, plain.metadata.annotations_digest, plain.metadata.annotations_left_out) == (
        (),
        None,
        None,
    )


def test_half_of_a_fraction_counts() -> None:
    """Fractional segmentations mark the pixels that are at least half in the segment."""
    images = series(1)
    fractions = np.linspace(0, 1, 40 * 60).reshape(1, *SHAPE)
    found = segmentation(images, fractions, [segment(1)], kind="FRACTIONAL", max_fractional_value=200)
    stored = np.rint(fractions[0] * 200)
    np.testing.assert_array_equal(pixels(given(images[0], found).annotations[0]), stored >= 100)


def test_a_label_map_marks_by_its_values() -> None:
    """Segments that are not in the frame, and what is background, are no regions."""
    images = series()
    labels = np.zeros((3, *SHAPE), np.uint8)
    labels[0, :5], labels[0, 20:, :7], labels[2, 3, 3] = 1, 3, 2
    segments = [segment(number, kind) for number, kind in ((1, LUNG), (2, NODULE), (3, LIVER))]
    found = segmentation(images, labels, segments, kind="LABELMAP")
    first, second, third = (given(image, found).annotations for image in images)
    assert [(one.label, int(pixels(one).sum())) for one in first] == [("lung", 300), ("liver", 140)]
    assert second == ()
    np.testing.assert_array_equal(pixels(third[0]), labels[2] == 2)


def without_sources(found: Dataset) -> Dataset:
    """As some write it: frames say where they lie, and not of which image they are."""
    for one in found.PerFrameFunctionalGroupsSequence:
        del one.DerivationImageSequence
    del found.ReferencedSeriesSequence
    return found


def test_frames_that_name_no_image_are_put_where_they_lie() -> None:
    """On images of the same frame of reference and plane; other planes and frames of reference get nothing."""
    images = series()
    found = without_sources(segmentation(images[:1], MASKS[:1], [segment(1), segment(2)]))
    np.testing.assert_array_equal(pixels(given(images[0], found).annotations[0]), MASKS[0, ..., 0])
    assert given(images[1], found).annotations == ()
    images[0].FrameOfReferenceUID = uid(901)
    assert given(images[0], found).annotations == ()


def test_what_names_one_image_marks_no_other_in_the_same_place() -> None:
    """Another phase or echo of the same plane is not what the reader drew on."""
    images = series(1)
    found = segmentation(images, MASKS[:1], [segment(1), segment(2)])
    images[0].SOPInstanceUID = uid(77)
    assert given(images[0], found).annotations == ()


def test_a_segmentation_of_another_grid_takes_the_nearest_pixel() -> None:
    """Stored the other way round and with half the pixels, it lies where it lay: left stays left."""
    (image,) = series(1)
    (coarse,) = series(1, axes=FLIPPED, rows=20, columns=30)
    coarse.PixelSpacing = [3.0, 1.0]
    # Its first pixel covers the last four of the image.
    last = in_patient(image, np.array([[58.5, 38.5]]))[0]
    coarse.ImagePositionPatient = [round(float(value), 6) for value in last]
    mask = np.zeros((1, 20, 30, 1), np.uint8)
    mask[0, 2:5, 1:9] = 1
    found = without_sources(segmentation([coarse], mask, [segment(1)]))
    expected = np.zeros(SHAPE, bool)
    expected[40 - 10 : 40 - 4, 60 - 18 : 60 - 2] = True
    np.testing.assert_array_equal(pixels(given(image, found).annotations[0]), expected)


def test_a_segmentation_that_contradicts_its_image_is_refused() -> None:
    """It names an image whose plane is another, or whose size is and nothing tells how it lies on it."""
    images = series(1)
    found = segmentation(images, MASKS[:1], [segment(1), segment(2)])
    images[0].ImagePositionPatient = [0, 0, 500]
    with pytest.raises(InvalidAnnotations, match="another plane"):
        given(images[0], found)
    (small,) = series(1, rows=20)
    del small.ImagePositionPatient
    with pytest.raises(InvalidAnnotations, match="another size"):
        given(small, found)


def test_frames_of_one_object_are_meant_by_their_numbers(make_dicom: MakeDicom) -> None:
    """Of a cine without geometry, the frame that is named and no other."""
    cine = pydicom.dcmread(BytesIO(make_dicom(np.zeros((3, *SHAPE), np.uint8))))
    cine.SOPInstanceUID = uid(0)
    found = segmentation(series(1), MASKS[:1], [segment(1), segment(2)])
    for one in found.PerFrameFunctionalGroupsSequence:
        one.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber = 2
    assert [len(given(cine, found, frame=frame).annotations) for frame in range(3)] == [0, 2, 0]


@pytest.mark.parametrize("name", ["liver.dcm", "liver_expb.dcm"])
def test_real_segmentations_are_read(sample: Callable[[str], bytes], name: str) -> None:
    """pydicom's own, by DCMTK, in both byte orders: an image that shows a part of the named one is marked as that."""
    data = sample(name)
    stored = pydicom.dcmread(BytesIO(data))
    groups = stored.PerFrameFunctionalGroupsSequence[1]
    whole = stored.pixel_array[1]
    row, column = (int(where.min()) - 10 for where in np.nonzero(whole))
    (image,) = series(1, rows=128, columns=128)
    image.SOPInstanceUID = groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
    image.PixelSpacing = [0.810547, 0.810547]
    x, y, z = groups.PlanePositionSequence[0].ImagePositionPatient
    image.ImagePositionPatient = [f"{x + column * 0.810547:.4f}", f"{y + row * 0.810547:.4f}", z]
    (one,) = marked(open_source(written(image), ALL), [data]).read(0).annotations
    assert (one.label, one.code.value if one.code else None) == ("liver", "10200004")
    np.testing.assert_array_equal(pixels(one), whole[row : row + 128, column : column + 128])


@pytest.mark.parametrize("axes", [AXIAL, CORONAL, SAGITTAL, FLIPPED, OBLIQUE])
@pytest.mark.parametrize("by_name", [True, False])
def test_contours_are_filled_where_they_lie(axes: tuple[float, ...], by_name: bool) -> None:
    """In every orientation, by the image that they name or by their plane; one within another is a hole."""
    images = series(axes=axes)
    outer = np.array([[5.2, 5.1], [40.7, 8.3], [30.2, 33.4], [9.1, 30.6]])
    inner = np.array([[15.3, 12.2], [25.4, 12.7], [20.2, 25.1]])
    name = images[1].SOPInstanceUID if by_name else None
    drawn = [("CLOSED_PLANAR", in_patient(images[1], one), name) for one in (outer, inner)]
    found = structure_set(drawn, name="Lung_L")
    (one,) = given(images[1], found).annotations
    expected = polygon2mask(SHAPE, outer[:, ::-1]) & ~polygon2mask(SHAPE, inner[:, ::-1])
    np.testing.assert_array_equal(pixels(one), expected)
    assert (one.label, one.code) == ("left lung", None)
    assert [given(images[other], found).annotations for other in (0, 2)] == [(), ()]


def test_structures_are_named_by_code_name_and_type() -> None:
    """A code goes before a name, and that before the interpreted type; a name that is no word goes nowhere."""
    (image,) = series(1)
    square = [("CLOSED_PLANAR", in_patient(image, np.array(SQUARE[:4]) + 0.25), image.SOPInstanceUID)]
    found = [
        structure_set(square, name="Liver", concept=LUNG),
        structure_set(square, name="GTV-1", kind="GTV"),
        structure_set(square, kind="PTV"),
        structure_set(square),
    ]
    labels = [one.label for one in given(image, *found).annotations]
    assert labels == ["lung", "gross tumour volume", "planning target volume", MARKED_REGION]


def test_points_and_open_lines_are_counted() -> None:
    """They mark no area; elsewhere they are not counted."""
    images = series()
    points = in_patient(images[0], np.array([[5.0, 5], [9, 9]]))
    found = structure_set([("POINT", points[:1], images[0].SOPInstanceUID), ("OPEN_PLANAR", points, None)])
    frames = [given(image, found) for image in images]
    assert [(frame.annotations, frame.metadata.annotations_left_out) for frame in frames] == [((), 2), ((), 0), ((), 0)]


def test_a_contour_off_the_image_that_it_names_is_refused() -> None:
    """Such a structure set was drawn on another image, or in another frame of reference."""
    images = series()
    points = in_patient(images[2], np.array(SQUARE[:4], float))
    with pytest.raises(InvalidAnnotations, match="plane of the image that it names"):
        given(images[0], structure_set([("CLOSED_PLANAR", points, images[0].SOPInstanceUID)]))


@pytest.mark.parametrize(
    "outline", [SQUARE, [[0.5, 0.5], [0.5, 3.5], [3.5, 3.5], [3.5, 0.5]], [[-9, -9], [99, 20], [3, 50]]]
)
def test_pixels_are_inside_by_their_centres(outline: list[list[float]]) -> None:
    """The same as scikit-image has, also where an outline passes between pixels or leaves the image."""
    polygon = np.array(outline, float) - 0.25
    np.testing.assert_array_equal(filled([polygon], SHAPE), polygon2mask(SHAPE, polygon[:, ::-1]))


def test_regions_of_a_report_are_marked_with_their_findings() -> None:
    """Polygons, circles and ellipses from the corner of a pixel; the finding's word, its site's side, and the code."""
    images = series(2)
    found = report(
        images,
        [
            group(region(images[1], "POLYLINE", SQUARE), site=(LUNG, LEFT)),
            group(region(images[1], "CIRCLE", [[30, 20], [30, 25]]), finding=codes.SCT.Mass),
            group(region(images[1], "ELLIPSE", [[30, 20], [50, 20], [40, 15], [40, 25]])),
            group(region(images[1], "POINT", [[3, 3]])),
        ],
    )
    assert given(images[0], found).annotations == ()
    frame = given(images[1], found)
    square, circle, ellipse = frame.annotations
    expected = np.zeros(SHAPE, bool)
    expected[10:22, 10:30] = True
    np.testing.assert_array_equal(pixels(square), expected)
    rows, columns = np.mgrid[:40, :60] + 0.5
    np.testing.assert_array_equal(pixels(circle), np.hypot(columns - 30, rows - 20) < 5)
    np.testing.assert_array_equal(pixels(ellipse), np.hypot((columns - 40) / 10, (rows - 20) / 5) < 1)
    assert [(one.label, one.code.value if one.code else None) for one in frame.annotations] == [
        ("left nodule", "27925004"), ("mass", "4147007"), ("nodule", "27925004"),
    ]  # fmt: skip
    assert (frame.metadata.annotations_left_out, "DOE" in f"{frame}") == (1, False)


def test_regions_in_the_patient_are_marked_where_they_lie() -> None:
    """SCOORD3D polygons in an image's plane; in other planes nothing."""
    images = series(2, axes=OBLIQUE)
    corners = in_patient(images[0], np.array([[10.2, 10.2], [30.2, 10.2], [30.2, 20.2], [10.2, 20.2], [10.2, 10.2]]))
    found = report(images, [group(sr.ImageRegion3D("POLYGON", corners, PLACE))])
    (one,) = given(images[0], found).annotations
    expected = np.zeros(SHAPE, bool)
    expected[11:21, 11:31] = True
    np.testing.assert_array_equal(pixels(one), expected)
    assert given(images[1], found).annotations == ()


def test_a_sidecar_names_objects_of_its_image() -> None:
    """They mark it as those of a place do; one of another image, no such object, or a picture is refused."""
    images = series(2)
    data = written(segmentation(images[:1], MASKS[:1], [segment(1), segment(2)]))
    sidecar = b'{"annotations": ["a.dcm"]}'
    first, second = (written(image) for image in images)
    frame = open_source(first, ALL, sidecar=sidecar, annotations=[data]).read(0)
    assert [one.label for one in frame.annotations] == ["lung", "lung"]
    assert frame.metadata.sidecar_fields_left_out == 0
    images[1].FrameOfReferenceUID = uid(901)
    for image, objects in ((written(images[1]), [data]), (first, [second]), (first, [])):
        with pytest.raises(InvalidSidecar, match=", annotations names"):
            open_source(image, ALL, sidecar=sidecar, annotations=objects)


def test_every_word_of_a_concept_is_of_the_vocabulary() -> None:
    """A label is a word that names itself, and the meaning is that of PS3.16 as pydicom has it."""
    words = {one.label for one in _concepts().values()}
    assert {
        word for word in words if label_of(word) not in (word, word.removeprefix("left ").removeprefix("right "))
    } == set()
    for (scheme, value), meaning in ((("SCT", "39607008"), "Lung"), (("SRT", "T-62000"), "Liver")):
        code = _concepts()[scheme, value].code
        assert code is not None
        assert code.meaning == meaning
    listed = {(code.scheme_designator, code.value, code.meaning) for code in codes.SCT.concepts.values()}
    listed |= {(code.scheme_designator, code.value, code.meaning) for code in codes.DCM.concepts.values()}
    ours = {(code.scheme, code.value, code.meaning) for one in _concepts().values() if (code := one.code)}
    assert ours <= listed


def test_only_what_an_object_can_mark_is_looked_for() -> None:
    """A study may have dozens of segmentations in one frame of reference: most images need none of them."""
    images = series()
    found = segmentation(images, MASKS, [segment(1), segment(2)])
    named = {image.SOPInstanceUID for image in images}
    data = written(found)
    given_objects = [read_given(one, DEFAULT_LIMITS) for one in (data, written(without_sources(found)))]
    assert [one.names if one else None for one in given_objects] == [named, {PLACE}]
    assert all(PLACE in one.about for one in given_objects if one)


def test_an_object_is_parsed_once_for_all_images_of_its_series() -> None:
    """A series has hundreds of images, and its segmentation is larger than all of them together."""
    images = series(2)
    data = written(segmentation(images, MASKS[:2], [segment(1), segment(2)]))
    assert read_given(data, DEFAULT_LIMITS) is read_given(bytes(bytearray(data)), DEFAULT_LIMITS)
