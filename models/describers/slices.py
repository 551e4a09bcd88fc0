"""What the composer says of regions in the slices beside their image. Knows nothing of how they were found there."""

from collections import defaultdict
from collections.abc import Iterator

from models.describers.phrases import area, count, number, sentence
from models.describers.regions import evident
from schemas.images import Side
from schemas.regions import Continuation, Grounding
from schemas.triplets import Evidence, Statement

FOLLOWED_TOLD = 3
"""Regions of which it is told whether they go on."""

_WAYS: dict[Side, str] = {
    "head": "towards the head", "feet": "towards the feet", "anterior": "towards the front",
    "posterior": "towards the back", "patient left": "towards the patient's left",
    "patient right": "towards the patient's right",
}  # fmt: skip
CHANGES = {"grows": "larger", "shrinks": "smaller", "similar in size": "similar in size"}
"""Said of a region there, by how its area changes."""


def way(found: Continuation) -> str:
    """Where the slices lie: in the patient, else by the order of frames."""
    if found.towards is not None:
        return _WAYS[found.towards]
    return "after this one" if found.onwards else "before this one"


def of_slices(grounding: Grounding) -> Iterator[Statement]:
    """One statement for each of the first regions that were looked for beside their image."""
    by_region: dict[str, list[int]] = defaultdict(list)
    for index, found in enumerate(grounding.continuations):
        by_region[found.region].append(index)
    for region, indices in list(by_region.items())[:FOLLOWED_TOLD]:
        evidence: list[Evidence] = []
        clauses = [_clause(index, grounding.continuations[index], evidence) for index in indices]
        yield Statement(text=sentence(f"region {region} {'; it '.join(clauses)}"), evidence=tuple(evidence))


def _clause(index: int, found: Continuation, evidence: list[Evidence]) -> str:
    def tell(field: str) -> None:
        value = getattr(found, field)
        if value is not None:
            evidence.append(evident("relation", f"/continuations/{index}/{field}", value))

    several = found.slices > 1
    for field in ("region", "outcome", "towards", "reach_mm" if several else "distance_mm"):
        tell(field)
    slices = f"the next {count(found.slices)} slices {way(found)}" if several else f"the next slice {way(found)}"
    away = found.reach_mm if several else found.distance_mm
    text = f"continues in {slices}" if found.outcome == "continues" else f"is not seen in {slices}"
    text += f", {'up to ' if several else ''}{number(away)} mm away" if away is not None else ""
    if found.area_px is None or found.ratio is None or found.change is None:
        return text
    for field in ("slices", "area_px" if found.area_mm2 is None else "area_mm2", "ratio"):
        tell(field)
    text += ", in the nearest of which it" if several else ", where it"
    if found.regions > 1:
        tell("regions")
        text += f" parts into {count(found.regions)} regions that cover"
    else:
        text += " covers"
    change = f"{'are' if found.regions > 1 else 'is'} {CHANGES[found.change]}"
    return f"{text} {area(found.area_px, found.area_mm2)} and {change} ({number(found.ratio)} times the area)"
