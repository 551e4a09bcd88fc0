"""From a DICOM frame's decoded samples to stored pixels with slope, intercept, unit and window.

Knows nothing of files, of codecs, or of who the image shows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut

from models.imaging import windows
from models.imaging.errors import CorruptHeader, CorruptPixels, UnsupportedPixels, failing_as
from models.imaging.header import Header
from models.imaging.metadata import modality_of
from models.imaging.png import Stored
from schemas.images import Window

STORED_VALUE = "stored value"
RESCALED_VALUE = "rescaled value"
"""After a rescale whose unit the source does not tell."""

# Defined terms of Rescale Type (PS3.3 C.11.1.1.2) and of Units in PET (C.8.9.1.1.3) that name a unit.
_RESCALE_TYPES = {
    "HU": "HU", "OD": "0.001 optical density", "MGML": "mg/ml", "Z_EFF": "effective atomic number",
    "ED": "1e23 electrons/ml", "EDW": "electron density relative to water", "PCT": "%",
}  # fmt: skip
_PET_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "CPS": "counts/s"}
_DOSE_UNITS = {"GY": "Gy", "RELATIVE": "relative dose"}

_SIGNED_SHIFT: dict[np.dtype[Any], int] = {np.dtype(np.int8): 2**7, np.dtype(np.int16): 2**15}


@dataclass(frozen=True, slots=True)
class Quantities:
    """Pixels and what they mean; fields as in models.imaging.frames.Frame."""

    stored: Stored
    slope: float
    intercept: float
    unit: str
    window: Window
    inverted: bool


def plain(stored: Stored, window: Window, slope: float = 1.0, intercept: float = 0.0) -> Quantities:
    """Pixels of a format that names no unit: their values are stored values."""
    return Quantities(stored, slope, intercept, STORED_VALUE, window, inverted=False)


def quantify(samples: NDArray[np.generic], photometric: str, header: Header, frame: int) -> Quantities:
    """Give one decoded frame its meaning.

    Args:
        samples: (rows, columns) or (rows, columns, 3), as decoded, YBR already turned into RGB.
        photometric: Photometric Interpretation of `samples`.
        header: of the object.
        frame: its index, for per-frame attributes.

    Raises:
        UnsupportedPixels: a colour space that is not taken.
        CorruptHeader: a lookup table is damaged.
    """
    bits = int(header.number("BitsStored") or samples.dtype.itemsize * 8)
    if photometric == "PALETTE COLOR":
        with failing_as(CorruptHeader()):
            samples = apply_color_lut(samples, header.dataset)
        return _coloured(samples, samples.dtype.itemsize * 8, as_bytes=True)
    if photometric == "RGB" and samples.ndim == 3:
        return _coloured(samples, bits)
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or samples.ndim != 2:
        raise UnsupportedPixels("its photometric interpretation is none of MONOCHROME1/2, RGB, YBR, PALETTE COLOR")

    slope, intercept, unit = rescale(header, frame)
    padding = _padding(header)
    if unit is None:
        with failing_as(CorruptHeader()):
            samples = apply_modality_lut(samples, header.dataset)
        slope, intercept, padding = 1.0, 0.0, None
        lut = header.items("ModalityLUTSequence")[0]
        unit = _RESCALE_TYPES.get(header.text("ModalityLUTType", lut) or "", RESCALED_VALUE)
    stored, step, base = store(samples)
    if padding is not None:
        padding = round((padding[0] - base) / step), round((padding[1] - base) / step)
    slope, intercept = step * slope, base * slope + intercept
    window = _window(header, frame, stored, slope, intercept, padding)
    return Quantities(stored, slope, intercept, unit, window, inverted=photometric == "MONOCHROME1")


def store(samples: NDArray[Any]) -> tuple[Stored, float, float]:
    """Fit samples into uint8 or uint16: stored × step + base gives them back.

    Exact for integers of up to 16 bits, signed or not, and for wider ones that span less than 2¹⁶; others, and floats,
    are quantised to 65,536 steps of this frame's range. NaN and infinities become the lowest or highest finite value.
    """
    native = samples.dtype.newbyteorder("=")
    samples = np.ascontiguousarray(samples, dtype=native)
    if native.kind == "u" and native.itemsize <= 2:
        return samples, 1.0, 0.0
    if shift := _SIGNED_SHIFT.get(native):
        unsigned = samples.view(np.dtype(f"u{native.itemsize}"))
        return unsigned ^ unsigned.dtype.type(shift), 1.0, -float(shift)
    exact = native.kind in "iu"
    finite = samples if exact else samples[np.isfinite(samples.astype(np.float64))]
    if not finite.size:
        raise CorruptPixels
    low, high = finite.min().item(), finite.max().item()
    if exact and high - low < 2**16:
        return (samples - samples.dtype.type(low)).astype(np.uint16), 1.0, float(low)
    step = (high - low) / 65535 or 1.0
    clean = np.nan_to_num(samples.astype(np.float64), nan=low, posinf=high, neginf=low)
    return np.rint((clean - low) / step).astype(np.uint16), step, float(low)


def store_whole(samples: NDArray[Any]) -> tuple[Stored, float, float]:
    """As `store`, and exact for floats too that are whole numbers spanning less than 2¹⁶, as converted HU are."""
    if samples.dtype.kind == "f" and samples.size:
        low, high = float(samples.min()), float(samples.max())
        if -(2**31) <= low <= high < 2**31 and high - low < 2**16 and bool((np.rint(samples) == samples).all()):
            return store(samples.astype(np.int32))
    return store(samples)


def rescale(header: Header, frame: int) -> tuple[float, float, str | None]:
    """Slope, intercept and unit of the modality transform; unit None where it is a lookup table instead.

    PS3.3 C.11.1 (Modality LUT), C.7.6.16.2.9 (per frame), C.8.8.3 (RT dose).
    """
    modality, code = modality_of(header)
    scaling = header.number("DoseGridScaling")
    if code == "RTDOSE" and scaling:
        return scaling, 0.0, _DOSE_UNITS.get(header.text("DoseUnits") or "", RESCALED_VALUE)
    macro = header.macro("PixelValueTransformationSequence", frame)
    slope = header.number("RescaleSlope", macro, header.dataset)
    intercept = header.number("RescaleIntercept", macro, header.dataset)
    if slope is None and intercept is None:
        lookup = macro is None and header.items("ModalityLUTSequence")
        return 1.0, 0.0, None if lookup else STORED_VALUE
    slope, intercept = slope or 1.0, intercept or 0.0
    kind = header.text("RescaleType", macro, header.dataset)
    unit = _RESCALE_TYPES.get(kind or "")
    if unit is None and modality == "CT" and kind is None:
        unit = "HU"
    if unit is None and modality == "PET":
        unit = _PET_UNITS.get(header.text("Units") or "")
    return slope, intercept, unit or (STORED_VALUE if (slope, intercept) == (1, 0) else RESCALED_VALUE)


def _coloured(samples: NDArray[np.generic], bits: int, *, as_bytes: bool = False) -> Quantities:
    """RGB of any depth, as 8 bits or scaled to 16, with the window of its whole range."""
    depth = 8 if as_bytes or bits <= 8 else 16
    if samples.dtype.kind == "i":
        samples = samples.view(np.dtype(f"u{samples.dtype.itemsize}"))
    shifted = samples.astype(np.uint64) << depth >> bits if bits != depth else samples
    stored = np.ascontiguousarray(shifted, dtype=np.uint8 if depth == 8 else np.uint16)
    return Quantities(stored, 1.0, 0.0, STORED_VALUE, windows.span(0, 2**depth - 1, "full range"), inverted=False)


def _padding(header: Header) -> tuple[float, float] | None:
    """Range of samples that mean "no pixel" (PS3.3 C.7.5.1.1.2)."""
    value = header.number("PixelPaddingValue")
    if value is None:
        return None
    limit = header.number("PixelPaddingRangeLimit")
    bounds = [value, value if limit is None else limit]
    if header.number("PixelRepresentation") == 1:
        # Often written as unsigned beside signed pixels: 63536 for -2000.
        bounds = [bound - 2**16 if 2**15 <= bound < 2**16 else bound for bound in bounds]
    return min(bounds), max(bounds)


def _window(
    header: Header, frame: int, stored: Stored, slope: float, intercept: float, padding: tuple[int, int] | None
) -> Window:
    """The header's first window where it shows something, else one from the values.

    SIGMOID (C.11.2.1.3.1) is shown as the linear window of the same centre and width.
    """
    macro: Dataset | None = header.macro("FrameVOILUTSequence", frame)
    center = header.number("WindowCenter", macro, header.dataset)
    width = header.number("WindowWidth", macro, header.dataset)
    if header.number("BitsAllocated") == 1:
        return windows.span(0, 1, "full range")
    if center is not None and width is not None:
        exact = header.text("VOILUTFunction", macro, header.dataset) == "LINEAR_EXACT"
        window = windows.from_header(center, width, exact)
        low, high = sorted(float(bound) * slope + intercept for bound in (stored.min(), stored.max()))
        if window is not None and windows.shows_something(window, low, high):
            return window
    return windows.from_values(stored, slope, intercept, padding)
