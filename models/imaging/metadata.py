"""What may be said of an image: the DICOM attributes of the allowlist, in closed vocabularies and plausible numbers.

Every string that leaves here is one of this package's own or a registered term. Knows nothing of pixels.
"""

import math
import re
from collections.abc import Iterable
from typing import get_args

from pydicom import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from models.imaging.header import Header
from models.imaging.vocabulary import organ_of
from schemas.images import ImageMetadata, Laterality, Modality, Orientation, Plane, Side, Spacing
from schemas.sidecars import View

# Defined terms of Modality (PS3.3 C.7.3.1.1.1; the codes of PS3.16 CID 29 and 32); any other code is not passed on.
_MODALITIES: dict[str, Modality] = {
    "CT": "CT", "MR": "MR", "CR": "X-ray", "DX": "X-ray", "RG": "X-ray", "RF": "X-ray", "XA": "X-ray", "IO": "X-ray",
    "PX": "X-ray", "BMD": "X-ray", "MG": "mammography", "US": "ultrasound", "IVUS": "ultrasound", "BDUS": "ultrasound",
    "PT": "PET", "NM": "nuclear medicine", "SM": "histopathology", "GM": "microscopy", "CFM": "microscopy",
    "ES": "endoscopy", "OP": "fundus photography", "DMS": "dermoscopy",
    # Retired terms, which older files have: the same section says what took their place, of some by their names.
    "DS": "X-ray", "CF": "X-ray", "DF": "X-ray", "VF": "X-ray", "MA": "MR", "MS": "MR", "EC": "ultrasound",
    "CD": "ultrasound", "DD": "ultrasound", "ST": "nuclear medicine", "FA": "fundus photography",
    "FS": "fundus photography", "LP": "endoscopy", "CP": "endoscopy", "CS": "endoscopy", "AS": "endoscopy",
    "DM": "microscopy",
}  # fmt: skip
_OTHER_MODALITIES = frozenset({
    "XC", "OT", "SEG", "RTDOSE", "RTIMAGE", "OCT", "OPT", "OPM", "OPTENF", "OPTBSV", "OSS", "IVOCT", "BI", "TG", "DG",
    "LS", "PA", "HC",
})  # fmt: skip
# Of objects without pixels: where one has some all the same, its storage class tells more.
_WITHOUT_PIXELS = frozenset({
    "AR", "ASMT", "AU", "CTPROTOCOL", "DOC", "ECG", "EEG", "EMG", "EOG", "EPS", "FID", "HD", "IOL", "KER", "KO", "LEN",
    "M3D", "OAM", "OPR", "OPV", "PLAN", "POS", "PR", "REG", "RESP", "RTINTENT", "RTPLAN", "RTRAD", "RTRECORD",
    "RTSEGANN", "RTSTRUCT", "RWV", "SMR", "SR", "SRF", "STAIN", "TEXTUREMAP", "VA", "XAPROTOCOL",
})  # fmt: skip

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Storage classes of visible light (PS3.4 B.5), which tell more than Modality does.
_OF_VISIBLE_LIGHT: dict[str, Modality] = {
    "77.1.1": "endoscopy", "77.1.1.1": "endoscopy", "77.1.2": "microscopy", "77.1.2.1": "microscopy",
    "77.1.3": "histopathology", "77.1.5.1": "fundus photography", "77.1.5.2": "fundus photography",
    "77.1.5.4": "other", "77.1.5.5": "fundus photography", "77.1.5.6": "fundus photography", "77.1.5.7": "other",
    "77.1.5.8": "other", "77.1.6": "histopathology", "77.1.7": "dermoscopy", "77.1.8": "microscopy",
    "77.1.9": "microscopy",
}  # fmt: skip
# Of these, where Modality is missing or unknown.
_OF_CLASS: dict[str, Modality] = {
    "1": "X-ray", "1.1": "X-ray", "1.1.1": "X-ray", "1.2": "mammography", "1.2.1": "mammography", "1.3": "X-ray",
    "1.3.1": "X-ray", "2": "CT", "2.1": "CT", "2.2": "CT", "3.1": "ultrasound", "4": "MR", "4.1": "MR", "4.3": "MR",
    "4.4": "MR", "6.1": "ultrasound", "6.2": "ultrasound", "12.1": "X-ray", "12.1.1": "X-ray", "12.2": "X-ray",
    "12.2.1": "X-ray", "13.1.1": "X-ray", "13.1.2": "X-ray", "13.1.3": "mammography", "13.1.4": "mammography",
    "13.1.5": "mammography", "20": "nuclear medicine", "128": "PET", "128.1": "PET", "130": "PET",
}  # fmt: skip
# Ophthalmic photographs are of the front of the eye too, and photographs of the skin are seldom dermoscopic.
_FRONT_OF_THE_EYE = re.compile(r"CORNEA|IRIS|LENS|EYELID|CONJUNCTIVA|ANTERIOR|SCLERA|PUPIL")
_DERMOSCOPIC = re.compile(r"DERMAT?OSCOP")

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

