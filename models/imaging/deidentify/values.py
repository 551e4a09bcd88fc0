"""The second lock: of an attribute that table E.1-1 does not list, only a value that is known to be safe passes.

Safe are numbers, registered UIDs, terms that the standard defines, and words that are known here; never free text.
"""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from pydicom.charset import python_encoding
from pydicom.datadict import tag_for_keyword

from models.imaging.deidentify.codes import known_scheme
from models.imaging.deidentify.descriptors import known_terms
from models.imaging.photometric import term_of
from schemas.sidecars import View

FREE_TEXT = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
NEVER = frozenset({"AE", "AS", "PN", "UR"})
"""Names, addresses, ages and titles that the table does not list have no safe value."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
LONGEST = {"SH": 16, "LO": 64, "CS": 16, "ST": 1024}

_VENDORS_IMAGES = (
    r"[A-Z]\d?|[MRIP]\d?_(FFE|SE|TSE|IR|EPI|PCA|B0|B1)|ND|NORM|NORMAL|SE|FFE|FFT|MAG|MOSAIC|DIS[23]D|MEDIAN_IP|"
    r"CSA( MPR|PARALLEL|MANIP| RESAMPLED)?|CT_SOM\d (SPI|SEQ|TOP|PROT)|ABDOM/RAD|CARDIOLOGY|R?CB[FV]|MTT|TTP|TMAX|"
    r"WB|SUV|ZEFF|TRACEW( ADC)?|E?ADC|EXP|FA|FIELD_MAP|PHASE_MAP|IN_PHASE|OUT_OF_PHASE|MONO|MONOENERGETIC|MAX|MIN"
)
"""What makers write into Image Type (0008,0008) beside its defined terms."""

_PATTERNS: dict[str, re.Pattern[str]] = {
    word: re.compile(pattern)
    for word, pattern in {
        # CS
        "SpecificCharacterSet": "|".join(re.escape(name) for name in python_encoding),
        "PatientOrientation": r"[LRAPHF]{1,3}",
        "ViewPosition": "|".join(get_args(View)),
        "ContextIdentifier": r"(CID )?\d{1,5}",
        "TemplateIdentifier": r"(TID )?\d{1,5}",
        "LossyImageCompression": "0?[01]",
        "ImageType": _VENDORS_IMAGES,
        "FrameType": _VENDORS_IMAGES,
        "ScanOptions": r"(AXIAL|CINE|HELICAL|SCOUT)[ _]MODE|SAT[12]|[A-Z]{3,4}_GEMS",
        # LO, SH, UT
        "Manufacturer": r"(?i:GE|GEMS|GE (MEDICAL SYSTEMS|HEALTHCARE)|SIEMENS( HEALTHINEERS| HEALTHCARE GMBH)?|"
        r"PHILIPS( MEDICAL SYSTEMS| HEALTHCARE)?(,? INC\.?)?|TOSHIBA(_MEC)?|CANON(_MEC| INC\.?)?|HITACHI(, LTD\.?)?|"
        r"FUJIFILM( CORPORATION)?|FUJI PHOTO FILM CO\. ?,? LTD\.?|HOLOGIC,?( INC\.?)?|AGFA|KODAK|CARESTREAM( HEALTH)?|"
        r"SHIMADZU|SAMSUNG( MEDISON| ELECTRONICS)?|MINDRAY|ESAOTE|UIH|ACUSON|ADAC|PICKER|MARCONI|ELSCINT|VARIAN|ELEKTA|"
        r"KONICA MINOLTA|LEICA|ZEISS|HAMAMATSU|VENTANA|BRUKER|NEUSOFT|TOPCON|HEIDELBERG ENGINEERING|LORAD|SECTRA)",
        "RescaleType": "HU|US|OD|MGML|Z_EFF|ED|EDW|HU_MOD|PCT",
        "ModalityLUTType": "HU|US|OD|MGML|Z_EFF|ED|EDW|HU_MOD|PCT",
        "ConvolutionKernel": r"[A-Z]{1,2}\d{2}[a-z]?|STANDARD|STND|SOFT|BONE|BONEPLUS|LUNG|DETAIL|EDGE|CHEST|SHARP",
        "StackID": r"\d{1,4}",
        "ImagedNucleus": r"\d{0,3}[A-Z][a-z]?",
        "ResonantNucleus": r"\d{0,3}[A-Z]{1,2}",
        "TransferTubeNumber": r"\d{1,3}",
        "PositionReferenceIndicator": "SN|OM|XY|ILIAC CREST|IC|CORNEAL_VERTEX_[LR]|SLIDE_CORNER",
    }.items()
}


_IN_ANY_CASE = frozenset({"ImageType", "FrameType", "AcquisitionContrast", "ScanningSequence", "BodyPartExamined"})
"""Attributes whose terms the pipeline knows in small letters too."""

_FLAGS = frozenset({"YES", "NO", "Y", "N", "ON", "OFF", "TRUE", "FALSE", "NONE", "UNKNOWN", "OTHER", "NORMAL"})
"""Answers that attributes of VR CS share, listed for each or not."""


@lru_cache(maxsize=1)
def _defined_terms() -> dict[str, frozenset[str]]:
    listed: dict[str, list[str]] = json.loads((files(__package__ or __name__) / "terms.json").read_text())
    return {keyword: frozenset(terms) for keyword, terms in listed.items()}


def safe_text(keyword: str, vr: str, text: str, *, terms: bool) -> str:
    """What may pass of one value of a code string or a free text; empty where nothing may.

    Args:
        keyword: of the attribute.
        vr: CS or one of FREE_TEXT.
        text: the value.
        terms: a description may give the terms that are known in it (Clean Descriptors).
    """
    text = text.strip(" \0")
    if keyword == "PhotometricInterpretation":
        text = term_of(text)
    elif keyword in _IN_ANY_CASE:
        text = text.upper()
    pattern = _PATTERNS.get(keyword)
    if pattern is not None and pattern.fullmatch(text):
        return text
    if keyword == "CodingSchemeDesignator":
        return text if known_scheme(text) else ""
    if keyword == "DimensionDescriptionLabel" and tag_for_keyword(text) is not None:
        return text
    if text in _defined_terms().get(keyword, ()):
        return text
    if vr == "CS":
        return text if text in _FLAGS or text == known_terms(text) else ""
    return known_terms(text, LONGEST.get(vr, 1024)) if terms else ""


def safe_number(text: str) -> str:
    """A decimal or integer string that is a number, else empty."""
    return text if NUMBER.fullmatch(text.strip(" \0")) and len(text) <= 32 else ""


def safe_decimal(text: str) -> str:
    """The same, with a point where another language's comma stands: see models.imaging.header."""
    return safe_number(text.replace(",", "."))
