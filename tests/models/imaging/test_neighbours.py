"""Which frames lie beside a frame in space: by the places that a file tells, whatever the order of its frames."""

import itertools
from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from test_multiframe import group
from test_nifti import affine_of, numbered, written

from models.imaging import FramePolicy, open_source
from models.imaging.neighbours import Placed, Stack, is_alike, stacks_of
from schemas.images import ImageMetadata, MedicalImage, PixelCleaning, Pixels, Window
from tests.models.imaging.samples import MakeDicom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def stacks(data: bytes, **told: Any) -> tuple[Stack, ...]:
    return open_source(data, FramePolicy(), **told).stacks()


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_the_next_slice_lies_where_it_is_said_to(axes, signs) -> None:
    """All 48 ways to store a volume: one step leads to the patient's left, back or head by nibabel's affine."""
    data = written(numbered((3, 4, 5)), affine_of(axes, signs, (1.0, 2.0, 5.0)))
    image = nib.Nifti1Image.from_bytes(data)
    source = open_source(data, FramePolicy())
    (stack,) = source.stacks()
    array = np.asanyarray(image.dataobj)

    def place(frame: int) -> np.ndarray:
        return (image.affine @ [*np.argwhere(array == source.read(frame).values[0, 0])[0], 1])[:3]

    side, towards = {0: ("patient left", [-5, 0, 0]), 1: ("posterior", [0, -5, 0]), 2: ("head", [0, 0, 5])}[axes[2]]
    for frame in range(5):
        for near in stack.around(frame, 2):
            np.testing.assert_allclose(place(near.frame) - place(frame), np.multiply(towards, near.steps), atol=1e-4)
            assert near.distance_mm == 5.0 * abs(near.steps)
            assert (near.towards == side) == (near.steps > 0)
    assert [near.steps for near in stack.around(1, 2)] == [-1, 1, 2]
    assert [near.steps for near in stack.around(4, 3)] == [-3, -2, -1]


def test_what_no_affine_says_of_slices_is_not_said() -> None:
    """The order of frames is told, and how far they are where the unit is; not which way."""
    (stack,) = stacks(written(numbered((3, 4, 5)), None))
    (before, after) = stack.around(1, 1)
    assert (before.frame, after.frame, before.towards, after.towards) == (0, 2, None, None)
    assert after.distance_mm == 1.0
    (stack,) = stacks(written(numbered((3, 4, 5)), None, xyzt_units=0))
    assert [near.distance_mm for near in stack.around(1, 1)] == [None, None]


def test_volumes_are_stacks_of_their_own() -> None:
    """The last slice of one volume and the first of the next are a time apart, not a slice."""
    data = written(numbered((3, 4, 5, 2)), affine_of((0, 1, 2), (1, 1, 1), (1, 1, 5)))
    assert [stack.frames for stack in stacks(data)] == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]


def test_who_says_how_a_picture_lies_leaves_the_way_unsaid() -> None:
    """A sidecar's orientation goes before the file's, and tells nothing of what is before and behind."""
    data = written(numbered((3, 4, 5)), affine_of((0, 1, 2), (1, 1, 1), (1, 1, 5)))
    sidecar = b'{"orientation": {"right": "patient right", "down": "posterior"}}'
    assert {stack.sides for stack in stacks(data, sidecar=sidecar)} == {(None, None)}
    assert {stack.sides for stack in stacks(data, sidecar=b'{"modality": "CT"}')} == {("feet", "head")}


def enhanced(make_dicom: MakeDicom, origins: list[tuple[float, ...]], axes: list[float] = AXIAL) -> bytes:
    """A multi-frame CT object whose frames lie there, 1 mm a pixel."""
    shared = group(
        PixelMeasuresSequence={"PixelSpacing": [1.0, 1.0]}, PlaneOrientationSequence={"ImageOrientationPatient": axes}
    )
    return make_dicom(
        np.zeros((len(origins), 8, 8), np.uint16),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.2.1",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[
            group(PlanePositionSequence={"ImagePositionPatient": list(origin)}) for origin in origins
        ],
    )


