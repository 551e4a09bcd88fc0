"""Numbers with their units, and counts, held against what was measured."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from models.describers.phrases import number, plural
from models.describers.verification.reading import Reading
from schemas.regions import Intensity

_NUMBER = r"(?<![\w.,])[-−]?\d+(?:,\d{3})*(?:\.\d+)?"
_SIZE = re.compile(
    rf"({_NUMBER})\s*(?:px|mm|cm)?\s*(?:×|x|by)\s*({_NUMBER})\s*(px|pixels?|mm|cm)?(?!\w)", re.IGNORECASE
)
_UNITS = (
    (r"px|pixels?", "px", 1.0),
    (r"mm²|mm2|mm\^2|sq(?:uare|\.)? ?(?:mm|millimet(?:er|re)s?)", "mm²", 1.0),
    (r"cm²|cm2|cm\^2|sq(?:uare|\.)? ?(?:cm|centimet(?:er|re)s?)", "mm²", 100.0),
    (r"mm|millimet(?:er|re)s?", "mm", 1.0),
    (r"cm|centimet(?:er|re)s?", "mm", 10.0),
    (r"%|percent|per cent", "%", 1.0),
    (r"times|-?fold", "times", 1.0),
    (r"HU|hounsfield units?", "HU", 1.0),
    (r"ms|milliseconds?", "ms", 1.0), (r"kVp?", "kV", 1.0), (r"T|tesla", "T", 1.0),
)  # fmt: skip
_STATISTICS = {
    "mean": "mean", "average": "mean", "standard deviation": "spread", "spread": "spread", "minimum": "minimum",
    "maximum": "maximum", "area": "area", "spacing": "spacing", "thickness": "thickness",
}  # fmt: skip
_STATISTIC = re.compile(rf"\b({'|'.join(_STATISTICS)})s?\b", re.IGNORECASE)
_COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_COUNT = rf"(?P<n>{'|'.join(_COUNTS)}|\d+|single|solitary|several|multiple|numerous)"
_NOUN = r"regions?|areas?|candidates?|fields?|foci|focus|lesions?|nodules?|mass(?:es)?|structures?"
_COUNTED = re.compile(
    rf"\b(?:{_COUNT}\s+(?:(?!(?:of|in|is|are)\b)[\w-]+\s+){{0,3}}?(?:{_NOUN})|(?P<none>no) part)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Fact:
    value: float
    unit: str
    pointer: str
    field: str
    region: str | None = None


def check_counts_of_labels(reading: Reading) -> None:
    """'Three candidate fat-density regions': before labels are taken out of the sentence."""
    groups = Counter((region.kind, region.label) for _, region in reading.facts.regions.values())
    labels = Counter(region.label for _, region in reading.facts.regions.values())
    for label in sorted(labels, key=len, reverse=True):
        said = rf"(?:{re.escape(plural(label))}|{re.escape(label)})"
        for match in re.finditer(rf"\b{_COUNT}\s+(?P<kind>candidate|annotated)?\s*{said}", reading.rest, re.IGNORECASE):
            kind = {"annotated": "source annotation", "candidate": "candidate"}.get((match["kind"] or "").lower())
            allowed = {labels[label]} if kind is None else {groups[kind, label]}
            if kind is None and label.startswith(("annotated", "candidate")):
                allowed |= {n for (_, one), n in groups.items() if one == label}
            _count(reading, match["n"].lower(), allowed, f"regions labelled '{label}'")
            reading.blank(*match.span("n"))


def check_counts(reading: Reading) -> None:
    """How many regions there are."""
    for match in list(_COUNTED.finditer(reading.rest)):
        _count(reading, (match["n"] or match["none"]).lower(), {len(reading.facts.regions)}, "outlined regions")
        reading.blank(*match.span())


def _count(reading: Reading, said: str, allowed: set[int], what: str) -> None:
    if said in ("several", "multiple", "numerous"):
        holds = max(allowed) > 1
    else:
        words = {"single": 1, "solitary": 1}
        n = words.get(said, _COUNTS.index(said) if said in _COUNTS else None)
        holds = (int(said) if n is None else n) in allowed
    if holds:
        reading.support(*(f"/regions/{index}/label" for index, _ in reading.scope))
    else:
        reading.contradict(f"there are {' or '.join(map(str, sorted(allowed)))} {what}")


def check_quantities(reading: Reading) -> None:
    """Sizes, distances, intensities: each number that is left."""
    facts = list(_facts(reading))
    for match in reading.take(_SIZE):
        columns, rows = _parsed(match[1]), _parsed(match[2])
        if match[3] is not None and not match[3].lower().startswith("p"):
            reading.doubt("it gives extents in mm, which were not measured")
        elif (columns, rows) == (reading.facts.columns, reading.facts.rows):
            reading.support("/image/columns", "/image/rows")
        else:
            size = f"{reading.facts.columns} × {reading.facts.rows} px"
            reading.contradict(f"the image measures {size}", "/image/columns", "/image/rows")
    for match in reading.take(_quantity_in(reading.facts.grounding.intensity.unit)):
        _quantity(reading, match, facts)


@cache
def _quantity_in(unit: str) -> re.Pattern[str]:
    """A number with a unit, which may be that of the image's values, and perhaps the region it is said of behind it."""
    units = "|".join(f"(?P<u{n}>{words})" for n, (words, _, _) in enumerate(_UNITS))
    return re.compile(
        rf"(?P<number>{_NUMBER})(?:\s*×?\s*(?P<own>{re.escape(unit)})|\s*-?(?:{units}))?(?![\w²])"
        r"(?:\s*\((?P<of>r\d+)\))?",
        re.IGNORECASE,
    )


