"""The words for body parts, diseases and marked regions that may leave preprocess, and how they are recognised.

Free text goes in, a word of this list or nothing comes out. Knows nothing of DICOM.
"""

import re
from functools import lru_cache

# Organs before the regions that hold them.
_PHRASES: dict[str, str] = {
    "whole body": "WHOLEBODY|WHOLE BODY|TOTAL BODY|EYES TO THIGHS|SKULL BASE TO THIGH",
    "brain": "BRAIN|CEREBRUM|CEREBRAL|CEREBELLUM|ENCEPHALON|HYPOPHYSIS|PITUITARY|HIPPOCAMPUS|CRANE|GEHIRN|CEREBRO",
    "retina": "RETINA|RETINAL|MACULA|OPTIC DISC|FUNDUS OCULI",
    "eye": "EYE|EYES|ORBIT|ORBITS|CORNEA",
    "thyroid": "THYROID",
    "heart": "HEART|CARDIAC|CARDIO|CORONARY|CORONARIES|MYOCARDIUM|MYOCARDIAL|LEFT VENTRICLE|RIGHT VENTRICLE|"
             "ECHOCARDIOGRAM|ECHOCARDIOGRAPHY|HERZ",
    "lung": "LUNG|LUNGS|PULMONARY|BRONCHUS|BRONCHI|LUNGE",
    "breast": "BREAST|BREASTS|MAMMOGRAPHY|MAMMOGRAM|MAMMO|MAMMA",
    "liver": "LIVER|HEPATIC|LEBER|HIGADO|FOIE",
    "gallbladder": "GALLBLADDER|GALL BLADDER|BILEDUCT|BILE DUCT|MRCP",
    "pancreas": "PANCREAS|PANCREATIC",
    "spleen": "SPLEEN|SPLENIC",
    "kidney": "KIDNEY|KIDNEYS|RENAL|UROGRAM|UROGRAPHY",
    "bladder": "BLADDER|URINARY BLADDER",
    "stomach": "STOMACH|GASTRIC|GASTROSCOPY",
    "oesophagus": "ESOPHAGUS|OESOPHAGUS|OESOPHAGEAL|ESOPHAGEAL",
    "colon": "COLON|RECTUM|COLONOSCOPY|COLONOGRAPHY",
    "bowel": "BOWEL|DUODENUM|ILEUM|JEJUNUM|INTESTINE|SMALL BOWEL",
    "prostate": "PROSTATE|PROSTATIC",
    "uterus": "UTERUS|ENDOMETRIUM|CERVIX UTERI",
    "ovary": "OVARY|OVARIES",
    "testis": "TESTIS|TESTES|SCROTUM",
    "fetus": "FETUS|FETAL|FOETUS|OBSTETRIC|OBSTETRICAL",
    "aorta": "AORTA|AORTIC",
    "skin": "SKIN|DERMIS|EPIDERMIS",
    "lymph node": "LYMPH NODE|LYMPH NODES",
    "spine": "SPINE|CSPINE|TSPINE|LSPINE|SSPINE|CTSPINE|TLSPINE|LSSPINE|SPINAL|VERTEBRA|VERTEBRAE|SACRUM|COCCYX|LUMBAR|"
             "C SPINE|T SPINE|L SPINE|WIRBELSAEULE",
    "skull": "SKULL|CALVARIA|MANDIBLE|MAXILLA|ZYGOMA",
    "teeth": "TEETH|TOOTH|DENTAL|JAW",
    "sinus": "SINUS|SINUSES|PARANASAL SINUS",
    "ear": "EAR|EARS|IAC|TEMPORAL BONE",
    "shoulder": "SHOULDER|SHOULDERS|CLAVICLE|SCAPULA|ACJOINT|SCHULTER",
    "elbow": "ELBOW|ELBOWS",
    "forearm": "FOREARM|RADIUS|ULNA",
    "wrist": "WRIST|WRISTS",
    "hand": "HAND|HANDS|FINGER|FINGERS|THUMB",
    "arm": "ARM|ARMS|HUMERUS|UPPER ARM|UPPER LIMB",
    "hip": "HIP|HIPS|HUEFTE|FEMORAL NECK|FEMORAL HEAD",
    "knee": "KNEE|KNEES|PATELLA|KNIE",
    "ankle": "ANKLE|ANKLES|CALCANEUS",
    "foot": "FOOT|FEET|TOE|TOES|HEEL",
    "leg": "LEG|LEGS|FEMUR|THIGH|TIBIA|FIBULA|CALF|LOWER LIMB",
    "extremity": "EXTREMITY|EXTREMITIES",
    "chest": "CHEST|THORAX|THORACIC|RIB|RIBS|STERNUM|MEDIASTINUM|TORAX",
    "abdomen": "ABDOMEN|ABDOMINAL|ABDO|RETROPERITONEUM",
    "pelvis": "PELVIS|PELVIC|BECKEN",
    "neck": "NECK|LARYNX|PHARYNX|CAROTID|HALS",
    "head": "HEAD|FACE|FACIAL|KOPF|TETE|CRANIUM|CRANIAL",
    "skeleton": "SKELETON|SKELETAL SURVEY|BONE SCAN|WHOLE BODY BONE",
    "blood": "BLOOD SMEAR|PERIPHERAL BLOOD",
}  # fmt: skip

