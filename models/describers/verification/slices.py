"""What a sentence says of a region in the slices beside the image."""

import re

from models.describers.phrases import count
from models.describers.slices import CHANGES, way
from models.describers.verification.reading import Reading
from schemas.regions import Continuation

_VALUE = r"\d+(?:\.\d+)?"
_COUNT = rf"{'|'.join(map(count, range(2, 11)))}|\d+"
_CLAUSE = re.compile(
    r"\b(?P<said>continues|is not seen|does not continue) (?:in|through|into) the next (?P<slices>(?:"
    rf"{_COUNT}) )?slices? (?P<way>towards the (?:head|feet|front|back|patient's (?:left|right))|"
    rf"(?:after|before) this one)(?:, (?:up to )?(?P<mm>{_VALUE}) mm away)?"
    rf"(?:, (?:where|in the nearest of which) it (?:covers|parts into (?P<regions>{_COUNT}) regions that cover) "
    rf"(?P<area>{_VALUE}) (?P<unit>px|mm²|cm²|µm²) and (?:is|are) (?P<change>{'|'.join(CHANGES.values())}) "
    rf"\((?P<ratio>{_VALUE}) times the area\))?",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:next|previous|adjacent|neighbou?ring|following|preceding|other|contiguous|consecutive|successive)\s+"
    r"(?:\w+\s+){0,2}(?:slices?|sections?)\b|\b(?:slices?|sections?) (?:above|below|before|after)\b",
    re.IGNORECASE,
)
_SCALES = {"mm²": 1.0, "cm²": 100.0, "µm²": 1e-6}


def check_slices(reading: Reading) -> None:
    """Whether and how a region goes on; of other slices nothing else is known."""
    for match in reading.take(_CLAUSE):
        names = {region.region_id for _, region in reading.bound(match.start())}
        looked = [
            (f"/continuations/{index}", found)
            for index, found in enumerate(reading.facts.grounding.continuations)
            if found.region in names and way(found) == match["way"].lower()
        ]
        wanted = "continues" if match["said"].lower() == "continues" else "not seen"
        alike = [(pointer, found) for pointer, found in looked if found.outcome == wanted]
        holding = next((pointer for pointer, found in alike if _measured(match, found)), None)
        if holding is not None:
            reading.support(f"{holding}/outcome")
        elif alike:
            reading.contradict("it gives of a neighbouring slice what was not measured there", f"{alike[0][0]}/outcome")
        elif looked:
            reading.contradict(
                f"in the next slice {way(looked[0][1])} it is otherwise: {looked[0][1].outcome}",
                f"{looked[0][0]}/outcome",
            )
        else:
            reading.doubt("it tells of a slice in which what it speaks of was not looked for")
    for _ in reading.take(_OTHERS):
        reading.doubt("it tells of other slices than this one what was not measured")


def _measured(match: re.Match[str], found: Continuation) -> bool:
    """Whether the numbers of a clause, those that it gives, are those of the fact."""
    slices = _counted(match["slices"]) if match["slices"] else 1
    # Who says that it goes on in the next slice says nothing of those beyond.
    if slices > 1 and slices != found.slices:
        return False
    held = [(match["mm"], found.reach_mm if slices > 1 else found.distance_mm, 1.0), (match["ratio"], found.ratio, 1.0)]
    unit = (match["unit"] or "").lower()
    held.append((match["area"], found.area_px if unit == "px" else found.area_mm2, _SCALES.get(unit, 1.0)))
    if any(said is not None and (value is None or not _near(said, value / scale)) for said, value, scale in held):
        return False
    parts = found.change is None or match["change"] is None or CHANGES[found.change] == match["change"].lower()
    return parts and (match["regions"] is None or _counted(match["regions"]) == found.regions)


def _counted(said: str) -> int:
    words = {count(n): n for n in range(2, 11)}
    said = said.strip().lower()
    return words[said] if said in words else int(said)


def _near(said: str, value: float) -> bool:
    return abs(float(said) - value) <= 0.005 * abs(value) + 1e-9
