"""Words for places and comparisons, held against positions, relations and surroundings of regions."""

import re

from models.describers.phrases import number
from models.describers.regions import UNIFORM, VARIED
from models.describers.verification.reading import Reading
from schemas.regions import Intensity, Region

_WORD = r"(?:upper|lower|top|bottom|middle|mid|cent(?:re|er)|central|left|right)"
_PART = r"(?:third|half|quadrant|corner|part|portion|side|edge|area|region)"
_POSITION = re.compile(
    rf"\b(?P<framed>{_WORD}(?:[- ]{_WORD})*)(?:[- ]{_PART})?,? (?:of|in) (?:the|this) "
    r"(?:image|picture|frame|field of view)(?: as displayed \(orientation unknown\))?(?:\s*\((?P<patient>[^)]*)\))?"
    rf"|\b(?P<bare>{_WORD}[- ]{_WORD})\b(?!\s+(?:lobe|lung|limb|extremity|abdomen|zone))(?:[- ]{_PART})?",
    re.IGNORECASE,
)
_IN_PATIENT = re.compile(
    r"patient's (?:left|right)(?: side)?|\b(?:anterior|posterior|superior|inferior)\b|towards the (?:head|feet)",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:whole|entire) image\b", re.IGNORECASE)
_DOWN = {"upper": "upper", "top": "upper", "lower": "lower", "bottom": "lower"}
_ACROSS = {"left": "left", "right": "right"}

_PREDICATE = (
    r"(?P<predicate>(?:to the )?left of|(?:to the )?right of|above|below|inside|within|larger than|bigger than|"
    r"smaller than|brighter than|darker than|similar in size to)"
)
_RELATION = re.compile(
    rf"\b(?P<subject>r\d+)\b(?P<between>(?:(?!\br\d+\b)[^.;])*?)\b{_PREDICATE} (?:the )?(?:region )?(?P<object>r\d+)\b",
    re.IGNORECASE,
)
_LOOSE = re.compile(r"\b(?:larg|bigg|small|bright|dark)er than\b", re.IGNORECASE)
# Said the other way round; and words for what a relation calls otherwise.
_INVERSE = {
    "right of": "left of", "below": "above", "smaller than": "larger than", "darker than": "brighter than",
}  # fmt: skip
_SAME = {"within": "inside", "bigger than": "larger than"}
SIMILAR, LARGER = 1.15, 1.5
"""Ratios of areas, as grounding uses them for its relations."""

_AROUND = re.compile(r"\bsurround\w*|\badjacent (?:tissue|parenchyma)|\bbackground\b", re.IGNORECASE)
_LEVEL = re.compile(
    r"\b(?:(?P<same>the same mean)|(?P<higher>higher|brighter|hyper(?:dense|intense|attenuating|echoic))|"
    r"(?P<lower>lower|darker|hypo(?:dense|intense|attenuating|echoic)|anechoic))\b"
    r"(?: (?:mean|intensity|density|signal))?",
    re.IGNORECASE,
)
_SPREAD = re.compile(
    r"\b(?:(?P<calm>more (?:uniform|homogeneous)|less (?:varied|heterogeneous))|"
    r"(?P<wild>more (?:varied|heterogeneous)|less (?:uniform|homogeneous))|"
    r"(?P<plain>uniform|homogeneous)|(?P<mixed>varied|heterogeneous)|(?P<equal>the same standard deviation)|"
    r"(?P<near>within a factor of two))\b",
    re.IGNORECASE,
)


def check_places(reading: Reading) -> None:
    """Where in the image, and in the patient, something lies."""
    for match in reading.take(_POSITION):
        words = (match["framed"] or match["bare"]).lower()
        _position(reading, match.start(), _axes(words), match["patient"])
    for match in reading.take(_IN_PATIENT):
        _in_patient(reading, match.start(), match[0])
    for _ in reading.take(_WHOLE):
        if reading.named:
            reading.doubt("it says of a region what holds for the whole image")
        else:
            reading.support("/intensity/mean")


