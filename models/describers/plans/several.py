"""Of many of one label: how they are spread and shaped. Of two: which is larger. Of one: that there is no other."""

from collections import Counter
from dataclasses import replace

from models.describers.plans.plan import Plan, fill
from models.statements import claims as c
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.measures import both_sides, ranked, related, share_of
from models.statements.table import table
from models.statements.tokens import plural, words
from models.statements.voice import Voice
from models.statements.writing import Piece
from schemas.regions import Region

MANY = 6
"""Regions from which it is told how they are spread, and which shapes there are."""
MOST, SOME = 0.6, 0.2
"""Part of them that is most, and part from which it is told that some are so."""
PLAIN = 3.0
"""Percent of the image from which one of two is compared with the other: of many cells two were outlined alone."""
LARGER = 1.2
"""How many times as large one of two is where that is plain to the eye."""
_OUTLINED_SO = ("round", "oval", "elongated")
"""Shapes of small bodies: those that touch are outlined as one, which is irregular."""
_WHOLE = "the {image|picture|view|frame|field}"
_SPREAD = (
    (f"spread out {{over|across}} {_WHOLE}", "diffuse"),
    (f"scattered {{over|across|throughout|all over}} {_WHOLE}", "multifocal"),
)
_LIE = (
    "the <n> {are|lie} <s>",
    "<n> {are seen|are found|lie|are visible} <s>",
    "{the|this} {image|picture|view} shows <n> <s>",
    "<s> are <n>",
    "there are <n> <s>",
)
_MOST = (
    "most of the <n> are <1>",
    "most of the <n> look <1>",
    "of the <n>, most are <1>",
)
_BOTH = (
    "most of the <n>, <s>, are <1>",
    "most of the <n>, which {are|lie} <s>, are <1>",
    "<s>, most of the <n> are <1>",
)
_SOME = (
    "some of the <n> are <1>, others <2>",
    "some of the <n> are <1>, others are <2>",
    "some of the <n> are <1> and some are <2>",
    "some <n> are <1>, others <2>",
)
_LARGER = (
    "the {larger|bigger} of the two <n> {lies|is|is seen} <p>",
    "the {larger|bigger} <1> {lies|is|is seen} <p>",
    "of the two <n>, the {larger|bigger} one {lies|is} <p>",
)
_BRIGHTER = (
    "the {brighter|whiter|paler} of the two <n> {lies|is|is seen} <p>",
    "the {brighter|paler} <1> {lies|is|is seen} <p>",
    "of the two <n>, the {brighter|paler} one {lies|is} <p>",
)
_ALIKE = (
    "the two <n> are similar in size",
    "the two <n> are {about equal|alike} in size",
    "both <n> are similar in size",
    "the two <n> are of similar size",
)

_ONLY = (
    "no {other|further|second} <n> is {marked|outlined|annotated|segmented} by the source",
    "the source {marks|outlines|annotates|segments} {only one|a single|no other} <n>",
    "it is the only <n> {that the source marks|marked by the source}",
    "only one <n> is {marked|outlined|annotated} by the source",
)


def spread_out(facts: Facts, regions: list[Region]) -> Plan:
    """How many small structures that are called alike are spread."""

    def plan(voice: Voice) -> Piece | None:
        name, noun, finding = _named(facts, regions, voice)
        if len(regions) < MANY or finding is None:
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
        if len(regions) < MANY or finding is None or not most:
            return None
        pattern, word = voice.pick(_SPREAD)
        text = fill(
            voice.spin(voice.pick(_BOTH)), n=plural(noun), s=voice.spin(pattern), **{"1": _adjective(most[0], voice)}
        )
        made = c.Word(regions=finding.regions, aspect="shape", word=most[0], part=-1)
        return Piece(text, (finding, c.Spread(name=name, word=word), made), several=True)

    return plan


def _shapes(regions: list[Region]) -> tuple[list[str], list[str]]:
    """The shape that most of them have, and, where there is none, those that some have."""
    found = Counter(term.word for one in regions for term in one.terms if term.aspect == "shape")
    parts = [(word, found[word] / len(regions)) for word in _OUTLINED_SO]
    most = [word for word, part in parts if part >= MOST]
    return most, most or [word for word, part in parts if part >= SOME][:2]


def compared(facts: Facts, regions: list[Region]) -> Plan:
    """Of two structures that are called alike, one on either side of the display, which is larger, or brighter."""

    def plan(voice: Voice) -> Piece | None:
        name, noun, finding = _named(facts, regions, voice)
        shares = [share_of(facts, one.region_id, one, "image")[0] or 0.0 for one in regions]
        if len(regions) != 2 or finding is None or min(shares) < PLAIN:
            return None
        if not both_sides(facts, name, "shown").truth:
            return None
        ids = finding.regions
        large, small = sorted(regions, key=lambda one: one.area_px, reverse=True)
        bright = next((one for one in facts.grounding.relations if one.predicate == "brighter than"
                       and {one.subject, one.object} == set(ids)), None)  # fmt: skip
        options = [(_LARGER, "largest", large)] if large.area_px >= LARGER * small.area_px else []
        options += [(_BRIGHTER, "brightest", facts.region(bright.subject))] if bright is not None else []
        if not options and related(facts, large.region_id, "similar in size to", small.region_id).truth:
            alike = c.Relation(regions=(ids[0],), predicate="similar in size to", object=ids[1])
            text = fill(voice.spin(voice.pick(_ALIKE)), n=plural(noun))
            return Piece(text, (c.Count(name=name, n=2), finding, alike), several=True)
        for patterns, rank, region in voice.shuffled(options):
            side = "low" if region.centroid[0] < facts.columns / 2 else "high"
            if not ranked(facts, region.region_id, rank, name, 1).truth:
                continue
            where = f"on the {'left' if side == 'low' else 'right'} of the {voice.pick(('image', 'picture', 'frame'))}"
            pattern = voice.spin(voice.pick(patterns))
            text = fill(pattern, n=plural(noun), p=where, **{"1": noun})
            made = (
                replace(finding, every=False), c.Rank(regions=ids, word=rank, among=name),
                c.Place(regions=ids, axis="image right", end=side, frame="shown"),
            )  # fmt: skip
            return Piece(text, (*made, *((c.Count(name=name, n=2),) if "two" in pattern else ())))
        return None

    return plan


def only_one(facts: Facts, region: Region) -> Plan:
    """That the source marks one finding that is called so, and no other."""

    def plan(voice: Voice) -> Piece | None:
        name = w.name_of(facts, region.region_id, voice)
        if name.the or name.several:
            return None
        text = fill(voice.spin(voice.pick(_ONLY)), n=name.text)
        made = (c.Count(name=name.claim.name, n=1), c.Marked(regions=(region.region_id,), by="source"))
        return Piece(text, made if text.startswith("no ") or " no other " in text else (*made, name.claim))

    return plan


def _named(facts: Facts, regions: list[Region], voice: Voice) -> tuple[str, str, c.Finding | None]:
    """A noun that all of them have and nothing else, and the claim that it makes of all of them."""
    noun = voice.pick(w.nouns(regions[0], sided=not facts.metadata.sides_contradict))
    name = " ".join(words(noun))
    there = facts.named(name)
    alone = set(there) == {one.region_id for one in regions}
    return name, noun, c.Finding(regions=there, every=True, name=name) if alone else None


def _adjective(word: str, voice: Voice) -> str:
    row = next(row for row in table().terms if row.aspect == "shape" and row.word == word)
    return voice.phrase([one for one in row.say if " " not in one.replace("-", "")])