_VIEWS = frozenset(get_args(View))
# Mammographic views, SNOMED CT and the older SRT codes (PS3.16 CID 4014).
_VIEW_CODES = {
    "399162004": "CC", "R-10242": "CC", "399368009": "MLO", "R-10226": "MLO", "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM", "399356000": "FB", "R-10244": "FB", "399011000": "XCC", "R-1024A": "XCC",
}  # fmt: skip

_LATERALITIES: dict[str, Laterality] = {"L": "left", "R": "right", "B": "both"}
_SIDES: dict[str, Side] = {
    "L": "patient left", "R": "patient right", "P": "posterior", "A": "anterior", "H": "head", "F": "feet",
}  # fmt: skip
_AXES: tuple[tuple[Side, Side], ...] = (
    ("patient right", "patient left"),
    ("anterior", "posterior"),
    ("feet", "head"),
)
"""Negative and positive end of the patient's x, y and z (PS3.3 C.7.6.2.1.1)."""

_PLANES: tuple[Plane, ...] = ("sagittal", "coronal", "axial")
_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless}
_DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName")
_CENTIMETRES = 3  # Physical Units, PS3.3 C.8.5.5.1.15
_TWO_DIMENSIONAL = 1  # Region Spatial Format, PS3.3 C.8.5.5.1.1
IMPLIED_ORGANS: dict[Modality, str] = {"mammography": "breast", "fundus photography": "retina", "dermoscopy": "skin"}


def modality_of(header: Header) -> tuple[Modality, str | None]:
    """The modality and its DICOM code. A secondary capture is `unknown`: a picture of a screen is not a CT."""
    said = header.text("Modality") or ""
    code = said if said in _MODALITIES.keys() | _OTHER_MODALITIES | _WITHOUT_PIXELS else None
    kind = header.text("SOPClassUID") or ""
    if kind == _SECONDARY_CAPTURE or kind.startswith(_SECONDARY_CAPTURE + "."):
        return "unknown", code
    kind = kind.removeprefix(_STORAGE)
    modality = _OF_VISIBLE_LIGHT.get(kind) or _MODALITIES.get(said)
    if modality is None:
        modality = "other" if said in _OTHER_MODALITIES else _OF_CLASS.get(kind, "other" if code else "unknown")
    anatomy = (header.text("CodeMeaning", region) for region in header.items("AnatomicRegionSequence"))
    if modality == "fundus photography" and _FRONT_OF_THE_EYE.search(_capitals(anatomy)):
        modality = "other"
    if said == "XC" and _DERMOSCOPIC.search(_capitals(header.text(keyword) for keyword in _DESCRIPTIONS)):
        modality = "dermoscopy"
    return modality, code


def _capitals(texts: Iterable[str | None]) -> str:
    return " ".join(text for text in texts if text).upper()


