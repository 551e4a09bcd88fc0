"""The composer: says what claims the facts bear out, in sentences that read back to exactly those claims.

No model takes part, and the lineage says so. What is told and in which order is chosen in choosing.py, sentences are
planned in plans.py, words come from models/statements.
"""

import asyncio
from collections.abc import Iterable

from models.describers import plans
from models.describers.base import make_description
from models.describers.choosing import Chosen, choose
from models.describers.plans import Plan
from models.knowledge.quoting import quotable
from models.statements.facts import Facts
from models.statements.reading import read
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing import Piece, sentence
from schemas.knowledge import EnrichedImage
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@4"
TRIES = 8
"""Wordings of a sentence that are tried until one reads back to its claims."""
WORDS = 110
"""From which no further sentence is begun."""
OVERHANG = 10
"""Words by which the last sentence may go beyond them."""
LEFT_FOR_CONTEXT = 45
"""Words that must be left for structures to be told of one by one."""
MEASURED = 12
"""Regions whose measurements are listed."""


class Composer:
    """A `Describer` without a model."""

    name = NAME
    prompt: str | None = None

    async def describe(self, image: EnrichedImage) -> Description:
        """Describe the image. Never fails, and never says what was not measured."""
        return await asyncio.to_thread(compose, Facts.of(image), image.image_id)


def compose(facts: Facts, seed: str) -> Description:
    """The description of what is known of an image; the same facts and seed give the same one."""
    chosen = choose(facts)
    modality = _needed(plans.image(facts, caption=False), facts, f"{seed}:image")
    caption = _needed(plans.image(facts, caption=True), facts, f"{seed}:caption")
    budget = _Budget(WORDS - _length(modality))
    regions, texture = _findings(facts, chosen, seed, budget)
    relations = _relations(facts, chosen, seed, budget)
    context = (*chosen.structures[:3], *chosen.tissues[:2])
    organ = budget.take(written(plans.context(facts, context), facts, f"{seed}:context")) if context else None
    absences = _absences(facts, seed, budget)
    surroundings = _context(facts, chosen, seed, budget)
    knowledge = _knowledge(facts, seed, budget)
    order = [
        modality,
        *_interleaved(regions, texture),
        *relations,
        *([organ] if organ else []),
        *surroundings,
        *absences,
        *knowledge,
    ]
    return make_description(
        modality,
        organ,
        (*regions, *surroundings),
        tuple(texture),
        tuple(relations),
        tuple(knowledge),
        caption=caption,
        absences=tuple(absences),
        measurements=tuple(_measurements(facts, seed)),
        text=" ".join(one.text for one in order),
    )


