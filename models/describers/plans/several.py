"""Of many of one label: how they are spread and shaped."""

from collections import Counter
from dataclasses import replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

MANY = 6
"""Regions from which it is told how they are spread, and which shapes there are."""
MOST, SOME = 0.6, 0.2
"""Part of them that is most, and part from which it is told that some are so."""
HALF, IN_A_QUARTER = 0.5, 0.15
"""Of the image's sides; part of them that each quarter holds where they are spread over all of it."""
_OUTLINED_SO = ("round", "oval", "elongated")
"""Shapes of small bodies: those that touch are outlined as one, which is irregular."""
_MANY = ("many", "numerous")
_SPREAD = (
    ("spread out over the image", "diffuse"),
    ("scattered {over|throughout|across} the image", "multifocal"),
)
_LIE = (
    "the <n> are <s>",
    "{the|this} image shows <n> <s>",
    "there are <n> <s>",
)
_MOST = ("most of the <n> are <1>",)
_BOTH = (
    "most of the <n>, <s>, are <1>",
    "most of the <n>, which {are|lie} <s>, are <1>",
)
_SOME = (
    "some of the <n> are <1>, others <2>",
    "some of the <n> are <1>, others are <2>",
    "some of the <n> are <1> and some are <2>",
    "some <n> are <1>, others <2>",
)


def many(facts: Facts, noun: str) -> Plan:
    """That there are many of what is called so, as a noun, for a sentence that begins with the image."""

    def plan(voice: Voice) -> Piece | None:
        there = facts.named(noun, several=True)
        claims = (c.Count(name=noun, n=None), c.Finding(regions=there, every=True, name=noun))
        return Piece(f"{voice.pick(_MANY)} {plural(noun)}", claims, several=True) if there else None

    return plan


def spread_out(facts: Facts, regions: list[Region]) -> Plan:
    """How many small structures that are called alike are spread."""

    def plan(voice: Voice) -> Piece | None:
        name, noun, finding = _named(facts, regions, voice)
        if len(regions) < MANY or finding is None or not _fill_the_image(facts, regions):
            return None
        pattern, word = voice.pick(_SPREAD)
        text = fill(voice.spin(voice.pick(_LIE)), n=plural(noun), s=voice.spin(pattern))
        return Piece(text, (finding, c.Spread(name=name, word=word)), several=True)

    return plan


def shaped(facts: Facts, regions: list[Region]) -> Plan:
    """Which shapes most of many small structures have, or which there are among them."""

    def plan(voice: Voice) -> Piece | None:
        _, noun, finding = _named(facts, regions, voice)
        if len(regions) < MANY or finding is None:
            return None
        most, some = _shapes(regions)
        if not most and len(some) < 2:
            return None
        said = {str(n): _adjective(word, voice) for n, word in enumerate(some, 1)}
        text = fill(voice.spin(voice.pick(_MOST if most else _SOME)), n=plural(noun), **said)
        made = c.Word(regions=finding.regions, aspect="shape", word=some[0], part=-1 if most else None)
        return Piece(text, (finding, made, *(replace(made, word=word) for word in some[1:])), several=True)

    return plan


def spread_and_shaped(facts: Facts, regions: list[Region]) -> Plan:
    """Both in one sentence."""

    def plan(voice: Voice) -> Piece | None:
        name, noun, finding = _named(facts, regions, voice)
        most, _ = _shapes(regions)
        if len(regions) < MANY or finding is None or not most or not _fill_the_image(facts, regions):
            return None
        pattern, word = voice.pick(_SPREAD)
        text = fill(
            voice.spin(voice.pick(_BOTH)), n=plural(noun), s=voice.spin(pattern), **{"1": _adjective(most[0], voice)}
        )
        made = c.Word(regions=finding.regions, aspect="shape", word=most[0], part=-1)
        return Piece(text, (finding, c.Spread(name=name, word=word), made), several=True)

    return plan


def _fill_the_image(facts: Facts, regions: list[Region]) -> bool:
    """Whether each quarter of the image holds its part of them, and not two thirds of them one half."""
    places = [(x / facts.columns >= HALF, y / facts.rows >= HALF) for x, y in (one.centroid for one in regions)]
    held = Counter(places)
    return len(held) == 4 and min(held.values()) >= IN_A_QUARTER * len(places)


def _shapes(regions: list[Region]) -> tuple[list[str], list[str]]:
    """The shape that most of them have, and, where there is none, those that some have."""
    found = Counter(term.word for one in regions for term in one.terms if term.aspect == "shape")
    parts = [(word, found[word] / len(regions)) for word in _OUTLINED_SO]
    most = [word for word, part in parts if part >= MOST]
    return most, most or [word for word, part in parts if part >= SOME][:2]


def _named(facts: Facts, regions: list[Region], voice: Voice) -> tuple[str, str, c.Finding | None]:
    """A noun that all of them have and nothing else, and the claim that it makes of all of them."""
    noun = voice.pick(w.nouns(regions[0], sided=not facts.metadata.sides_contradict))
    name = " ".join(words(noun))
    there = facts.named(name)
    alone = set(there) == {one.region_id for one in regions}
    return name, noun, c.Finding(regions=there, every=True, name=name) if alone else None


def _adjective(word: str, voice: Voice) -> str:
    row = table().term("shape", word)
    assert row is not None
    return voice.phrase([one for one in row.say if " " not in one.replace("-", "")])