def _quantity(reading: Reading, match: re.Match[str], facts: list[_Fact]) -> None:
    group = next((name for name in ("own", *(f"u{n}" for n in range(len(_UNITS)))) if match[name]), None)
    own_unit = reading.facts.grounding.intensity.unit
    factor = 1.0
    units = {"value"}
    if group is not None and group != "own":
        _, unit, factor = _UNITS[int(group[1:])]
        units = {unit}
    if group == "own" and own_unit == "%":
        units = {"value", "%"}
    said = _parsed(match["number"])
    clause = reading.whole[: match.start()]
    statistic = next((_STATISTICS[m[1].lower()] for m in reversed(list(_STATISTIC.finditer(clause)))), None)
    regions = {match["of"]} if match["of"] else _named_near(reading, match.start())
    fitting = [
        fact
        for fact in facts
        if fact.unit in units and (fact.region is None or not regions or fact.region in regions)
        and not (fact.region is None and regions and fact.unit == "value" and fact.field in ("mean", "spread"))
    ]  # fmt: skip
    if statistic in ("mean", "spread", "minimum", "maximum") and "value" in units:
        fitting = [fact for fact in fitting if fact.field in (statistic, "difference") or fact.unit == "%"]
    decimals = len(match["number"].partition(".")[2])
    for fact in fitting:
        # Rounded to the last figure written, but to a tenth of the value at most; or to three figures.
        rounding = min(0.5 * 10**-decimals * factor, 0.1 * abs(fact.value))
        if abs(fact.value - said * factor) <= max(rounding, 0.005 * abs(fact.value)) + 1e-9:
            reading.support(fact.pointer)
            return
    shown = f"{match['number']} {match[group]}" if group else match["number"]
    if not fitting:
        reading.doubt(f"nothing was measured that {shown} could be")
    else:
        near = min(fitting, key=lambda fact: abs(fact.value - said * factor))
        reading.contradict(
            f"{shown} was not measured; the nearest value is {number(near.value / factor)}", near.pointer
        )


def _named_near(reading: Reading, place: int) -> set[str]:
    """The regions that a number may belong to: those of its clause, else those of the sentence."""
    start = max(reading.whole.rfind(";", 0, place), -1) + 1
    end = reading.whole.find(";", place)
    clause = reading.whole[start : end if end >= 0 else None]
    here = {name for name in reading.named if re.search(rf"\b{name}\b", clause)}
    scope = {region.region_id for _, region in reading.scope}
    return here or (scope if scope != set(reading.facts.regions) or reading.named else set())


def _parsed(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _facts(reading: Reading) -> Iterator[_Fact]:
    metadata, grounding = reading.facts.metadata, reading.facts.grounding
    yield _Fact(reading.facts.columns, "px", "/image/columns", "columns")
    yield _Fact(reading.facts.rows, "px", "/image/rows", "rows")
    if metadata.spacing is not None:
        yield _Fact(metadata.spacing.column_mm, "mm", "/metadata/spacing/column_mm", "spacing")
        yield _Fact(metadata.spacing.row_mm, "mm", "/metadata/spacing/row_mm", "spacing")
    for field, unit in (
        ("slice_thickness_mm", "mm"), ("repetition_time_ms", "ms"), ("echo_time_ms", "ms"),
        ("magnetic_field_t", "T"), ("tube_voltage_kv", "kV"),
    ):  # fmt: skip
        if (value := getattr(metadata, field)) is not None:
            yield _Fact(value, unit, f"/metadata/{field}", field)
    yield from _of(grounding.intensity, "/intensity", None)
    for name, (index, region) in reading.facts.regions.items():
        pointer = f"/regions/{index}"
        yield _Fact(region.area_px, "px", f"{pointer}/area_px", "area", name)
        if region.area_mm2 is not None:
            yield _Fact(region.area_mm2, "mm²", f"{pointer}/area_mm2", "area", name)
        yield from _of(region.intensity, f"{pointer}/intensity", name)
        if region.surroundings is not None:
            yield from _of(region.surroundings, f"{pointer}/surroundings", name)
    for index, relation in enumerate(grounding.relations):
        if relation.value is None or relation.unit is None:
            continue
        unit = {"px": "px", "mm": "mm", "%": "%", "times": "times"}.get(relation.unit.split()[0], "value")
        if relation.predicate == "brighter than":
            unit = "value"
        for name in (relation.subject, relation.object):
            yield _Fact(relation.value, unit, f"/relations/{index}/value", "difference", name)


def _of(intensity: Intensity, pointer: str, region: str | None) -> Iterator[_Fact]:
    for field in ("mean", "spread", "minimum", "maximum"):
        fact = _Fact(getattr(intensity, field), "value", f"{pointer}/{field}", field, region)
        yield fact
        if intensity.unit == "HU":
            yield _Fact(fact.value, "HU", fact.pointer, field, region)
