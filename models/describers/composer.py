"""The composer: says what claims the facts bear out, in sentences that read back to exactly those claims.

No model takes part, and the lineage says so. What is told and in which order is chosen in choosing.py, sentences are
planned in plans/, words come from models/statements.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from models.describers import plans
from models.describers.base import make_description
from models.describers.checked import Budget, length_of, written
from models.describers.choosing import Chosen, absences, choose
from models.describers.explaining import explanation
from models.describers.plans import Plan
from models.describers.related import relations as relations_of
from models.describers.related import same_place
from models.describers.together import small_ones, the_only_one
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from models.statements.writing import sentence
from schemas.knowledge import EnrichedImage
from schemas.regions import Region
from schemas.triplets import Description, Statement

NAME = "composer@17"
OPENED = 0.5
"""Part of images whose kind and most telling finding are told in one sentence."""
QUOTED, QUOTED_IF_SHORT = 0.08, 0.5
"""Part of descriptions that quote what a passage says of what they name, and of those that are short."""
MARKED = 0.35
"""Part of the source's outlines of which the text tells that the source drew them: each sentence's evidence does."""
ROWS = (0.0, 0.45, 0.85)
"""Part of a text's findings that are told as reports do, name, place and looks in a row: one of these for each text."""
WORDS = 94
"""From which no further sentence is begun."""
LEAST = 40
"""Words below which a description is written anew, in full."""
SHORT = 45
"""Words below which structures and tissues are told of one by one."""
LISTED = 4
"""Words that a structure takes where several are listed, about."""
IN_AN_OPENING, IN_A_SENTENCE, IN_A_ROW = 3, 3, 4
"""Looks that are told in one sentence at most: that of the kind of image, another, a row."""
FEW = 2
"""Findings up to which all that is known of the most telling one is told."""
ONE_BY_ONE = 3
"""Findings that are told one by one at most where more than that are there; the others are counted."""
MEASURED = 12
"""Regions whose measurements are listed."""
OPINIONS = 6
"""Opinions of classifiers that are told at most."""


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        return await asyncio.to_thread(compose, Facts.of(image), image.image_id)


def compose(facts: Facts, seed: str) -> Description:
    """The description of what is known of an image; the same facts and seed give the same one."""
    always = _Always(
        choose(facts),
        _needed(plans.image(facts, caption=False), facts, f"{seed}:image"),
        _needed(plans.image(facts, caption=True), facts, f"{seed}:caption"),
        tuple(_measurements(facts, seed)),
        tuple(_opinions(facts, seed)),
    )
    made = _composed(facts, always, seed, full=False)
    # First with all that is known of the image, and only then with what is known of what it names.
    for quoted in (QUOTED_IF_SHORT, 1.0):
        if len(made.description.split()) < LEAST:
            made = _composed(facts, always, seed, full=True, quoted=quoted)
    return made


@dataclass(frozen=True, slots=True)
class _Always:
    """What is chosen, and what every description of an image has, however full it is."""

    chosen: Chosen
    modality: Statement
    caption: Statement
    measurements: tuple[Statement, ...]
    opinions: tuple[Statement, ...]


def _composed(facts: Facts, always: _Always, seed: str, *, full: bool, quoted: float = QUOTED) -> Description:
    """A description; `full`: with who marked what and all that was looked for; `quoted`: how often with a passage."""
    chosen, modality = always.chosen, always.modality
    voice = Voice(f"{seed}:order")
    opening = _opening(facts, chosen, seed, full=full) if voice.maybe(OPENED) else None
    first = opening.statement if opening else modality
    budget = Budget(WORDS - length_of(first))
    regions, texture, told = _findings(facts, chosen, seed, budget, first, opening, full=full)
    rest = [*_counted(facts, chosen, told, seed, budget), *_grouped(facts, chosen, seed, budget)]
    relations = relations_of(facts, chosen, told, seed, budget)
    relations += same_place(facts, chosen, told, seed, budget) if full else []
    small = small_ones(facts, seed, budget) if full else []
    single = the_only_one(facts, told, (first, *regions), seed, budget) if full else []
    context = _context_labels(facts, chosen)
    missing = _absences(facts, seed, budget, full=full)
    said = sum(map(length_of, (first, *regions, *texture, *rest, *relations, *small, *single, *missing)))
    around, described, one_by_one = _around(
        facts, chosen, seed, SHORT - said - LISTED * len(context), budget, full=full
    )
    # What is described one by one is not listed besides.
    context = tuple(one for one in context if one not in described)
    alone = not (regions or rest or one_by_one.total())
    listed = plans.context(facts, context, chosen.doubled, first=alone, told=one_by_one)
    organ = budget.take(written(listed, facts, f"{seed}:context")) if context else None
    said += length_of(organ) if organ else 0
    knowledge = explanation(facts, chosen, seed, budget)
    # The same words of the same disease, told of every image of it, teach to recite: most descriptions leave them out.
    quotes = knowledge if voice.maybe(quoted) else []
    findings = [*_interleaved(regions, texture), *rest]
    # Of what is described one by one much is told: it opens where there is no finding.
    listing = [organ] if organ else []
    around, relations = [*around, *small], [*single, *relations]
    structures = [*listing, *around] if findings and not one_by_one.total() else [*around, *listing]
    # What is spoken of as known has been told of before.
    beside = voice.shuffled([relations, structures, missing] if told else [[*structures, *relations], missing])
    begun, telling = [first], [findings, *beside]
    if regions and opening is None and voice.maybe(0.15):
        # Once in a while the most telling finding opens, and the kind of image follows.
        begun, telling = [findings[0], modality], [findings[1:], *telling[1:]]
    return make_description(
        modality,
        organ,
        (*([opening.statement] if opening else []), *regions, *rest, *around),
        tuple(texture),
        tuple(relations),
        tuple(knowledge),
        caption=always.caption,
        absences=tuple(missing),
        measurements=always.measurements,
        opinions=always.opinions,
        text=" ".join(one.text for part in (begun, *telling, quotes) for one in part),
    )


