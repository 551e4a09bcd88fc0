"""A sentence as phrases of the table. Knows nothing of what they are said of."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from models.statements.facts import Facts
from models.statements.lexicon import lexicon, own
from models.statements.meanings import Lexicon, Meaning
from models.statements.measures import looked_for
from models.statements.reading.mentions import OTHERS
from models.statements.table import table
from models.statements.tokens import FRACTIONS, NUMBER_WORDS, Token, words

_MARKS = {",", ";", ":", "(", ")", "×", "x", "[", "]", "/", "&", "+", "=", '"'}


@dataclass(frozen=True, slots=True)
class Atom:
    """A phrase, with what it may mean: tokens `start` to `end`."""

    kind: str
    value: Any
    start: int
    end: int
    text: str
    several: bool = False
    others: tuple[Meaning, ...] = ()


def atoms_of(sentence: tuple[Token, ...], facts: Facts) -> list[Atom]:
    """The phrases of a sentence, one after the other."""
    said = tuple(token.word for token in sentence)
    mine = own(facts.labels, facts.experts)
    sought = any(word in _SEARCHING for word in said)
    scale = table().scale(facts.metadata.modality).scale
    found: list[Atom] = []
    place = 0
    while place < len(said):
        atom = _atom(said, place, sentence, facts, mine, scale, sought)
        found.append(atom)
        place = atom.end
    return found


def _atom(
    said: tuple[str, ...], place: int, sentence: tuple[Token, ...], facts: Facts, mine: Lexicon, scale: str,
    sought: bool,
) -> Atom:  # fmt: skip
    word = said[place]
    if word[0] == "r" and word[1:].isdigit():
        return Atom("ref", word, place, place + 1, word)
    number = sentence[place].number
    if number is not None:
        return Atom("number", number, place, place + 1, word)
    if word in _MARKS and said[place : place + 2] != ("x", "ray"):
        return Atom("mark", word, place, place + 1, word)
    candidates = sorted(
        [*mine.at(said, place), *lexicon().at(said, place), *_parted(said, place)], key=lambda one: -one[0]
    )
    fallback: tuple[int, Meaning, tuple[Meaning, ...]] | None = None
    for length, meanings in candidates:
        pronoun = said[place + length : place + length + 1] == ("it",) and meanings[0].value != ("inside", True)
        behind = said[place + length : place + length + 6]
        pronoun |= ("of", "it") in pairwise(behind)
        if meanings[0].kind == "relation" and not (pronoun or _object_follows(said, place + length, facts, mine)):
            meanings = tuple(one for one in meanings if one.kind != "relation")
        if said[place - 1] not in ("slice", "slices"):
            meanings = tuple(one for one in meanings if one.kind != "way")
        if meanings and meanings[0].kind == "expert" and not _is_an_expert(said, place, length, meanings[0]):
            continue
        if not meanings or (
            meanings[0].kind == "level"
            and "not" in said[place : place + length]
            and not (_object_follows(said, place + length, facts, mine) or _around_follows(said, place + length))
        ):
            continue  # "Is not as dense as fluid" denies a word, and compares with no region.
        denied = place > 0 and said[place - 1] in ("no", "any", "without", "or", "nor")
        chosen = _chosen(meanings, facts, scale, alone=length == 1 or denied, sought=sought)
        if chosen is not None and chosen.kind == "disease" and word in _COUNTING:
            rest = [one for _, found in lexicon().at(said, place + 1) for one in found if one.kind == "finding"]
            if any(facts.named(one.value) for one in rest):
                continue  # "Multiple nodules", where nodules are outlined, counts them.
        if chosen is not None:
            return _made(chosen, meanings, said, place, length)
        fallback = fallback or (length, meanings[0], meanings)
    if fallback is not None:
        return _made(fallback[1], fallback[2], said, place, fallback[0])
    return Atom("unknown", word, place, place + 1, word)


def _is_an_expert(said: tuple[str, ...], place: int, length: int, meaning: Meaning) -> bool:
    """Whether an expert's bare name is meant as one: 'CT head' can be a picture, 'found by ct-head' is not."""
    named = said[place : place + length] == words(meaning.value) and meaning.value != "expert"
    behind = said[place + length] if place + length < len(said) else ""
    return not named or said[place - 1 : place] in (("by",), ("experts",)) or behind in table().acting


_SEARCHING = {"expert", "experts", "looked", "looks", "searched", "searches", "sought", "seeks"}
"""Words of a sentence that tells what was looked for, and not what is there."""
_COUNTING = {"multiple", "solitary", "several", "single", "numerous", "many"}
_HOW = {"abnormally", "unusually", "relatively", "comparatively", "rather", "fairly", "quite", "somewhat", "moderately"}
"""Adverbs that may part the words of a name, and say no more than it: 'focus of abnormally high uptake'."""


def _parted(said: tuple[str, ...], place: int) -> list[tuple[int, tuple[Meaning, ...]]]:
    """Names of findings with an adverb among their words: lengths with it, and meanings."""
    at = next((n for n in range(place + 1, min(place + 4, len(said))) if said[n] in _HOW), None)
    if at is None:
        return []
    found = [(length + 1, meanings) for length, meanings in lexicon().at((*said[:at], *said[at + 1 :]), place)]
    return [one for one in found if place + one[0] > at + 1 and one[1][0].kind == "finding"]


_AT_A_PLACE = {"on", "at", "in"}


