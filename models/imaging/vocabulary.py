"""The words for body parts, diseases and marked regions that may leave preprocess, and how they are recognised.

Free text goes in, a word of this list or nothing comes out. Knows nothing of DICOM.
"""

import re

# Organs before the regions that hold them: within one text the first entry that matches wins.
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
    "hip": "HIP|HIPS|HUEFTE",
    "knee": "KNEE|KNEES|PATELLA|KNIE",
    "ankle": "ANKLE|ANKLES|CALCANEUS",
    "foot": "FOOT|FEET|TOE|TOES|HEEL",
    "leg": "LEG|LEGS|FEMUR|THIGH|TIBIA|FIBULA|CALF|LOWER LIMB",
    "extremity": "EXTREMITY|EXTREMITIES",
    "chest": "CHEST|THORAX|THORACIC|CHESTABDOMEN|CHESTABDPELVIS|RIB|RIBS|STERNUM|MEDIASTINUM|TORAX",
    "abdomen": "ABDOMEN|ABDOMINAL|ABDOMENPELVIS|ABDO|RETROPERITONEUM",
    "pelvis": "PELVIS|PELVIC|PELVIS LOWEXTREMITY|BECKEN",
    "neck": "NECK|LARYNX|PHARYNX|CAROTID|NECKCHEST|HALS",
    "head": "HEAD|HEADNECK|FACE|FACIAL|KOPF|TETE|CRANIUM|CRANIAL",
    "skeleton": "SKELETON|SKELETAL SURVEY|BONE SCAN|WHOLE BODY BONE",
    "blood": "BLOOD SMEAR|PERIPHERAL BLOOD",
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
    "leukaemia": "LEUK(?:A?)EMIA",
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

PHRASES: frozenset[str] = frozenset(phrase for phrases in _PHRASES.values() for phrase in phrases.split("|"))
"""Every phrase by which `organ_of` knows one: words in capitals, one space between."""

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


def organ_of(text: str | None) -> str | None:
    """The organ or body part that a text names, in the vocabulary's words; None where it names none."""
    return _first(_ORGAN_PATTERNS, _SEPARATORS.sub(" ", text.upper())) if text else None


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


def label_of(text: str | None) -> str:
    """What a region's name in its source marks, in the vocabulary's words, with its side; else MARKED_REGION."""
    words = _SEPARATORS_OF_NAMES.sub(" ", (text or "").upper()).strip()
    if not words or len(words) > _MOST_IN_A_LABEL:
        return MARKED_REGION
    tables = (_MARKED_PATTERNS, _DISEASE_PATTERNS, _ORGAN_PATTERNS)
    word = next((found for table in tables if (found := _first(table, words))), None)
    if word is None:
        return MARKED_REGION
    side = _SIDED.search(words)
    return f"{side[1].lower()} {word}" if side and not word.startswith(("left ", "right ")) else word
