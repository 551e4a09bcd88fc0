"""What may be said of an image: the DICOM attributes of the allowlist, in closed vocabularies and plausible numbers.

Every string that leaves here is one of this package's own or a registered term. Knows nothing of pixels.
"""

import re
from collections.abc import Iterable
from typing import get_args

from pydicom import Dataset
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from models.imaging.contrast import contrast_agent
from models.imaging.header import Header, Malformed, valid
from models.imaging.image_types import is_of_screen, names_localizer
from models.imaging.sides import laterality_of, lies_in_patient
from models.imaging.vocabulary import organ_of
from models.imaging.weighting import weighting_of
from schemas.images import ImageMetadata, Modality, Spacing
from schemas.sidecars import View

# Defined terms of Modality (PS3.3 C.7.3.1.1.1; the codes of PS3.16 CID 29 and 32); any other code is not passed on.
_MODALITIES: dict[str, Modality] = {
    "CT": "CT", "MR": "MR", "CR": "X-ray", "DX": "X-ray", "RG": "X-ray", "RF": "X-ray", "XA": "X-ray", "IO": "X-ray",
    "PX": "X-ray", "BMD": "X-ray", "MG": "mammography", "US": "ultrasound", "IVUS": "ultrasound", "BDUS": "ultrasound",
    "PT": "PET", "NM": "nuclear medicine", "SM": "histopathology", "GM": "microscopy", "CFM": "microscopy",
    "ES": "endoscopy", "OP": "fundus photography", "OPT": "OCT", "OPTBSV": "OCT", "DMS": "dermoscopy",
    # Retired terms, which older files have: the same section says what took their place, of some by their names.
    "DS": "X-ray", "CF": "X-ray", "DF": "X-ray", "VF": "X-ray", "MA": "MR", "MS": "MR", "EC": "ultrasound",
    "CD": "ultrasound", "DD": "ultrasound", "ST": "nuclear medicine", "FA": "fundus photography",
    "FS": "fundus photography", "LP": "endoscopy", "CP": "endoscopy", "CS": "endoscopy", "AS": "endoscopy",
    "DM": "microscopy",
}  # fmt: skip
_OTHER_MODALITIES = frozenset({
    "XC", "OT", "SEG", "RTDOSE", "RTIMAGE", "OCT", "OPM", "OPTENF", "OSS", "IVOCT", "BI", "TG", "DG",
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
    "77.1.5.4": "OCT", "77.1.5.5": "fundus photography", "77.1.5.6": "fundus photography", "77.1.5.7": "other",
    "77.1.5.8": "OCT", "77.1.6": "histopathology", "77.1.7": "dermoscopy", "77.1.8": "microscopy",
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
# Ophthalmic photographs and tomograms are of the front of the eye too, and few photographs of the skin dermoscopic.
_FRONT_OF_THE_EYE = re.compile(r"CORNEA|IRIS|LENS|EYELID|CONJUNCTIVA|ANTERIOR|SCLERA|PUPIL")
_DERMOSCOPIC = re.compile(r"DERMAT?OSCOP")

# Modalities whose images are grey: coloured ones are renderings, fusions, or pages about them.
_GREY: frozenset[Modality] = frozenset({"CT", "MR", "X-ray", "PET", "mammography", "OCT", "nuclear medicine"})
_SURVEY = re.compile(r"(?<!SKELETAL )(?<!BONE )(?<![A-Z])(SURVEY|SMARTBRAIN)(?![A-Z])")

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

_VIEWS = frozenset(get_args(View))
# Terms of View Position by their codes: SNOMED CT, and SRT, as older files have them (PS3.16 CID 4010 and 4014).
_VIEW_CODES: dict[tuple[str, str], str] = {
    (scheme, code): view
    for view, codes in {
        "AP": "399348003 R-10206", "PA": "272479007 R-40888 R-10214", "LL": "399173006 R-10236",
        "RL": "399198007 R-10232", "LAT": "399067008 R-102CD", "CC": "399162004 R-10242", "MLO": "399368009 R-10226",
        "ML": "399260004 R-10224", "LM": "399352003 R-10228", "LMO": "399099002 R-10230", "FB": "399196006 R-10244",
        "XCCL": "399192008 R-1024A", "XCCM": "399101009 R-1024B", "SIO": "399188001 R-102D0",
        "ISO": "441555000 R-40AAA", "TAN": "399110001 R-102C2",
    }.items()
    for code in codes.split()
    for scheme in (("SRT", "SNM3", "99SDM") if code.startswith("R-") else ("SCT",))
}  # fmt: skip

_LOSSY = {JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless}
_DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "ProtocolName")
_CENTIMETRES = 3  # Physical Units, PS3.3 C.8.5.5.1.15
_TWO_DIMENSIONAL = 1  # Region Spatial Format, PS3.3 C.8.5.5.1.1
IMPLIED_ORGANS: dict[Modality, str] = {
    "mammography": "breast", "fundus photography": "retina", "OCT": "retina", "dermoscopy": "skin",
}  # fmt: skip


def modality_of(header: Header) -> tuple[Modality, str | None]:
    """The modality and its DICOM code.

    A secondary capture has the one that it names, unless it shows a screen: what pictures of screens say is `unknown`.
    """
    said = valid(header.code("Modality")) or ""
    code = said if said in _MODALITIES.keys() | _OTHER_MODALITIES | _WITHOUT_PIXELS else None
    kind = header.text("SOPClassUID") or ""
    if is_secondary_capture(header) and (said not in _MODALITIES or _shows_screen(header, _MODALITIES[said])):
        return "unknown", code
    kind = kind.removeprefix(_STORAGE)
    modality = _OF_VISIBLE_LIGHT.get(kind) or _MODALITIES.get(said)
    if modality is None:
        modality = "other" if said in _OTHER_MODALITIES else _OF_CLASS.get(kind, "other" if code else "unknown")
    anatomy = (header.text("CodeMeaning", region) for region in header.items("AnatomicRegionSequence"))
    if modality in ("fundus photography", "OCT") and _FRONT_OF_THE_EYE.search(_capitals(anatomy)):
        modality = "other"
    if said == "XC" and _DERMOSCOPIC.search(_capitals(header.text(keyword) for keyword in _DESCRIPTIONS)):
        modality = "dermoscopy"
    return modality, code


def modality_of_class(header: Header) -> Modality | None:
    """That of the images which the storage class is for; None where it is for several."""
    kind = (header.text("SOPClassUID") or "").removeprefix(_STORAGE)
    return _OF_VISIBLE_LIGHT.get(kind) or _OF_CLASS.get(kind)


def is_secondary_capture(header: Header) -> bool:
    """Whether the object is of one of the Secondary Capture storage classes (PS3.4 B.5)."""
    kind = header.text("SOPClassUID") or ""
    return kind == _SECONDARY_CAPTURE or kind.startswith(_SECONDARY_CAPTURE + ".")


def _shows_screen(header: Header, modality: Modality) -> bool:
    """Whether a secondary capture says that it is a screen or a page, or is coloured where its modality is not.

    A radiographic view is of the image itself.
    """
    if is_of_screen(header.words("ImageType")):
        return True
    coloured = header.number("SamplesPerPixel") == 3 or header.photometric == "PALETTE COLOR"
    return coloured and modality in _GREY and _view(header) is None


def image_types(header: Header, frame: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values of Image Type, and of the frame's own Frame Type."""
    macros = (header.macro(f"{kind}ImageFrameTypeSequence", frame) for kind in ("CT", "MR", "PET"))
    frame_type = next((words for macro in macros if macro and (words := header.words("FrameType", macro))), ())
    return header.words("ImageType"), frame_type


def is_localizer(header: Header, frame: int) -> bool:
    """Whether an image was made to plan others (a scout, topogram, survey), not to be read.

    By Image Type (PS3.3 C.8.2.1.1.1), the frame's own, Acquisition Type, Scan Options; or the description of a series
    of CT, MR or PET whose Image Type does not say AXIAL.
    """
    kinds = tuple(word for words in image_types(header, frame) for word in words)
    if any(map(names_localizer, (*kinds, *header.words("ScanOptions")))):
        return True
    acquisition = header.macro("CTAcquisitionTypeSequence", frame)
    if header.code("AcquisitionType", acquisition, header.dataset) == "CONSTANT_ANGLE":
        return True
    modality = valid(header.code("Modality"))
    if "AXIAL" in kinds or modality not in ("CT", "MR", "PT"):
        return False
    texts = [header.text("SeriesDescription"), *([header.text("ProtocolName")] if modality == "MR" else [])]
    named = _capitals(texts)
    return names_localizer(named) or (modality == "MR" and bool(_SURVEY.search(named)))


def _capitals(texts: Iterable[str | None]) -> str:
    return " ".join(text for text in texts if text).upper()


def read_metadata(header: Header, frame: int, frames: int) -> ImageMetadata:
    """The allowed metadata of one frame of a DICOM object."""
    modality, code = modality_of(header)
    geometry = header.macro("PlaneOrientationSequence", frame)
    measures = header.macro("PixelMeasuresSequence", frame)
    axes = header.numbers("ImageOrientationPatient", geometry, _reconstruction(header), header.dataset)
    plane, orientation = lies_in_patient(header, axes)
    localizer = is_localizer(header, frame)
    if localizer and modality == "CT":
        plane = None  # It is a projection.
    timing = header.macro("MRTimingAndRelatedParametersSequence", frame)
    tube = header.macro("CTXRayDetailsSequence", frame)
    return ImageMetadata(
        source_format="DICOM",
        modality=modality,
        modality_code=code,
        organ=_organ(header, frame) or IMPLIED_ORGANS.get(modality),
        plane=plane,
        view=_view(header),
        laterality=laterality_of(header, header.macro("FrameAnatomySequence", frame)),
        orientation=orientation,
        localizer=True if localizer else None,
        spacing=_spacing(header, measures),
        pixel_aspect_ratio=_aspect_ratio(header),
        slice_thickness_mm=_positive(header.number("SliceThickness", measures, header.dataset), 1000),
        contrast_agent=contrast_agent(header),
        repetition_time_ms=_positive(header.number("RepetitionTime", timing, header.dataset), 1e6),
        echo_time_ms=_echo_time(header, frame),
        weighting=weighting_of(header, frame) if modality == "MR" else None,
        magnetic_field_t=_positive(header.number("MagneticFieldStrength"), 30),
        tube_voltage_kv=_positive(header.number("KVP", tube, header.dataset), 25_000),
        frames_in_object=frames,
        lossy_compression=_lossy(header),
        transfer_syntax=header.syntax.name,
    )


def _positive(value: float | Malformed | None, most: float) -> float | None:
    return value if isinstance(value, float) and 0 < value <= most else None


def _organ(header: Header, frame: int) -> str | None:
    anatomy = header.macro("FrameAnatomySequence", frame)
    regions = header.items("AnatomicRegionSequence", anatomy, header.dataset)
    texts = [" ".join(header.words("BodyPartExamined")), *(header.text("CodeMeaning", region) for region in regions)]
    texts += [header.text(keyword) for keyword in _DESCRIPTIONS]
    return next((organ for text in texts if (organ := organ_of(text))), None)


def _view(header: Header) -> str | None:
    """By View Position and by code; None where they contradict each other."""
    codes = (
        (header.text("CodingSchemeDesignator", item) or "", header.text("CodeValue", item) or "")
        for item in header.items("ViewCodeSequence")
    )
    views = {_VIEW_CODES[code] for code in codes if code in _VIEW_CODES}
    views |= {said} if (said := valid(header.code("ViewPosition"))) in _VIEWS else set()
    if views & {"LL", "RL"}:
        views.discard("LAT")
    return views.pop() if len(views) == 1 else None


def _reconstruction(header: Header) -> Dataset | None:
    """Where a nuclear medicine tomogram keeps its orientation; those of a gamma camera's views are the detector's."""
    detectors = header.items("DetectorInformationSequence")
    return detectors[0] if detectors and "RECON TOMO" in header.words("ImageType") else None


def _spacing(header: Header, measures: Dataset | None) -> Spacing | None:
    """In the patient where the source tells, else at the detector or on the film; `source` says which.

    A malformed one gives none. Pixel Spacing of a projection that only repeats the detector's is no calibration (PS3.3
    10.7.1.3); and the detector's is larger than the patient's by the magnification, where that is known.
    """
    spacing = header.numbers("PixelSpacing", measures, header.dataset, count=2)
    detector = valid(header.numbers("ImagerPixelSpacing", count=2))
    magnification = header.number("EstimatedRadiographicMagnificationFactor")
    candidates = [("PixelSpacing", valid(spacing))]
    if detector and spacing in (None, detector) and not header.text("PixelSpacingCalibrationType"):
        if isinstance(magnification, float) and 1 <= magnification < 20:
            at_patient = tuple(value / magnification for value in detector)
            candidates.insert(0, ("EstimatedRadiographicMagnificationFactor", at_patient))
        else:
            candidates.insert(0, ("ImagerPixelSpacing", detector))
    candidates.append(("ImagerPixelSpacing", detector))
    candidates.append(("NominalScannedPixelSpacing", valid(header.numbers("NominalScannedPixelSpacing", count=2))))
    candidates.append(("SequenceOfUltrasoundRegions", _ultrasound_spacing(header)))
    for source, values in candidates:
        if values is not None and all(0 < value < 1000 for value in values):
            return Spacing(row_mm=values[0], column_mm=values[1], source=source)
    return None


def _aspect_ratio(header: Header) -> float | None:
    """Height of a pixel over its width (PS3.3 C.7.6.3.1.7), where it is not square."""
    ratio = valid(header.numbers("PixelAspectRatio", count=2))
    if ratio is None or min(ratio) <= 0 or ratio[0] == ratio[1] or not 1e-3 < ratio[0] / ratio[1] < 1e3:
        return None
    return ratio[0] / ratio[1]


def _ultrasound_spacing(header: Header) -> tuple[float, ...] | None:
    """Row and column spacing in mm, where all two-dimensional regions in centimetres agree on it."""
    found: set[tuple[float, ...] | None] = set()
    for region in header.items("SequenceOfUltrasoundRegions"):
        units = {header.number(f"PhysicalUnits{axis}Direction", region) for axis in "XY"}
        if units == {_CENTIMETRES} and header.number("RegionSpatialFormat", region) == _TWO_DIMENSIONAL:
            deltas = [valid(header.number(f"PhysicalDelta{axis}", region)) for axis in "YX"]
            lengths = tuple(abs(delta) * 10 for delta in deltas if delta)
            found.add(lengths if len(lengths) == 2 else None)
    return found.pop() if len(found) == 1 else None


def _echo_time(header: Header, frame: int) -> float | None:
    echo = header.macro("MREchoSequence", frame)
    effective = header.number("EffectiveEchoTime", echo)
    return _positive(header.number("EchoTime") if effective is None else effective, 1e5)


def _lossy(header: Header) -> bool | None:
    """True where the header says so or the transfer syntax cannot be lossless; JPEG 2000 can be either."""
    if header.syntax in _LOSSY:
        return True
    return {"01": True, "00": False, "1": True, "0": False}.get(valid(header.code("LossyImageCompression")) or "")
