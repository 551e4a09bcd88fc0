"""Whether the source names a contrast agent that was given. Knows nothing of which, and passes none on.

Contrast/Bolus Agent is free text, in which scanners and people write in their own words that none was given. So a word
that is known to mean an agent is needed, and none that says no; anything else says nothing.
"""

import re

from models.imaging.header import Header, valid

# Generic names, brands and what scanners write where one was given; prefixes where a family of names has one.
_AGENTS = re.compile(
    r"(?<![A-Z])(?:GADO[A-Z]*|GADA[A-Z]*|GAD|GD|GBCA|OMNISCAN|MAGNEVIST|MULTIHANCE|PROHANCE|DOTAREM|CLARISCAN|ARTIREM|"
    r"VUEWAY|ELUCIREM|EOVIST|PRIMOVIST|ABLAVAR|VASOVIST|OPTIMARK|FERAHEME|FERUMOXYTOL|RESOVIST|ENDOREM|"
    r"IO[HDPMVBXT][A-Z]{3,}|IODIN[A-Z]*|IODE|IODIUM|YODO|JOD[A-Z]*|OMNIPAQUE|VISIPAQUE|ISOVUE|ULTRAVIST|OPTIRAY|"
    r"XENETIX|IMERON|OXILAN|HEXABRIX|CONRAY|CYSTOGRAFIN|CYSTO[A-Z]*CONRAY|GASTROGRAFIN|TELEBRIX|ACCUPAQUE|UNILUX|SCANLUX|"
    r"MD GASTROVIEW|BARIUM|BARYT|READI ?CAT|E ?Z ?CAT|VOLUMEN|BREEZA|LUMASON|SONOVUE|DEFINITY|OPTISON|SONAZOID|"
    r"XENON|CO2|CARBON DIOXIDE|[A-Z]{2,}(?:GRAFIN|PAQUE|VIST|PAMI?[A-Z]*|TRAST|HANCE|BRIX|IODOL|MIRON?)|"
    r"AGENT|BOLUS|\d* ?ML|\d* ?CC|"
    r"CONTRAST[A-Z]*|KONTRAST[A-Z]*|CONTRASTE|CONTRASTO|KM|YES|JA|SI|SIM|OUI|GIVEN|APPLIED|ADMINISTERED|INJECTED|"
    r"I ?V|INTRAVENOUS|INTRAVENOS[AO]?|ORAL|RECTAL|PO|ENHANCED|POST)(?![A-Z])"
)
# "No", "without", "none", "unknown" and the like; one of them anywhere makes the whole say nothing.
_DENIALS = re.compile(
    r"(?<![A-Z])(?:NO|NON|NONE|NOT|NIL|NULL|NEVER|FALSE|N|NA|NC|NEG[A-Z]*|WITHOUT|WITH OUT|W O|WO|PRE|PRIOR TO|BEFORE|"
    r"UN[A-Z]*ENHANCED|NONENHANCED|NO?N?[CK]ONTRAST[A-Z]*|UNKNOWN|UNSPECIFIED|UNK|UNDEFINED|DECLINED|REFUSED|REFUSAL|"
    r"CONTRAINDICAT[A-Z]*|ALLERG[A-Z]*|OMITTED|CANCEL[A-Z]*|"
    r"PLAIN|NATIV[A-Z]*|PLANNED|IF|MAYBE|TBD|TBC|OPTIONAL|AVOID[A-Z]*|NEED[A-Z]*|"
    r"OHNE|KEIN[A-Z]*|NICHT|NEIN|UNBEKANNT|LEER|SIN|NINGUN[AO]?|NADA|DESCONOCIDO|SANS|AUCUN[E]?|PAS|INCONNU|SENZA|"
    r"NESSUN[AO]?|SEM|NENHUM[A]?|NAO|GEEN|ZONDER|NEE|INGEN|INGET|INTET|UTAN|UDEN|UTEN|ILMAN|EI|BEZ|BRAK|NIE|NINCS|"
    r"NELKUL|YOK|TANPA|FARA|FALSO|FALSCH|FAUX|EMPTY|BLANK|LESS|FREE|CONTRAINDICACION|HOLD|HELD|WATER|SALINE|NACL|"
    r"[CK]ONTRAST[A-Z]*?(?:LESS|FREE|FREI|LOS|SIZ|ITON|MENTES)|(?<![0-9])(?<![0-9] )0+ ?(?:ML|CC))(?![A-Z])"
)
_SPLIT = re.compile(r"[^A-Z0-9]+")
_ACCENTS = str.maketrans("ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŐŰ", "AAAAAACEEEEIIIINOOOOOUUUUYOU")
# Coded "no", "none", "unknown" of SNOMED CT, DCM and HL7 that writers put where an agent belongs.
_CODED_DENIALS = frozenset({"373067005", "260413007", "261665006", "373068000", "R-0038D", "R-00339", "R-40775", "NULL",
                            "NI", "NA", "UNK", "NONE", "NO", "N", "0"})  # fmt: skip
_CODE = re.compile(r"[A-Z]?-?[A-Z0-9]{3,18}")


def names_agent(text: str) -> bool | None:
    """Whether a text names an agent that was given: True, False where it says that none was, None where neither."""
    words = _SPLIT.sub(" ", text.upper().translate(_ACCENTS)).strip()
    if _DENIALS.search(words) or (words and not words.strip("0 ")):
        return False
    return True if _AGENTS.search(words) else None


def contrast_agent(header: Header) -> bool | None:
    """True where the source names an agent given, or gives a volume of one; None where it does not, or says both."""
    texts = [text for text in header.words("ContrastBolusAgent") if text]
    said = [names_agent(" ".join(texts))] if texts else []
    for item in header.items("ContrastBolusAgentSequence"):
        code = (header.text("CodeValue", item) or "").upper()
        if code in _CODED_DENIALS:
            said.append(False)
        elif _CODE.fullmatch(code):
            said.append(names_agent(header.text("CodeMeaning", item) or "") is not False or None)
    volume = valid(header.number("ContrastBolusVolume"))
    if volume == 0:
        said.append(False)
    elif texts and said == [None]:
        said = [True] if volume is not None and 0 < volume < 5000 else said
    return True if True in said and False not in said else None