# The regions that hold a part: named beside it, they are where it lies, and no second part.
_HELD_BY: dict[str, str] = {
    "brain": "head|skull", "retina": "eye|head", "eye": "head", "thyroid": "neck", "heart": "chest", "lung": "chest",
    "breast": "chest", "liver": "abdomen", "gallbladder": "abdomen|liver", "pancreas": "abdomen", "spleen": "abdomen",
    "kidney": "abdomen", "bladder": "pelvis|abdomen", "stomach": "abdomen", "oesophagus": "chest|neck",
    "colon": "abdomen|pelvis|bowel", "bowel": "abdomen|pelvis", "prostate": "pelvis", "uterus": "pelvis",
    "ovary": "pelvis", "testis": "pelvis", "fetus": "uterus|pelvis|abdomen", "aorta": "chest|abdomen",
    "spine": "neck|chest|abdomen|pelvis", "skull": "head", "teeth": "head|skull", "sinus": "head|skull",
    "ear": "head|skull", "shoulder": "arm|extremity", "elbow": "arm|extremity", "forearm": "arm|extremity",
    "wrist": "forearm|arm|extremity", "hand": "arm|extremity", "arm": "extremity", "hip": "pelvis|leg|extremity",
    "knee": "leg|extremity", "ankle": "leg|extremity", "foot": "leg|extremity", "leg": "extremity",
}  # fmt: skip
# Of these, parts of all kinds: of "whole body" any other word in the text is a part.
_OF_ANY_PART = frozenset({"skin", "lymph node", "skeleton", "blood"})

# Terms of Body Part Examined (PS3.16 CID 4031) that are several parts.
_SEVERAL = {
    "CHESTABDOMEN": "CHEST ABDOMEN", "CHESTABDPELVIS": "CHEST ABDOMEN PELVIS", "ABDOMENPELVIS": "ABDOMEN PELVIS",
    "HEADNECK": "HEAD NECK", "NECKCHEST": "NECK CHEST", "NECKCHESTABDOMEN": "NECK CHEST ABDOMEN",
    "NECKCHESTABDPELV": "NECK CHEST ABDOMEN PELVIS", "LOWEXTREMITY": "LOWER LIMB",
}  # fmt: skip

