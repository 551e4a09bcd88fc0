"""One of two that are called alike, by its side or as the other: 'larger than the right', 'than its counterpart'."""

from collections.abc import Sequence
from dataclasses import replace

from models.statements.facts import Facts
from models.statements.reading.atoms import Atom
from models.statements.reading.mentions import OTHERS, VERBS, Mention
from models.statements.tokens import words

_SIDES = {"left": "high", "right": "low"}
_BEFORE = {"than", "as", "and", "but", "while", "whereas", "versus", ",", ";"}
_ENDS = {",", ";", "and", "but", "while", "whereas", ")"}


def counterpart(atoms: list[Atom], n: int, named: Sequence[Mention], facts: Facts) -> Mention | None:
    """What 'the right', or 'its counterpart', stands for; None where it stands for nothing that was named.

    Args:
        atoms: of the sentence.
        n: index of the word.
        named: what was named before it, in order, in the sentence before too.
        facts: of the image.
    """
    last = next((one for one in reversed(named) if one.regions), None)
    if last is not None and not last.name and len(last.regions) == 1 and last.regions[0] in facts.regions:
        last = replace(last, name=" ".join(words(facts.region(last.regions[0]).label)))
    if last is None or not last.name:
        return None
    pair = _pair(facts.named(last.name), facts)
    if len(pair) != 2:
        return None
    if atoms[n].text in OTHERS:
        return _other(atoms, n, last, pair, facts)
    side = _SIDES.get(atoms[n].text)
    if side is None or atoms[n].kind != "place" or not _stands_alone(atoms, n):
        return None
    there = on_side(pair, side, facts)
    return _named(last, there, n, n + 1) if there is not None else None


SPECK = 0.1
"""Part of the area of the second of several below which the others are no counterpart of the largest."""


def _pair(regions: Sequence[str], facts: Facts) -> Sequence[str]:
    """The two of several that stand out by their size: of two lungs and a speck of air, the lungs."""
    by_size = sorted(regions, key=lambda one: -facts.region(one).area_px)
    areas = [facts.region(one).area_px for one in by_size]
    return by_size[:2] if len(areas) > 2 and areas[2] < SPECK * areas[1] else regions


def on_side(regions: Sequence[str], side: str, facts: Facts) -> str | None:
    """The one of two that lies on a side of the patient: "high" is the left; None where that is not told."""
    told = {
        one: axis.fraction
        for one in regions
        for place in [facts.region(one).place]
        if place is not None
        for axis in place.axes
        if axis.towards == "patient left"
    }
    there = [one for one, fraction in told.items() if (fraction > 0.5) == (side == "high")]
    return there[0] if len(told) == len(regions) and len(there) == 1 else None


def _stands_alone(atoms: list[Atom], n: int) -> bool:
    """Whether it is a noun here: behind 'than the', and before no noun."""
    if n < 1 or atoms[n - 1].text != "the":
        return False
    before = atoms[n - 2] if n > 1 else None
    follows = atoms[n + 1] if n + 1 < len(atoms) else None
    opens = before is None or before.text.split(" ")[-1] in _BEFORE or before.kind in ("relation", "ratio", "level")
    ends = follows is None or follows.text in _ENDS or follows.text.split(" ")[0] in VERBS
    return opens and (ends or (follows is not None and follows.kind in ("relation", "compared")))


def _other(atoms: list[Atom], n: int, last: Mention, pair: Sequence[str], facts: Facts) -> Mention | None:
    rest = [one for one in pair if one not in last.regions]
    if len(last.regions) != 1 or len(rest) != 1:
        return None
    end = n + 1
    while end < len(atoms) and (atoms[end].text in ("one", "side") or atoms[end].value == last.name):
        end += 1
    m = end + 1 if [atom.text for atom in atoms[end : end + 2]][1:] == ["the"] else end
    on = end < len(atoms) and atoms[end].text in ("on", "at", "in") and m + 1 < len(atoms)
    side = _SIDES.get(atoms[m + 1].text) if on else None
    if side is not None:
        return _named(last, rest[0], n, m + 2) if on_side(pair, side, facts) == rest[0] else None
    return _named(last, rest[0], n, end)


def _named(last: Mention, region_id: str, n: int, end: int) -> Mention:
    return replace(
        last, regions=(region_id,), explicit=True, several=False, start=n, end=end, every=False, part=None, loose=False
    )