def test_frames_are_ordered_by_place(make_dicom: MakeDicom) -> None:
    """Not by their order in the file, nor by how far the steps are."""
    (stack,) = stacks(enhanced(make_dicom, [(0, 0, 30), (0, 0, 0), (0, 0, 10), (0, 0, 20)]))
    assert (stack.frames, stack.sides) == ((1, 2, 3, 0), ("feet", "head"))
    assert [(near.frame, near.steps, near.towards, near.distance_mm) for near in stack.around(3, 2)] == [
        (1, -2, "feet", 20.0), (2, -1, "feet", 10.0), (0, 1, "head", 10.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("axes", "step", "sides"),
    [
        ([1, 0, 0, 0, 1, 0], (0, 0, 2.5), ("feet", "head")),
        ([-1, 0, 0, 0, 1, 0], (0, 0, 2.5), ("feet", "head")),
        ([1, 0, 0, 0, 0, -1], (0, 2.5, 0), ("anterior", "posterior")),
        ([0, 1, 0, 0, 0, -1], (2.5, 0, 0), ("patient right", "patient left")),
        ([0.7071, 0.7071, 0, 0, 0, -1], (1.7678, -1.7678, 0), (None, None)),
    ],
    ids=["axial", "axial mirrored", "coronal", "sagittal", "oblique"],
)
def test_the_way_is_that_of_the_normal(make_dicom: MakeDicom, axes, step, sides) -> None:
    """Towards the patient's left, back or head; of an oblique plane no side is said."""
    (stack,) = stacks(enhanced(make_dicom, [tuple(n * part for part in step) for n in range(3)], axes))
    assert stack.sides == sides
    assert [near.distance_mm for near in stack.around(1, 1)] == [2.5, 2.5]


def test_echoes_of_one_place_are_no_neighbours(make_dicom: MakeDicom) -> None:
    """The first of each place belong together, and so do the second, in either order; if not all have two, none do."""
    by_place = [(0, 0, z) for z in (0, 5, 10) for _ in range(2)]
    assert [stack.frames for stack in stacks(enhanced(make_dicom, by_place))] == [(0, 2, 4), (1, 3, 5)]
    by_echo = [(0, 0, z) for _ in range(2) for z in (10, 5, 0)]
    assert [stack.frames for stack in stacks(enhanced(make_dicom, by_echo))] == [(2, 1, 0), (5, 4, 3)]
    assert stacks(enhanced(make_dicom, by_echo[:-1])) == ()
    assert stacks(enhanced(make_dicom, [(0, 0, 0)] * 3)) == (), "a cine stands still"


def test_a_tilted_gantry_puts_no_pixel_over_itself(make_dicom: MakeDicom) -> None:
    """Frames that are shifted by more than half a pixel against each other are not compared."""
    assert stacks(enhanced(make_dicom, [(0, 0.6 * n, 5 * n) for n in range(4)])) == ()
    (stack,) = stacks(enhanced(make_dicom, [(0, 0.4 * n, 5 * n) for n in range(4)]))
    assert stack.frames == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("name", "frames"),
    [("eCT_Supplemental.dcm", [(0, 1)]), ("color3d_jpeg_baseline.dcm", []), ("CT_small.dcm", []), ("rtdose.dcm", [])],
)
def test_pydicoms_files(sample: Callable[[str], bytes], name: str, frames: list[tuple[int, ...]]) -> None:
    """Of the enhanced CT the places are told; of the cine, the single frame and the dose grid none are."""
    assert [stack.frames for stack in stacks(sample(name))] == frames


def test_planes_that_are_none_are_left_out() -> None:
    """Axes that are not of length one, or not at right angles, and lengths beyond all scanners place nothing."""
    planes = [Placed(axes, (0.0, 0.0, float(n)), (1.0, 1.0)) for n, axes in enumerate([
        (2, 0, 0, 0, 1, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 1, 0, 0), (1, 0, 0, 1, 0, 0), (1, 0, 0),
    ])]  # fmt: skip
    assert stacks_of([*planes, None]) == ()
    for origin, spacing in ((1e308, 1.0), (0.0, 0.0), (0.0, 1e308)):
        far = [Placed(tuple(AXIAL), (origin, origin, origin + n), (spacing, 1.0)) for n in range(3)]
        assert stacks_of(far) == ()


def test_only_frames_taken_in_one_way_are_compared() -> None:
    """Another size, unit, echo or orientation makes a frame no neighbour; what is masked in it does not."""
    pixels = Pixels(rows=2, columns=2, channels=1, bits=8, unit="HU", data="")
    metadata = ImageMetadata(source_format="DICOM", modality="MR", echo_time_ms=10)
    image = MedicalImage(
        image_id="0" * 32, object_id="0" * 32, frame=0, frames_taken=2, metadata=metadata, pixels=pixels,
        window=Window(center=0, width=1), preprocess_version="1",
    )  # fmt: skip
    cleaning = PixelCleaning(scanned=True, reason="policy", policy="mask", masked_share=0.5)
    masked = metadata.model_copy(update={"pixel_cleaning": cleaning, "annotations_digest": "1" * 32})
    assert is_alike(image, image.model_copy(update={"metadata": masked, "frame": 1}))
    for change in (
        {"metadata": metadata.model_copy(update={"echo_time_ms": 90.0})},
        {"metadata": metadata.model_copy(update={"plane": "axial"})},
        {"pixels": pixels.model_copy(update={"rows": 3})},
        {"pixels": pixels.model_copy(update={"unit": "stored value"})},
        {"inverted": True},
    ):
        assert not is_alike(image, image.model_copy(update=change))
