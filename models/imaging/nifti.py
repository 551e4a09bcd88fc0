"""NIfTI-1 and NIfTI-2 files, plain or gzipped, as frames: the slices of each volume, turned as a reader expects them.

Knows nothing of modality or unit: the format does not tell them.
"""

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from models.imaging import windows
from models.imaging.burned_in import NOT_SUSPECTED, BurnedInPolicy, Cleaner
from models.imaging.errors import (
    CorruptPixels,
    NotAnImage,
    TruncatedFile,
)
from models.imaging.frames import Frame, Source, frame_of
from models.imaging.limits import TooLarge, check_size
from models.imaging.neighbours import Placed, Stack, stacks_of
from models.imaging.nifti_header import Matrix, Volume, is_nifti, volume_of
from models.imaging.policy import FramePolicy
from models.imaging.quantities import Quantities, plain
from models.imaging.sides import in_the_patient
from models.imaging.storing import store
from schemas.images import ImageMetadata, Spacing
from schemas.limits import DEFAULT_LIMITS, Limits

GZIP_START = b"\x1f\x8b"

_THICKER = 1.01
"""Part by which a spacing must be above the others to be the thickest: headers round."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a volume becomes pictures: the axes across, down and through, and which of them are turned over."""

    across: int
    down: int
    through: int
    flipped: tuple[bool, bool, bool]
    """Of across, down and through."""


