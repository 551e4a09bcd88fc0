"""The composer: says what claims the facts bear out, in sentences that read back to exactly those claims.

No model takes part, and the lineage says so. What is told and in which order is chosen in choosing.py, sentences are
planned in plans/, words come from models/statements.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from models.describers import findings, plans
from models.describers.around import context_labels, opening_with_structures, tell_around
from models.describers.base import make_description
from models.describers.checked import Budget, length_of, written
from models.describers.choosing import Chosen, choose
from models.describers.pairs import pairs
from models.describers.plans import Plan
from models.describers.related import relations as relations_of
from models.describers.together import small_ones
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing import article, sentence
from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Statement

NAME = "composer@40"
WORDS = 94
"""From which no further sentence is begun."""
LEAST = 40
"""Words below which a description is written anew, in full: it may stay short."""
SHORT = 45
"""Words below which structures and tissues are told of one by one."""
LISTED = 4
"""Words that a structure takes where several are listed, about."""
MEASURED = 12
"""Regions whose measurements are listed."""
OPINIONS = 6
"""Opinions of classifiers that are told at most."""


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None
    generation = 0

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        return await asyncio.to_thread(compose, Facts.of(image), image.image_id)


def compose(facts: Facts, seed: str) -> Description:
    """The description of what is known of an image; the same facts and seed give the same one."""
    always = _Always(
        choose(facts, proven=True),
        _needed(plans.image(facts, caption=False), facts, f"{seed}:image"),
        _needed(plans.image(facts, caption=True), facts, f"{seed}:caption"),
        tuple(_measurements(facts, seed)),
        tuple(_opinions(facts, seed)),
    )
    made = _composed(facts, always, seed, full=False)
    return made if len(made.description.split()) >= LEAST else _composed(facts, always, seed, full=True)


@dataclass(frozen=True, slots=True)
class _Always:
    """What is chosen, and what every description of an image has, however full it is."""

    chosen: Chosen
    modality: Statement
    caption: Statement
    measurements: tuple[Statement, ...]
    opinions: tuple[Statement, ...]


def _composed(facts: Facts, always: _Always, seed: str, *, full: bool) -> Description:
    """A description; `full`: with further looks, and how many small structures are shaped."""
    chosen, modality = always.chosen, always.modality
    voice = Voice(f"{seed}:order")
    opening = findings.opening(facts, chosen, seed, full=full)
    shown = opening_with_structures(facts, chosen, seed) if not chosen.findings else None
    lungs = pairs(facts)
    # The kind of image by itself tells nothing: with the first thing that is told of it, it is no sentence of its own.
    upon = None if opening or shown else _upon(facts, chosen, lungs, seed)
    first = opening.statement if opening else shown.statement if shown else upon or modality
    budget = Budget(WORDS - length_of(first))
    regions, texture, told = findings.one_by_one(facts, chosen, seed, budget, first, opening, full=full)
    rest = [*findings.counted(facts, chosen, told, seed, budget), *findings.grouped(facts, chosen, seed, budget, upon)]
    relations = relations_of(facts, chosen, told, seed, budget)
    small = small_ones(facts, chosen, seed, budget) if full else []
    context = context_labels(facts, chosen)
    said = sum(map(length_of, (first, *regions, *texture, *rest, *relations, *small)))
    room = SHORT - said - LISTED * len(context)
    around, described, one_by_one = tell_around(facts, chosen, seed, room, budget, shown)
    # What is described one by one is not listed besides.
    context = tuple(one for one in context if one not in described)
    alone = not (regions or rest or one_by_one.total())
    listed = plans.context(facts, context, chosen.doubled, first=alone, told=one_by_one)
    organ = budget.take(written(listed, facts, f"{seed}:context")) if context else None
    said += length_of(organ) if organ else 0
    found = [*findings.interleaved(regions, texture), *rest]
    # Of what is described one by one much is told: it opens where there is no finding.
    listing = [organ] if organ else []
    untold = lungs[1:] if upon is not None and not chosen.groups else lungs
    sides = [budget.take(written(plan, facts, f"{seed}:{slot}")) for slot, plan in untold]
    around = [*around, *small, *(one for one in sides if one is not None)]
    structures = [*listing, *around] if found and not one_by_one.total() else [*around, *listing]
    # What is spoken of as known has been told of before.
    beside = voice.shuffled([relations, structures]) if told else [[*structures, *relations]]
    telling = [[first], found, *beside]
    return make_description(
        modality,
        organ,
        (*(() if first is modality else (first,)), *regions, *rest, *around),
        tuple(texture),
        tuple(relations),
        caption=always.caption,
        measurements=always.measurements,
        opinions=always.opinions,
        text=" ".join(one.text for part in telling for one in part),
    )


def _upon(facts: Facts, chosen: Chosen, lungs: list[tuple[str, Plan]], seed: str) -> Statement | None:
    """The kind of image and the first sentence that is told of it in one, where no noun can stand in its place."""
    if chosen.findings:
        return None
    clauses = [plans.together(facts, ids) for ids in chosen.groups[:1]] or [plan for _, plan in lungs[:1]]
    return next((written(plans.upon(facts, one), facts, f"{seed}:upon") for one in clauses), None)


def phrase_of(facts: Facts, region_id: str, seed: str) -> str | None:
    """A region in at most 25 words; None of the whole image."""
    if region_id not in facts.regions:
        return None
    statement = written(plans.phrase(facts, facts.region(region_id)), facts, f"{seed}:phrase:{region_id}")
    return statement.text.rstrip(".") if statement else None


def _needed(plan: Plan, facts: Facts, seed: str) -> Statement:
    """A sentence that every description has; the plainest where no wording reads back."""
    statement = written(plan, facts, seed)
    if statement is not None:
        return statement
    row = table().modality(facts.metadata.modality)
    evidence = facts.evidence("/metadata/modality")
    assert evidence is not None
    return Statement(text=sentence(f"this is {article(row.say[0])}"), evidence=(evidence,))


def _opinions(facts: Facts, seed: str) -> Iterable[Statement]:
    """What classifiers told of the image, where they state how often they were right; the surest first."""
    told = [one for one in facts.grounding.opinions if one.told and one.precision is not None]
    for one in sorted(told, key=lambda one: -one.score)[:OPINIONS]:
        statement = written(plans.opinion(one), facts, f"{seed}:opinion:{one.expert}:{one.label}")
        if statement is not None:
            yield statement


def _measurements(facts: Facts, seed: str) -> Iterable[Statement]:
    for region_id in list(facts.regions)[:MEASURED]:
        statement = written(plans.measurements(facts.region(region_id)), facts, f"{seed}:measured:{region_id}")
        if statement is not None:
            yield statement
