"""Coded concepts (PS3.3 8.8): kept where PS3.16 lists the code, and then with its meaning as listed there.

A code of a private scheme can be a name, and the meaning beside any code is free text.
"""

from functools import lru_cache

from pydicom import Dataset

UNKNOWN = ("261665006", "SCT", "Unknown")
"""What stands for a code that is not listed."""

_SCHEMES = (
    "DCM", "SCT", "UCUM", "LN", "RADLEX", "FMA", "NCIt", "UMLS", "MDC", "IBSI", "NEU", "BARI", "MSH", "I10", "ITIS_TSN",
    "NDC", "RXNORM", "PUBCHEM_CID",
)  # fmt: skip
_SNOMED_RT = ("SRT", "SNM3", "99SDM")
VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")

ATTRIBUTES = frozenset({*VALUES, "CodingSchemeDesignator", "CodingSchemeVersion", "CodeMeaning"})
"""The attributes that `clean_code` answers for."""


def known_scheme(designator: str) -> bool:
    """A coding scheme of PS3.16 chapter 8 whose codes are listed."""
    return designator in _SCHEMES or designator in _SNOMED_RT or designator == "SCPECG"


@lru_cache(maxsize=1)
def _meanings() -> dict[tuple[str, str], str]:
    # Imported here: it takes pydicom two seconds, and only whole objects need it.
    from pydicom.sr._snomed_dict import mapping
    from pydicom.sr.codedict import Collection

    found = {
        (scheme, str(code.value)): str(code.meaning)[:64]
        for scheme in _SCHEMES
        for code in Collection(scheme).concepts.values()
    }
    for old, new in mapping["SRT"].items():
        if meaning := found.get(("SCT", new)):
            found |= {(scheme, old): meaning for scheme in _SNOMED_RT}
    # Postero-anterior, of which older files have a second code.
    return found | {(scheme, "R-10214"): found["SCT", "272479007"] for scheme in _SNOMED_RT}


def clean_code(item: Dataset) -> bool:
    """Make a code item's value, scheme and meaning listed ones, in place. True if it had to become `UNKNOWN`."""
    value = next((str(item[word].value) for word in VALUES if word in item), "")
    scheme = str(item.get("CodingSchemeDesignator") or "")
    meaning = _meanings().get((scheme, value))
    if meaning is not None and "CodeValue" in item:
        if str(item.get("CodeMeaning", meaning)).casefold() != meaning.casefold():
            item.CodeMeaning = meaning
        if len(str(item.get("CodingSchemeVersion", ""))) > 4:
            del item.CodingSchemeVersion
        return False
    for word in ATTRIBUTES:
        if word in item:
            delattr(item, word)
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = UNKNOWN
    return True