# The more exact before the more general.
_DISEASES: dict[str, str] = {
    "COVID-19": "COVID|COVID ?19|SARS COV 2",
    "tuberculosis": "TUBERCULOSIS|TB",
    "pneumonia": "PNEUMONIA|BRONCHOPNEUMONIA",
    "pneumothorax": "PNEUMOTHORAX",
    "pleural effusion": "PLEURAL EFFUSION",
    "pulmonary embolism": "PULMONARY EMBOLISM",
    "pulmonary fibrosis": "PULMONARY FIBROSIS|INTERSTITIAL LUNG DISEASE|ILD",
    "emphysema": "EMPHYSEMA|COPD",
    "atelectasis": "ATELECTASIS",
    "cardiomegaly": "CARDIOMEGALY",
    "heart failure": "HEART FAILURE",
    "myocardial infarction": "MYOCARDIAL INFARCTION",
    "aneurysm": "ANEURYSM",
    "aortic dissection": "AORTIC DISSECTION",
    "lung cancer": "LUNG CANCER|LUNG CARCINOMA|LUNG ADENOCARCINOMA|NSCLC",
    "breast cancer": "BREAST CANCER|BREAST CARCINOMA|DUCTAL CARCINOMA|LOBULAR CARCINOMA",
    "prostate cancer": "PROSTATE CANCER|PROSTATE CARCINOMA",
    "liver cancer": "LIVER CANCER|HEPATOCELLULAR CARCINOMA|HCC",
    "kidney cancer": "KIDNEY CANCER|RENAL CELL CARCINOMA",
    "pancreatic cancer": "PANCREATIC CANCER|PANCREAS CANCER|PANCREATIC ADENOCARCINOMA",
    "colorectal cancer": "COLORECTAL CANCER|COLON CANCER|RECTAL CANCER|COLON ADENOCARCINOMA",
    "gastric cancer": "GASTRIC CANCER|STOMACH CANCER",
    "oesophageal cancer": "O?ESOPHAGEAL CANCER",
    "bladder cancer": "BLADDER CANCER|UROTHELIAL CARCINOMA",
    "thyroid cancer": "THYROID CANCER|THYROID CARCINOMA",
    "cervical cancer": "CERVICAL CANCER",
    "ovarian cancer": "OVARIAN CANCER",
    "glioblastoma": "GLIOBLASTOMA|GBM",
    "glioma": "GLIOMA|ASTROCYTOMA|OLIGODENDROGLIOMA",
    "meningioma": "MENINGIOMA",
    "pituitary tumour": "PITUITARY TUMOU?R|PITUITARY ADENOMA",
    "brain tumour": "BRAIN TUMOU?R",
    "lymphoma": "LYMPHOMA",
    "leukaemia": "LEUKA?EMIA",
    "multiple sclerosis": "MULTIPLE SCLEROSIS",
    "Alzheimer's disease": "ALZHEIMER S? ?DISEASE|ALZHEIMERS? DISEASE",
    "intracranial haemorrhage": "INTRACRANIAL HA?EMORRHAGE|SUBDURAL|EPIDURAL|SUBARACHNOID|INTRACEREBRAL HA?EMORRHAGE",
    "stroke": "STROKE|CEREBRAL INFARCTION|BRAIN INFARCTION",
    "cirrhosis": "CIRRHOSIS",
    "fatty liver": "FATTY LIVER|STEATOSIS",
    "kidney stone": "KIDNEY STONES?|NEPHROLITHIASIS",
    "gallstone": "GALLSTONES?|CHOLELITHIASIS",
    "appendicitis": "APPENDICITIS",
    "colitis": "COLITIS|CROHN S? ?DISEASE",
    "polyp": "POLYPS?",
    "fracture": "FRACTURES?",
    "osteoarthritis": "OSTEOARTHRITIS",
    "osteoporosis": "OSTEOPOROSIS",
    "scoliosis": "SCOLIOSIS",
    "melanoma": "MELANOMA",
    "basal cell carcinoma": "BASAL CELL CARCINOMA|BCC",
    "squamous cell carcinoma": "SQUAMOUS CELL CARCINOMA|SCC",
    "actinic keratosis": "ACTINIC KERATOSIS",
    "seborrhoeic keratosis": "SEBORRHO?EIC KERATOSIS|BENIGN KERATOSIS",
    "dermatofibroma": "DERMATOFIBROMA",
    "naevus": "NA?EVUS|NA?EVI",
    "diabetic retinopathy": "DIABETIC RETINOPATHY",
    "glaucoma": "GLAUCOMA",
    "macular degeneration": "MACULAR DEGENERATION|AMD",
    "cataract": "CATARACT",
    "malaria": "MALARIA",
    "metastasis": "METASTAS[IE]S",
    "adenocarcinoma": "ADENOCARCINOMA",
    "carcinoma": "CARCINOMA",
    "healthy": "HEALTHY|NO FINDINGS?",
}  # fmt: skip