def read_metadata(header: Header, frame: int, frames: int) -> ImageMetadata:
    """The allowed metadata of one frame of a DICOM object."""
    modality, code = modality_of(header)
    geometry = header.macro("PlaneOrientationSequence", frame)
    measures = header.macro("PixelMeasuresSequence", frame)
    axes = header.numbers("ImageOrientationPatient", geometry, _reconstruction(header), header.dataset)
    plane, orientation = in_the_patient(axes)
    timing = header.macro("MRTimingAndRelatedParametersSequence", frame)
    tube = header.macro("CTXRayDetailsSequence", frame)
    return ImageMetadata(
        source_format="DICOM",
        modality=modality,
        modality_code=code,
        organ=_organ(header, frame) or IMPLIED_ORGANS.get(modality),
        plane=plane,
        view=_view(header),
        laterality=_laterality(header, frame),
        orientation=orientation or _radiograph_orientation(header),
        spacing=_spacing(header, measures),
        pixel_aspect_ratio=_aspect_ratio(header),
        slice_thickness_mm=_positive(header.number("SliceThickness", measures, header.dataset), 1000),
        contrast_agent=_contrast_agent(header),
        repetition_time_ms=_positive(header.number("RepetitionTime", timing, header.dataset), 1e6),
        echo_time_ms=_echo_time(header, frame),
        magnetic_field_t=_positive(header.number("MagneticFieldStrength"), 30),
        tube_voltage_kv=_positive(header.number("KVP", tube, header.dataset), 25_000),
        frames_in_object=frames,
        lossy_compression=_lossy(header),
        transfer_syntax=header.syntax.name,
    )


def _positive(value: float | None, most: float) -> float | None:
    return value if value is not None and 0 < value <= most else None


def _organ(header: Header, frame: int) -> str | None:
    anatomy = header.macro("FrameAnatomySequence", frame)
    regions = header.items("AnatomicRegionSequence", anatomy, header.dataset)
    texts = [header.text("BodyPartExamined"), *(header.text("CodeMeaning", region) for region in regions)]
    texts += [header.text(keyword) for keyword in _DESCRIPTIONS]
    return next((organ for text in texts if (organ := organ_of(text))), None)


def _view(header: Header) -> str | None:
    codes = (header.text("CodeValue", item) for item in header.items("ViewCodeSequence"))
    view = next((_VIEW_CODES[code] for code in codes if code in _VIEW_CODES), None) or header.text("ViewPosition")
    return view if view in _VIEWS else None


def _laterality(header: Header, frame: int) -> Laterality | None:
    anatomy = header.macro("FrameAnatomySequence", frame)
    code = header.text("FrameLaterality", anatomy)
    return _LATERALITIES.get(code or header.text("ImageLaterality") or header.text("Laterality") or "")


def in_the_patient(axes: tuple[float, ...]) -> tuple[Plane | None, Orientation | None]:
    """Plane within 20 degrees, else oblique; sides where an axis points within 30 degrees of one."""
    if len(axes) != 6:
        return None, None
    (rx, ry, rz), (dx, dy, dz) = right, down = axes[:3], axes[3:]
    if not all(math.isclose(math.hypot(*axis), 1, abs_tol=0.05) for axis in (right, down)):
        return None, None
    normal = (ry * dz - rz * dy, rz * dx - rx * dz, rx * dy - ry * dx)
    steepest = max(range(3), key=lambda axis: abs(normal[axis]))
    plane = _PLANES[steepest] if abs(normal[steepest]) >= math.cos(math.radians(20)) else "oblique"
    sides = side_of(right), side_of(down)
    return plane, Orientation(right=sides[0], down=sides[1]) if sides[0] and sides[1] else None


def _reconstruction(header: Header) -> Dataset | None:
    """Where a nuclear medicine tomogram keeps its orientation; those of a gamma camera's views are the detector's."""
    detectors = header.items("DetectorInformationSequence")
    return detectors[0] if detectors and "RECON TOMO" in header.words("ImageType") else None


