"""What may be said of a volume: claims on ml, parts and extents, as sentences, read back, and judged by its record.

Sentences of slices have claims of their own; words are the table's. Knows nothing of who outlined anything, nor of
how it was measured.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from models.statements.table import table
from models.statements.tokens import NUMBER_WORDS, plural, spelled_out
from schemas.regions import VolumeFinding, expert_name
from schemas.triplets import Verdict
from schemas.volumes import StackedLabel, VolumeRecord, VolumeStatement

VERSION = "1"
"""Raised when the same record would get other sentences, or the same sentence another verdict."""
MOST_FINDINGS = 12
"""That are told, in their order in the record."""
ROUNDED = 0.005
"""Part of a figure by which a sentence may differ from it beyond its own last digit."""

Measure = Literal["volume", "largest part", "parts", "extent", "voxels", "slices", "seen"]
Bound = Literal["exactly", "at least"]
_FIELDS: dict[Measure, str] = {
    "volume": "volume_ml",
    "largest part": "largest_part_ml",
    "parts": "parts",
    "extent": "extent_mm",
    "voxels": "voxels",
}
_GROWS = ("volume", "largest part", "extent", "voxels")
"""What more slices can only make larger: told as a lower bound where some are missing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure that a sentence tells.

    Args:
        label: of the finding; empty: of the volume itself.
        measure: which figure.
        values: in ml, mm or by count; of an extent three.
        steps: half the last digit that is written of each.
        bound: whether it is told as a lower bound.
    """

    label: str
    measure: Measure
    values: tuple[float, ...]
    steps: tuple[float, ...]
    bound: Bound = "exactly"


Finding = StackedLabel | VolumeFinding


def findings(record: VolumeRecord) -> Iterator[tuple[str, Finding]]:
    """What was outlined, each with the pointer to it."""
    for n, label in enumerate(record.labels):
        yield f"/labels/{n}", label
    for n, volume in enumerate(record.volumes):
        yield f"/volumes/{n}", volume


def _is_whole(record: VolumeRecord, finding: Finding) -> bool:
    """Whether the figures of a finding are what they are, and no lower bounds."""
    return record.complete and not (isinstance(finding, StackedLabel) and finding.partial)


def told(record: VolumeRecord) -> tuple[VolumeStatement, ...]:
    """The record in sentences. One that the verifier does not bear out is not kept."""
    written: list[tuple[str, tuple[str, ...]]] = [(_overview(record), ("/modality", "/slices", "/seen"))]
    for pointer, finding in list(findings(record))[:MOST_FINDINGS]:
        written.append(_sentence(record, pointer, finding))
    kept = ((text, pointers, judge(text, record)) for text, pointers in written)
    return tuple(
        VolumeStatement(text=text, pointers=pointers, verdict=verdict)
        for text, pointers, verdict in kept
        if verdict.outcome == "supported"
    )


def _overview(record: VolumeRecord) -> str:
    kind = record.modality if record.modality not in ("unknown", "other") else "Image"
    seen = "" if record.complete else f", {record.seen} of them seen"
    return f"{kind} volume of {record.slices} slices{seen}."


def _sentence(record: VolumeRecord, pointer: str, finding: Finding) -> tuple[str, tuple[str, ...]]:
    whole = _is_whole(record, finding)
    bound = "" if whole else "at least "
    marked = isinstance(finding, StackedLabel) and finding.kind == "source annotation"
    who = "marked by the source" if marked else f"outlined as a candidate by {finding.expert.partition('@')[0]}"
    fields = ["label", "expert"]
    if finding.volume_ml is not None:
        words = [f"measures {bound}{finding.volume_ml:.10g} ml"]
        fields.append("volume_ml")
    else:
        words = [f"covers {bound}{finding.voxels} voxels"]
        fields.append("voxels")
    if whole:  # Where some of it is missing, one part can fall in two.
        words[0] += " in 1 part" if finding.parts == 1 else f" in {finding.parts} parts"
        fields.append("parts")
        if finding.parts > 1 and finding.largest_part_ml is not None:
            words[0] += f", the largest of {finding.largest_part_ml:.10g} ml"
            fields.append("largest_part_ml")
    if finding.extent_mm is not None:
        sides = " x ".join(f"{side:.10g}" for side in finding.extent_mm)
        words.append(f"extends over {bound}{sides} mm")
        fields.append("extent_mm")
    joined = (", and " if "largest" in words[0] else " and ").join(words)
    text = f"{finding.label[0].upper()}{finding.label[1:]}, {who}, {joined}."
    return text, tuple(f"{pointer}/{field}" for field in fields)


_SCALES = {"ml": 1.0, "litres": 1000.0, "mm": 1.0, "cm": 10.0}
"""How much of its unit each unit of the table is, by its name there."""
_COUNT = rf"(?P<count>\d+|{'|'.join(NUMBER_WORDS)}|a single)"


def _number(name: str) -> str:
    return rf"(?P<{name}>\d+(?:,\d{{3}})*(?:\.\d+)?)"


def _any(phrases: Iterable[str]) -> str:
    """One of the phrases of the table, the longest first."""
    spelled = {one for pattern in phrases for one in spelled_out(pattern)}
    return rf"(?:{'|'.join(re.escape(one) for one in sorted(spelled, key=len, reverse=True))})"


def _units(**named: Iterable[str]) -> str:
    return rf"\s?(?:{'|'.join(rf'(?P<{name}>{_any(phrases)})' for name, phrases in named.items())})\b"


@lru_cache(maxsize=1)
def _patterns() -> dict[Measure, re.Pattern[str]]:
    """In the order in which they are sought: what one takes is not read by those after it."""
    said = table().volumes
    bound = rf"(?:(?P<least>{_any(said.least)}) |{_any(said.about)} )?"
    volume = _units(ml=said.ml, litres=said.litres)
    length = _units(
        mm=(*table().units["mm"], "{millimeter|millimeters}"), cm=(*table().units["cm"], "{centimeter|centimeters}")
    )
    sides = rf"\s?{_any(said.cross)}\s?".join(_number(name) for name in ("one", "two", "three"))
    found: dict[Measure, str] = {
        "largest part": rf"\b{_any(said.largest)} {bound}{_number('one')}{volume}",
        "extent": rf"{bound}{sides}{length}",
        "volume": rf"{bound}{_number('one')}{volume}",
        "voxels": rf"{bound}{_number('one')} {_any(said.voxels)}\b",
        "parts": rf"\b{_COUNT} {_any(said.parts)}\b",
        "seen": rf"\b{_COUNT} {_any(said.seen)}\b",
        "slices": rf"\b{_COUNT} {_any(said.slices)}\b",
    }
    return {measure: re.compile(pattern, re.IGNORECASE) for measure, pattern in found.items()}


@lru_cache(maxsize=1)
def _source() -> re.Pattern[str]:
    return re.compile(rf"\b{_any(table().volumes.marked)}\b", re.IGNORECASE)


@lru_cache(maxsize=1)
def _expert() -> re.Pattern[str]:
    return re.compile(rf"\b{_any(table().volumes.found)} ([\w.-]+)", re.IGNORECASE)


def read(text: str, record: VolumeRecord) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """What a sentence says of a volume, and the words of it that were not understood, in order."""
    rest, label = _without_label(text, record)
    rest = _expert().sub(" ", _source().sub(" ", rest))
    claims: list[Claim] = []
    for measure, pattern in _patterns().items():
        while found := pattern.search(rest):
            claims.append(_claim("" if measure in ("slices", "seen") else label, measure, found))
            rest = _cut(rest, found)
    kind, neutral = record.modality.lower(), set(table().volumes.neutral.split())
    left = [word for word in re.findall(r"[^\W_]+", rest.lower().replace(kind, " ")) if word not in neutral]
    return tuple(claims), tuple(left)


def _claim(label: str, measure: Measure, found: re.Match[str]) -> Claim:
    groups = found.groupdict()
    if "count" in groups:
        word = groups["count"].lower()
        number = float(word) if word.isdigit() else float(NUMBER_WORDS.get(word, 1))
        return Claim(label, measure, (number,), (0.0,))
    scale = next((by for unit, by in _SCALES.items() if groups.get(unit)), 1.0)
    numbers = [one.replace(",", "") for name in ("one", "two", "three") if (one := groups.get(name))]
    steps = tuple(0.5 * scale * 10.0 ** -len(one.partition(".")[2]) for one in numbers)
    return Claim(label, measure, tuple(scale * float(one) for one in numbers), steps,
                 "at least" if groups.get("least") else "exactly")  # fmt: skip


def _cut(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} , {text[found.end() :]}"


def _without_label(text: str, record: VolumeRecord) -> tuple[str, str]:
    """The longest label of the record that the sentence names, cut out of it."""
    for label in sorted({one.label for _, one in findings(record)}, key=len, reverse=True):
        if found := _naming(label).search(text):
            return _cut(text, found), label
    return text, ""


@lru_cache(maxsize=512)
def _naming(label: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{re.escape(plural(label))}|{re.escape(label)})\b", re.IGNORECASE)


def judge(text: str, record: VolumeRecord) -> Verdict:
    """Hold a sentence against the figures of a record.

    Where a slice is missing all figures are lower bounds: what is told as exact is not supported.
    """
    claims, left = read(text, record)
    pointers: list[str] = []
    unsupported = [f"not understood: {word!r}" for word in left]
    if not claims:
        unsupported.append("nothing that was measured is told")
    for claim in claims:
        outcome, reason, found = _held(claim, text, record)
        pointers += found
        if outcome == "contradicted":
            return Verdict(outcome="contradicted", reason=reason, pointers=tuple(dict.fromkeys(pointers)))
        if outcome == "unsupported":
            unsupported.append(reason)
    outcome = "unsupported" if unsupported else "supported"
    return Verdict(outcome=outcome, reason="; ".join(unsupported), pointers=tuple(dict.fromkeys(pointers)))


def _held(claim: Claim, text: str, record: VolumeRecord) -> tuple[str, str, tuple[str, ...]]:
    if claim.measure in ("slices", "seen"):
        truth = record.slices if claim.measure == "slices" else record.seen
        same = claim.values == (truth,)
        return "supported" if same else "contradicted", "" if same else f"it is {truth}", (f"/{claim.measure}",)
    named = [(pointer, one) for pointer, one in findings(record) if one.label == claim.label]
    if _source().search(text):
        named = [(pointer, one) for pointer, one in named if one.expert == "source"]
    elif by := _expert().search(text):
        named = [(pointer, one) for pointer, one in named if expert_name(one.expert) == by[1].rstrip(".")]
    if not named:
        return "unsupported", f"nothing measured says the {claim.measure} of that", ()
    answers = [_against(claim, pointer, one, _is_whole(record, one)) for pointer, one in named]
    rank = ("supported", "unsupported", "contradicted")
    return min(answers, key=lambda answer: rank.index(answer[0]))


def _against(claim: Claim, pointer: str, finding: Finding, whole: bool) -> tuple[str, str, tuple[str, ...]]:
    at = (f"{pointer}/{_FIELDS[claim.measure]}",)
    measured: float | tuple[float, ...] | None = getattr(finding, _FIELDS[claim.measure])
    if measured is None:
        return "unsupported", f"the {claim.measure} was not measured: a spacing is unknown", at
    truths = measured if isinstance(measured, tuple) else (float(measured),)
    known = " x ".join(f"{one:g}" for one in truths)
    room = [max(step, ROUNDED * truth) for step, truth in zip(claim.steps, truths, strict=True)]
    if claim.measure == "parts":
        room = [0.0]
    pairs = list(zip(claim.values, truths, room, strict=True))
    if claim.bound == "at least":
        if all(value <= truth + slack for value, truth, slack in pairs):
            return "supported", "", at
        missing = "unsupported" if not whole and claim.measure in _GROWS else "contradicted"
        return missing, f"the {claim.measure} is {known}", at
    if not whole:
        if claim.measure in _GROWS and any(value < truth - slack for value, truth, slack in pairs):
            return "contradicted", f"the {claim.measure} is at least {known}", at
        return "unsupported", f"the {claim.measure} is not known: some of it is missing", at
    if all(abs(value - truth) <= slack + 1e-9 for value, truth, slack in pairs):
        return "supported", "", at
    return "contradicted", f"the {claim.measure} is {known}", at