# What masks and boxes mark beside organs and diseases.
_MARKED: dict[str, str] = {
    "gross tumour volume": "GTV[A-Z]?|GROSS TUMOU?R VOLUME",
    "clinical target volume": "CTV|CLINICAL TARGET VOLUME",
    "planning target volume": "PTV|PLANNING TARGET VOLUME",
    "body outline": "BODY OUTLINE",
    "non-enhancing tumour": "NON ?ENHANCING TUMOU?R",
    "enhancing tumour": "ENHANCING TUMOU?R",
    "tumour core": "TUMOU?R CORE",
    "tumour": "TUMOU?R|NEOPLASM",
    "ground-glass opacity": "GROUND GLASS|GGO",
    "consolidation": "CONSOLIDATION",
    "opacity": "OPACITY|INFILTRATE|INFILTRATION",
    "nodule": "NODULES?",
    "mass": "MASS",
    "cyst": "CYSTS?",
    "lesion": "LESIONS?",
    "necrosis": "NECROSIS|NECROTIC",
    "oedema": "O?EDEMA",
    "haemorrhage": "HA?EMORRHAGES?|BLEEDING",
    "effusion": "EFFUSION",
    "infarction": "INFARCT|INFARCTION",
    "calcification": "CALCIFICATIONS?|MICROCALCIFICATIONS?",
    "stone": "STONES?|CALCULUS|CALCULI",
    "thrombus": "THROMBUS",
    "plaque": "PLAQUE",
    "hard exudate": "HARD EXUDATES?",
    "soft exudate": "SOFT EXUDATES?|COTTON WOOL SPOTS?",
    "microaneurysm": "MICROANEURYSMS?",
    "optic cup": "OPTIC CUP",
    "optic disc": "OPTIC DIS[CK]",
    "left ventricle": "LEFT VENTRICLE|LEFT VENTRICULAR",
    "right ventricle": "RIGHT VENTRICLE|RIGHT VENTRICULAR",
    "left atrium": "LEFT ATRIUM",
    "right atrium": "RIGHT ATRIUM",
    "myocardium": "MYOCARDIUM",
    "airway": "AIRWAYS?|TRACHEA",
    "vessel": "VESSELS?|ARTERY|VEIN",
    "nucleus": "NUCLEUS|NUCLEI",
    "cell": "CELLS?|LYMPHOCYTES?|NEUTROPHILS?",
    "gland": "GLANDS?|GLANDULAR",
    "epithelium": "EPITHELIUM|EPITHELIAL",
    "stroma": "STROMA|STROMAL",
    "muscle": "MUSCLES?",
    "fat": "FAT|ADIPOSE",
    "bone": "BONES?",
    "implant": "IMPLANTS?|PACEMAKER|CATHETER",
    "instrument": "INSTRUMENTS?|FORCEPS|SNARE",
    "background": "BACKGROUND",
}  # fmt: skip

MARKED_REGION = "annotated region"
"""The label of a region whose name is no word of the vocabulary."""

ORGANS: frozenset[str] = frozenset(_PHRASES)
"""Every value that `ImageMetadata.organ` can have."""

