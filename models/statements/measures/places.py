"""Where along the axes of the display or of the patient a region lies."""

from dataclasses import replace
from typing import Any, cast

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from schemas.regions import Region

MARGIN = 0.05
"""Of an axis: how far a centroid may lie beyond the half or the third that a word names."""


def placed(
    facts: Facts, region_id: str, region: Region, axis: str, end: str, frame: str, third: bool, beside: str = ""
) -> Judgement:
    """Where along an axis the centroid lies; `beside`: the other axis, where a corner is said."""
    pointer = f"/regions/{facts.index(region_id)}/{'centroid' if frame == 'shown' else 'place/axes'}"
    fraction = along(facts, region, axis, frame)
    if fraction is None:
        if axis == "patient left" and facts.metadata.sides_contradict:
            return untold("what the source says of left and right contradicts itself", "/metadata/sides_contradict")
        if frame == "patient" and axis == "patient left" and facts.metadata.laterality in ("left", "right"):
            side = "high" if facts.metadata.laterality == "left" else "low"
            if end == side:
                return so("/metadata/laterality")
            return otherwise(f"the source says {facts.metadata.laterality}", "/metadata/laterality")
        return untold(f"that axis of {region_id} is not told in that frame")
    if end == "middle":
        holds = abs(fraction - 0.5) <= 1 / 6 + MARGIN
        return so(pointer) if holds else otherwise(f"region {region_id} lies off the middle", pointer)
    reached = fraction if end == "high" else 1 - fraction
    bound = 2 / 3 if third else 0.5
    other = along(facts, region, beside, frame) if beside else None
    if other is not None and end != "middle" and max(abs(fraction - 0.5), abs(other - 0.5)) < MARGIN:
        return otherwise(f"region {region_id} lies in the middle", pointer)
    if reached >= bound - (MARGIN if third else 0):
        return replace(so(pointer), near=reached < bound)
    if reached >= (0.5 + MARGIN if third else 0.5 - MARGIN):
        inner = along(facts, region, axis, "within") if frame == "shown" else None
        if inner is not None and (inner if end == "high" else 1 - inner) >= bound:
            return replace(so(pointer), near=True)  # A third of the picture, or of the head that it shows.
        return replace(untold(f"region {region_id} lies near the middle of that axis", pointer), near=True)
    return otherwise(f"region {region_id} lies at the other end", pointer)


def outwards(facts: Facts) -> int | None:
    """1 where the patient's left is lateral, -1 where it is medial; None where the source tells no single side."""
    if facts.metadata.sides_contradict:
        return None
    return {"left": 1, "right": -1}.get(facts.metadata.laterality or "")


def along(facts: Facts, region: Region, axis: str, frame: str) -> float | None:
    """Where along an axis of a frame the centroid lies, from 0 to 1; None where that is not told."""
    if axis == "lateral":
        sense, left = outwards(facts), along(facts, region, "patient left", frame)
        if sense is None and left is not None and facts.metadata.laterality is None:
            return 2 * abs(left - 0.5)  # Of the whole body, away from its midline.
        return None if sense is None or left is None else left if sense > 0 else 1 - left
    if axis == "patient left" and facts.metadata.sides_contradict:
        return None
    if frame == "shown":
        x, y = region.centroid
        return {"image right": (x + 0.5) / facts.columns, "image down": (y + 0.5) / facts.rows}.get(axis)
    if region.place is None:
        return None
    told = {one.towards: one.fraction for one in region.place.axes}
    if axis in ("image right", "image down") and frame == "patient":
        return None
    return told.get(cast(Any, axis))
