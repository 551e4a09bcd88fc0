"""From a DICOM frame's decoded samples to stored pixels with slope, intercept, unit and window.

Knows nothing of files, of codecs, or of who the image shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.imaging import windows
from models.imaging.errors import CorruptHeader, CorruptPixels, UnsupportedPixels
from models.imaging.header import Header
from models.imaging.lookup import read_lookup
from models.imaging.metadata import modality_of
from models.imaging.palette import coloured
from models.imaging.photometric import NOT_TAKEN
from models.imaging.png import Stored
from models.imaging.suv import suv_factor
from schemas.images import Window

STORED_VALUE = "stored value"
RESCALED_VALUE = "rescaled value"
"""After a rescale whose unit the source does not tell."""

SUV = "SUVbw"

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
        return _coloured(coloured(samples, header), 8)
    if photometric == "RGB" and samples.ndim == 3:
        return _coloured(samples, bits)
    if photometric not in ("MONOCHROME1", "MONOCHROME2") or samples.ndim != 2:
        raise UnsupportedPixels(NOT_TAKEN)

    slope, intercept, unit = rescale(header, frame)
    padding = _padding(header)
    if unit is None:
        item = header.items("ModalityLUTSequence")[0]
        lookup = read_lookup(header, item, signed=samples.dtype.kind == "i")
        if lookup is None:
            raise CorruptHeader
        samples, padding = lookup.apply(samples), None
        unit = _RESCALE_TYPES.get(header.text("ModalityLUTType", item) or "", RESCALED_VALUE)
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
        factor = suv_factor(header) if unit == "Bq/ml" else None
        if factor is not None:
            return slope * factor, intercept * factor, SUV
        if header.text("Units") == "GML" and header.text("SUVType") in (None, "BW"):
            unit = SUV
    return slope, intercept, unit or (STORED_VALUE if (slope, intercept) == (1, 0) else RESCALED_VALUE)


def _coloured(samples: NDArray[np.generic], bits: int) -> Quantities:
    """RGB of any depth, as 8 bits or scaled to 16, with the window of its whole range."""
    depth = 8 if bits <= 8 else 16
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
    elif stored := header.number("BitsStored"):
        # Of a sample only the stored bits are kept.
        bounds = [bound % 2**stored for bound in bounds]
    return min(bounds), max(bounds)


def _window(
    header: Header, frame: int, stored: Stored, slope: float, intercept: float, padding: tuple[int, int] | None
) -> Window:
    """The header's first VOI LUT or window that shows something, else one from the values (PS3.3 C.11.2).

    A LUT comes before windows: where a writer gives both, the window is the rougher of the two.
    """
    if header.number("BitsAllocated") == 1:
        return windows.span(0, 1, "full range")
    low, high = sorted(float(bound) * slope + intercept for bound in (stored.min(), stored.max()))
    for window in _of_header(header, frame, signed=low < 0):
        if window is not None and windows.shows_something(window, low, high):
            return window
    return windows.from_values(stored, slope, intercept, padding)


def _of_header(header: Header, frame: int, *, signed: bool) -> Iterator[Window | None]:
    macro = header.macro("FrameVOILUTSequence", frame)
    for item in header.items("VOILUTSequence", macro, header.dataset):
        lookup = read_lookup(header, item, signed=signed)
        yield windows.from_lookup(lookup) if lookup else None
    function = header.text("VOILUTFunction", macro, header.dataset)
    centers, widths = (header.numbers(word, macro, header.dataset) for word in ("WindowCenter", "WindowWidth"))
    for center, width in zip(centers, widths, strict=False):
        if function == "SIGMOID" and width > 0:
            yield windows.sigmoid(center, width)
        else:
            yield windows.from_header(center, width, function == "LINEAR_EXACT")
