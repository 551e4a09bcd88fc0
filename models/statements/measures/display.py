"""Where regions stand in the picture as displayed: at its edges, round its centre, and how far across it."""

import math

from models.statements.facts import Facts
from models.statements.judgement import Judgement, otherwise, so, untold
from models.statements.measures.said import Said
from schemas.regions import Region

AT, OFF = 1, 0.02
"""Pixels up to which a region is at an edge, and the part of a side from which it plainly is not."""
CENTRAL = 0.1
"""Part of a side by which a region must lie off the centre to be anywhere by the clock."""
HOUR, HOURS = 30.0, 30.0
"""Degrees an hour, and how far a region may lie from the hand: an hour, as who reads a clock in a picture guesses."""


def at_edge(facts: Facts, region_id: str, region: Region, side: str) -> Judgement:
    """Whether a region reaches an edge of the picture, or any of them."""
    box, pointer = region.box, f"/regions/{facts.index(region_id)}/box"
    gaps = {
        "left": (box.x, facts.columns),
        "upper": (box.y, facts.rows),
        "right": (facts.columns - box.x - box.width, facts.columns),
        "lower": (facts.rows - box.y - box.height, facts.rows),
    }
    looked = [gaps[side]] if side else list(gaps.values())
    if any(gap <= AT for gap, _ in looked):
        return so(pointer)
    apart = all(gap > OFF * extent for gap, extent in looked)
    return otherwise("it lies off that edge", pointer) if apart else untold("it lies near that edge", pointer)


def by_clock(facts: Facts, region_id: str, region: Region, hour: float) -> Judgement:
    """Whether the centroid lies where the hand of a clock in the picture's centre points."""
    pointer = f"/regions/{facts.index(region_id)}/centroid"
    if facts.metadata.organ == "breast":
        return untold("the clock of a breast is not that of the picture", pointer)
    x, y = region.centroid
    across, up = (x + 0.5) / facts.columns - 0.5, 0.5 - (y + 0.5) / facts.rows
    if math.hypot(across, up) < CENTRAL:
        return untold("it lies near the centre", pointer)
    angle = math.degrees(math.atan2(across * facts.columns, up * facts.rows)) % 360
    apart = abs((angle - HOUR * hour + 180) % 360 - 180)
    if apart <= HOURS:
        return so(pointer)
    return otherwise("it lies at another hour", pointer) if apart > 2 * HOURS else untold("it is near that", pointer)


def spanned(facts: Facts, region_id: str, region: Region, along: str, said: Said) -> Judgement:
    """Which part of the picture's width or height the box of a region spans."""
    at = f"/regions/{facts.index(region_id)}/box"
    wide = along == "width"
    part = 100 * (region.box.width / facts.columns if wide else region.box.height / facts.rows)
    pointer = f"{at}/width" if wide else f"{at}/height"
    if said.together > 1:
        return untold("it spans one part of that")
    return so(pointer) if said.fits(part) else otherwise("it spans another part of that", pointer)
