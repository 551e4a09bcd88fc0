"""NIfTI files: every voxel at its place in the patient, against nibabel's reading of the same bytes."""

import gzip
import itertools
import struct
from io import BytesIO

import nibabel as nib
import numpy as np
import pytest

from models.imaging import FramePolicy, open_source
from models.imaging import errors as causes
from models.imaging.frames import Frame, Source
from schemas.failures import InvalidInput
from schemas.images import Orientation, Side, Spacing

ALL = FramePolicy()
# RAS+, as NIfTI counts: where a step to the right and a step down of each plane's picture must lead.
WAYS: dict[Side, tuple[int, int]] = {
    "patient left": (0, -1), "patient right": (0, 1), "posterior": (1, -1), "anterior": (1, 1), "head": (2, 1),
    "feet": (2, -1),
}  # fmt: skip
SHOWN = {
    "axial": Orientation(right="patient left", down="posterior"),
    "coronal": Orientation(right="patient left", down="feet"),
    "sagittal": Orientation(right="posterior", down="feet"),
}


def written(
    array: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    kind: type = nib.Nifti1Image,
    code: str = "s",
    **header: object,
) -> bytes:
    """A NIfTI file; `code`: whether its place is said by sform, qform or neither."""
    image = kind(array, np.eye(4) if affine is None else affine, dtype=array.dtype)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, 1 if code == "s" and affine is not None else 0)
    image.set_qform(affine, 1 if code == "q" and affine is not None else 0)
    for field, value in header.items():
        image.header[field] = value
    data = image.to_bytes()
    at = 112 if kind is nib.Nifti1Image else 176
    # nibabel chooses the scaling itself when it writes.
    for offset, field in enumerate(("scl_slope", "scl_inter")):
        if field in header:
            packed = struct.pack("<f" if at == 112 else "<d", header[field])
            place = at + offset * len(packed)
            data = data[:place] + packed + data[place + len(packed) :]
    return data


def opened(data: bytes) -> Source:
    return open_source(data, ALL)


def frames_of(data: bytes) -> list[Frame]:
    return list(opened(data).frames())


def numbered(shape: tuple[int, ...]) -> np.ndarray:
    """Each voxel has a value of its own."""
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def affine_of(axes: tuple[int, ...], signs: tuple[int, ...], sizes: tuple[float, ...]) -> np.ndarray:
    """Voxel axis n runs along patient axis axes[n], in the direction signs[n], sizes[n] mm a step."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for voxel, (patient, sign, size) in enumerate(zip(axes, signs, sizes, strict=True)):
        affine[patient, voxel] = sign * size
    affine[:3, 3] = (7, -11, 13)
    return affine


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
@pytest.mark.parametrize("code", ["s", "q"])
def test_left_is_left_whichever_way_the_voxels_run(axes, signs, code) -> None:
    """All 48 ways to store a volume: a step in the picture leads where the orientation says, by nibabel's affine."""
    shape, sizes = (3, 4, 5), (1.0, 2.0, 5.0)
    data = written(numbered(shape), affine_of(axes, signs, sizes), code=code)
    image = nib.Nifti1Image.from_bytes(data)
    array, affine = np.asanyarray(image.dataobj), image.affine
    frames = frames_of(data)
    plane = ("sagittal", "coronal", "axial")[axes[2]]
    assert {(frame.metadata.plane, frame.metadata.orientation) for frame in frames} == {(plane, SHOWN[plane])}

    def place(value: float) -> np.ndarray:
        voxel = np.argwhere(array == value)[0]
        return (affine @ [*voxel, 1])[:3]

    for frame in frames:
        corner, spacing = frame.values[0, 0], frame.metadata.spacing
        assert spacing is not None
        for step, side, length in (
            (frame.values[0, 1], SHOWN[plane].right, spacing.column_mm),
            (frame.values[1, 0], SHOWN[plane].down, spacing.row_mm),
        ):
            axis, sign = WAYS[side]
            expected = np.zeros(3)
            expected[axis] = sign * length
            np.testing.assert_allclose(place(step) - place(corner), expected, atol=1e-4)
    # Slices follow the patient: to the left, to the back, to the head.
    through = [place(frame.values[0, 0])[axes[2]] for frame in frames]
    assert through == sorted(through, reverse=axes[2] != 2)
    assert sorted(np.concatenate([frame.values.ravel() for frame in frames])) == list(range(60))


def test_slices_are_cut_across_the_largest_spacing() -> None:
    """The axis whose spacing is clearly the largest; the third where none is; the one that has one voxel."""
    shapes = []
    for sizes in ((3, 1, 1), (1, 3, 1), (1, 1, 1), (1.001, 1, 1)):
        data = written(numbered((4, 5, 6)), affine_of((0, 1, 2), (1, 1, 1), sizes))
        shapes.append((opened(data).frames_total, frames_of(data)[0].metadata.plane))
    assert shapes == [(4, "sagittal"), (5, "coronal"), (6, "axial"), (6, "axial")]
    assert opened(written(numbered((1, 5, 6)), affine_of((0, 1, 2), (1, 1, 1), (1, 1, 9)))).frames_total == 1


