"""The language of regions: extents, terms, texture, relations of place and touch, distributions."""

import re
from collections.abc import Iterator

from models.describers.verification.reading import Reading
from models.experts.terms import table
from schemas.regions import Region

_VALUE = r"(\d+(?:\.\d+)?)"
_EXTENTS = re.compile(rf"\({_VALUE} × {_VALUE} (mm|px|µm)\)")
_GLCM = re.compile(rf"GLCM (contrast|homogeneity) of {_VALUE}")
_OTHERS = {
    "touches": "touching", "overlaps": "overlapping", "mirrors": "mirror of",
    "has the same texture as": "same texture as", "lies anterior to": "anterior to", "lies superior to": "superior to",
    "lies further to the patient's left than": "patient left of",
}  # fmt: skip
_RELATED = re.compile(
    rf"\b(?P<subject>r\d+) (?P<said>{'|'.join(_OTHERS)}) (?:region )?(?P<object>r\d+)"
    rf"(?: along {_VALUE} px| with {_VALUE}% of its area|, their centroids {_VALUE} (?:mm|px) apart along that axis"
    rf"|; their GLCM features differ by {_VALUE} at most"
    rf"| across the midline(?:, with an overlap \(IoU\) of {_VALUE})?)?"
)
_SPREAD = re.compile(
    rf"\b(?:is|are) (focal|multifocal|diffuse) and covers? {_VALUE}% of the ([a-z]+)"
    r"(?:, on (both sides of its midline|the (patient)'s (left|right) side))?"
)
_WITHIN = re.compile(r"\bthe ([a-z]+) is outlined, and places are told within it", re.IGNORECASE)
_HELD = ("shape", "margin", "outline", "density", "uptake")


def check_language(reading: Reading) -> None:
    """Each is held against the regions that it is said of."""
    _extents(reading)
    for match in reading.take(_GLCM):
        for index, region in reading.bound(match.start()):
            if region.texture is not None and _near(match[2], getattr(region.texture, match[1])):
                reading.support(f"/regions/{index}/texture/{match[1]}")
                break
        else:
            reading.contradict("it gives a GLCM feature that was not measured so")
    _related(reading)
    _distributions(reading)
    _terms(reading)


def _near(said: str, value: float) -> bool:
    return abs(float(said) - value) <= 0.005 * abs(value) + 1e-9


def _extents(reading: Reading) -> None:
    for match in reading.take(_EXTENTS):
        scale = 1000.0 if match[3] == "µm" else 1.0
        for index, region in reading.bound(match.start()):
            size = region.size
            if size is None or (size.unit == "px") != (match[3] == "px"):
                continue
            if _near(match[1], scale * size.longest_axis) and _near(match[2], scale * size.shortest_axis):
                reading.support(f"/regions/{index}/size/longest_axis", f"/regions/{index}/size/shortest_axis")
                break
        else:
            reading.contradict("it gives extents that were not measured")


def _related(reading: Reading) -> None:
    for match in reading.take(_RELATED):
        wanted = (match["subject"], _OTHERS[match["said"]], match["object"])
        value = next((one for one in match.groups()[3:] if one is not None), None)
        for index, fact in enumerate(reading.facts.grounding.relations):
            same = (fact.subject, fact.predicate, fact.object) == wanted
            if same and (value is None or (fact.value is not None and _near(value, fact.value))):
                reading.support(f"/relations/{index}/predicate")
                break
        else:
            reading.doubt(f"no relation says that {wanted[0]} is {wanted[1]} {wanted[2]}, or says so by another value")


def _distributions(reading: Reading) -> None:
    for match in reading.take(_SPREAD):
        side = match[4] and ("both sides" if match[6] is None else f"patient {match[6]}")
        for index, found in enumerate(reading.facts.grounding.distributions):
            same = found.spread == match[1] and found.within == match[3] and _near(match[2], found.share_percent)
            if same and (side is None or side == found.side):
                reading.support(f"/distributions/{index}/spread", f"/distributions/{index}/share_percent")
                break
        else:
            reading.contradict("it tells a distribution that was not measured so")
    for match in reading.take(_WITHIN):
        for region_id, (index, region) in reading.facts.regions.items():
            if region_id and region.place is not None and region.place.within == match[1].lower():
                reading.support(f"/regions/{index}/place/within")
                break
        else:
            reading.doubt("it names a part that nobody outlined")


def _terms(reading: Reading) -> None:
    for aspect, word in sorted({(row.aspect, row.word) for row in table()}, key=lambda one: -len(one[1])):
        for match in list(re.finditer(rf"\b{re.escape(word)}\b", reading.rest, re.IGNORECASE)):
            regions = reading.bound(match.start())
            holding = next((found for found in _pointers(regions, word)), None)
            if holding is not None:
                reading.blank(*match.span())
                reading.support(holding)
            elif aspect in _HELD and any(one.terms for _, one in regions):
                reading.blank(*match.span())
                reading.contradict(f"'{word}' is not the term for what was measured")


def _pointers(regions: list[tuple[int, Region]], word: str) -> Iterator[str]:
    for index, region in regions:
        for place, term in enumerate(region.terms):
            if term.word == word:
                yield f"/regions/{index}/terms/{place}/word"