def _axes(words: str) -> tuple[str | None, str | None]:
    """Down and across, each None where the words leave it open: 'upper left', 'left', 'centre', 'middle right'."""
    parts = re.split(r"[- ]", words)
    down = next((_DOWN[part] for part in parts if part in _DOWN), None)
    across = next((_ACROSS[part] for part in parts if part in _ACROSS), None)
    if any(part not in _DOWN and part not in _ACROSS for part in parts):
        down, across = down or "middle", across or "centre"
    return down, across


def _position(reading: Reading, place: int, said: tuple[str | None, str | None], patient: str | None) -> None:
    regions = reading.bound(place)
    if not regions:
        reading.doubt("it places something in a part of the image, and nothing there was outlined")
        return
    for index, region in regions:
        found = _shown(region, reading.facts.rows, reading.facts.columns)
        if all(ours is None or ours == theirs for ours, theirs in zip(said, found, strict=True)):
            reading.support(f"/regions/{index}/position")
            for word in (patient or "").split(", ") if patient else ():
                _in_patient(reading, place, word, (index, region))
            return
    index, region = regions[0]
    reading.contradict(f"region {region.region_id} lies in the {region.position}", f"/regions/{index}/position")


def _shown(region: Region, rows: int, columns: int) -> tuple[str | None, str | None]:
    """Thirds of the image as displayed: by the position's words, or by the centroid where these are the patient's."""
    words = region.position.split(" (")[0].removesuffix(" as displayed")
    if words.endswith(" of the image") and not _IN_PATIENT.search(words):
        down, across = _axes(re.sub(r" (?:third|part)$", "", words.removesuffix(" of the image")))
        return down or "middle", across or "centre"
    across, down = (
        min(2, int(3 * (at + 0.5) / extent)) for at, extent in zip(region.centroid, (columns, rows), strict=True)
    )
    return ("upper", "middle", "lower")[down], ("left", "centre", "right")[across]


def _in_patient(reading: Reading, place: int, said: str, only: tuple[int, Region] | None = None) -> None:
    said = said.lower().removesuffix(" side").strip()
    regions = [only] if only else reading.bound(place)
    known = [
        (index, region, [one[0].lower() for one in _IN_PATIENT.finditer(region.position)]) for index, region in regions
    ]
    if any(said in sides for _, _, sides in known):
        index = next(index for index, _, sides in known if said in sides)
        reading.support(f"/regions/{index}/position")
    elif any(_opposite(said) in sides for _, _, sides in known):
        index, region, _ = next(one for one in known if _opposite(said) in one[2])
        reading.contradict(f"region {region.region_id} lies in the {region.position}", f"/regions/{index}/position")
    elif reading.facts.metadata.laterality in ("left", "right") and said.startswith("patient's"):
        laterality = reading.facts.metadata.laterality
        if said.endswith(laterality):
            reading.support("/metadata/laterality")
        else:
            reading.contradict(f"the laterality is {laterality}", "/metadata/laterality")
    else:
        reading.doubt("it names a direction in the patient that is not known of what it speaks of")


def _opposite(said: str) -> str:
    pairs = (("left", "right"), ("anterior", "posterior"), ("superior", "inferior"), ("head", "feet"))
    for one, other in pairs:
        if said.endswith(one):
            return said.removesuffix(one) + other
        if said.endswith(other):
            return said.removesuffix(other) + one
    return ""


def check_relations(reading: Reading) -> None:
    """One region against another."""
    for match in list(_RELATION.finditer(reading.rest)):
        subject, other = match["subject"], match["object"]
        predicate = match["predicate"].lower().removeprefix("to the ")
        reading.blank(*match.span("predicate"))
        if subject not in reading.facts.regions or other not in reading.facts.regions:
            continue  # said of a region that is not there, which is noted elsewhere
        if re.search(r"\b(?:not|neither|nor|never)\b", match["between"], re.IGNORECASE):
            reading.doubt("it denies a relation, which was not measured")
            continue
        predicate = _SAME.get(predicate, predicate)
        if predicate in _INVERSE:
            subject, other, predicate = other, subject, _INVERSE[predicate]
        _relation(reading, subject, predicate, other)


