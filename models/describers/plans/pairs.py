"""Two that are called alike, one on each side: which of them is smaller, and which is whiter."""

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements.facts import Facts
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

_SMALLER = ("the <n> <p> is <m>smaller than the one <q>", "the <n> is <m>smaller <p> than <q>")
_LARGER = "the <n> <p> is <m>larger than the one <q>"
_WHITER = ("the <n> <p> {is|appears} whiter than the one <q>", "the <ns> are whiter <p> than <q>")
_LOWER = "{both|the} <n> {are|appear} whiter in their lower parts than in their upper parts"
MUCH = 2.0
"""Ratio of areas from which one is much smaller."""


def smaller(facts: Facts, region: Region, other: Region, noun: str) -> Plan:
    """That a region is smaller than the other of its kind."""

    def plan(voice: Voice) -> Piece | None:
        made = c.Relation(regions=(other.region_id,), predicate="larger than", object=region.region_id)
        pattern = voice.pick((*_SMALLER, _LARGER))
        first, second = (other, region) if pattern == _LARGER else (region, other)
        much = other.area_px >= MUCH * region.area_px
        return _of_both(facts, first, second, noun, fill(pattern, m="much " if much else ""), made)

    return plan


def whiter(facts: Facts, region: Region, other: Region, noun: str) -> Plan:
    """That a region is whiter than the other of its kind."""

    def plan(voice: Voice) -> Piece | None:
        made = c.Level(
            regions=(region.region_id,), scale="opacity", direction="high", degree="more", against=other.region_id
        )
        return _of_both(facts, region, other, noun, voice.spin(voice.pick(_WHITER)), made)

    return plan


def whiter_below(facts: Facts, regions: tuple[Region, Region], noun: str) -> Plan:
    """That both are whiter in their lower parts."""
    ids = tuple(one.region_id for one in facts.grounding.regions if one in regions)

    def plan(voice: Voice) -> Piece | None:
        name = " ".join(words(noun))
        text = fill(voice.spin(_LOWER), n=plural(noun))
        both = (c.Count(name=name, n=2),) if text.startswith("both") else ()
        found, made = c.Finding(regions=ids, every=True, name=name), c.Gradient(regions=ids, every=True, end="lower")
        return Piece(text, (*both, found, made), several=True)

    return plan


def _of_both(facts: Facts, region: Region, other: Region, noun: str, pattern: str, made: c.Claim) -> Piece | None:
    sides = _sides(facts, region, other)
    if sides is None:
        return None
    name = " ".join(words(noun))
    if "the one" in pattern:
        named = tuple(c.Finding(regions=(one.region_id,), name=name) for one in (region, other))
    else:
        ids = tuple(one.region_id for one in facts.grounding.regions if one in (region, other))
        named = (c.Finding(regions=ids, every="<ns>" in pattern, name=name),)
    return Piece(fill(pattern, n=noun, ns=plural(noun), p=sides[0], q=sides[1]), (*named, made))


def _sides(facts: Facts, region: Region, other: Region) -> tuple[str, str] | None:
    """Where each of them lies: on the patient's own sides, where these are known, else on those of the display."""
    told = [_across(one) for one in (region, other)]
    if told[0] is None or told[1] is None or facts.metadata.sides_contradict or (told[0] < 0.5) == (told[1] < 0.5):
        return None
    shown = facts.metadata.orientation is None
    ends = ["left" if (fraction < 0.5) == shown else "right" for fraction in told if fraction is not None]
    return (f"on the {ends[0]} of the image" if shown else f"on the patient's {ends[0]}"), f"on the {ends[1]}"


def _across(region: Region) -> float | None:
    axes = {axis.towards: axis.fraction for axis in region.place.axes} if region.place is not None else {}
    return axes.get("patient left", axes.get("image right"))
