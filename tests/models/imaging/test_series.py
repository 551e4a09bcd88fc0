"""Which files of a series lie beside a slice: by where they say that they lie, whatever their order and numbers."""

import random
from collections.abc import Callable, Sequence

import pytest
from pydicom import Dataset

from models.imaging import FramePolicy, open_source
from models.imaging.errors import TruncatedFile
from models.imaging.neighbours import Stack
from models.imaging.series import HEAD, Slice, read_slice, stacks_in
from tests.models.imaging.annotation_objects import AXIAL, CORONAL, FLIPPED, SAGITTAL, series, uid, written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")


def slices(images: Sequence[Dataset]) -> list[Slice]:
    found = [read_slice(written(image)) for image in images]
    return [one for one in found if one is not None]


def stacks(images: Sequence[Dataset]) -> list[tuple[int, ...]]:
    """Of images of one kind, which lie behind one another."""
    return [stack.frames for stack in stacks_in(slices(images))]


def at(image: Dataset, place: float) -> Dataset:
    """An axial image, moved."""
    image.ImagePositionPatient = [*image.ImagePositionPatient[:2], place]
    return image


def test_order_is_that_of_places() -> None:
    """Neither of files nor of instance numbers; the header that the index reads is the one that the image tells."""
    images = series(6)
    numbers = list(range(6))
    random.Random(3).shuffle(numbers)
    for number, image in zip(numbers, images, strict=True):
        image.InstanceNumber = number
    shuffled = [images[number] for number in numbers]
    (stack,) = stacks_in(slices(shuffled))
    assert [numbers[frame] for frame in stack.frames] == list(range(6))
    assert [(near.steps, near.towards, near.distance_mm) for near in stack.around(stack.frames[2], 1)] == [
        (-1, "feet", 5.0), (1, "head", 5.0),
    ]  # fmt: skip
    data = written(images[0])
    assert open_source(data, FramePolicy()).in_series() == read_slice(data[:HEAD])


@pytest.mark.parametrize(
    ("axes", "first", "sides"),
    [
        (AXIAL, 0, ("feet", "head")),
        (FLIPPED, 0, ("feet", "head")),
        ((-1, 0, 0, 0, 1, 0), 2, ("feet", "head")),
        (CORONAL, 0, ("anterior", "posterior")),
        (SAGITTAL, 2, ("patient right", "patient left")),
    ],
    ids=["axial", "turned", "mirrored", "coronal", "sagittal"],
)
def test_the_way_is_that_of_the_patient(axes: tuple[int, ...], first: int, sides: tuple[str, str]) -> None:
    """Also where the normal points the other way."""
    (stack,) = stacks_in(slices(series(3, axes)))
    assert (stack.frames[0], stack.sides) == (first, sides)


def test_a_gap_ends_a_stack() -> None:
    """Slices on its two sides are no neighbours; places written in few digits have no gaps."""
    images = series(7)
    assert stacks([*images[:3], *images[4:]]) == [(0, 1, 2), (3, 4, 5)]
    assert stacks([images[0], *images[2:]]) == [(1, 2, 3, 4, 5)]
    rounded = [at(image, round(0.625 * number, 1)) for number, image in enumerate(images)]
    assert stacks(rounded) == [(0, 1, 2, 3, 4, 5, 6)]
    thinner = [at(image, place) for image, place in zip(images, (0, 3, 6, 9, 16, 23, 30), strict=True)]
    assert stacks(thinner) == [(0, 1, 2, 3), (4, 5, 6)], "where the step grows, what lies beside is not certain"


def changed(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda image: setattr(image, keyword, value)


@pytest.mark.parametrize(
    "change",
    [
        changed("SeriesInstanceUID", uid(700)),
        changed("FrameOfReferenceUID", uid(701)),
        changed("ImageOrientationPatient", list(CORONAL)),
        changed("ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        changed("Rows", 20),
        changed("PixelSpacing", [1, 1]),
        changed("EchoNumbers", 2),
        changed("TemporalPositionIdentifier", 2),
        changed("DiffusionBValue", 1000.0),
    ],
    ids=["series", "frame of reference", "orientation", "localizer", "size", "spacing", "echo", "time", "b-value"],
)
def test_others_are_of_another_kind(change: Callable[[Dataset], None]) -> None:
    """Another series in the folder, a localizer, another echo: slices of them are looked for among their own."""
    one, other = series(2)
    (first, second) = slices([one, other])
    assert first.kind == second.kind
    change(other)
    (changed_one,) = slices([other])
    assert changed_one.kind != first.kind


def test_of_several_at_one_place_the_acquisition_tells() -> None:
    """Those of one belong together; where it does not tell, or one of it is missing, nothing is mixed."""
    images = [at(image, 5 * (number % 4)) for number, image in enumerate(series(8))]
    assert stacks(images) == []
    for number, image in enumerate(images):
        image.AcquisitionNumber = 1 + number // 4
    assert stacks(images) == [(0, 1, 2, 3), (4, 5, 6, 7)]
    assert stacks(images[:6] + images[7:]) == [(0, 1, 2, 3), (4, 5)]
    assert stacks([*images, images[0]]) == [(4, 5, 6, 7)]


def test_acquisitions_follow_each_other() -> None:
    """A table that moves by steps gives each slice a number; two that lie between each other are not mixed."""
    images = series(6)
    for number, image in enumerate(images):
        image.AcquisitionNumber = number
    assert stacks(images) == [(0, 1, 2, 3, 4, 5)]
    for number, image in enumerate(images):
        image.AcquisitionNumber = number % 2
    assert stacks(images) == []


def test_tilted_gantries_have_no_neighbours() -> None:
    """As frames of one object: a pixel does not lie over itself."""
    images = series(4)
    for number, image in enumerate(images):
        image.ImagePositionPatient = [-20.0, 30.0 + 1.5 * number, 5.0 * number]
    assert stacks(images) == []


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "ImagePositionPatient", "PixelSpacing"])
def test_who_does_not_say_where_it_lies_is_no_slice(keyword: str) -> None:
    """Nor has an object of many frames its place by the top of its header."""
    (image,) = series(1)
    assert read_slice(written(image)) is not None
    image.NumberOfFrames = 2
    assert read_slice(written(image)) is None
    del image.NumberOfFrames
    setattr(image, keyword, "")
    assert read_slice(written(image)) is None


def test_of_a_header_that_goes_on_the_rest_is_asked_for() -> None:
    """A file's beginning is enough where the pixels begin in it; nothing is guessed where they do not."""
    (image,) = series(1)
    image.add_new(0x00091010, "OB", bytes(HEAD))
    data = written(image)
    with pytest.raises(TruncatedFile):
        read_slice(data[:HEAD])
    assert read_slice(data) is not None


def test_a_stack_without_places_has_no_gaps() -> None:
    """Nothing is said of them."""
    assert Stack((0, 1, 2)).without_gaps() == (Stack((0, 1, 2)),)