def open_nifti(
    data: bytes, policy: FramePolicy, limits: Limits = DEFAULT_LIMITS, burned_in: BurnedInPolicy | None = None
) -> Source:
    """A NIfTI file: one frame a slice, volume after volume.

    Slices are cut across the axis of the largest spacing, or the third where none is clearly larger. Where the file
    tells how it lies in the patient, slices come in the order of the patient's axes (to the left, to the back, to the
    head) and are shown as radiologists do: right of the image is the patient's left, or back in a sagittal slice; down
    is the back in an axial slice, else the feet. Values are exact where they are integers that fit 16 bits.

    Raises:
        NotAnImage, TruncatedFile, CorruptHeader, CorruptPixels, UnsupportedPixels, TooLarge.
    """
    data, volume = _gunzip(data, limits) if data.startswith(GZIP_START) else (data, volume_of(data))
    if volume.offset + volume.nbytes > len(data):
        raise TruncatedFile
    layout = _layout(volume)
    rows, columns = volume.shape[layout.down], volume.shape[layout.across]
    slices = volume.shape[layout.through]
    total = slices * volume.shape[3]
    check_size(rows, columns, total, limits)
    metadata = _metadata(volume, layout, total)

    def quantities(index: int) -> Quantities:
        picture = _slice(data, volume, layout, index // slices, index % slices)
        if volume.channels > 1:
            stored = np.ascontiguousarray(picture[..., :3])
            return plain(stored, windows.of_picture(stored))
        stored, step, base, known = store(picture)
        slope, intercept = step * volume.slope, base * volume.slope + volume.intercept
        return plain(stored, windows.from_values(stored, slope, intercept, known), slope, intercept)

    cleaner = Cleaner(NOT_SUSPECTED, burned_in, total, quantities)

    def decode(index: int) -> Frame:
        return frame_of(index, quantities(index), metadata)

    return Source(
        frames_total=total,
        taken=tuple(policy.choose(total)),
        decode=decode,
        clean=cleaner.clean,
        stacks=lambda: tuple(
            replace(stack, frames=tuple(number * slices + place for place in stack.frames))
            for stack in _stacks(volume, layout)
            for number in range(volume.shape[3])
        ),
        volumes=volume.shape[3],
    )


def as_shown(head: bytes, low: Sequence[int], high: Sequence[int]) -> tuple[range, range, range]:
    """A box of voxels as it is shown: its columns, rows and frames.

    Args:
        head: the first 544 bytes of a file, inflated.
        low: first voxel on each of the file's axes, from 0.
        high: one behind the last.

    Raises:
        TruncatedFile, CorruptHeader, UnsupportedPixels.
    """
    volume = volume_of(head)
    layout = _layout(volume)
    across, down, through = (
        range(volume.shape[axis] - high[axis], volume.shape[axis] - low[axis])
        if turned
        else range(low[axis], high[axis])
        for axis, turned in zip((layout.across, layout.down, layout.through), layout.flipped, strict=True)
    )
    return across, down, through


def _gunzip(data: bytes, limits: Limits) -> tuple[bytes, Volume]:
    """As much of a gzipped file as its own header asks for."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            head = file.read(544)
            if not is_nifti(head):
                raise NotAnImage
            volume = volume_of(head)
            end = volume.offset + volume.nbytes
            # Not held to a ratio: masks deflate a thousandfold, and no more is inflated than the header asks for.
            if end > limits.inflated_bytes:
                raise TooLarge("bytes when it is inflated", "inflated_bytes", limits.inflated_bytes)
            file.seek(0)
            plain = file.read(end)
            # The checksum stands at the end, and is looked at only there.
            file.read(1)
            return plain, volume
    except EOFError:
        raise TruncatedFile from None
    except (gzip.BadGzipFile, zlib.error):
        raise CorruptPixels from None


def _layout(volume: Volume) -> _Layout:
    through = 2
    if volume.shape[:3].count(1) == 1:
        through = volume.shape.index(1)
    elif volume.spacing is not None:
        thickest = max(range(3), key=lambda axis: cast(tuple[float, ...], volume.spacing)[axis])
        others = max(length for axis, length in enumerate(volume.spacing) if axis != thickest)
        through = thickest if volume.spacing[thickest] > _THICKER * others else 2
    first, second = (axis for axis in range(3) if axis != through)
    if volume.axes is None:
        return _Layout(first, second, through, (False, False, False))
    nearest = _nearest(volume.axes)
    # In the order left, back, head: the one across is the first that is not the normal; the other goes down.
    across, down = sorted((first, second), key=lambda axis: nearest[axis])
    signs = [volume.axes[nearest[axis], axis] > 0 for axis in range(3)]
    # Down is the back in an axial slice, and the feet in others.
    return _Layout(across, down, through, (not signs[across], signs[down] == (nearest[down] == 2), not signs[through]))


def _nearest(axes: Matrix) -> tuple[int, ...]:
    """For each voxel axis the patient axis (0 x, 1 y, 2 z) it runs along, each taken once, the best fit first."""
    fits = np.abs(axes)
    found = [0, 0, 0]
    for _ in range(3):
        patient, voxel = (int(n) for n in np.unravel_index(np.argmax(fits), (3, 3)))
        found[voxel] = patient
        fits[patient, :], fits[:, voxel] = -1, -1
    return tuple(found)


def _metadata(volume: Volume, layout: _Layout, total: int) -> ImageMetadata:
    plane, orientation, spacing = None, None, None
    if volume.axes is not None:
        right, down = (
            volume.axes[:, axis] * (-1 if flipped else 1)
            for axis, flipped in zip((layout.across, layout.down), layout.flipped, strict=False)
        )
        plane, orientation = in_the_patient((*map(float, right), *map(float, down)))
    if volume.spacing is not None:
        spacing = Spacing(
            row_mm=volume.spacing[layout.down], column_mm=volume.spacing[layout.across], source="NIfTI header"
        )
    return ImageMetadata(
        source_format="NIfTI", plane=plane, orientation=orientation, spacing=spacing, frames_in_object=total
    )


def _stacks(volume: Volume, layout: _Layout) -> tuple[Stack, ...]:
    """How the slices of one volume lie one behind the other: in the order of frames where no affine tells."""
    slices = range(volume.shape[layout.through])
    if volume.axes is None or volume.spacing is None:
        step = volume.spacing[layout.through] if volume.spacing else None
        return (Stack(tuple(slices), tuple(step * place for place in slices) if step else ()),)
    right, down, through = (
        volume.axes[:, axis] * (-1 if flipped else 1)
        for axis, flipped in zip((layout.across, layout.down, layout.through), layout.flipped, strict=True)
    )
    spacing = volume.spacing[layout.down], volume.spacing[layout.across]
    step = through * volume.spacing[layout.through]
    axes = (*map(float, right), *map(float, down))
    return stacks_of([Placed(axes, tuple(map(float, step * place)), spacing) for place in slices])


def _slice(data: bytes, volume: Volume, layout: _Layout, number: int, place: int) -> NDArray[Any]:
    """One slice (rows, columns) or (rows, columns, channels), in the order of the file's own type."""
    i, j, k, _ = volume.shape
    one = i * j * k * volume.channels
    voxels = np.frombuffer(data, volume.dtype, one, volume.offset + number * one * volume.dtype.itemsize)
    # The first axis runs fastest; the channels of a colour faster still.
    cube = voxels.reshape((volume.channels, i, j, k), order="F")
    if layout.flipped[2]:
        place = volume.shape[layout.through] - 1 - place
    picture = np.moveaxis(cube, (1 + layout.down, 1 + layout.across, 1 + layout.through, 0), (0, 1, 2, 3))[:, :, place]
    picture = picture[:: -1 if layout.flipped[1] else 1, :: -1 if layout.flipped[0] else 1]
    return picture[..., 0] if volume.channels == 1 else picture
