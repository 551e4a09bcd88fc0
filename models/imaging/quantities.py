"""From a DICOM frame's decoded samples to stored pixels with slope, intercept, unit and window.

Knows nothing of files, of codecs, or of who the image shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from models.imaging import windows
from models.imaging.errors import MalformedAttribute, UnsupportedPixels
from models.imaging.header import Header, Malformed, valid
from models.imaging.image_types import is_map, is_of_screen
from models.imaging.lookup import read_lookup
from models.imaging.metadata import image_types, is_localizer, is_secondary_capture, modality_of, modality_of_class
from models.imaging.palette import coloured
from models.imaging.photometric import NOT_TAKEN
from models.imaging.png import Stored
from models.imaging.storing import SENTINEL, is_outside, store
from models.imaging.suv import suv_factor
from schemas.images import Modality, Window

STORED_VALUE = "stored value"
RESCALED_VALUE = "rescaled value"
"""After a rescale whose unit the source does not tell."""

SUV = "SUVbw"

# Defined terms of Rescale Type (PS3.3 C.11.1.1.2) and of Units in PET (C.8.9.1.1.3) that name a unit.
_RESCALE_TYPES = {
    "HU": "HU", "OD": "0.001 optical density", "MGML": "mg/ml", "Z_EFF": "effective atomic number",
    "ED": "1e23 electrons/ml", "EDW": "electron density relative to water", "PCT": "%",
}  # fmt: skip
_FARTHEST_HU = 2**15
"""Slopes and intercepts beyond it make no Hounsfield units: 64512 is -1024 that was written as unsigned."""
_PET_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "CPS": "counts/s"}
_DOSE_UNITS = {"GY": "Gy", "RELATIVE": "relative dose"}

# What measures attenuation: of MR, PET or ultrasound "HU" is a mistake; and what measures activity.
_ATTENUATING: frozenset[Modality] = frozenset({"CT", "X-ray", "other", "unknown"})
_COUNTING: frozenset[Modality] = frozenset({"PET", "nuclear medicine", "other", "unknown"})
_MEASURED_BY: dict[str, frozenset[Modality]] = {
    "HU": _ATTENUATING, **dict.fromkeys((SUV, *_PET_UNITS.values()), _COUNTING),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantities:
    """Pixels and what they mean; fields as in models.imaging.frames.Frame."""

    stored: Stored
    slope: float
    intercept: float
    unit: str
    window: Window
    inverted: bool


def can_measure(modality: Modality, unit: str) -> bool:
    """Whether values of a modality can have a unit: no magnetic resonance is in HU."""
    return modality in _MEASURED_BY.get(unit, (modality,))


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
        CorruptPalette, MalformedAttribute: a lookup table is damaged.
    """
    bits = int(valid(header.number("BitsStored")) or samples.dtype.itemsize * 8)
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
            raise MalformedAttribute("ModalityLUTSequence")
        samples, padding = lookup.apply(samples), None
        unit = _table_unit(header, frame, item)
    fitted = store(samples, padding)
    slope, intercept = fitted.step * slope, fitted.base * slope + intercept
    known = fitted.known if padding is None or fitted.known is not None else is_outside(samples, padding)
    window = _window(header, frame, fitted.stored, slope, intercept, known)
    return Quantities(fitted.stored, slope, intercept, unit, window, inverted=_is_inverted(photometric, header))


def _table_unit(header: Header, frame: int, item: Dataset) -> str:
    unit = _RESCALE_TYPES.get(valid(header.code("ModalityLUTType", item)) or "", RESCALED_VALUE)
    attenuating = modality_of(header)[0] in _ATTENUATING and not is_localizer(header, frame)
    return RESCALED_VALUE if unit == "HU" and not attenuating else unit


def _is_inverted(photometric: str, header: Header) -> bool:
    """Whether low values are shown bright.

    Presentation LUT Shape says so where it is given, as DCMTK takes it, also where Photometric Interpretation says
    otherwise; both say the same thing in an object that holds to the standard (PS3.3 C.8.11.3), so nothing is
    turned over twice.
    """
    shape = header.code("PresentationLUTShape")
    return shape == "INVERSE" if shape in ("INVERSE", "IDENTITY") else photometric == "MONOCHROME1"


def rescale(header: Header, frame: int) -> tuple[float, float, str | None]:
    """Slope, intercept and unit of the modality transform; unit None where it is a lookup table instead.

    PS3.3 C.11.1 (Modality LUT), C.7.6.16.2.9 (per frame), C.8.8.3 (RT dose). Slope and intercept are both required, so
    where one is missing or malformed nothing is known of what the values mean: they stay as they are stored.
    """
    modality, code = modality_of(header)
    as_stored = 1.0, 0.0, STORED_VALUE
    scaling = header.number("DoseGridScaling") if code == "RTDOSE" else None
    if scaling is not None:
        units = valid(header.code("DoseUnits")) or ""
        return (scaling, 0.0, _DOSE_UNITS.get(units, RESCALED_VALUE)) if _scales(scaling) else as_stored
    macro = header.macro("PixelValueTransformationSequence", frame)
    # Where a writer gives both, the table: so do DCMTK and pydicom.
    if macro is None and header.items("ModalityLUTSequence"):
        return 1.0, 0.0, None
    slope = header.number("RescaleSlope", macro, header.dataset)
    intercept = header.number("RescaleIntercept", macro, header.dataset)
    if modality == "PET" and intercept is None:
        intercept = 0.0  # the only value that it may have (C.8.9.4)
    if not (_scales(slope) and isinstance(intercept, float) and abs(intercept) < SENTINEL):
        return as_stored
    unit = _rescaled_unit(header, frame, macro, modality)
    if unit == "HU" and max(abs(slope), abs(intercept)) > _FARTHEST_HU:
        unit = None
    if unit is None and modality == "PET":
        units = valid(header.code("Units")) or ""
        unit = _PET_UNITS.get(units)
        factor = suv_factor(header) if unit == "Bq/ml" else None
        if factor is not None:
            return slope * factor, intercept * factor, SUV
        if units == "GML" and header.code("SUVType") in (None, "BW"):
            unit = SUV
    return slope, intercept, unit or (STORED_VALUE if (slope, intercept) == (1, 0) else RESCALED_VALUE)