PHRASES: frozenset[str] = frozenset(phrase for phrases in _PHRASES.values() for phrase in phrases.split("|")) | {
    *_SEVERAL, "C ARM", "O ARM", "G ARM",
}  # fmt: skip
"""Every phrase that `organ_of` knows: words in capitals, one space between."""

CONTEXT: frozenset[str] = frozenset(
    {
        # from one part to another
        "TO", "THRU", "THROUGH", "MID", "VERTEX",
        # a part of one part that is named like another
        "OF", "THE", "BASE", "TAIL", "FEMORAL", "HUMERAL", "RADIAL", "FIBULAR",
        # what is named after a part, and is none
        "COIL", "COILS", "ARRAY", "PHASED", "WINDOW", "WINDOWS", "KERNEL", "ALGORITHM", "FILTER", "SETTING", "SETTINGS",
        "FIRST", "HOLDER", "REST", "RATE", "GATED", "GATING", "TRIGGER", "TRIGGERED", "TRIGGERING", "INJECTION",
        "INJECTED", "BOLUS", "UP", "DOWN", "RAISED", "SIDE",
    }
)  # fmt: skip
"""Words that change what the word of a body part beside them means to `organ_of`."""

DISEASES: frozenset[str] = frozenset(_DISEASES)
"""Every value that `ImageMetadata.disease` can have."""

_Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def _patterns(phrases: dict[str, str]) -> _Patterns:
    return tuple(
        (word, re.compile(rf"(?<![A-Z0-9])(?:{one.replace(' ', ' +').replace(' +?', ' ?')})(?![A-Z0-9])"))
        for word, one in phrases.items()
    )


_ORGAN_PATTERNS, _DISEASE_PATTERNS, _MARKED_PATTERNS = map(_patterns, (_PHRASES, _DISEASES, _MARKED))
_SEPARATORS = re.compile(r"[^A-Z]+")
_SEPARATORS_OF_NAMES = re.compile(r"[^A-Z0-9]+")
_MOST_IN_A_LABEL = 40
_SIDED = re.compile(r"(?<![A-Z])(LEFT|RIGHT)(?![A-Z])")


def _first(patterns: _Patterns, words: str) -> str | None:
    return next((word for word, pattern in patterns if pattern.search(words)), None)


# Any body part's phrase, the longest first.
_PART = "(?:" + "|".join(sorted(PHRASES - {"C ARM", "O ARM", "G ARM"}, key=len, reverse=True)) + ")"
_UPPERMOST = r"(?:SKULL BASE|BASE OF (?:THE )?SKULL|SKULL|HEAD|VERTEX|BRAIN|EYES?|ORBITS?)"
_LOWERMOST = r"(?:(?:MID|UPPER|LOWER|PROXIMAL|DISTAL) )?(?:THIGHS?|KNEES?|FEET|FOOT|TOES?|LEGS?|FEMUR|ANKLES?|CALF)"
_REWRITTEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![A-Z])(?:{pattern})(?![A-Z])"), instead)
    for pattern, instead in (
        *((term, parts) for term, parts in _SEVERAL.items()),
        (rf"{_UPPERMOST} (?:TO|THRU|THROUGH) (?:THE )?{_LOWERMOST}", "WHOLE BODY"),
        (r"[COG] ARM", " "),
        (r"(?:HANDS?|ARMS?) (?:UP|DOWN|RAISED)|(?:LEFT|RIGHT) HAND SIDE", " "),
        # What is named after parts, and is none.
        (
            (
                rf"{_PART}(?: {_PART})*(?: PHASED)?(?: ARRAY)? COILS?|{_PART}(?: PHASED)? ARRAY|"
                rf"{_PART} (?:WINDOWS?|KERNEL|ALGORITHM|FILTER|SETTINGS?|FIRST|HOLDER|REST|RATE|GATED|GATING|"
                r"TRIGGER(?:ED|ING)?|INJECTION|INJECTED|BOLUS)"
            ),
            " ",
        ),
        # The neck of the femur is at the hip; of other parts head, neck, body, base and tail are parts of them.
        (r"(?:HEAD|NECK) OF (?:THE )?(?:FEMUR|HIP)|(?:FEMORAL|FEMUR) (?:HEAD|NECK)", "HIP"),
        (r"HUMERAL (?:HEAD|NECK)", "SHOULDER"),
        (r"(?:RADIAL|RADIUS) (?:HEAD|NECK)", "ELBOW"),
        (r"FIBULAR (?:HEAD|NECK)", "KNEE"),
        (rf"(?:HEAD|NECK|BASE|TAIL) OF (?:THE )?({_PART})", r"\1"),
        (r"(?<=PANCREAS )(?:HEAD|NECK|TAIL)|(?<=PANCREATIC )(?:HEAD|NECK|TAIL)|(?<=BLADDER )NECK", " "),
    )
)


