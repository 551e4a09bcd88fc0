"""Clean Descriptors (PS3.15 E.3.6): of a free text only the anatomical and imaging terms that are known here remain.

Knows nothing of DICOM attributes. A surname that is also a term (HAND) passes as the term.
"""

import itertools
import re

from models.imaging.vocabulary import CONTEXT, PHRASES

# No titles and frequent surnames, although they are terms: MRS (spectroscopy), WHITE and GRAY (matter), SHARP, REST.
_TERMS = frozenset(
    """
    CT CTA CBCT HRCT MR MRI MRA MRV CR DX XR PET PT NM SPECT US XA RF MG OCT DSA DXA ANGIO ANGIOGRAM ANGIOGRAPHY
    RADIOGRAPH XRAY FLUOROSCOPY TOMOSYNTHESIS ULTRASOUND SONOGRAPHY DOPPLER SCINTIGRAPHY LOCALIZER LOCALISER SCOUT
    TOPOGRAM SURVIEW SCANOGRAM SURVEY LOCALIZERS LOCALISERS LOKALIZER LOKALISER LOKALISATOR LOCALIZADOR LOCALISADOR
    LOCALIZZATORE LOCALISATEUR LOCATOR LOC NEEDLE WIRE PLANE SCOUTS SCOUTVIEW AAHSCOUT TOPO TOPOGRAMM TOPOGRAMS
    SURVIEWS SCANO SCANOGRAMS SCANOSCOPE PILOT UEBERSICHT REPERAGE SMARTBRAIN
    AXIAL CORONAL SAGITTAL OBLIQUE TRANSVERSE AX COR SAG TRA LONGITUDINAL FRONTAL LATERAL LAT AP PA
    LL RL MLO CC LEFT RIGHT BILATERAL ANTERIOR POSTERIOR SUPERIOR INFERIOR UPPER LOWER PROXIMAL DISTAL PRONE SUPINE
    ERECT STANDING T1 T2 T1W T2W PD PDW DWI ADC FLAIR STIR SWI DTI FMRI TOF DCE DSC ASL BOLD DIXON SPAIR SPIR FATSAT
    FS SE FSE TSE GRE EPI SSFP TRUFISP FIESTA BTFE HASTE SSFSE MPRAGE MP2RAGE SPGR FLASH VIBE THRIVE SPIN GRADIENT
    ECHO INVERSION RECOVERY DIFFUSION PERFUSION PHASE FIELD MAP MAPS MAPPING STAR T2STAR RHO T1RHO PERF R1 R2 B1
    RELAXOMETRY QUANTIFICATION QUANTITATIVE PARAMETRIC FIT TRACE CINE DYNAMIC STATIC HELICAL SPIRAL SEQUENTIAL
    GATED ECG CONTRAST NATIVE PLAIN ENHANCED UNENHANCED ARTERIAL VENOUS PORTAL DELAYED LATE WITH WITHOUT WO PRE POST
    GADOLINIUM IODINE FDG 18F 99M TC99M PSMA DOTATATE MIP MINIP MPR VR 2D 3D 4D THIN THICK SLICE AC NAC CTAC
    ATTENUATION CORRECTED UNCORRECTED STANDARD SOFT TISSUE BONE WINDOW KERNEL SMOOTH DETAIL HIGH LOW DOSE RESOLUTION
    REFORMAT RECONSTRUCTION AVERAGE MEAN MAXIMUM MINIMUM SUBTRACTION DERIVED ORIGINAL SCREENING DIAGNOSTIC BASELINE
    STRESS INSPIRATION EXPIRATION VIEW VIEWS PROTOCOL ROUTINE SERIES IMAGE LESION TUMOR TUMOUR TRUNK VESSEL VESSELS
    DERMOSCOPY DERMATOSCOPY DERMOSCOPIC DERMATOSCOPIC LENS EYELID CONJUNCTIVA SCLERA PUPIL
    ARTERY VEIN MUSCLE NERVE CARTILAGE TENDON LIGAMENT MARROW CORTEX VENTRICLE
    """.split()  # noqa: SIM905  # a list of 200 quoted words reads worse
)
_RUNS = re.compile(r"[A-Z0-9]+")
_WORDS = re.compile(r"[A-Z]+")
_LONGEST_PHRASE = max(len(phrase.split()) for phrase in PHRASES)


def known_terms(text: str, most: int = 64) -> str:
    """The known terms of a text in its order, upper case, at most `most` characters; empty where it has none.

    `organ_of` finds in them what it finds in the text.
    """
    words: list[str] = []
    for run in _RUNS.findall(text.upper()):
        words += [run] if run in _TERMS else _WORDS.findall(run)
    kept = [word in _TERMS for word in words]
    for size in range(1, _LONGEST_PHRASE + 1):
        for start in range(len(words) - size + 1):
            if " ".join(words[start : start + size]) in PHRASES:
                kept[start : start + size] = [True] * size
    # What stands beside a part and changes what it means stays with it.
    for order in (range(1, len(words)), range(len(words) - 2, -1, -1)):
        for at in order:
            beside = at - 1 if order.step > 0 else at + 1
            kept[at] |= words[at] in CONTEXT and kept[beside]
    terms = [word for word, keep in zip(words, kept, strict=True) if keep]
    ends = itertools.accumulate(len(term) + 1 for term in terms)
    return " ".join(terms[: sum(end - 1 <= most for end in ends)])
