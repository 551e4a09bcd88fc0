"""Constructions: ways to say one thing of regions that takes several phrases, a row of the table each.

A row is a pattern over words with slots: <R>, <S>, <T> for regions, <G> for several that are called alike, <W> for what
is called so, outlined or not, <X> for that or an organ or a disease, <C> for a count, <N> for a number with its unit,
<F> for so many times, <D> for a direction, <E> for an expert; <V>, <P>, <L>, <Z> and <O> are words. What a row covers
is claimed at once; words outside of it, adjectives in a slot too, are read as everywhere. Knows nothing of truth, nor
of what a row claims.
"""

import re
from functools import lru_cache

from models.statements import claims as c
from models.statements.lexicon import lexicon
from models.statements.reading.atoms import Atom
from models.statements.reading.constructed import CLAIMS, Match
from models.statements.reading.figures import Factor
from models.statements.reading.mentions import DIRECTIONS, Mention
from models.statements.reading.sentence import Sentence
from models.statements.reading.spans import ATTRIBUTES
from models.statements.rows import Construction
from models.statements.table import table
from models.statements.tokens import inflected, words

_NAME = r"(?:(?:the|a|an|that|this|region|marked|outlined|~\S+|\+\d+|,) )*"
_SLOTS = {
    "<R>": rf"(?P<R_>{_NAME})(?P<R>@\d+) ",
    "<S>": rf"(?P<S_>{_NAME})(?P<S>@\d+) ",
    "<T>": rf"(?P<T_>{_NAME})(?P<T>@\d+) ",
    "<G>": rf"(?:all |of )*(?P<G_>{_NAME})(?P<G>@\d+) ",
    "<W>": rf"(?P<W_>{_NAME})(?P<W>@\d+) ",
    "<X>": rf"(?P<X_>{_NAME})(?P<X>[%@]\d+) ",
    "<C>": r"(?P<C>[+#]\d+) ",
    "<E>": r"(?P<E>!\d+) (?:, (?:in contrast|by contrast|in turn|however|though|for its part|on the other hand) , )?",
    "<O>": r"(?:(?:only|just|exactly|precisely|a total of|altogether|in all|at least|at most|more than|fewer than|"
    r"less than|no more than|no fewer than|not more than|up to) )?",
    "<Z>": r"(?:nothing(?: at all| of note| whatsoever)?|none|(?:no|no such|not a single|not one|not any) "
    r"(?:region|regions|candidate|candidates|finding|findings|area|areas|focus|foci|structure|structures)) ",
    "<N>": r"(?P<N>#\d+) ",
    "<F>": r"(?P<F>\*\d+) ",
    "<D>": r"(?P<D>(?:[a-z']+ ){1,6}?)",
}


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
    if atom.kind == "expert":
        return f"!{n}"
    if atom.kind in ("organ", "disease"):
        return f"%{n}"
    if atom.kind in ATTRIBUTES and not atom.text.endswith((" that of", " that in")):
        return f"~{atom.text.replace(' ', '_')}"
    return atom.text


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[Construction, re.Pattern[str]]]:
    rows = [(row, phrase) for row in table().constructions for phrase in row.read]
    return [(row, re.compile(rf"(?<= ){_regex(phrase)}")) for row, phrase in rows]


@lru_cache(maxsize=1)
def _slots() -> dict[str, str]:
    """The slots, with those for verbs of the table."""
    acts = "|".join(sorted({form for verb in table().acts for form in inflected(verb)}, key=len, reverse=True))
    stems = [verb.partition(" ") for verb in table().seeks]
    seeks = {f"{form}{gap}{rest}" for verb, gap, rest in stems for form in inflected(verb)}
    act = rf"(?:{acts})(?: out| up| forward| forth)? "
    seek = rf"(?:{'|'.join(sorted(seeks, key=len, reverse=True))}) "
    return {**_SLOTS, "<V>": act, "<P>": act, "<L>": seek}


_PIECE = re.compile(r"\{([^{}]*)\}|(<[A-Z]>)|(\S+)")


def _regex(phrase: str) -> str:
    """A row's pattern: {a|b} stands for either, {a|} for a or nothing."""
    found = ""
    for piece in _PIECE.finditer(phrase):
        if piece[2]:
            found += _slots()[piece[2]]
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
    if any(not one.regions for name, one in regions.items() if name not in "WX"):
        return
    direction = _direction(slots["D"]) if "D" in slots else None
    if "D" in slots and direction is None:
        return
    first, last = starts[found.start()], starts[found.end()]
    if s.used & set(range(first, last)):
        return
    said = {name: s.atoms[int(slots[name][1:])] for name in "NFCEX" if name in slots}
    claims = CLAIMS[row.claim](Match(s, regions, said, direction, row.word, first, last))
    if claims is None:
        return
    adjectives = {n for name in {*regions} - {"X"} for n in range(starts[found.start(f"{name}_")], regions[name].start)}
    s.used.update(n for n in range(first, last) if n not in adjectives or not _is_read(s.atoms[n]))
    for name, one in regions.items():
        if one.name and (name not in "WX" or (name == "W" and one.explicit and one.regions)):
            s.say(c.Finding(regions=one.regions, every=one.several, name=one.name), negated=False, of=one)
    for one in claims:
        s.say(one, negated=False, of=regions.get("R") or _before(s, first, one))
    s.accounted.update(one for mention in regions.values() for one in mention.regions)
    named = regions.get("R") or regions.get("W")
    s.subject = s.subject or (named if named is not None and named.regions else None)


def _before(s: Sentence, first: int, claim: c.Claim) -> Mention | None:
    """What a claim is of that no slot names, and stands before: 'an area of uptake …, twice as active as …'."""
    spoken = [one for start, one in sorted(s.mentions.items()) if start < first]
    return spoken[-1] if spoken and isinstance(claim, c.Ratio) and spoken[-1].regions == claim.regions else None


def _is_read(atom: Atom) -> bool:
    """Whether a phrase within a slot is read as everywhere: an adjective, a count."""
    return atom.kind in ATTRIBUTES or atom.kind == "how many"


def _direction(said: str) -> tuple[str, bool] | None:
    meanings = lexicon().meanings.get(words(said), ())
    return next((one.value for one in meanings if one.kind == "relation" and one.value[0] in DIRECTIONS), None)
