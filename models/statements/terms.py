"""Words for measurements, by the thresholds of the table. Knows nothing of how anything is measured."""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel

from models.statements.table import table
from schemas.images import Modality
from schemas.regions import Term


@lru_cache(maxsize=256)
def _fitting(modality: Modality, length: str, unit: str) -> tuple[tuple[Term, str, str], ...]:
    """The words for such an image, each with the two steps of its pointer."""
    found: list[tuple[Term, str, str]] = []
    for row in table().rows():
        measured_in = length if row.aspect == "size" else unit
        if row.only_read:
            continue
        if (not row.modalities or modality in row.modalities) and (not row.units or measured_in in row.units):
            _, part, field = row.measure.split("/")
            term = Term(aspect=row.aspect, word=row.word, measure=row.measure, at_least=row.at_least, below=row.below)
            found.append((term, part, field))
    return tuple(found)


def terms(parts: Mapping[str, BaseModel | None], modality: Modality, length: str, unit: str) -> tuple[Term, ...]:
    """Words for a region's measurements, one an aspect at most, in the order of the table.

    Args:
        parts: by field of `Region`: size, shape, margin, intensity, contrast.
        modality: of the image.
        length: unit of the sizes, mm or px.
        unit: of the pixel values.
    """
    found: dict[str, Term] = {}
    for term, part, field in _fitting(modality, length, unit):
        measured = parts.get(part)
        if term.aspect in found or measured is None:
            continue
        value: float | None = getattr(measured, field)
        if value is None or (term.at_least is not None and value < term.at_least):
            continue
        if term.below is None or value < term.below:
            found[term.aspect] = term
    return tuple(found.values())