class _Budget:
    """Words that are left."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, statement: Statement | None) -> Statement | None:
        """The statement, where there is room for it."""
        if statement is None or self.left <= 0 or _length(statement) > self.left + OVERHANG:
            return None
        self.left -= _length(statement)
        return statement


def _length(statement: Statement) -> int:
    return len(statement.text.split())


def written(plan: Plan, facts: Facts, seed: str) -> Statement | None:
    """A sentence by a plan, in the first wording that reads back to exactly what it was written from."""
    for attempt in range(TRIES):
        piece = plan(Voice(f"{seed}:{attempt}"))
        if piece is None:
            continue
        text = sentence(piece.text)
        if reads_back(text, piece, facts):
            evidence = evidence_of(piece, facts)
            if evidence:
                return Statement(text=text, evidence=evidence)
    return None


def reads_back(text: str, piece: Piece, facts: Facts) -> bool:
    """Whether a text is read as the claims that it was written from, all of which the facts bear out."""
    reading = read(text, facts)
    return (
        not reading.unlicensed
        and set(reading.claims) == set(piece.claims)
        and all(claim.judge(facts).truth is True for claim in reading.claims)
    )


def evidence_of(piece: Piece, facts: Facts) -> tuple[Evidence, ...]:
    """Every fact that the claims of a piece rest on."""
    pointers = dict.fromkeys(pointer for claim in piece.claims for pointer in claim.judge(facts).pointers)
    return tuple(item for pointer in pointers if (item := facts.evidence(pointer)) is not None)


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


def _findings(facts: Facts, chosen: Chosen, seed: str, budget: _Budget) -> tuple[list[Statement], list[Statement]]:
    regions: list[Statement] = []
    texture: list[Statement] = []

    def tell(plan: Plan, slot: str, into: list[Statement]) -> None:
        statement = budget.take(written(plan, facts, f"{seed}:{slot}"))
        if statement is not None:
            into.append(statement)

    if facts.metadata.disease is not None:
        tell(plans.disease(facts, facts.metadata.disease), "disease", regions)
    for n, region_id in enumerate(chosen.findings):
        region, tagged = facts.region(region_id), len(chosen.findings) > 1
        if n >= 1 and budget.left < 30:
            break
        tell(plans.finding(facts, region, full=n < 1, tagged=tagged), f"finding:{n}", regions)
        if n < 2 and budget.left > 20:
            tell(plans.looks(facts, region, tagged=tagged), f"looks:{n}", texture)
    return regions, texture


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


def _relations(facts: Facts, chosen: Chosen, seed: str, budget: _Budget) -> list[Statement]:
    told = {*chosen.findings[:4]}
    named = told | {
        one
        for one, (_, region) in facts.regions.items()
        if region.label in chosen.structures and len(facts.named(_own_name(region.label))) == 1
    }
    found: list[Statement] = []
    predicates: set[str] = set()
    for index, one in enumerate(facts.grounding.relations):
        if (
            len(found) == 2
            or one.predicate in predicates
            or not {one.subject, one.object} <= named
            or not {one.subject, one.object} & (told or named)
        ):
            continue
        plan = plans.relation(facts, index, lambda region_id: len(chosen.findings) > 1 and region_id in told)
        statement = budget.take(written(plan, facts, f"{seed}:relation:{index}"))
        if statement is not None:
            found.append(statement)
            predicates.add(one.predicate)
    for index, one in enumerate(facts.grounding.continuations):
        followed = chosen.findings[:2] or (facts.grounding.continuations[0].region,)
        if one.region in followed and len(found) < 4:
            plan = plans.continuation(facts, index, tagged=len(chosen.findings) > 1)
            statement = budget.take(written(plan, facts, f"{seed}:continuation:{index}"))
            if statement is not None:
                found.append(statement)
    return found


def _context(facts: Facts, chosen: Chosen, seed: str, budget: _Budget) -> list[Statement]:
    """Where the largest of each structure and tissue lies, and how it looks, as long as there is room."""
    found: list[Statement] = []
    for label in (*chosen.structures, *chosen.tissues):
        largest = max(
            (region for _, region in facts.regions.values() if region.label == label), key=lambda one: one.area_px
        )
        place = plans.finding(facts, largest, full=False, tagged=False)
        for slot, plan in (("place", place), ("looks", plans.looks(facts, largest, tagged=False))):
            if budget.left > LEFT_FOR_CONTEXT:
                statement = budget.take(written(plan, facts, f"{seed}:{slot}:{largest.region_id}"))
                found += [statement] if statement is not None else []
    return found


def _own_name(label: str) -> str:
    return " ".join(words(label))


def _absences(facts: Facts, seed: str, budget: _Budget) -> list[Statement]:
    """What experts looked for and did not find: one sentence an expert."""
    ran = {run.expert.split("@")[0] for run in facts.grounding.experts if run.outcome != "failed"}
    there = {region.label for _, region in facts.regions.values()}
    found: list[Statement] = []
    told: set[str] = set()
    for row in table().labels:
        if (
            row.role != "finding"
            or row.expert not in ran
            or row.expert in told
            or row.label in there
            or len(found) == 2
        ):
            continue
        statement = budget.take(written(plans.absence(row.label), facts, f"{seed}:absence:{row.label}"))
        if statement is not None:
            found.append(statement)
            told.add(row.expert)
    return found


def _knowledge(facts: Facts, seed: str, budget: _Budget) -> list[Statement]:
    """What a passage says of what the image names."""
    voice = Voice(f"{seed}:knowledge")
    for index, first in quotable(facts.passages):
        title = facts.passages[index].title
        if len(first.split()) + len(title.split()) + 4 > budget.left + OVERHANG:
            continue
        pattern = voice.pick(
            (
                "According to “{t}”: “{f}.”",
                "For reference, “{t}” says: “{f}.”",
                "“{t}” explains: “{f}.”",
                "As “{t}” states, “{f}.”",
            )
        )
        evidence = [facts.evidence(f"/passages/{index}/{field}") for field in ("passage_id", "title")]
        return [Statement(text=pattern.format(t=title, f=first), evidence=tuple(item for item in evidence if item))]
    return []


def _measurements(facts: Facts, seed: str) -> Iterable[Statement]:
    for region_id in list(facts.regions)[:MEASURED]:
        statement = written(plans.measurements(facts, facts.region(region_id)), facts, f"{seed}:measured:{region_id}")
        if statement is not None:
            yield statement
