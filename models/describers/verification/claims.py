"""Typed claims, each held against the fact that it points at."""

import re

from models.describers.answer import Claim
from models.describers.verification.reading import Reading

_PLACES: dict[str, str] = {
    "modality": r"/metadata/modality$",
    "organ": r"/metadata/organ$|/regions/\d+/label$",
    "side": r"/metadata/laterality$|/regions/\d+/position$",
    "position": r"/regions/\d+/position$",
    "count": r"/regions$",
    "size": r"/regions/\d+/area_(?:px|mm2)$|/image/(?:rows|columns)$|/metadata/spacing/|/relations/\d+/value$|"
            r"/metadata/slice_thickness_mm$|/continuations/\d+/(?:area_px|area_mm2|ratio|distance_mm|reach_mm)$",
    "intensity": r"/intensity/(?:mean|spread)$|/regions/\d+/(?:intensity|surroundings)/(?:mean|spread)$|"
                 r"/relations/\d+/value$",
}  # fmt: skip
"""Where a claim of each kind may point."""


def check_claim(reading: Reading, claim: Claim) -> None:
    """A claim is so if what stands at its pointer is what it says."""
    if re.match(_PLACES[claim.kind], claim.pointer) is None:
        reading.doubt(f"a claim of {claim.kind} points at what is no {claim.kind}")
        return
    if claim.kind == "count":
        found = len(reading.facts.regions)
        holds = _number(claim.value) == found
        pointers = tuple(f"/regions/{index}/label" for index, _ in reading.scope)
    else:
        found = reading.facts.values.get(claim.pointer)
        if found is None:
            reading.doubt(f"a claim of {claim.kind} points at nothing")
            return
        holds, pointers = _same(claim, found), (claim.pointer,)
    if holds:
        reading.support(*pointers)
    else:
        reading.contradict(f"a claim of {claim.kind} is not the value at its pointer, {found}", *pointers)


def _same(claim: Claim, found: str | float | bool) -> bool:
    if isinstance(found, str):
        said = str(claim.value).strip().lower()
        if claim.kind == "side":
            return said == found.lower() or f"patient's {said.removeprefix('patient ')}" in found.lower()
        return said == found.lower() or (claim.kind == "position" and said == found.lower().split(" (")[0])
    said_number = _number(claim.value)
    return said_number is not None and abs(said_number - found) <= 0.005 * abs(found) + 1e-9


def _number(value: str | float) -> float | None:
    """The number itself; of a text, the one that it begins with, as in '8.61 cm²' (only the fact's own unit fits)."""
    if not isinstance(value, str):
        return value
    match = re.match(r"\s*(-?\d+(?:\.\d+)?)", value)
    return float(match[1]) if match else None
