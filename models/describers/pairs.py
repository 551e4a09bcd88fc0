"""What is told of two lungs beside each other: which is much the smaller, and on films which is plainly the whiter."""

from models.describers import plans
from models.describers.plans import Plan
from models.statements.facts import Facts
from models.statements.measures import is_sure, lower_by, lungs_apart, shown_sign
from schemas.regions import Intensity, Region

SMALLER = 1.5
"""Ratio of areas from which two lungs are plainly of two sizes: the heart alone makes it 1.3 in slices."""
WHITER = 0.5
"""By how many of the greater of their deviations the mean, the median and the darkest tenth of two lungs differ where
one is plainly whiter: the heart, which lies before one, leaves the darkest tenth as it is. Of 31 frontal films looked
at one by one it is told of seven, and is seen in all: six have opacities there, one patient is turned."""
BELOW = 1.1
"""By how many of its deviations each of two lungs is whiter in its lower third than its upper where that is told:
the heart makes one of them so. Of 31 films it is told of six, all with opacities there; the next one has 0.96."""


def pairs(facts: Facts) -> list[tuple[str, Plan]]:
    """Which of two lungs is smaller, and which is whiter, by a name of the sentence; none where both are alike."""
    found: list[tuple[str, Plan]] = []
    lungs = _lungs(facts)
    if len(lungs) != 2:
        return []
    small, large = sorted(lungs, key=lambda one: one.area_px)
    film = facts.metadata.modality == "X-ray"
    noun = "aerated lung" if small.label != "lung field" else "lung field" if film else "lung"
    if large.area_px >= SMALLER * small.area_px:
        found.append(("smaller", plans.smaller(facts, small, large, noun)))
    if film and lungs_apart(facts):
        for one, other in (lungs, lungs[::-1]):
            if _whiter_by(facts, one.intensity, other.intensity) >= WHITER:
                found.append(("whiter", plans.whiter(facts, one, other, noun)))
        below = [lower_by(facts, one) for one in lungs]
        if all(one is not None and one >= BELOW for one in below):
            found.append(("below", plans.whiter_below(facts, (small, large), noun)))
    return found


def _lungs(facts: Facts) -> list[Region]:
    """Outlines of single lungs that are sure, or of lung density in Hounsfield units."""
    fields = [one for _, one in facts.regions.values() if one.label == "lung field" and is_sure(facts, one)]
    aerated, air = (plans.as_large_as_lungs(facts, label) for label in ("lung-density region", "air-density region"))
    # More air than lungs: a mass parts one of them in two, and only one part was outlined as lung.
    return fields or (aerated if len(air) <= len(aerated) else [])


def _whiter_by(facts: Facts, one: Intensity, other: Intensity) -> float:
    """By how many deviations at least, whichever part of their values is compared."""
    spread = max(one.standard_deviation, other.standard_deviation)
    sign = shown_sign(facts)
    if not spread or sign is None:
        return 0.0
    dark = ("percentile_10", "percentile_90")[sign < 0]
    values = [(getattr(one, name), getattr(other, name)) for name in ("mean", "median", dark)]
    return min((sign * (a - b) / spread for a, b in values if a is not None and b is not None), default=0.0)
