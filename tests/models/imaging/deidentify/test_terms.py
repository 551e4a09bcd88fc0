"""Terms that the standard defines, by attribute: kept where it defines them, and nowhere else."""

import json
from importlib.resources import files

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from models.imaging.deidentify.values import safe_text

TERMS = json.loads((files("models.imaging.deidentify") / "terms.json").read_text())


@pytest.mark.parametrize(
    ("keyword", "terms"),
    [
        ("SUVType", "BSA BW LBM LBMJAMES128 LBMJANMA IBW"),
        ("VOILUTFunction", "LINEAR LINEAR_EXACT SIGMOID"),
        ("ContourGeometricType", "POINT OPEN_PLANAR OPEN_NONPLANAR CLOSED_PLANAR CLOSEDPLANAR_XOR"),
        ("DimensionOrganizationType", "3D 3D_TEMPORAL TILED_FULL TILED_SPARSE"),
        ("PixelPresentation", "MONOCHROME COLOR MIXED TRUE_COLOR COLOR_RANGE COLOR_REF"),
        ("VolumetricProperties", "VOLUME SAMPLED DISTORTED MIXED"),
        ("AcquisitionContrast", "DIFFUSION FLOW_ENCODED PERFUSION T1 T2 T2_STAR TOF"),
        ("CorrectedImage", "DECY ATTN SCAT DTIM MOTN PMOT CLN RAN RADL DCAL NORM UNIF LIN NCO NRGY"),
        ("RandomsCorrectionMethod", "DLYD SING NONE"),
        ("DoseSummationType", "PLAN MULTI_PLAN FRACTION BEAM BRACHY CONTROL_POINT RECORD"),
        ("ViewPosition", "AP PA LL RL RLD LLD RLO LLO"),
        ("PixelSpacingCalibrationType", "GEOMETRY FIDUCIAL"),
        ("SegmentationType", "BINARY FRACTIONAL LABELMAP"),
        ("SegmentAlgorithmType", "AUTOMATIC SEMIAUTOMATIC MANUAL"),
        ("PresentationLUTShape", "IDENTITY INVERSE"),
        ("Units", "CNTS BQML GML"),
        ("DecayCorrection", "NONE START ADMIN"),
        ("PatientPosition", "HFS HFP FFS FFP HFDR HFDL FFDR FFDL"),
        ("RTROIInterpretedType", "EXTERNAL PTV CTV GTV ORGAN"),
        ("ComplexImageComponent", "MAGNITUDE PHASE REAL IMAGINARY MIXED"),
        ("ScanOptions", "PER RG CG PPG FC PFF PFP SP FS"),
    ],
)
def test_defined_terms_stay(keyword: str, terms: str) -> None:
    """All that one attribute may say."""
    for term in terms.split():
        assert safe_text(keyword, "CS", term, terms=False) == term


def test_a_term_of_one_attribute_is_none_of_another() -> None:
    """SIGMOID says how values are windowed, and may be a name elsewhere."""
    assert not safe_text("SUVType", "CS", "SIGMOID", terms=True)
    assert not safe_text("ContourGeometricType", "CS", "LBM", terms=True)
    assert not safe_text("Units", "CS", "BARIUM", terms=True)


def test_every_listed_attribute_is_one_of_text() -> None:
    """What the data says is in the dictionary, and no value is longer than its VR allows, but one of the standard."""
    assert len(TERMS) > 500
    for keyword, terms in TERMS.items():
        vr = dictionary_VR(tag_for_keyword(keyword))
        assert vr in ("CS", "LO", "SH")
        assert all(0 < len(term) <= (64 if vr == "LO" else 17) for term in terms), keyword