def side_of(direction: tuple[float, ...]) -> Side | None:
    """The side of the patient within 30 degrees of a direction, LPS+."""
    axis = max(range(3), key=lambda index: abs(direction[index]))
    return _AXES[axis][direction[axis] > 0] if abs(direction[axis]) >= math.cos(math.radians(30)) else None


def _radiograph_orientation(header: Header) -> Orientation | None:
    """From Patient Orientation: the first letter of each value leads (PS3.3 C.7.6.1.1.1). Bipeds only."""
    if header.text("AnatomicalOrientationType") == "QUADRUPED":
        return None
    letters = header.words("PatientOrientation")
    if len(letters) != 2:
        return None
    right, down = letters
    if right[:1] in _SIDES and down[:1] in _SIDES:
        return Orientation(right=_SIDES[right[:1]], down=_SIDES[down[:1]])
    return None


def _spacing(header: Header, measures: Dataset | None) -> Spacing | None:
    """In the patient where the source tells, else at the detector or on the film; `source` says which.

    Pixel Spacing of a projection that only repeats the detector's is no calibration (PS3.3 10.7.1.3); and the
    detector's is larger than the patient's by the magnification, where that is known.
    """
    spacing = header.numbers("PixelSpacing", measures, header.dataset)
    detector = header.numbers("ImagerPixelSpacing")
    magnification = header.number("EstimatedRadiographicMagnificationFactor")
    candidates = [("PixelSpacing", spacing)]
    if len(detector) == 2 and spacing in ((), detector) and not header.text("PixelSpacingCalibrationType"):
        if magnification and 1 <= magnification < 20:
            at_patient = tuple(value / magnification for value in detector)
            candidates.insert(0, ("EstimatedRadiographicMagnificationFactor", at_patient))
        else:
            candidates.insert(0, ("ImagerPixelSpacing", detector))
    candidates.append(("ImagerPixelSpacing", detector))
    candidates.append(("NominalScannedPixelSpacing", header.numbers("NominalScannedPixelSpacing")))
    candidates.append(("SequenceOfUltrasoundRegions", _ultrasound_spacing(header)))
    for source, values in candidates:
        if len(values) == 2 and all(0 < value < 1000 for value in values):
            return Spacing(row_mm=values[0], column_mm=values[1], source=source)
    return None


def _aspect_ratio(header: Header) -> float | None:
    """Height of a pixel over its width (PS3.3 C.7.6.3.1.7), where it is not square."""
    ratio = header.numbers("PixelAspectRatio")
    if len(ratio) != 2 or min(ratio) <= 0 or ratio[0] == ratio[1]:
        return None
    return ratio[0] / ratio[1]


def _ultrasound_spacing(header: Header) -> tuple[float, ...]:
    """Row and column spacing in mm, where all two-dimensional regions in centimetres agree on it."""
    found: set[tuple[float, ...]] = set()
    for region in header.items("SequenceOfUltrasoundRegions"):
        units = {header.number(f"PhysicalUnits{axis}Direction", region) for axis in "XY"}
        if units == {_CENTIMETRES} and header.number("RegionSpatialFormat", region) == _TWO_DIMENSIONAL:
            deltas = [header.number(f"PhysicalDelta{axis}", region) for axis in "YX"]
            found.add(tuple(abs(delta) * 10 for delta in deltas if delta))
    return found.pop() if len(found) == 1 else ()


def _contrast_agent(header: Header) -> bool | None:
    return True if header.text("ContrastBolusAgent") or header.items("ContrastBolusAgentSequence") else None


def _echo_time(header: Header, frame: int) -> float | None:
    echo = header.macro("MREchoSequence", frame)
    effective = header.number("EffectiveEchoTime", echo)
    return _positive(effective if effective is not None else header.number("EchoTime"), 1e5)


def _lossy(header: Header) -> bool | None:
    """True where the header says so or the transfer syntax cannot be lossless; JPEG 2000 can be either."""
    if header.syntax in _LOSSY:
        return True
    return {"01": True, "00": False, "1": True, "0": False}.get(header.text("LossyImageCompression") or "")
