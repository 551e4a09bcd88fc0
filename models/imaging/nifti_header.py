"""The header of a NIfTI-1 or NIfTI-2 file: where its voxels lie, and what they mean. Knows nothing of pictures."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.imaging.errors import TruncatedFile, UnsupportedPixels
from models.imaging.storing import SENTINEL

Matrix = NDArray[np.float64]

# nifti1.h and nifti2.h (NIfTI Data Format Working Group): name, offset, type, of the fields that are read.
_FIELDS: dict[int, tuple[tuple[str, int, str], ...]] = {
    348: (
        ("dim", 40, "8i2"), ("datatype", 70, "i2"), ("pixdim", 76, "8f4"), ("vox_offset", 108, "f4"),
        ("slope", 112, "f4"), ("inter", 116, "f4"), ("xyzt_units", 123, "u1"), ("qform", 252, "i2"),
        ("sform", 254, "i2"), ("quatern", 256, "3f4"), ("qoffset", 268, "3f4"), ("srow", 280, "(3,4)f4"),
    ),
    540: (
        ("dim", 16, "8i8"), ("datatype", 12, "i2"), ("pixdim", 104, "8f8"), ("vox_offset", 168, "i8"),
        ("slope", 176, "f8"), ("inter", 184, "f8"), ("xyzt_units", 500, "i4"), ("qform", 344, "i4"),
        ("sform", 348, "i4"), ("quatern", 352, "3f8"), ("qoffset", 376, "3f8"), ("srow", 400, "(3,4)f8"),
    ),
}  # fmt: skip
_MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}
_PAIRED = {348: (344, b"ni1\0"), 540: (4, b"ni2\0\r\n\x1a\n")}
# (type, channels) of a datatype code.
_TYPES: dict[int, tuple[str, int]] = {
    2: ("u1", 1), 4: ("i2", 1), 8: ("i4", 1), 16: ("f4", 1), 64: ("f8", 1), 128: ("u1", 3), 256: ("i1", 1),
    512: ("u2", 1), 768: ("u4", 1), 1024: ("i8", 1), 1280: ("u8", 1), 2304: ("u1", 4),
}  # fmt: skip
_TYPES_NOT_TAKEN = frozenset({1, 32, 1536, 1792, 2048})
_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
_CODES = frozenset(range(6))
"""Of sform and qform, those that nifti1.h and nifti2.h define."""
_MOST_OF_QUATERNION = 1.001
"""b² + c² + d² of a rotation is 1 at most, but for rounding."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Where the voxels lie and what they mean."""

    shape: tuple[int, int, int, int]
    """i, j, k, volumes."""
    dtype: np.dtype[Any]
    channels: int
    offset: int
    slope: float
    intercept: float
    spacing: tuple[float, float, float] | None
    """Of i, j, k in mm; None where the file does not tell."""
    axes: Matrix | None
    """Columns: directions of i, j, k in the patient, of length one, LPS+ as in DICOM; None where it does not tell."""

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.channels * self.dtype.itemsize


def is_nifti(data: bytes) -> bool:
    """Whether a file, not gzipped, says that it is NIfTI, with its voxels in the same file or in another."""
    return any(
        data[at : at + len(magic)] == magic for known in (_MAGIC, _PAIRED) for at, magic in known.values()
    ) and _header_size(data) in (348, 540)


def _header_size(data: bytes) -> int:
    little = int.from_bytes(data[:4], "little")
    return little if little in _FIELDS else int.from_bytes(data[:4], "big")


