"""Constructions: ways to say one thing of regions that takes several phrases, a row of the table each.

A row is a pattern over words with slots: <R> and <S> for regions, <G> for several that are called alike, <C> for a
count, <N> for a number with its unit, <F> for so many times, <D> for a direction. What it covers is claimed at once;
words outside of it, adjectives in a slot too, are read as everywhere. Knows nothing of truth.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from models.statements import claims as c
from models.statements.lexicon import lexicon
from models.statements.reading.atoms import Atom
from models.statements.reading.figures import Factor, Quantity
from models.statements.reading.mentions import Mention
from models.statements.reading.nouns import ATTRIBUTES
from models.statements.reading.sentence import Sentence
from models.statements.rows import Construction
from models.statements.table import table
from models.statements.tokens import words

_DIRECTIONS = {"above", "left of", "patient left of", "anterior to", "superior to"}
_NAME = r"(?:(?:the|a|an|that|this|region|marked|outlined|~\S+|\+\d+|,) )*"
_SLOTS = {
    "<R>": rf"(?P<R_>{_NAME})(?P<R>@\d+) ",
    "<S>": rf"(?P<S_>{_NAME})(?P<S>@\d+) ",
    "<G>": rf"(?:all |of )*(?P<G_>{_NAME})(?P<G>@\d+) ",
    "<C>": r"(?P<C>\+\d+) ",
    "<N>": r"(?P<N>#\d+) ",
    "<F>": r"(?P<F>\*\d+) ",
    "<D>": r"(?P<D>(?:[a-z']+ ){1,6}?)",
}


@dataclass(frozen=True, slots=True)
class _Match:
    """What a pattern covers, and what stands in its slots."""

    s: Sentence
    regions: dict[str, Mention]
    quantity: Quantity | None
    count: int | None
    factor: Factor | None
    direction: tuple[str, bool] | None
    word: str
    at: int


def read(s: Sentence) -> None:
    """Claims of all constructions in a sentence; their atoms are then used."""
    text, starts = _written(s)
    for row, pattern in _patterns():
        for found in pattern.finditer(text):
            _take(s, row, found, starts)


def _written(s: Sentence) -> tuple[str, dict[int, int]]:
    """The sentence with marks for what slots take, and the atom that begins at each place of it."""
    text, starts, n = " ", dict[int, int](), 0
    while n < len(s.atoms):
        starts[len(text)] = n
        if n in s.mentions and s.mentions[n].end > n:
            text += f"@{n} "
            n = s.mentions[n].end
            continue
        text += f"{_mark(s.atoms[n], n)} "
        n += 1
    starts[len(text)] = n
    return text, starts


def _mark(atom: Atom, n: int) -> str:
    if atom.kind == "quantity":
        return f"#{n}"
    if atom.kind == "ratio" and isinstance(atom.value, Factor):
        return f"*{n}"
    if atom.kind == "how many":
        return f"+{n}"
    if atom.kind in ATTRIBUTES and not atom.text.endswith((" that of", " that in")):
        return f"~{atom.text.replace(' ', '_')}"
    return atom.text


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[Construction, re.Pattern[str]]]:
    rows = [(row, phrase) for row in table().constructions for phrase in row.read]
    return [(row, re.compile(rf"(?<= ){_regex(phrase)}")) for row, phrase in rows]


_PIECE = re.compile(r"\{([^{}]*)\}|(<[A-Z]>)|(\S+)")


def _regex(phrase: str) -> str:
    """A row's pattern: {a|b} stands for either, {a|} for a or nothing."""
    found = ""
    for piece in _PIECE.finditer(phrase):
        if piece[2]:
            found += _SLOTS[piece[2]]
        elif piece[1] is not None:
            options = [_words(one) for one in piece[1].split("|") if one]
            found += f"(?:{'|'.join(sorted(options, key=len, reverse=True))}){'?' if '' in piece[1].split('|') else ''}"
        else:
            found += _words(piece[3])
    return found


def _words(phrase: str) -> str:
    """Words of a pattern, of one phrase of the sentence or of several: 'centre' can be a place."""
    return "".join(f"~?{re.escape(word)}[ _]" for word in words(phrase))


def _take(s: Sentence, row: Construction, found: re.Match[str], starts: dict[int, int]) -> None:
    if found.start() not in starts or found.end() not in starts:
        return
    slots = {name: value for name, value in found.groupdict().items() if value and not name.endswith("_")}
    regions = {name: s.mentions[int(value[1:])] for name, value in slots.items() if value[0] == "@"}
    if any(not one.regions for one in regions.values()):
        return
    direction = _direction(slots["D"]) if "D" in slots else None
    if "D" in slots and direction is None:
        return
    first, last = starts[found.start()], starts[found.end()]
    if s.used & set(range(first, last)):
        return
    quantity = s.atoms[int(slots["N"][1:])].value if "N" in slots else None
    factor = s.atoms[int(slots["F"][1:])].value if "F" in slots else None
    count = s.atoms[int(slots["C"][1:])].value if "C" in slots else None
    claims = _CLAIMS[row.claim](_Match(s, regions, quantity, count, factor, direction, row.word, first))
    if claims is None:
        return
    adjectives = {n for name in regions for n in range(starts[found.start(f"{name}_")], regions[name].start)}
    s.used.update(n for n in range(first, last) if n not in adjectives or not _is_read(s.atoms[n]))
    for one in regions.values():
        if one.name:
            s.say(c.Finding(regions=one.regions, every=one.several, name=one.name), negated=False, of=one)
    for one in claims:
        s.say(one, negated=False, of=regions.get("R"))
    s.subject = s.subject or regions.get("R")