def _object_follows(said: tuple[str, ...], place: int, facts: Facts, mine: Lexicon) -> bool:
    """Whether a region is named, by id or by its noun, among the next words; "left of the image" is a place."""
    if said[place - 1] == "than" and _counts(said, place):
        return False  # "Covers less than half the area of r2" compares no areas by itself.
    if said[place - 2 : place] == ("side", "of"):
        # "On the left side of the lung" is a place in it, of r1 it is not.
        place += said[place : place + 1] == ("region",)
        return said[place : place + 1] != () and said[place][0] == "r" and said[place][1:].isdigit()
    behind = (
        said[place + 1 : place + 2] if said[place : place + 1] in (("the",), ("this",)) else said[place : place + 1]
    )
    if behind and behind[0] in table().placing.shown:
        return False
    for n in range(place, min(place + 8, len(said))):
        if said[n] in (",", ";") and n > place:
            return False
        sided = said[n] == "one" and said[n - 1] in ("left", "right", "sided")
        if sided or (said[n][0] == "r" and said[n][1:].isdigit()):
            return True
        if said[n] in OTHERS or (n == place and _is_a_side(said, n)):
            return True
        follows = said[n + 1] if n + 1 < len(said) else ""
        if said[n] == "one" and follows in _AT_A_PLACE | {"shown", "displayed", "lying"}:
            return True
        if n == place and said[n] == "that" and follows in _AT_A_PLACE:
            return True
        for _, meanings in (*mine.at(said, n), *lexicon().at(said, n)):
            if any(one.kind == "finding" and facts.named(one.value) for one in meanings):
                return True
            if any(one.kind == "organ" and facts.named(" ".join(words(one.value))) for one in meanings):
                return True
    return False


def _around_follows(said: tuple[str, ...], place: int) -> bool:
    place += said[place : place + 1] == ("as",)
    return place < len(said) and any(one.kind == "around" for _, found in lexicon().at(said, place) for one in found)


def _is_a_side(said: tuple[str, ...], n: int) -> bool:
    """'The right', before no noun: of two that are called alike."""
    sided = said[n] == "the" and said[n + 1 : n + 2] in (("left",), ("right",))
    return sided and said[n + 2 : n + 3] in ((), (",",), (";",), ("and",), ("but",), ("one",))


def _counts(said: tuple[str, ...], place: int) -> bool:
    """Whether a number or a part begins here: 'half', 'a third', '30 %'."""
    word = said[place] if place < len(said) else ""
    behind = said[place + 1] if word in ("a", "one") and place + 1 < len(said) else word
    if word == "one" and behind not in FRACTIONS:
        return False  # "Larger than one of the nodules."
    return word[:1].isdigit() or word in ("twice", "double", "thrice") or behind in FRACTIONS or word in NUMBER_WORDS


def _made(meaning: Meaning, meanings: tuple[Meaning, ...], said: tuple[str, ...], place: int, length: int) -> Atom:
    text = " ".join(said[place : place + length])
    return Atom(meaning.kind, meaning.value, place, place + length, text, meaning.several, meanings)


_ORDER = (
    "modality",
    "view",
    "plane",
    "weighting",
    "agent",
    "not",
    "no",
    "absent",
    "untrue",
    "marks",
    "source",
    "around",
    "goes on",
    "way",
    "pieces",
    "expert",
    "candidate",
    "proposed",
    "localizer",
    "ratio",
    "again",
    "beside",
    "except",
    "relation",
    "mutual",
    "level",
    "word",
    "rank",
    "sides",
    "place",
    "share",
    "spread",
    "crowding",
    "gradient",
    "measure",
    "unit",
    "compared",
    "differs",
    "heightened",
    "against",
    "ordinal",
    "peak",
    "unread",
    "along",
    "edged",
    "how many",
    "most",
    "numeral",
    "degree",
    "bound",
    "about",
    "neutral",
)


def _chosen(meanings: tuple[Meaning, ...], facts: Facts, scale: str, *, alone: bool, sought: bool) -> Meaning | None:
    """The meaning that fits the image; None where a shorter phrase should be tried first."""
    kinds = {meaning.kind for meaning in meanings}
    if "modality" in kinds:
        return next(one for one in meanings if one.kind == "modality")
    if facts.metadata.modality == "mammography" and {"place", "view"} <= kinds:
        return next(one for one in meanings if one.kind == "place")
    names = [one for one in meanings if one.kind == "finding"]
    held = next((one for one in names if facts.named(one.value)), None)
    if held is not None:
        return held
    missing = next((one for one in names if looked_for(facts, one.value) is not None), None)
    if missing is not None and not kinds & {"relation", "level", "word"} and (sought or not _is_marked(facts)):
        return missing
    if "disease" in kinds:
        return next(one for one in meanings if one.kind == "disease")
    if "organ" in kinds:
        return next(one for one in meanings if one.kind == "organ")
    levels = [one for one in meanings if one.kind == "level"]
    if levels and not kinds & {"relation"}:
        return next((one for want in (scale, "shown") for one in levels if one.value[0] == want), levels[0])
    rest = [one for one in meanings if one.kind not in ("finding", "level")]
    if rest:
        return min(rest, key=lambda one: _ORDER.index(one.kind))
    if levels:
        return levels[0]
    return names[0] if alone else None


def _is_marked(facts: Facts) -> bool:
    """Whether the source marks findings: what experts miss may be said of these, as 'a hypoechoic area' of a tumour."""
    marked = [region.label for _, region in facts.regions.values() if region.kind == "source annotation"]
    return any(table().called(one).role == "finding" and table().bare(one) not in table().organs for one in marked)
