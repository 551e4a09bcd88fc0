"""Of how many of several regions something is said: 'two of the five', 'at least two', 'half of them'."""

import math
from collections.abc import Sequence

from models.statements.claims import MOST, Bounded, Part
from models.statements.reading.atoms import Atom
from models.statements.reading.figures import STRICT, Quantity
from models.statements.reading.mentions import ALL, ANY, MOSTLY, VERBS

_TOLD = {"word", "level", "place", "relation", "share", "sides"}
"""Kinds of phrases that tell something of regions."""
_EXACTLY = ("only", "just", "exactly")


def part(atoms: Sequence[Atom], n: int, before: Sequence[int], several: int) -> Part | None:
    """Of how many of a plural at n it is said; None where of all, or of any.

    Args:
        atoms: of the sentence.
        n: index of the noun.
        before: where words stand before it that belong to it.
        several: how many regions it fits.
    """
    if atoms[n].text in ANY and (counted := counted_of_all(atoms, n)) is not None:
        return counted
    plural = atoms[n].several or atoms[n].kind == "ref" or atoms[n].text in ANY
    for m in (n, *before):
        of = atoms[m - 1] if m else None
        if plural and of is not None and of.text in MOSTLY and atoms[m].text in ALL:
            return MOST
        if of is not None and of.text == "of" and m >= 2 and atoms[m].text in ALL | {"regions"}:
            count = atoms[m - 2]
            if count.kind == "how many" and isinstance(count.value, int) and count.text != "both":
                return _bounded(atoms, m - 2, count.value)
            if (
                plural
                and isinstance(count.value, Quantity)
                and count.value.unit == "%"
                and len(count.value.values) == 1
            ):
                return _of_them(count.value, several)
    return None


def counted_of_all(atoms: Sequence[Atom], n: int) -> Part | None:
    """Of how many of all that is outlined: 'exactly one region is round', 'at least two regions lie in r1'."""
    m = n - 1
    while m >= 0 and atoms[m].text in ("outlined", "marked", "region"):
        m -= 1
    if m < 0 or atoms[m].kind != "how many" or not isinstance(atoms[m].value, int) or n + 1 >= len(atoms):
        return None
    follows = atoms[n + 1]
    tells = any(atom.kind in _TOLD for atom in atoms[n + 1 : n + 6])
    if not tells or not (follows.text.split(" ")[0] in VERBS or follows.kind == "relation"):
        return None
    return None if m and atoms[m - 1].text in ("the", "of", "all", "no") else _bounded(atoms, m, atoms[m].value)


def is_counted_exactly(atoms: Sequence[Atom], n: int, before: Sequence[int]) -> bool:
    """Whether a part of one is told as 'only one of', which no other is, and not as 'one of'."""
    of = next((m - 1 for m in (n, *before) if m and atoms[m - 1].text == "of"), n)
    return atoms[of - 1].text != "one" or (of > 1 and atoms[of - 2].text in _EXACTLY)


def _bounded(atoms: Sequence[Atom], n: int, count: int) -> Part:
    """A count at n with the bound before it: 'at least two of'."""
    before = atoms[n - 1] if n else None
    if before is None or before.kind != "bound":
        return count
    shift = 0 if before.text not in STRICT else 1 if before.value == "above" else -1
    return Bounded(count + shift, before.value)


def _of_them(share: Quantity, several: int) -> Part:
    """How many a part of several is: 'half of the six', 'more than half of them'."""
    count = share.values[0] * several / 100
    whole = count == int(count)
    if share.bound == "above":
        return Bounded(int(count) if whole and not share.strict else math.floor(count) + 1, "above")
    if share.bound == "below":
        return Bounded(math.floor(count) if not (whole and share.strict) else int(count) - 1, "below")
    return round(count)