def _relation(reading: Reading, subject: str, predicate: str, other: str) -> None:
    said = {subject, other} if predicate == "similar in size to" else (subject, other)
    for index, fact in enumerate(reading.facts.grounding.relations):
        if fact.predicate != predicate:
            continue
        if ({fact.subject, fact.object} if isinstance(said, set) else (fact.subject, fact.object)) == said:
            reading.support(f"/relations/{index}/predicate")
            return
    for index, fact in enumerate(reading.facts.grounding.relations):
        if fact.predicate == predicate and (fact.subject, fact.object) == (other, subject):
            reading.contradict(f"region {other} is {predicate} {subject}", f"/relations/{index}/predicate")
            return
    (a, first), (b, second) = reading.facts.regions[subject], reading.facts.regions[other]
    truth = _measured(predicate, first, second)
    field = "area_px" if predicate in ("larger than", "similar in size to") else "position"
    pointers = (f"/regions/{a}/{field}", f"/regions/{b}/{field}")
    if truth is None:
        reading.doubt(f"no relation says that {subject} is {predicate} {other}")
    elif truth:
        reading.support(*pointers)
    else:
        reading.contradict(f"by what was measured {subject} is not {predicate} {other}", *pointers)


def _measured(predicate: str, a: Region, b: Region) -> bool | None:
    """Whether a relation holds by the regions' own measures; None where these do not tell."""
    ratio = a.area_px / b.area_px
    match predicate:
        case "larger than":
            return ratio > 1 if not 1 / SIMILAR <= ratio <= SIMILAR else None
        case "similar in size to":
            ratio = max(ratio, 1 / ratio)
            return True if ratio <= SIMILAR else False if ratio >= LARGER else None
        case "left of" | "above":
            axis = 0 if predicate == "left of" else 1
            return None if a.centroid[axis] == b.centroid[axis] else a.centroid[axis] < b.centroid[axis]
        case "inside":
            inner, outer = a.box, b.box
            fits = inner.x >= outer.x and inner.y >= outer.y
            fits = fits and inner.x + inner.width <= outer.x + outer.width
            return None if fits and inner.y + inner.height <= outer.y + outer.height else False
        case _:
            return None  # what is shown brighter depends on the display, which only grounding knew


def check_surroundings(reading: Reading) -> None:
    """A region against the ring around it."""
    around_said = bool(_AROUND.search(reading.rest))
    for match in reading.take(_LEVEL):
        found = _against(reading, match.start()) if around_said or "hyp" in match[0].lower() else None
        if found is None:
            reading.doubt("it calls something higher or lower without measured surroundings")
            continue
        index, inside, around = found
        if match["same"]:
            holds = number(inside.mean) == number(around.mean)
        else:
            holds = inside.mean > around.mean if match["higher"] else inside.mean < around.mean
        _hold(
            reading, holds, index, "mean", f"the mean is {number(inside.mean)} against {number(around.mean)} around it"
        )
    for match in reading.take(_SPREAD):
        found = _against(reading, match.start())
        if found is None:
            reading.doubt("it speaks of texture where no surroundings were measured to compare it with")
            continue
        index, inside, around = found
        ours, theirs = inside.spread, around.spread
        holds = {
            "calm": ours < theirs, "wild": ours > theirs, "plain": ours <= UNIFORM * theirs,
            "mixed": ours >= VARIED * theirs, "equal": ours == theirs,
            "near": UNIFORM * theirs < ours < VARIED * theirs,
        }[str(match.lastgroup)]  # fmt: skip
        words = f"the standard deviation is {number(ours)} against {number(theirs)} around it"
        _hold(reading, holds, index, "spread", words)
    for _ in reading.take(_LOOSE):
        reading.doubt("it compares sizes without naming both regions")
    reading.take(_AROUND)


def _hold(reading: Reading, holds: bool, index: int, field: str, otherwise: str) -> None:
    pointers = (f"/regions/{index}/intensity/{field}", f"/regions/{index}/surroundings/{field}")
    if holds:
        reading.support(*pointers)
    else:
        reading.contradict(otherwise, *pointers)


def _against(reading: Reading, place: int) -> tuple[int, Intensity, Intensity] | None:
    regions = reading.bound(place) if reading.named else reading.scope
    if len(regions) > 1 and reading.named:
        regions = regions[:1]
    for index, region in regions:
        if region.surroundings is not None:
            return index, region.intensity, region.surroundings
    return None