def organ_of(text: str | None) -> str | None:
    """The organ or body part that a text names, in the vocabulary's words.

    None where it names none, or several of which no one holds the others: of a title for chest and abdomen nobody knows
    which of them an image shows. A part is named beside the regions that hold it ("ABDOMEN LIVER": the liver).
    """
    if not text:
        return None
    words = _SEPARATORS.sub(" ", text.upper())
    for pattern, instead in _REWRITTEN:
        words = pattern.sub(instead, words)
    named = [word for word, pattern in _ORGAN_PATTERNS if pattern.search(words)]
    if "whole body" in named:
        return "whole body"
    parts = [word for word in named if word not in _OF_ANY_PART] or named[:1]
    for part in parts:
        if all(other == part or other in _HELD_BY.get(part, "").split("|") for other in parts):
            return next((word for word in named if word in _OF_ANY_PART), part) if len(named) > len(parts) else part
    return None


def leading_organ(text: str) -> str | None:
    """The organ of a text of the literature that stands first in the vocabulary, whatever else it names."""
    return _first(_ORGAN_PATTERNS, _SEPARATORS.sub(" ", text.upper()))


def disease_of(text: str | None) -> str | None:
    """The disease that a text names, in the vocabulary's words; None where it names none."""
    return _first(_DISEASE_PATTERNS, _SEPARATORS_OF_NAMES.sub(" ", text.upper())) if text else None


def organs_in(text: str) -> frozenset[str]:
    """Every organ and body part that a text names, in the vocabulary's words."""
    words = _SEPARATORS.sub(" ", text.upper())
    return frozenset(word for word, pattern in _ORGAN_PATTERNS if pattern.search(words))


def findings_in(text: str) -> frozenset[str]:
    """Every disease, and every other thing that sources mark, that a text names, in the vocabulary's words."""
    words = _SEPARATORS_OF_NAMES.sub(" ", text.upper())
    return frozenset(word for word, pattern in (*_DISEASE_PATTERNS, *_MARKED_PATTERNS) if pattern.search(words))


@lru_cache(maxsize=1)
def phrases_of() -> dict[str, dict[str, tuple[str, ...]]]:
    """Every phrase of the vocabulary in lower case, by kind (organ, disease, finding) and word."""
    tables = {"organ": _PHRASES, "disease": _DISEASES, "finding": _MARKED}
    return {
        kind: {
            word: tuple(dict.fromkeys((word, *(one for part in patterns.split("|") for one in _spelled_out(part)))))
            for word, patterns in known.items()
        }
        for kind, known in tables.items()
    }


_OPTIONAL = re.compile(r"\[([A-Z-]+)\]\??|([A-Z ])\?")