def _scales(slope: float | Malformed | None) -> TypeGuard[float]:
    """Whether values can be multiplied with it and still be told apart."""
    return isinstance(slope, float) and 1 / SENTINEL < abs(slope) < SENTINEL


def _rescaled_unit(header: Header, frame: int, macro: Dataset | None, modality: Modality) -> str | None:
    """By Rescale Type, or in CT by the lack of one (C.8.2.1).

    No Hounsfield units of a localizer, a projection, for which C.8.2.1 promises none, or of a picture of a screen;
    without a word of them, of an object of another class, an image of several energies or a map; or of a modality that
    does not measure attenuation.
    """
    kind = header.code("RescaleType", macro, header.dataset)
    if kind is None or (isinstance(kind, Malformed) and kind.empty):
        implied = modality == "CT" and not is_secondary_capture(header) and modality_of_class(header) in (None, "CT")
        implied = implied and header.code("MultienergyCTAcquisition") in (None, "NO")
        kind = "HU" if implied and not any(map(is_map, image_types(header, frame))) else None
    unit = _RESCALE_TYPES.get(valid(kind) or "")
    otherwise = modality not in _ATTENUATING or is_of_screen(header.words("ImageType"))
    return None if unit == "HU" and (otherwise or is_localizer(header, frame)) else unit


def _coloured(samples: NDArray[np.generic], bits: int) -> Quantities:
    """RGB of any depth, as 8 bits or scaled to 16, with the window of its whole range."""
    depth = 8 if bits <= 8 else 16
    if samples.dtype.kind == "i":
        samples = samples.view(np.dtype(f"u{samples.dtype.itemsize}"))
    shifted = samples.astype(np.uint64) << depth >> bits if bits != depth else samples
    stored = np.ascontiguousarray(shifted, dtype=np.uint8 if depth == 8 else np.uint16)
    return Quantities(stored, 1.0, 0.0, STORED_VALUE, windows.span(0, 2**depth - 1, "full range"), inverted=False)


def _padding(header: Header) -> tuple[float, float] | None:
    """Range of samples that mean "no pixel" (PS3.3 C.7.5.1.1.2; of floats C.7.6.24 and C.7.6.25)."""
    for kind in ("Float", "DoubleFloat"):
        value = valid(header.number(f"{kind}PixelPaddingValue"))
        if value is not None:
            limit = valid(header.number(f"{kind}PixelPaddingRangeLimit"))
            return min(value, limit if limit is not None else value), max(value, limit if limit is not None else value)
    value = valid(header.number("PixelPaddingValue"))
    if value is None:
        return None
    # Of a range whose other end is malformed the one is known.
    limit = valid(header.number("PixelPaddingRangeLimit"))
    bounds = [value, value if limit is None else limit]
    if header.number("PixelRepresentation") == 1:
        # Often written as unsigned beside signed pixels: 63536 for -2000.
        bounds = [bound - 2**16 if 2**15 <= bound < 2**16 else bound for bound in bounds]
    elif stored := valid(header.number("BitsStored")):
        # Of a sample only the stored bits are kept.
        bounds = [bound % 2**stored for bound in bounds]
    return min(bounds), max(bounds)


def _window(
    header: Header, frame: int, stored: Stored, slope: float, intercept: float, known: NDArray[np.bool_] | None
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
    return windows.from_values(stored, slope, intercept, known)


def _of_header(header: Header, frame: int, *, signed: bool) -> Iterator[Window | None]:
    """Of an unknown function, or of centers or widths that are malformed, nothing is known of any window."""
    macro = header.macro("FrameVOILUTSequence", frame)
    for item in header.items("VOILUTSequence", macro, header.dataset):
        lookup = read_lookup(header, item, signed=signed)
        yield windows.from_lookup(lookup) if lookup else None
    function = header.code("VOILUTFunction", macro, header.dataset)
    if isinstance(function, Malformed) and function.empty:
        function = None  # Type 3
    if function not in (None, "LINEAR", "LINEAR_EXACT", "SIGMOID"):
        return
    centers, widths = (valid(header.numbers(word, macro, header.dataset)) for word in ("WindowCenter", "WindowWidth"))
    for center, width in zip(centers or (), widths or (), strict=False):
        if not (abs(center) < SENTINEL and 0 < width < SENTINEL):
            continue
        if function == "SIGMOID":
            yield windows.sigmoid(center, width)
        else:
            yield windows.from_header(center, width, function == "LINEAR_EXACT")