@dataclass(frozen=True, slots=True)
class _Opening:
    """A sentence of the kind of image and its most telling finding, and facets of that which it does not tell."""

    statement: Statement
    region: str
    left: tuple[str, ...]


def _opening(facts: Facts, chosen: Chosen, seed: str, *, full: bool) -> _Opening | None:
    for region_id in chosen.findings[:1]:
        region = facts.region(region_id)
        kinds = _facets(facts, region, seed, full=full)
        first, left = kinds[:IN_AN_OPENING], kinds[IN_AN_OPENING:]
        found = plans.found(facts, region, first, marked=_is_marked(region, seed, full=full))
        statement = written(plans.opening(facts, found), facts, f"{seed}:opening")
        if statement is not None:
            # A sentence leaves out what does not fit it: where little else is known, that is told behind it.
            return _Opening(statement, region_id, (*(_untold(facts, region, first, statement) if full else ()), *left))
    return None


def _untold(facts: Facts, region: Region, kinds: tuple[str, ...], statement: Statement) -> tuple[str, ...]:
    """Facets that a sentence does not rest on."""
    told = {item.pointer for item in statement.evidence}
    return tuple(kind for kind in kinds if not _pointers_of(facts, region, kind) & told)


def _pointers_of(facts: Facts, region: Region, kind: str) -> set[str]:
    """Where it stands what a facet tells."""
    voice = Voice(kind)
    made = w.facet(facts, region, kind, voice, w.name_of(facts, region.region_id, voice))
    claims = made.claims if made is not None else ()
    return {item.pointer for one in claims for item in facts.evidence_of(one.judge(facts).pointers)}


def _is_marked(region: Region, seed: str, *, full: bool) -> bool:
    """Whether it is told that the source marks a region that it does mark."""
    marked = full or Voice(f"{seed}:marked:{region.region_id}").maybe(MARKED)
    return marked and region.kind == "source annotation"


def _facets(facts: Facts, region: Region, seed: str, *, full: bool) -> tuple[str, ...]:
    """What can be told of how a region looks, in the order in which it is told."""
    kinds = [kind for kind in (*w.FACETS, *(w.FURTHER if full else ())) if _can_be_told(facts, region, kind)]
    return tuple(Voice(f"{seed}:split:{region.region_id}").shuffled(kinds))


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
    return Statement(text=sentence(f"this is a {row.say[0]}"), evidence=(evidence,))


def _findings(
    facts: Facts,
    chosen: Chosen,
    seed: str,
    budget: Budget,
    begun: Statement,
    opening: _Opening | None,
    *,
    full: bool,
) -> tuple[list[Statement], list[Statement], tuple[str, ...]]:
    """Findings one by one, their looks, and which were told; the first may have been told with the kind of image."""
    regions: list[Statement] = []
    texture: list[Statement] = []
    told: list[str] = []

    def tell(plan: Plan, slot: str, into: list[Statement]) -> bool:
        statement = budget.take(written(plan, facts, f"{seed}:{slot}"))
        into += [statement] if statement is not None else []
        return statement is not None

    rows = Voice(f"{seed}:rows").pick(ROWS)
    few = len(chosen.findings) <= FEW
    named = facts.metadata.disease
    if named is not None and all(item.pointer != "/metadata/disease" for item in begun.evidence):
        tell(plans.disease(named), "disease", regions)
    for n, region_id in enumerate(chosen.findings):
        if n and (budget.left < 25 or n == ONE_BY_ONE < len(chosen.findings)):
            break
        region = facts.region(region_id)
        # What its noun alone does not name is told of once, in one sentence.
        alone = w.is_named_alone(facts, region_id)
        kinds = _facets(facts, region, seed, full=full)
        in_rows = Voice(f"{seed}:row:{n}").maybe(rows)
        here = IN_A_ROW if in_rows or not alone else IN_A_SENTENCE
        first, second = kinds[:here], kinds[here:]
        if opening is not None and opening.region == region_id:
            second = opening.left
        else:
            say = plans.report if in_rows else plans.introduction
            plan = say(facts, region, first, marked=_is_marked(region, seed, full=full))
            if not tell(plan, f"finding:{n}", regions):
                continue
            if full:
                second = (*_untold(facts, region, first, regions[-1]), *second)
        told.append(region_id)
        sentences = 0 if not alone else (2 if few else 1) if n == 0 else 1
        for m in range(sentences):
            some = second[m * IN_A_SENTENCE : (m + 1) * IN_A_SENTENCE]
            if some and budget.left > 15:
                tell(plans.description(facts, region, some), f"looks:{n}:{m}", texture)
        for expert in chosen.agreeing[region_id][:1]:
            tell(plans.agreement(facts, region_id, expert), f"agreement:{n}", regions)
    return regions, texture, tuple(told)