def _is_read(atom: Atom) -> bool:
    """Whether a phrase within a slot is read as everywhere: an adjective, a count."""
    return atom.kind in ATTRIBUTES or atom.kind == "how many"


def _direction(said: str) -> tuple[str, bool] | None:
    meanings = lexicon().meanings.get(words(said), ())
    return next((one.value for one in meanings if one.kind == "relation" and one.value[0] in _DIRECTIONS), None)


def _two(m: _Match) -> tuple[str, str] | None:
    """The two that are compared: <R> and <S>, or both of <R>."""
    one, other = m.regions["R"], m.regions.get("S")
    if other is None and len(one.regions) == 1:
        pairs = [
            two.regions for two in m.s.mentions.values() if len(two.regions) == 2 and one.regions[0] in two.regions
        ]
        rest = [each for each in pairs[0] if each != one.regions[0]] if pairs else []
        return (one.regions[0], rest[0]) if len(rest) == 1 else None
    if other is None:
        return (one.regions[0], one.regions[1]) if len(one.regions) == 2 else None
    if len(one.regions) != 1 or len(other.regions) != 1 or one.regions == other.regions:
        return None
    return one.regions[0], other.regions[0]


def _distance(m: _Match) -> list[c.Claim] | None:
    pair, quantity = _two(m), m.quantity
    if pair is None or quantity is None or not quantity.unit or len(quantity.values) != 1:
        return None
    first, second = pair
    apart = c.Distance(
        regions=(first,), object=second, value=quantity.values[0], unit=quantity.unit, bound=quantity.bound,
        loose=quantity.loose, decimals=quantity.decimals, along=m.direction[0] if m.direction else "",
    )  # fmt: skip
    if m.direction is None:
        return [apart]
    predicate, turned = m.direction
    first, second = (second, first) if turned else (first, second)
    return [apart, c.Relation(regions=(first,), predicate=predicate, object=second)]


def _compared(m: _Match) -> list[c.Claim] | None:
    pair = _two(m)
    if pair is None:
        return None
    first, second = reversed(pair) if m.word == "smaller than" else pair
    predicate = "larger than" if m.word == "smaller than" else m.word
    return [c.Relation(regions=(first,), predicate=predicate, object=second)]


def _ranked(m: _Match) -> list[c.Claim] | None:
    of = m.regions.get("G")
    if len(m.regions["R"].regions) != 1 or (of is not None and not of.several):
        return None
    return [c.Rank(regions=m.regions["R"].regions, word=m.word, among=of.name if of is not None else "")]


def _times(m: _Match) -> list[c.Claim] | None:
    """'The mean of r1 is twice that of r2', 'five times the level of its surroundings'."""
    named = [one for start, one in sorted(m.s.mentions.items()) if start < m.at]
    one = m.regions.get("R") or (named[-1] if named else m.s.before)
    other, factor = m.regions.get("S"), m.factor
    if factor is None or factor.measure != "level":
        return None
    if one is None or len(one.regions) != 1 or (other is not None and len(other.regions) != 1):
        return None
    if other is not None and other.regions == one.regions:
        return None
    return [Factor(m.word, factor.value, factor.bound, factor.loose, factor.decimals).claim(
        one, other.regions[0] if other is not None else ""
    )]  # fmt: skip


def _each_times(m: _Match) -> list[c.Claim] | None:
    """'Compared with r1, each of the foci is four times smaller.'"""
    other, factor = m.regions["S"], m.factor
    if factor is None or len(other.regions) != 1:
        return None
    return [factor.claim(m.regions["R"], other.regions[0])]


def _alone(m: _Match) -> list[c.Claim] | None:
    """'Nothing but the lesion has been marked.'"""
    return [c.Count(name="", n=len(m.regions["R"].regions), outlined=True)]


def _none_related(m: _Match) -> list[c.Claim] | None:
    """'Nothing lies below r1': none of the others does."""
    to = m.regions["R"]
    others = tuple(one for one in m.s.facts.regions if one not in to.regions)
    if m.direction is None or len(to.regions) != 1 or not others:
        return None
    predicate, turned = m.direction
    if turned:  # "Below r1": what r1 is above of.
        return [c.Relation(regions=to.regions, predicate=predicate, object=one, negated=True) for one in others]
    return [c.Relation(regions=(one,), predicate=predicate, object=to.regions[0], negated=True) for one in others]


def _counted(m: _Match) -> list[c.Claim] | None:
    """'Reflexes are outlined at three spots.'"""
    of = m.regions["R"]
    return [c.Count(name=of.name, n=m.count, outlined=True)] if of.name and of.several and not of.explicit else None


_CLAIMS: dict[str, Callable[[_Match], list[c.Claim] | None]] = {
    "distance": _distance, "compared": _compared, "rank": _ranked, "times": _times, "each times": _each_times,
    "alone": _alone, "none": _none_related, "count": _counted,
}  # fmt: skip
"""By what a row of the table claims; None where what stands in its slots is not what it can be said of."""