def _spelled_out(pattern: str) -> list[str]:
    """The phrases that a pattern of this vocabulary matches: NODULES? → nodule, nodules."""
    match = _OPTIONAL.search(pattern)
    if match is None:
        return [pattern.lower()]
    one_of = match[1]
    choices = ["", match[2] or ""] if one_of is None or "-" in one_of else [*one_of]
    return [
        one for choice in choices for one in _spelled_out(pattern[: match.start()] + choice + pattern[match.end() :])
    ]


_DENIED = re.compile(r"(?<![A-Z])(?:NO|NOT|WITHOUT|NON(?! ?ENHANCING)|ABSENT|ABSENCE|NEGATIVE|NORMAL|FREE)(?![A-Z])")
_BESIDE_A_NAME = re.compile(
    r"(?<![A-Z])(?:LEFT|RIGHT|L|R|BOTH|OF|IN|THE|A|AN|REGION|REGIONS|AREA|MASK|ROI|SEGMENTATION|LABEL|CONTOUR|OUTLINE)(?![A-Z])|[0-9]+"
)
"""What may stand beside the word of a label without making another thing of it."""
_PARTS: frozenset[str] = frozenset({
    "HIPPOCAMPUS", "CEREBELLUM", "HYPOPHYSIS", "PITUITARY", "MACULA", "CORNEA", "MYOCARDIUM", "BRONCHUS", "BRONCHI",
    "BILEDUCT", "RECTUM", "DUODENUM", "ILEUM", "JEJUNUM", "ENDOMETRIUM", "VERTEBRA", "VERTEBRAE", "SACRUM", "COCCYX",
    "MANDIBLE", "MAXILLA", "ZYGOMA", "JAW", "CLAVICLE", "SCAPULA", "RADIUS", "ULNA", "FINGER", "FINGERS", "THUMB",
    "HUMERUS", "PATELLA", "CALCANEUS", "TOE", "TOES", "HEEL", "FEMUR", "THIGH", "TIBIA", "FIBULA", "CALF", "RIB",
    "RIBS", "STERNUM", "MEDIASTINUM", "RETROPERITONEUM", "LARYNX", "PHARYNX", "CAROTID", "FACE", "SCROTUM", "DERMIS",
    "EPIDERMIS",
})  # fmt: skip
"""Phrases of an organ that name a part of it: a mark of the part is no mark of the whole, and keeps its name."""


def label_of(text: str | None) -> str:
    """What a region's name in its source marks, in the vocabulary's words, with side and organ; else MARKED_REGION.

    A name that denies ("no tumour"), or holds a word that makes another thing of it ("adrenal gland"), is not taken.
    """
    words = _SEPARATORS_OF_NAMES.sub(" ", (text or "").upper()).strip()
    if not words or len(words) > _MOST_IN_A_LABEL or _DENIED.search(words):
        return MARKED_REGION
    side = _SIDED.search(words)
    for table in (_MARKED_PATTERNS, _DISEASE_PATTERNS):
        for word, pattern in table:
            match = pattern.search(words)
            if match is None:
                continue
            rest = _BESIDE_A_NAME.sub(" ", f"{words[: match.start()]} {words[match.end() :]}")
            own = word.upper().replace("-", " ").split()
            rest = " ".join(one for one in rest.split() if one not in own)
            organ = _whole(rest) if rest else None
            if rest and organ is None:
                continue
            named = f"{organ} {word}" if organ is not None and organ not in word else word
            return _sided(named, side)
    organ = _whole(_BESIDE_A_NAME.sub(" ", words).strip())
    return _sided(organ, side) if organ is not None else MARKED_REGION


def _whole(words: str) -> str | None:
    """The organ, or the part of one, that a text names and names alone."""
    words = " ".join(words.split())
    if words in _PARTS:
        return words.lower()
    return next((word for word, pattern in _ORGAN_PATTERNS if pattern.fullmatch(words)), None)


def _sided(word: str, side: re.Match[str] | None) -> str:
    return f"{side[1].lower()} {word}" if side and not word.startswith(("left ", "right ")) else word
