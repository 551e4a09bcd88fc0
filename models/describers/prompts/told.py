"""What of an image is put before the model: an allow-list, ranked and short. Knows nothing of what is done with it.

All of it is said in words that the verifier reads: a model that repeats them is not refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from models.describers import plans
from models.describers.checked import written
from models.describers.choosing import Chosen, absences, choose
from models.describers.plans import Plan
from models.knowledge.quoting import quotable
from models.statements import Facts
from models.statements.voice import Voice
from models.statements.writing import count, counted, facet, joined, name_of, two_figures
from schemas.regions import Region

REGIONS = 6
RELATIONS = 8
PASSAGES = 2
PASSAGE_WORDS = 60
ASPECTS = ("shape", "outline", "margin", "texture", "density", "uptake")
"""Of the words for a region's measurements, those that are told; contrast and size are in its phrase."""
UNITS = {
    "mm": "millimetres", "mm²": "square millimetres", "cm²": "square centimetres", "HU": "Hounsfield units",
    "SUV": "standardised uptake value (SUV)",
}  # fmt: skip
PIECES = 900
"""The most of what is told of one image, as `pieces` counts: with instructions and schema below 1,500 tokens."""
VOICE = "prompt"
"""Seed of the wording: the same facts are always told in the same words."""
WORDING = 3
"""Raised when the same facts would be told otherwise by a change of code."""


@dataclass(frozen=True, slots=True)
class Told:
    """Each field in sentences or phrases, the most telling first."""

    image: str
    disease: str | None
    regions: tuple[str, ...]
    others: str
    relations: tuple[str, ...]
    absences: tuple[str, ...]
    passages: tuple[tuple[str, str], ...]


