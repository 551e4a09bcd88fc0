"""The words for body parts that may leave preprocess, and the phrases they are recognised by.

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

ORGANS: frozenset[str] = frozenset(_PHRASES)
"""Every value that `ImageMetadata.organ` can have."""

PHRASES: frozenset[str] = frozenset(phrase for phrases in _PHRASES.values() for phrase in phrases.split("|"))
"""Every phrase by which `organ_of` knows one: words in capitals, one space between."""

_PATTERNS = tuple(
    (organ, re.compile(rf"(?<![A-Z])(?:{phrases.replace(' ', ' +')})(?![A-Z])")) for organ, phrases in _PHRASES.items()
)
_SEPARATORS = re.compile(r"[^A-Z]+")


def organ_of(text: str | None) -> str | None:
    """The organ or body part that a text names, in the vocabulary's words; None where it names none."""
    if not text:
        return None
    words = _SEPARATORS.sub(" ", text.upper())
    return next((organ for organ, pattern in _PATTERNS if pattern.search(words)), None)
