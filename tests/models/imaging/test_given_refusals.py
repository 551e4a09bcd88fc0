"""What annotation objects must not do: tell of a person, or break what reads them."""

import random

import numpy as np
import pytest

from benchmarks.identities import Identity, seen_in
from models.imaging import open_source
from models.imaging.errors import InvalidAnnotations, MarksOtherImages
from models.imaging.given.kinds import looks_like
from models.imaging.given.marking import marked
from schemas.failures import InvalidInput
from schemas.limits import DEFAULT_LIMITS
from tests.models.imaging.annotation_objects import (
    LEFT,
    LUNG,
    group,
    item,
    region,
    report,
    segment,
    segmentation,
    series,
    structure_set,
    written,
)
from tests.models.imaging.test_given import ALL, MASKS, SQUARE, given, in_patient


@pytest.mark.parametrize("kind", ["segmentation", "structure set", "report"])
def test_no_planted_text_date_or_uid_comes_out(kind: str) -> None:
    """Whatever stands in an object's texts, codes' meanings, names, dates and UIDs, at any depth."""
    images = series(1)
    points = in_patient(images[0], np.array(SQUARE[:4], float))
    found = {
        "segmentation": lambda: segmentation(images, MASKS[:1], [segment(1), segment(2)]),
        "structure set": lambda: structure_set([("CLOSED_PLANAR", points, images[0].SOPInstanceUID)], concept=LUNG),
        "report": lambda: report(images, [group(region(images[0], "POLYLINE", SQUARE), site=(LUNG, LEFT))]),
    }[kind]()
    identity, kept = Identity(5), {"CodeValue", "CodingSchemeDesignator"}
    uids: set[str] = set()
    for element in found.iterall():
        if element.VR == "UI":
            uids |= {str(value) for value in ([element.value] if element.VM == 1 else element.value)}
        elif element.VR in ("LO", "SH", "ST", "LT", "UT", "UC", "PN", "DA", "TM", "DT") and element.keyword not in kept:
            element.value = identity.value(element.VR)
    written_as = written(found)
    assert len(seen_in(written_as) & identity.tokens.keys()) > 3
    frame = marked(open_source(written(images[0]), ALL), [written_as]).read(0)
    assert frame.annotations
    told = f"{frame} {[one.model_dump_json() for one in frame.annotations]} {frame.metadata.model_dump_json()}"
    assert not seen_in(told.encode()) & identity.tokens.keys()
    assert not [one for one in uids if one in told]


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_damaged_object_is_refused_in_our_own_words(cut: float) -> None:
    """Whether it is cut in its header or in its pixels, the error is of the annotations, and quotes nothing."""
    images = series(1)
    data = written(segmentation(images, MASKS[:1], [segment(1), segment(2)]))
    with pytest.raises(InvalidAnnotations) as caught:
        marked(open_source(written(images[0]), ALL), [data[: int(len(data) * cut)]]).read(0)
    assert "DOE" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_damaged_bytes_never_raise_anything_but_our_errors() -> None:
    """Random damage anywhere in each kind of object ends in marks or an InvalidInput that quotes nothing."""
    chance = random.Random(7)
    images = series(1)
    source = open_source(written(images[0]), ALL)
    points = in_patient(images[0], np.array(SQUARE[:4], float))
    objects = [
        segmentation(images, MASKS[:1], [segment(1), segment(2)]),
        structure_set([("CLOSED_PLANAR", points, images[0].SOPInstanceUID)]),
        report(images, [group(region(images[0], "POLYLINE", SQUARE))]),
    ]
    for data in map(written, objects):
        for _ in range(50):
            damaged = bytearray(data)
            for _ in range(chance.choice((1, 2, 8))):
                damaged[chance.randrange(132, len(data))] = chance.randrange(256)
            try:
                said = f"{marked(source, [bytes(damaged)]).read(0)}"
            except InvalidInput as error:
                said = str(error)
            assert "DOE" not in said


def test_bad_coordinates_and_deep_nesting_are_refused() -> None:
    """Contours of two numbers, of words, and a report nested beyond the limit."""
    (image,) = series(1)
    broken = structure_set([("CLOSED_PLANAR", np.zeros((3, 3)), image.SOPInstanceUID)])
    contour = broken.ROIContourSequence[0].ContourSequence[0]
    contour.ContourData = ["1", "2"]
    with pytest.raises(InvalidAnnotations, match="no list of points"):
        given(image, broken)
    data = written(structure_set([("CLOSED_PLANAR", np.full((3, 3), 1234.5), image.SOPInstanceUID)]))
    with pytest.raises(InvalidAnnotations, match="no list of points"):
        marked(open_source(written(image), ALL), [data.replace(b"1234.5", b"DOEJAN")]).read(0)
    deep = report([image], [group(region(image, "POLYLINE", SQUARE))])
    for _ in range(DEFAULT_LIMITS.nesting):
        deep.ContentSequence = [item(ValueType="CONTAINER", ContentSequence=deep.ContentSequence)]
    with pytest.raises(InvalidAnnotations):
        given(image, deep)


def test_an_annotation_object_is_no_image() -> None:
    """Each kind says what it is and what to do with it, whatever its pixels look like."""
    images = series(1)
    found = {
        "segmentation": segmentation(images, MASKS[:1], [segment(1), segment(2)]),
        "structure set": structure_set([]),
        "structured report": report(images, [group(region(images[0], "POLYLINE", SQUARE))]),
    }
    for kind, one in found.items():
        data = written(one)
        with pytest.raises(MarksOtherImages, match=f"DICOM {kind}.*--annotations"):
            open_source(data, ALL)
        assert looks_like(data) == kind
    assert looks_like(written(images[0])) is None
