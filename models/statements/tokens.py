"""Text as tokens: lower case, one spelling, hyphens opened, numbers read. Knows nothing of what words mean."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

_TOKEN = re.compile(
    r"r\d+\b|(?:(?<![\w.)])[-−])?\d+(?:,\d{3})*(?:\.\d+)?|[^\W\d_]+\d*(?:[²³]|\^2)?|'s\b|’s\b|[×%&<>=/+^]|[.,;:()!?“”\"\[\]]|\S",
    re.IGNORECASE,
)
_CONTRACTED = re.compile(r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should|ca)n['’]t\b", re.IGNORECASE)
_WHOLE = {
    "i.e": "namely",
    "e.g": "namely",
    "approx": "approximately",
    "ca": "about",
    "vs": "versus",
    "resp": "respectively",
}
_ABBREVIATED = re.compile(rf"\b({'|'.join(map(re.escape, _WHOLE))})\.", re.IGNORECASE)
"""Abbreviations whose full stop ends no sentence."""
_RANGE = re.compile(r"(?<=\d)\s?[–—-]\s?(?=\d)(?![\d-]*-)")
"""A dash between figures: 'to'."""
_CLOCK = re.compile(r"\bo\s?['’]\s?clock\b", re.IGNORECASE)
_JOINED = {"hypo", "hyper", "iso"}
"""Joined to the word behind them where a hyphen parts them: hyper-intense."""
_SPELLING = {
    "tumor": "tumour", "tumors": "tumours", "color": "colour", "colored": "coloured", "center": "centre",
    "centered": "centred", "gray": "grey", "hemorrhage": "haemorrhage", "hemorrhages": "haemorrhages",
    "hemorrhagic": "haemorrhagic", "edema": "oedema", "edematous": "oedematous", "hematoxylin": "haematoxylin",
    "esophagus": "oesophagus", "esophageal": "oesophageal", "millimeter": "millimetre", "millimeters": "millimetres",
    "centimeter": "centimetre", "centimeters": "centimetres", "micrometer": "micrometre",
    "micrometers": "micrometres", "labeled": "labelled", "labeling": "labelling", "neighboring": "neighbouring",
    "ischemic": "ischaemic", "leukemia": "leukaemia", "nevus": "naevus", "nevi": "naevi", "disk": "disc",
    "computerized": "computerised", "standardized": "standardised", "visualized": "visualised",
    "characterized": "characterised", "harbor": "harbour", "harbors": "harbours", "harboring": "harbouring",
    "leftward": "left", "leftwards": "left", "rightward": "right", "rightwards": "right", "upward": "upper",
    "upwards": "upper", "downward": "lower", "downwards": "lower",
    "fetus": "foetus", "sizable": "sizeable", "anaechoic": "anechoic", "transversal": "transverse",
    "discolored": "discoloured",
    "calibre": "caliber", "homogenous": "homogeneous", "heterogenous": "heterogeneous", "’s": "'s", "–": ",", "—": ",",
    "sonogram": "sonogram", "xray": "xray", "localised": "located", "localized": "located", "centrally": "centrally",
}  # fmt: skip
_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
LARGE = {"hundred": 100, "thousand": 1000}
NUMBER_WORDS: dict[str, int] = {**{word: n for n, word in enumerate(_UNITS)}, **_TENS, **LARGE, "dozen": 12}
FRACTIONS: dict[str, float] = {
    "half": 50.0, "third": 100 / 3, "thirds": 100 / 3, "quarter": 25.0, "quarters": 25.0, "fifth": 20.0,
    "fifths": 20.0, "sixth": 100 / 6, "seventh": 100 / 7, "eighth": 12.5, "ninth": 100 / 9,
    "twelfth": 100 / 12, "tenth": 10.0, "tenths": 10.0, "fifteenth": 100 / 15, "twentieth": 5.0, "thirtieth": 100 / 30,
    "fortieth": 2.5, "fiftieth": 2.0, "hundredth": 1.0, "sevenths": 100 / 7, "eighths": 12.5, "ninths": 100 / 9,
    "sixths": 100 / 6, "twelfths": 100 / 12, "twentieths": 5.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or mark; `start` and `end` are its place in the text."""

    word: str
    start: int
    end: int

    @property
    def number(self) -> float | None:
        """The number that it is in figures; None of any other."""
        return float(self.word.replace(",", "")) if self.word.lstrip("-")[:1].isdigit() else None


