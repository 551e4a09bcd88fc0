"""Words for kinds of image, body parts, sides and findings, held against metadata and the labels of regions."""

import re

from models.describers.phrases import VIEWS, plural
from models.describers.verification.reading import Reading
from models.imaging.vocabulary import findings_in, organs_in
from schemas.images import Modality

_MODALITIES: dict[Modality, str] = {
    "CT": r"\bCT\b|computed tomogra\w*|\bCAT scan\w*",
    "MR": r"\bMRI?\b|magnetic resonance",
    "X-ray": r"\bx-?rays?\b|\bradiogra(?:ph|m)\w*|plain film\w*",
    "PET": r"\bPET\b|positron emission\w*",
    "ultrasound": r"\bultraso\w+|\bsonogra\w+|\bechogra\w+",
    "histopathology": r"\bhistopatholog\w*|\bhistolog\w*|\bH&E\b|\bbiopsy\b",
    "dermoscopy": r"\bderm(?:at)?oscop\w*",
    "fundus photography": r"\bfundus (?:photo\w*|image\w*)|\bfundoscop\w*",
    "endoscopy": r"\b(?:endo|colono|gastro|broncho)scop\w*",
    "microscopy": r"\bmicroscop\w*|\bmicrograph\w*",
    "nuclear medicine": r"\bnuclear medicine|\bscintigra\w*|\bSPECT\b",
    "mammography": r"\bmammogra\w*",
    "other": r"\bunlisted modality",
    "unknown": r"\bunknown modality",
}
_PATTERNS = {modality: re.compile(words, re.IGNORECASE) for modality, words in _MODALITIES.items()}
_ALSO: dict[Modality, frozenset[Modality]] = {
    "mammography": frozenset({"X-ray"}), "histopathology": frozenset({"microscopy"}),
    "PET": frozenset({"nuclear medicine"}),
}  # fmt: skip
"""What an image of one modality may be called beside it."""

_PLANE = re.compile(r"\b(axial|transverse|coronal|sagittal|oblique)\b", re.IGNORECASE)
_VIEW = re.compile(
    rf"\b({'|'.join(sorted(VIEWS.values(), key=len, reverse=True))})"
    r"(?=[\w -]{0,25}\b(?:view|projection|image|radiograph|mammogram|x-ray|photograph|of un))",
    re.IGNORECASE,
)
_VIEW_TERM = re.compile(r"\b(AP|PA|MLO)\b")
_CONTRAST = re.compile(
    r"\b(non-?contrast|without (?:intravenous |iv )?contrast\w*|unenhanced)\b|"
    r"\bcontrast[ -](?:agent|medium|material|enhanced)\b|\bwith (?:intravenous |iv )?contrast\b",
    re.IGNORECASE,
)
_SIDE = re.compile(r"\b(left|right|bilateral|both)\b", re.IGNORECASE)
_NO_SPACING = re.compile(r"\bwithout a recorded pixel spacing\b", re.IGNORECASE)
_LABELLED = re.compile(r"\b[a-z]+-(?:density|rich|uptake) (?:region|area|field)s?\b", re.IGNORECASE)
_IDIOM = re.compile(r"\bon the other hand\b", re.IGNORECASE)

# Tissue is no finding, and what sources call cells or background is none either.
_NO_FINDINGS = {
    "background", "cell", "gland", "epithelium", "stroma", "fat", "bone", "muscle", "vessel", "airway", "nucleus",
    "myocardium", "left ventricle", "right ventricle", "left atrium", "right atrium", "optic disc", "optic cup",
}  # fmt: skip
UNMEASURED = (
    "normal", "abnormal", "unremarkable", "benign", "malignant", "malignancy", "suspicious", "pathological", "acute",
    "chronic", "diagnostic of", "consistent with", "suggestive of", "suggesting", "indicating", "indicative",
    "spiculated", "lobulated", "well-circumscribed", "well-defined", "ill-defined", "irregular", "smooth", "rounded",
    "round", "oval", "calcified", "necrotic", "cystic", "enhancing", "enhancement", "infiltrating", "invasion",
    "invading", "metastatic", "inflammatory", "infection", "infected", "ischaemic", "ischemic", "atrophy", "swelling",
    "enlarged", "thickened", "dilated", "displaced", "T1", "T2", "FLAIR", "diffusion",
    "medial", "lateral", "proximal", "distal", "superior", "inferior", "ipsilateral", "contralateral",
)  # fmt: skip
"""Words that claim what no measurement of this pipeline can carry. The list is finite: others pass unseen."""
_UNMEASURED = re.compile(rf"\b(?:{'|'.join(re.escape(word) for word in UNMEASURED)})\b", re.IGNORECASE)

# An organ lies in these parts of the body: to name one of them instead is true, the reverse is not known.
_LIES_IN: dict[str, tuple[str, ...]] = {
    "chest": ("lung", "heart", "breast", "aorta", "oesophagus", "spine"),
    "abdomen": ("liver", "gallbladder", "pancreas", "spleen", "kidney", "stomach", "colon", "bowel", "aorta", "spine"),
    "pelvis": ("bladder", "prostate", "uterus", "ovary", "colon", "hip", "spine"),
    "head": ("brain", "skull", "eye", "retina", "teeth", "sinus", "ear"),
    "neck": ("thyroid", "spine", "oesophagus"),
    "eye": ("retina",), "skull": ("brain", "teeth", "sinus", "ear"),
    "arm": ("shoulder", "elbow", "forearm", "wrist", "hand"), "leg": ("hip", "knee", "ankle", "foot"),
    "extremity": ("arm", "leg", "shoulder", "elbow", "forearm", "wrist", "hand", "hip", "knee", "ankle", "foot"),
}  # fmt: skip