def _can_be_told(facts: Facts, region: Region, kind: str) -> bool:
    voice = Voice(kind)
    return w.facet(facts, region, kind, voice, w.name_of(facts, region.region_id, voice)) is not None


def _counted(facts: Facts, chosen: Chosen, told: tuple[str, ...], seed: str, budget: Budget) -> list[Statement]:
    """Findings that were not told one by one, counted."""
    here = Counter(facts.region(one).label for one in told)
    left = Counter(facts.region(one).label for one in chosen.findings if one not in told) + Counter(chosen.rest)
    merged = {facts.region(one).label for others in chosen.same.values() for one in others}
    rest = tuple((label, here[label]) for label in left if label not in merged)
    if not rest:
        return []
    # However little room is left: what is not told at least counts.
    statement = written(plans.further(facts, rest[:2]), facts, f"{seed}:rest")
    budget.left -= length_of(statement) if statement is not None else 0
    return [statement] if statement is not None else []


def _grouped(facts: Facts, chosen: Chosen, seed: str, budget: Budget) -> list[Statement]:
    """Slight findings of one label together, and where the largest of them lies."""
    found: list[Statement] = []
    for n, ids in enumerate(chosen.groups):
        for slot, plan in (("together", plans.together), ("largest", plans.largest)):
            statement = budget.take(written(plan(facts, ids), facts, f"{seed}:{slot}:{n}"))
            found += [statement] if statement is not None else []
    return found


def _context_labels(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    """Structures that are told, and tissues where these say something of the image."""
    telling = facts.metadata.modality in ("CT", "histopathology") or not (chosen.findings or chosen.structures)
    structures = [one for one in chosen.structures if one != facts.metadata.organ]
    return (*structures[:3], *(chosen.tissues[:2] if telling else ()))


def _interleaved(regions: list[Statement], texture: list[Statement]) -> Iterable[Statement]:
    """Each finding with its appearance behind it."""
    left = list(texture)
    for statement in regions:
        yield statement
        said = {item.pointer.split("/")[2] for item in statement.evidence if item.pointer.startswith("/regions/")}
        for one in list(left):
            if any(
                item.pointer.startswith("/regions/") and item.pointer.split("/")[2] in said for item in one.evidence
            ):
                left.remove(one)
                yield one
    yield from left


def _around(
    facts: Facts, chosen: Chosen, seed: str, wanted: int, budget: Budget, *, full: bool
) -> tuple[list[Statement], frozenset[str], Counter[str]]:
    """Where structures and tissues lie and how they look, the largest first: where findings leave room to tell it.

    Returns:
        The sentences, labels of which every region is told by them, and how many regions of each label are.
    """
    found: list[Statement] = []
    regions = [region for one, (_, region) in facts.regions.items() if one not in chosen.doubled]
    left = Counter(region.label for region in regions)
    for label in (*chosen.structures, *chosen.tissues):
        fitting = [region for region in regions if region.label == label]
        if sum(map(length_of, found)) >= wanted:
            break
        statement = budget.take(written(plans.pair(facts, fitting), facts, f"{seed}:pair:{label}"))
        if statement is not None:
            found.append(statement)
            left[label] -= len(fitting)
            continue
        # Both of two or none: beside a list that counts them, one of them told again reads as a third.
        for region in sorted(fitting, key=lambda one: one.area_px, reverse=True)[:2]:
            kinds = [kind for kind in _telling_of(facts, region) if _can_be_told(facts, region, kind)]
            plan = plans.introduction(facts, region, tuple(kinds[:3]), marked=_is_marked(region, seed, full=full))
            statement = budget.take(written(plan, facts, f"{seed}:around:{region.region_id}"))
            if statement is not None:
                found.append(statement)
                left[label] -= 1
    told = Counter(region.label for region in regions)
    told.subtract(left)
    return found, frozenset(label for label, count in left.items() if not count), told


def _telling_of(facts: Facts, region: Region) -> tuple[str, ...]:
    """Facets that say something of what is no finding: a whole organ is as dark and as even as such organs are."""
    if table().bare(region.label) in table().organs:
        return ("share",)
    return ("share", "parts", "level") if table().called(region.label).role == "structure" else ("share", "density")


def _absences(facts: Facts, seed: str, budget: Budget, *, full: bool) -> list[Statement]:
    """What experts looked for and did not find; `full`: each of the things that an expert looked for."""
    labels = absences(facts, each=full)
    statements = (written(plans.absence(label), facts, f"{seed}:absence:{label}") for label in labels)
    return [taken for one in statements if (taken := budget.take(one)) is not None]


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