def test_spacing_is_that_of_the_picture() -> None:
    """Rows and columns of a sagittal slice, in mm, also where the file counts in metres."""
    data = written(numbered((4, 5, 6)), affine_of((0, 1, 2), (-1, 1, 1), (3, 0.5, 0.7)))
    expected = Spacing(row_mm=0.7, column_mm=0.5, source="NIfTI header")
    assert frames_of(data)[0].metadata.spacing == expected
    metres = written(numbered((4, 5, 6)), affine_of((0, 1, 2), (-1, 1, 1), (0.003, 0.0005, 0.0007)), xyzt_units=1)
    assert frames_of(metres)[0].metadata.spacing == expected


def test_an_oblique_volume_is_said_to_be_oblique() -> None:
    """Turned by 30 degrees about the patient's long axis: no plane; by 10: still one."""
    for degrees, plane in ((30, "oblique"), (10, "sagittal")):
        turn = np.eye(4)
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turn[:2, :2] = [[cos, -sin], [sin, cos]]
        affine = turn @ affine_of((0, 1, 2), (1, 1, 1), (4, 1, 1))
        assert frames_of(written(numbered((3, 4, 5)), affine))[0].metadata.plane == plane


def test_what_no_affine_says_is_not_said() -> None:
    """Without sform and qform there is spacing, where the unit is told, but no side."""
    data = written(numbered((3, 4, 5)), None)
    metadata = frames_of(data)[0].metadata
    assert (metadata.plane, metadata.orientation) == (None, None)
    assert metadata.spacing is not None
    np.testing.assert_array_equal(frames_of(data)[2].values, numbered((3, 4, 5))[:, :, 2].T)
    assert frames_of(written(numbered((3, 4, 5)), None, xyzt_units=0))[0].metadata.spacing is None


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_values_are_those_that_nibabel_reads(kind: type, dtype: type) -> None:
    """All types, both versions, with scaling; 4-D volumes come one after the other; gzip changes nothing."""
    array = (np.random.default_rng(2).random((3, 4, 5, 2)) * 100).astype(dtype)
    data = written(array, np.eye(4), kind=kind, scl_slope=2.5, scl_inter=-1000.0)
    expected = kind.from_bytes(data).get_fdata()[::-1, ::-1]
    assert expected.min() < -700
    frames = frames_of(data)
    assert len(frames) == 10
    for index, frame in enumerate(frames):
        picture = expected[:, :, index % 5, index // 5].T
        np.testing.assert_allclose(frame.values, picture, atol=np.ptp(picture) / 2**16 + 1e-4)
        assert (frame.unit, frame.metadata.modality, frame.metadata.source_format) == (
            "stored value",
            "unknown",
            "NIfTI",
        )
    zipped = frames_of(gzip.compress(data))
    assert [frame.image_id for frame in zipped] == [frame.image_id for frame in frames]


def test_big_endian_and_colour() -> None:
    """The byte order is found; RGB voxels are RGB."""
    array = numbered((3, 4, 5))
    image = nib.Nifti1Image(array, np.eye(4), header=nib.Nifti1Header(endianness=">"))
    image.set_data_dtype(np.int16)
    np.testing.assert_array_equal(frames_of(image.to_bytes())[0].values, array[::-1, ::-1, 0].T)
    colours = np.zeros((3, 4, 2), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["R"][0, 0, 0], colours["B"][2, 3, 1] = 200, 100
    first, second = frames_of(nib.Nifti1Image(colours, np.eye(4)).to_bytes())
    assert first.stored.shape == (4, 3, 3)
    assert first.stored[-1, -1].tolist() == [200, 0, 0]
    assert second.stored[0, 0].tolist() == [0, 0, 100]


def test_whole_numbers_written_as_floats_are_exact() -> None:
    """HU that a converter stored as float32 come out as they were."""
    array = (numbered((8, 8, 8)) * 7 - 1024).astype(np.float32)
    array[0, 0, 0] = 3071
    frame = frames_of(written(array, np.eye(4)))[0]
    np.testing.assert_array_equal(frame.values, array[::-1, ::-1, 0].T)


def outcome(data: bytes) -> str:
    try:
        frames_of(data)
    except InvalidInput as error:
        return type(error).__name__
    return "frames"


@pytest.mark.parametrize("zipped", [False, True])
def test_a_cut_volume_is_never_half_a_volume(zipped: bool) -> None:
    """Wherever it is cut, the outcome is an error."""
    data = written(np.random.default_rng(0).integers(0, 99, (8, 8, 8), np.int16), np.eye(4))
    data = gzip.compress(data) if zipped else data
    assert outcome(data) == "frames"
    assert {outcome(data[:cut]) for cut in range(360, len(data), 11)} == {"TruncatedFile"}
    assert {outcome(data[:cut]) for cut in range(4, 360, 11)} <= {"TruncatedFile", "NotAnImage"}


def test_what_a_small_file_may_inflate_to_is_bounded() -> None:
    """Its own header is believed up to a limit, and no more is inflated than it asks for."""
    small = written(numbered((4, 4, 4)), np.eye(4))
    buffer = BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
        file.write(small)
        for _ in range(64):
            file.write(bytes(2**20))
    assert outcome(buffer.getvalue()) == "frames"
    huge = bytearray(small)
    struct.pack_into("<8h", huge, 40, 3, 2048, 2048, 2048, 1, 1, 1, 1)
    assert outcome(gzip.compress(bytes(huge))) == "TooLarge"
    assert outcome(bytes(huge)) == "TruncatedFile"


@pytest.mark.parametrize(
    ("at", "kind", "value", "error"),
    [
        (40, "<h", 0, causes.UnsupportedPixels),
        (42, "<h", -3, causes.UnsupportedPixels),
        (70, "<h", 32, causes.UnsupportedPixels),  # complex
        (40, "<6h", (5, 4, 4, 2, 1, 2), causes.UnsupportedPixels),
        (344, "4s", b"ni1\0", causes.UnsupportedPixels),
        (108, "<f", -5.0, causes.UnsupportedPixels),
        (108, "<f", float("nan"), causes.UnsupportedPixels),
    ],
)
def test_what_is_not_taken_is_said(at: int, kind: str, value: object, error: type[InvalidInput]) -> None:
    """Impossible sizes, complex voxels, a fifth dimension, voxels in another file, a mad offset."""
    data = bytearray(written(numbered((4, 4, 4)), np.eye(4)))
    struct.pack_into(kind, data, at, *(value if isinstance(value, tuple) else (value,)))
    with pytest.raises(error):
        open_source(bytes(data), ALL)


def test_damaged_headers_never_raise_anything_but_our_errors() -> None:
    """Random bytes in the header end in frames or an InvalidInput."""
    chance = np.random.default_rng(3)
    data = written(numbered((4, 4, 4)), np.eye(4))
    for _ in range(400):
        damaged = bytearray(data)
        for at in chance.integers(40, 348, 3):
            damaged[at] = chance.integers(256)
        outcome(bytes(damaged))


@pytest.mark.parametrize(("field", "value"), [("scl_slope", np.inf), ("scl_slope", 1e35), ("scl_inter", np.nan)])
def test_a_scaling_that_is_none_is_refused_by_name(field: str, value: float) -> None:
    """Not taken for one that is left out."""
    data = written(np.ones((4, 5, 6), np.int16), **{"scl_slope": 2.0, "scl_inter": 0.0} | {field: value})
    with pytest.raises(causes.UnsupportedPixels, match=field):
        opened(data)


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_a_scaling_that_is_left_out_is_none(slope: float) -> None:
    """By 0, as nifti1.h has it, or by NaN, as nibabel writes it."""
    (frame, *_) = opened(written(np.ones((4, 5, 6), np.int16), scl_slope=slope, scl_inter=7.0)).frames()
    assert (frame.slope, frame.intercept) == (1, -32768)


_CODES, _PIXDIM, _QUATERNION, _SROW = 252, 76, 256, 280
"""Offsets of nifti1.h."""


@pytest.mark.parametrize(
    "changes",
    [
        {_CODES: ("<2h", 1, 1), _PIXDIM: ("<f", -1)},  # qform mirrors sform
        {_CODES: ("<2h", 0, 77)},
        {_SROW: ("<f", np.nan)},
        {_CODES: ("<2h", 1, 0), _QUATERNION: ("<2f", 0.9, 0.9)},
        {_CODES: ("<2h", 1, 0), _PIXDIM: ("<f", np.nan)},
    ],
)
def test_a_contradictory_or_malformed_place_tells_no_side(changes: dict[int, tuple[object, ...]]) -> None:
    """Neither a plane, nor what is left and right."""
    data = bytearray(written(np.ones((4, 5, 6), np.int16), np.diag([2, 2, 4, 1.0])))
    (frame, *_) = opened(bytes(data)).frames()
    assert frame.metadata.plane == "axial"
    for offset, (form, *values) in changes.items():
        struct.pack_into(str(form), data, offset, *values)
    (frame, *_) = opened(bytes(data)).frames()
    assert (frame.metadata.plane, frame.metadata.orientation) == (None, None)


def test_a_unit_that_there_is_not_gives_no_spacing() -> None:
    """Codes 1 to 3 are metres, millimetres and micrometres; 0 is unknown."""
    for units, known in ((2, True), (0, True), (5, False)):
        data = written(np.ones((4, 5, 6), np.int16), np.diag([2, 2, 4, 1.0]), xyzt_units=units)
        (frame, *_) = opened(data).frames()
        assert (frame.metadata.spacing is not None) is known