def volume_of(data: bytes) -> Volume:
    """Read the header and check it."""
    size = _header_size(data)
    if size not in _FIELDS or len(data) < size:
        raise TruncatedFile
    at, magic = _PAIRED[size]
    if data[at : at + len(magic)] == magic:
        raise UnsupportedPixels("the file is a NIfTI header whose voxels lie in another file (.hdr and .img)")
    order = "<" if int.from_bytes(data[:4], "little") == size else ">"
    fields = _FIELDS[size]
    record = np.dtype(
        {
            "names": [name for name, _, _ in fields],
            "offsets": [offset for _, offset, _ in fields],
            "formats": [np.dtype(kind).newbyteorder(order) for _, _, kind in fields],
            "itemsize": size,
        }
    )
    header: Any = np.frombuffer(data, record, 1)[0]
    dims = [int(length) for length in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(length < 1 for length in dims[1 : dims[0] + 1]):
        raise UnsupportedPixels("the NIfTI header's dim is malformed")
    lengths = (dims[1 : dims[0] + 1] + [1] * 7)[:7]
    if math.prod(lengths[4:]) != 1:
        raise UnsupportedPixels("the NIfTI file has more than four dimensions")
    datatype = int(header["datatype"])
    if datatype in _TYPES_NOT_TAKEN:
        raise UnsupportedPixels("the NIfTI file's voxels are complex numbers, bits or of 128 bits")
    if datatype not in _TYPES:
        raise UnsupportedPixels("the NIfTI header's datatype is malformed")
    kind, channels = _TYPES[datatype]
    offset = float(header["vox_offset"])
    if not size <= offset < 2**62:
        # 0 in a single file is illegal, and some writers mean "after the header" by it.
        if offset != 0:
            raise UnsupportedPixels("the NIfTI header's vox_offset is malformed")
        offset = size + 4
    slope, intercept = _scaling(header)
    spacing, axes = _geometry(header)
    i, j, k, volumes = lengths[:4]
    return Volume(
        shape=(i, j, k, volumes),
        dtype=np.dtype(kind).newbyteorder(order),
        channels=channels,
        offset=int(offset),
        slope=slope,
        intercept=intercept,
        spacing=spacing,
        axes=axes,
    )


def _scaling(header: Any) -> tuple[float, float]:
    """Slope and intercept (nifti1.h, "SCALING"): none where the slope is 0, or NaN, as nibabel leaves it unset.

    Raises:
        UnsupportedPixels: they are there, and no numbers to scale with.
    """
    slope, intercept = float(header["slope"]), float(header["inter"])
    if slope == 0 or math.isnan(slope):
        return 1.0, 0.0
    if not 1 / SENTINEL < abs(slope) < SENTINEL:
        raise UnsupportedPixels("the NIfTI header's scl_slope is malformed")
    if not abs(intercept) < SENTINEL:
        raise UnsupportedPixels("the NIfTI header's scl_inter is malformed")
    return slope, intercept


def _geometry(header: Any) -> tuple[tuple[float, float, float] | None, Matrix | None]:
    """Spacing in mm, and directions of the voxel axes, LPS+ (nifti1.h, methods 2 and 3; sform before qform).

    No directions where the two are mirror images of each other, or where what is there is malformed; no spacing in a
    unit that there is not.
    """
    pixdim = np.abs(np.array(header["pixdim"], np.float64))
    units = int(header["xyzt_units"]) & 7
    by_sform, by_qform = _sform(header), _qform(header)
    if by_sform is None and by_qform is None:
        scale = _MILLIMETRES.get(units)
        return (_plausible(pixdim[1:4] * scale) if scale is not None else None), None
    affine = by_sform if by_sform is not None else by_qform
    if affine is None or not np.isfinite(affine).all():
        return None, None
    lengths = np.linalg.norm(affine, axis=0)
    # A placed file whose unit is unknown (0) is in mm: its writers mean scanner coordinates.
    scale = 1.0 if units == 0 else _MILLIMETRES.get(units)
    spacing = _plausible(lengths * scale) if scale is not None else None
    if not (lengths > 0).all() or not _CODES.issuperset({int(header["sform"]), int(header["qform"])}):
        return spacing, None
    if by_sform is not None and by_qform is not None and np.linalg.det(by_sform) * np.linalg.det(by_qform) < 0:
        return spacing, None
    axes = affine / lengths * np.array([[-1.0], [-1.0], [1.0]])
    # Axes that nearly coincide place nothing.
    return spacing, axes if abs(float(np.linalg.det(axes))) > 0.1 else None


def _sform(header: Any) -> Matrix | None:
    """Method 3; None where it is not used."""
    return np.array(header["srow"], np.float64)[:, :3] if int(header["sform"]) > 0 else None


def _qform(header: Any) -> Matrix | None:
    """Method 2; None where it is not used, NaN where the quaternion is of no rotation."""
    if int(header["qform"]) <= 0:
        return None
    quaternion, pixdim = np.array(header["quatern"], np.float64), np.array(header["pixdim"], np.float64)
    if not np.sum(quaternion**2) < _MOST_OF_QUATERNION or not np.isfinite(pixdim[0]):
        return np.full((3, 3), np.nan)
    affine = _rotation(quaternion) * np.abs(pixdim[1:4])
    # qfac: pixdim[0] is -1 where the third axis makes the system left-handed.
    affine[:, 2] *= -1.0 if pixdim[0] < 0 else 1.0
    return affine


def _plausible(lengths: Matrix) -> tuple[float, float, float] | None:
    if not all(0 < length < 1000 for length in lengths):
        return None
    i, j, k = (float(f"{length:.6g}") for length in lengths)
    return i, j, k


def _rotation(quaternion: Matrix) -> Matrix:
    """The rotation of a unit quaternion whose first part is implied (nifti1.h, method 2)."""
    b, c, d = (float(part) for part in quaternion)
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
