"""Words for measurements, by the thresholds of terms.toml. Knows nothing of how anything is measured."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.images import Modality
from schemas.regions import Term

TABLE = Path(__file__).with_suffix(".toml")
TERMS_DIGEST = hashlib.sha256(TABLE.read_bytes()).hexdigest()
"""Part of the registry's version: another table says other words."""
Aspect = Literal["size", "shape", "margin", "outline", "density", "contrast", "uptake", "texture"]
STANDS_OUT, PLAIN = 1.0, 3.0
"""Contrast-to-noise at which a region is called 'slightly' of another level, and plainly so; see the table."""
_ROSE = "3: Rose, J Opt Soc Am 38, 1948; 1: stated here, one standard deviation of the surroundings"


class Row(BaseModel):
    """One word and when it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aspect: Aspect
    word: str
    measure: str = Field(pattern=r"^(/[a-z_0-9]+){2}$", description="JSON Pointer within a region")
    at_least: float | None = None
    below: float | None = None
    modalities: tuple[Modality, ...] = ()
    units: tuple[str, ...] = Field(default=(), description="Of lengths for sizes, of pixel values for all else")
    source: str

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.below is None:
            raise ValueError("a word needs a bound")
        return self


class _Scale(BaseModel):
    """Five words of a level against the surroundings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    aspect: Aspect
    modalities: tuple[Modality, ...]
    measure: str
    high: str
    low: str
    alike: str

    def rows(self) -> Iterator[Row]:
        bounds = (
            (self.high, PLAIN, None),
            (f"slightly {self.high}", STANDS_OUT, PLAIN),
            (self.alike, -STANDS_OUT, STANDS_OUT),
            (f"slightly {self.low}", -PLAIN, -STANDS_OUT),
            (self.low, None, -PLAIN),
        )
        for word, at_least, below in bounds:
            yield Row(
                aspect=self.aspect, word=word, measure=self.measure, at_least=at_least, below=below,
                modalities=self.modalities, source=_ROSE,
            )  # fmt: skip


@lru_cache(maxsize=1)
def table() -> tuple[Row, ...]:
    """All rows, in order."""
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    scales = [row for one in read["scales"] for row in _Scale.model_validate(one).rows()]
    return (*(Row.model_validate(one) for one in read["terms"]), *scales)


@lru_cache(maxsize=256)
def _fitting(modality: Modality, length: str, unit: str) -> tuple[tuple[Term, str, str], ...]:
    """The words for such an image, each with the two steps of its pointer."""
    found: list[tuple[Term, str, str]] = []
    for row in table():
        measured_in = length if row.aspect == "size" else unit
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
