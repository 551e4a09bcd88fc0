"""What an annotation object calls a region: a word of the vocabulary, and its code where PS3.16 lists it.

Codes go before names, as they are the same in every language. Free text goes in, a word or nothing comes out.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from pydicom import Dataset

from models.imaging.header import Header
from models.imaging.vocabulary import MARKED_REGION, label_of
from models.vocabulary import read_label
from schemas.codes import Code

_SNOMED_RT = ("SRT", "SNM3", "99SDM")
"""Designators of the older codes that SNOMED CT took the place of (PS3.16, 8)."""
_SIDES = {
    ("SCT", "7771000"): "left", ("SCT", "24028007"): "right", ("SRT", "G-A101"): "left", ("SRT", "G-A100"): "right",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """What a region is called."""

    label: str = MARKED_REGION
    code: Code | None = None


@lru_cache(maxsize=1)
def _concepts() -> dict[tuple[str, str], Named]:
    """Of concepts.tsv: scheme, code, its SNOMED RT code or -, word of the vocabulary or -, meaning in PS3.16.

    What stands in the context groups of segmented properties and of findings in the chest (CID 7151 and those within
    it, 6100 to 6112, 9502), but for what says nothing of a region, such as Tissue. pydicom lists them too; its tables
    take seconds to import (benchmarks/given.py).
    """
    found: dict[tuple[str, str], Named] = {}
    for line in files("models.imaging.given").joinpath("concepts.tsv").read_text("utf-8").splitlines():
        scheme, value, old, label, meaning = line.split("\t")
        code = Code.model_validate({"scheme": scheme, "value": value, "meaning": meaning})
        named = Named(MARKED_REGION if label == "-" else label, code)
        found[scheme, value] = named
        if old != "-":
            found["SRT", old] = named
    return found


def code_of(header: Header, item: Dataset) -> tuple[str, str]:
    """Scheme and value of a code item (PS3.3 8.8), the older SNOMED designators as one; empty where it has none."""
    scheme = header.text("CodingSchemeDesignator", item) or ""
    return "SRT" if scheme in _SNOMED_RT else scheme, header.text("CodeValue", item) or ""


def named(
    header: Header, codes: tuple[Dataset, ...], name: str | None = None, sides: tuple[Dataset, ...] = ()
) -> Named:
    """By the first code that is known, else by the words in what the codes are said to mean, else by a name.

    Where the codes and the name contradict each other on its side, it has none.

    Args:
        header: reads the items.
        codes: of what the region shows, those that say more first.
        name: free text.
        sides: codes among which left or right may stand.
    """
    known = next((_concepts()[code] for item in codes if (code := code_of(header, item)) in _concepts()), None)
    if known is None:
        texts = (*(header.text("CodeMeaning", item) for item in codes), name)
        known = Named(next((word for text in texts if (word := label_of(text)) != MARKED_REGION), MARKED_REGION))
    side = next((_SIDES[code] for item in sides if (code := code_of(header, item)) in _SIDES), None)
    main = read_label(name).main
    also = main.side if main is not None and main.side in _SIDES.values() else side
    own = next((told for told in _SIDES.values() if known.label.startswith(f"{told} ")), None)
    if own is not None:
        return known if {own} >= {side, also} - {None} else Named()
    if side is None or side != also or known.label == MARKED_REGION:
        return known
    return Named(f"{side} {known.label}", known.code)