def pieces(text: str) -> int:
    """An upper estimate of the tokens of English text: five letters, one figure or one mark a token.

    Of byte-pair vocabularies of 100,000 tokens and more; see docs/describing.md for how it compares.
    """
    return sum((len(one) + 4) // 5 if one.isalpha() else 1 for one in re.findall(r"[^\W\d_]+|\d|\S", text))


def told_regions(facts: Facts) -> tuple[Region, ...]:
    """The regions that are told and drawn: findings by how telling they are, then the largest of each structure."""
    return tuple(facts.region(one) for one in _leads(facts, choose(facts)))


def told(facts: Facts) -> Told:
    """What is told of an image, as much of it as there is room for."""
    chosen = choose(facts)
    leads = _leads(facts, chosen)
    room = _Room(PIECES)
    image = _said(plans.image(facts, caption=False), facts, "image") or "This is an image."
    disease = facts.metadata.disease
    room.take((image, disease or ""))
    regions = room.take(_of_region(facts, facts.region(one)) for one in leads)
    others = room.take((_others(facts, leads, chosen),))
    relations = room.take(_relations(facts, set(leads[: len(regions)])))
    missing = room.take(
        text for label in absences(facts) if (text := _said(plans.absence(label), facts, f"absence:{label}"))
    )
    passages = [
        (passage.title, text)
        for index, _ in islice(quotable(facts.passages), PASSAGES)
        for passage in [facts.passages[index]]
        for text in [_shortened(passage.text)]
        if room.take((f"{passage.title} {text}",))
    ]
    return Told(image, disease, regions, "".join(others), relations, missing, tuple(passages))


class _Room:
    """What is left of what may be told."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Those for which there is room, in order; the first for which there is none ends them."""
        taken: list[str] = []
        for text in texts:
            if pieces(text) > self.left:
                break
            self.left -= pieces(text)
            taken.append(text)
        return tuple(taken)


def _leads(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    leads = [*chosen.findings, *(one for group in chosen.groups for one in group)][:REGIONS]
    for label in (*chosen.structures, *chosen.tissues):
        labelled = [region for _, region in facts.regions.values() if region.label == label]
        fitting = [one for one in labelled if one.region_id not in chosen.doubled]
        leads.append(max(fitting, key=lambda one: one.area_px).region_id)
    return tuple(leads[:REGIONS])


def _said(plan: Plan, facts: Facts, slot: str) -> str | None:
    statement = written(plan, facts, f"{VOICE}:{slot}")
    return statement.text if statement is not None else None


def _of_region(facts: Facts, region: Region) -> str:
    """'r1: oval tumour in the …. Well circumscribed. 44 by 28 millimetres, mean 55 Hounsfield units.'"""
    name = region.region_id
    phrase = _said(plans.phrase(facts, region, tagged=True), facts, f"phrase:{name}") or f"{region.label}."
    phrase = phrase.replace(f" ({name})", "")
    called = name_of(facts, name, Voice(f"{VOICE}:{name}"), tagged=True)
    looks = [
        found.is_
        for aspect in ASPECTS
        for found in [facet(facts, region, aspect, Voice(f"{VOICE}:{aspect}:{name}"), called)]
        if found and found.is_
    ]
    measured = _measured(region)
    parts = [f"{name}: {phrase[0].lower() if phrase[1:2].islower() else phrase[0]}{phrase[1:]}"]
    parts += [f"It is {joined(looks)}."] if looks else []
    parts += [f"It {joined(measured)}."] if measured else []
    parts += ["The source marks it."] if region.kind == "source annotation" else []
    return " ".join(parts)


def _measured(region: Region) -> list[str]:
    found: list[str] = []
    size, intensity = region.size, region.intensity
    if size is not None and size.unit == "mm" and size.shortest_axis >= 0.1:
        longest, shortest = two_figures(size.longest_axis), two_figures(size.shortest_axis)
        found.append(f"measures {longest} by {shortest} {UNITS['mm']}")
    if region.area_mm2 is not None and region.area_mm2 >= 0.1:
        value, unit = (region.area_mm2 / 100, "cm²") if region.area_mm2 >= 100 else (region.area_mm2, "mm²")
        found.append(f"covers {two_figures(value)} {UNITS[unit]}")
    if intensity.unit == "HU":
        found.append(f"has a mean of {two_figures(intensity.mean)} {UNITS['HU']}")
    elif intensity.unit == "SUVbw":
        found.append(f"has a mean {UNITS['SUV']} of {two_figures(intensity.mean)}")
    return found


def _others(facts: Facts, leads: tuple[str, ...], chosen: Chosen) -> str:
    """What else is outlined, counted; '' where there is nothing."""
    same = chosen.doubled.union(*chosen.same.values())
    left = [region for one, (_, region) in facts.regions.items() if one not in leads and one not in same]
    found = [
        piece.text
        if (piece := counted(facts, label, Voice(f"{VOICE}:{label}"), doubled=chosen.doubled))
        else f"{count(n)} × {label}"
        for label in dict.fromkeys(region.label for region in left)
        for n in [sum(region.label == label for region in left)]
    ]
    return joined(found[:RELATIONS]) if found else ""


def _relations(facts: Facts, leads: set[str]) -> Iterable[str]:
    found: list[str] = []
    for index, one in enumerate(facts.grounding.relations):
        if {one.subject, one.object} <= leads:
            text = _said(plans.relation(facts, index, tagged=True), facts, f"relation:{index}")
            found += [text] if text else []
    for index, one in enumerate(facts.grounding.continuations):
        if one.region in leads:
            text = _said(plans.continuation(facts, index, tagged=True), facts, f"continuation:{index}")
            found += [text] if text else []
    return found[:RELATIONS]


def _shortened(text: str) -> str:
    """Its first sentences, as many as fit; at least the beginning of the first."""
    kept: list[str] = []
    for sentence in re.split(r"(?<=[.!?])\s+", text.strip()):
        said = sentence.split()
        if kept and len(kept) + len(said) > PASSAGE_WORDS:
            break
        kept += said
    return " ".join(kept[:PASSAGE_WORDS])