def check_labels(reading: Reading) -> None:
    """Names of regions, which may hold words that would be claims elsewhere: fat, X-rays, left ventricle."""
    labels = dict.fromkeys(region.label for _, region in reading.facts.regions.values())
    for label in sorted(labels, key=len, reverse=True):
        for match in reading.take(re.compile(rf"\b(?:{re.escape(plural(label))}|{re.escape(label)})", re.IGNORECASE)):
            before = reading.whole[: match.start()]
            said_of = reading.bound(match.start()) if re.search(r"\br\d+\b[^.;:]*$", before) else reading.scope
            owners = [index for index, region in said_of if region.label == label]
            if owners:
                reading.support(*(f"/regions/{index}/label" for index in owners[:1]))
            else:
                reading.contradict(f"the region it speaks of is not labelled '{label}'")
    for _ in reading.take(_LABELLED):
        reading.contradict("no region has the label that it gives one")


def check_kind(reading: Reading) -> None:
    """Modality, view, plane, contrast agent, spacing that is not there."""
    metadata = reading.facts.metadata
    terms = [VIEWS[match[1].upper()] for match in reading.take(_VIEW_TERM)]
    for said in [match[1].lower() for match in reading.take(_VIEW)] + terms:
        found = VIEWS.get(metadata.view or "")
        if found is not None and found.endswith(said):
            reading.support("/metadata/view")
        elif found is None:
            reading.doubt(f"it says {said}, and the source does not tell the view")
        else:
            reading.contradict(f"it says {said}, and the view is {found}", "/metadata/view")
    fitting = {metadata.modality} | _ALSO.get(metadata.modality, frozenset())
    for modality, pattern in _PATTERNS.items():
        if not reading.take(pattern):
            continue
        if modality in fitting:
            reading.support("/metadata/modality")
        elif metadata.modality in ("unknown", "other"):
            reading.doubt(f"it says {modality}, and the source does not tell the modality", "/metadata/modality")
        else:
            reading.contradict(f"it says {modality}, and the modality is {metadata.modality}", "/metadata/modality")
    for match in reading.take(_PLANE):
        said = match[1].lower().replace("transverse", "axial")
        if metadata.plane == said:
            reading.support("/metadata/plane")
        elif metadata.plane is None:
            reading.doubt(f"it says {said}, and the source does not tell the plane")
        else:
            reading.contradict(f"it says {said}, and the plane is {metadata.plane}", "/metadata/plane")
    for match in reading.take(_CONTRAST):
        if metadata.contrast_agent is None:
            reading.doubt("the source does not tell that about a contrast agent")
        elif bool(match[1]) == metadata.contrast_agent:
            reading.contradict("the source says otherwise about a contrast agent", "/metadata/contrast_agent")
        else:
            reading.support("/metadata/contrast_agent")
    for _ in reading.take(_NO_SPACING):
        if metadata.spacing is None:
            reading.support()
        else:
            reading.contradict("the pixel spacing is recorded", "/metadata/spacing/row_mm")


def check_body(reading: Reading) -> None:
    """Organs, sides of the patient, diseases and what else no measurement carries."""
    reading.take(_IDIOM)
    _organs(reading)
    _sides(reading)
    metadata = reading.facts.metadata
    for found in sorted(findings_in(reading.rest) - _NO_FINDINGS):
        if found == metadata.disease:
            reading.support("/metadata/disease")
        else:
            reading.doubt(f"it names '{found}', which neither the source nor a region's label does")
    for match in reading.take(_UNMEASURED):
        reading.doubt(f"it says '{match[0].lower()}', which was not measured")


def _organs(reading: Reading) -> None:
    organ = reading.facts.metadata.organ
    for said in sorted(organs_in(reading.rest)):
        if said == organ or (organ is not None and organ in _LIES_IN.get(said, ())):
            reading.support("/metadata/organ")
        elif organ is None:
            reading.doubt(f"it names the {said}, and the source names no organ")
        elif organ == "whole body" or said in _LIES_IN.get(organ, ()) or said == "whole body":
            reading.doubt(f"it names the {said}, and the source says {organ} only", "/metadata/organ")
        else:
            reading.contradict(f"it names the {said}, and the source says {organ}", "/metadata/organ")


def _sides(reading: Reading) -> None:
    laterality = reading.facts.metadata.laterality
    for match in reading.take(_SIDE):
        said = match[1].lower().replace("bilateral", "both")
        if laterality is not None:
            if said == laterality:
                reading.support("/metadata/laterality")
            elif laterality == "both" or said == "both":
                reading.doubt(f"it says {said}, and the laterality is {laterality}", "/metadata/laterality")
            else:
                reading.contradict(f"it says {said}, and the laterality is {laterality}", "/metadata/laterality")
            continue
        sides = {(index, side) for index, region in reading.bound(match.start()) for side in _patient_sides(region)}
        pointers = [f"/regions/{index}/position" for index, side in sides if side == said or said == "both"]
        if {side for _, side in sides} == ({"left", "right"} if said == "both" else {said}):
            reading.support(*sorted(pointers))
        elif said == "both" or not sides:
            reading.doubt(f"it says {said}, and neither laterality nor orientation tells the side")
        else:
            reading.contradict(f"it says {said}, and the patient's side is the other one")


def _patient_sides(region: object) -> list[str]:
    return re.findall(r"patient's (left|right)", getattr(region, "position", ""))