def tokens(text: str) -> tuple[Token, ...]:
    """Of a text, in order. Hyphens between letters part words, but join hypo-, hyper- and iso- to theirs."""
    found: list[Token] = []
    text = _ABBREVIATED.sub(lambda match: _WHOLE[match[1].lower()], text)
    text = _RANGE.sub(" to ", _CLOCK.sub("oclock", _CONTRACTED.sub(r"\1 not", text)))
    for match in _TOKEN.finditer(text):
        word = match[0].lower().replace("−", "-").replace("^2", "²")
        if word in {"-", "‐", "‑"}:
            continue
        # The title and the abbreviation of diabetic retinopathy differ by their case alone.
        word = "doctor" if match[0] in ("Dr", "Drs") else _SPELLING.get(word, word)
        before = found[-1] if found else None
        if before and before.word in _JOINED and before.end == match.start() - 1 and word.isalpha():
            found[-1] = Token(before.word + word, before.start, match.end())
            continue
        found.append(Token(word, match.start(), match.end()))
    return tuple(found)


@lru_cache(maxsize=8192)
def words(phrase: str) -> tuple[str, ...]:
    """The words of a phrase, as `tokens` has them."""
    return tuple(token.word for token in tokens(phrase))


_BRACED = re.compile(r"\{([^{}]*)\}")


def spelled_out(pattern: str) -> Iterator[str]:
    """Every phrase that a pattern stands for: '{high|low} signal' → 'high signal', 'low signal'."""
    pieces = _BRACED.split(pattern)
    choices = [piece.split("|") if n % 2 else [piece] for n, piece in enumerate(pieces)]
    for chosen in product(*choices):
        yield " ".join("".join(chosen).split())


PLACE_NOUNS = ("area", "region", "focus", "spot", "zone", "patch")
"""Nouns for what has no form of its own: one says of it what any other does."""


def with_other_nouns(phrase: str) -> tuple[str, ...]:
    """A name, and the same with the other nouns for what has no form of its own: 'dark zone' for 'dark area'."""
    first, *others = phrase.split(" ")
    if not others:
        return (phrase,)
    if others[-1] in PLACE_NOUNS:
        return phrase, *(" ".join((first, *others[:-1], noun)) for noun in PLACE_NOUNS if noun != others[-1])
    if first in PLACE_NOUNS and others[0] == "of":
        return phrase, *(" ".join((noun, *others)) for noun in PLACE_NOUNS if noun != first)
    return (phrase,)


_IRREGULAR = {
    "focus": "foci", "nucleus": "nuclei", "radiograph": "radiographs", "naevus": "naevi", "metastasis": "metastases",
    "tissue": "tissue", "redness": "redness",
}  # fmt: skip
_HEADS_BEFORE = {"rich", "of", "in", "within", "with", "brighter", "whiter", "redder", "lighter", "that", "(", "around"}


def plural(noun: str) -> str:
    """Of the head of a noun phrase: 'focus of high uptake' → 'foci of high uptake'."""
    parts = noun.split(" ")
    heads = (n for n, part in enumerate(parts) if part in _HEADS_BEFORE and n)
    # "Areas rich in eosin", and "count-rich areas".
    head = next((n for n in heads if parts[n] != "rich" or parts[n + 1 : n + 2] == ["in"]), len(parts)) - 1
    stem, dash, last = parts[head].rpartition("-")
    parts[head] = stem + dash + _plural(last)
    # "Areas redder than their surroundings", "lighter than the mucosa around them".
    behind = ["their" if one == "its" else "them" if one == "it" else one for one in parts[head + 1 :]]
    return " ".join((*parts[: head + 1], *behind))


def _plural(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


_VOWELS = "aeiou"


def inflected(verb: str) -> tuple[str, ...]:
    """A regular verb in all its forms: 'show' → 'show', 'shows', 'showed', 'showing'."""
    if verb.endswith("e"):
        return verb, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"
    if verb.endswith(("s", "x", "ch", "sh")):
        return verb, f"{verb}es", f"{verb}ed", f"{verb}ing"
    doubled = verb + verb[-1]
    return verb, f"{verb}s", f"{verb}ed", f"{verb}ing", f"{doubled}ed", f"{doubled}ing"
