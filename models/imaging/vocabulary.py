"""The words for body parts, diseases and marked regions that may leave preprocess, and where they are sought.

Free text goes in, a word of this list or nothing comes out. Knows nothing of DICOM.
"""

import re

from models.vocabulary import read_label

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
    "leg": "LEG|LEGS|FEMUR|THIGH|THIGHS|MIDTHIGH|MIDTHIGHS|CUISSE|CUISSES|TIBIA|FIBULA|CALF|LOWER LIMB",
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

MARKED_REGION = "annotated region"
"""The label of a region whose name is no word of the vocabulary."""

HEALTHY = "healthy"
"""The disease of an image whose source says that it shows none."""

ORGANS: frozenset[str] = frozenset(_PHRASES)
"""Every value that `ImageMetadata.organ` can have."""

PHRASES: frozenset[str] = frozenset(phrase for phrases in _PHRASES.values() for phrase in phrases.split("|")) | {
    *_SEVERAL, "C ARM", "O ARM", "G ARM",
}  # fmt: skip
"""Every phrase that `organ_of` knows: words in capitals, one space between."""

CONTEXT: frozenset[str] = frozenset(
    {
        # from one part to another
        "TO", "THRU", "THROUGH", "BIS", "TOT", "HASTA", "MID", "VERTEX", "BASES", "APICES",
        # a part of one part that is named like another
        "OF", "THE", "BASE", "TAIL", "FEMORAL", "HUMERAL", "RADIAL", "FIBULAR",
        # what is named after a part, and is none
        "COIL", "COILS", "ARRAY", "PHASED", "WINDOW", "WINDOWS", "KERNEL", "ALGORITHM", "FILTER", "SETTING", "SETTINGS",
        "FIRST", "HOLDER", "REST", "RATE", "GATED", "GATING", "TRIGGER", "TRIGGERED", "TRIGGERING", "INJECTION",
        "INJECTED", "BOLUS", "UP", "DOWN", "RAISED", "SIDE",
        # what a part has, and who is named after it
        "CANCER", "CA", "CARCINOMA", "FAILURE", "CENTER", "CENTRE", "CLINIC", "HOSPITAL", "INSTITUTE", "UNIT",
    }
)  # fmt: skip
"""Words that change what the word of a body part beside them means to `organ_of`."""

_Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def _patterns(phrases: dict[str, str]) -> _Patterns:
    return tuple(
        (word, re.compile(rf"(?<![A-Z0-9])(?:{one.replace(' ', ' +').replace(' +?', ' ?')})(?![A-Z0-9])"))
        for word, one in phrases.items()
    )


_ORGAN_PATTERNS = _patterns(_PHRASES)
_SEPARATORS = re.compile(r"[^A-Z]+")


def _first(patterns: _Patterns, words: str) -> str | None:
    return next((word for word, pattern in patterns if pattern.search(words)), None)


# Any body part's phrase, the longest first.
_PART = "(?:" + "|".join(sorted(PHRASES - {"C ARM", "O ARM", "G ARM"}, key=len, reverse=True)) + ")"
_UPPERMOST = r"(?:SKULL BASE|BASE OF (?:THE )?SKULL|SKULL|HEAD|VERTEX|BRAIN|EYES?|ORBITS?)"
_LOWERMOST = (
    r"(?:(?:MID|UPPER|LOWER|PROXIMAL|DISTAL) )?(?:(?:MID)?THIGHS?|KNEES?|FEET|FOOT|TOES?|LEGS?|FEMUR|ANKLES?|CALF)"
)
_RANGE = r"(?<![A-Z])(?:TO|THRU|THROUGH|BIS|TOT|HASTA)(?![A-Z])"
_END = rf"(?: (?:MID|UPPER|LOWER|PROXIMAL|DISTAL|THE|OF|BASES?|APICES))* {_PART}(?![A-Z])"
_START = rf"(?<![A-Z]){_PART}(?: (?:BASES?|APICES))* "
_OPEN_RANGE = re.compile(rf"{_START}{_RANGE}(?!{_END})")
_RANGES = re.compile(rf"({_START})?{_RANGE}{_END}")
"""With a first group where both ends are named."""
_REWRITTEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![A-Z])(?:{pattern})(?![A-Z])"), instead)
    for pattern, instead in (
        *((term, parts) for term, parts in _SEVERAL.items()),
        (rf"{_UPPERMOST} (?:TO|THRU|THROUGH) (?:THE )?{_LOWERMOST}", "WHOLE BODY"),
        (r"[COG] ARM", " "),
        (r"(?:HANDS?|ARMS?|LEGS?) (?:UP|DOWN|RAISED)|(?:LEFT|RIGHT) HAND SIDE", " "),
        # What is named after parts, and is none.
        (
            (
                rf"{_PART}(?: {_PART})*(?: PHASED)?(?: ARRAY)? COILS?|{_PART}(?: PHASED)? ARRAY|"
                rf"{_PART} (?:WINDOWS?|KERNEL|ALGORITHM|FILTER|SETTINGS?|FIRST|HOLDER|REST|RATE|GATED|GATING|"
                r"TRIGGER(?:ED|ING)?|INJECTION|INJECTED|BOLUS|CENT(?:ER|RE)|CLINIC|HOSPITAL|INSTITUTE|UNIT)"
            ),
            " ",
        ),
        # Why an image was made, not of what: of breast cancer the chest may be shown, or the whole body.
        (rf"{_PART} (?:CANCER|CA|CARCINOMA|FAILURE)(?! SCREENING)", " "),
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
    which of them an image shows; nor where it names one end of a range ("SKULL BASE TO CARINA"). A part is named beside
    the regions that hold it ("ABDOMEN LIVER": the liver).
    """
    if not text:
        return None
    words = _SEPARATORS.sub(" ", text.upper())
    for pattern, instead in _REWRITTEN:
        words = pattern.sub(instead, words)
    named = [word for word, pattern in _ORGAN_PATTERNS if pattern.search(words)]
    if "whole body" in named:
        return "whole body"
    if _OPEN_RANGE.search(words) or not all(found[1] for found in _RANGES.finditer(words)):
        return None
    parts = [word for word in named if word not in _OF_ANY_PART] or named[:1]
    for part in parts:
        if all(other == part or other in _HELD_BY.get(part, "").split("|") for other in parts):
            return next((word for word in named if word in _OF_ANY_PART), part) if len(named) > len(parts) else part
    return None


def regions_holding(organ: str) -> tuple[str, ...]:
    """The organs and regions of the body that hold a part, as this vocabulary names them; none of an unknown one."""
    return tuple(name for name in _HELD_BY.get(organ, "").split("|") if name)


def leading_organ(text: str) -> str | None:
    """The organ of a text of the literature that stands first in the vocabulary, whatever else it names."""
    return _first(_ORGAN_PATTERNS, _SEPARATORS.sub(" ", text.upper()))


def disease_of(text: str | None) -> str | None:
    """The disease or finding that a label names, in the vocabulary's words; "no tumour" and "healthy" are words too.

    None where it names none, or a word of it is not known.
    """
    main = read_label(text).main
    if main is None or main.term.kind not in ("disease", "finding"):
        return None
    return HEALTHY if main.negated and main.term.name == "abnormality" else main.text


def label_of(text: str | None) -> str:
    """What a region's name in its source marks, in the vocabulary's words, with its side; else MARKED_REGION."""
    return read_label(text).text or MARKED_REGION
