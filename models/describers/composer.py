"""The composer: says what claims the facts bear out, in sentences that read back to exactly those claims.

No model takes part, and the lineage says so. What is told and in which order is chosen in choosing.py, sentences are
planned in plans/, words come from models/statements.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.describers import plans
from models.describers.base import make_description
from models.describers.choosing import Chosen, absences, choose
from models.describers.plans import Plan
from models.knowledge.quoting import quotable
from models.statements import writing as w
from models.statements.claims import Claim, Finding, OfRegions
from models.statements.facts import Facts
from models.statements.reading import read
from models.statements.table import table
from models.statements.tokens import words
from models.statements.voice import Voice
from models.statements.writing import Piece, sentence
from schemas.knowledge import EnrichedImage
from schemas.regions import Region, Relation
from schemas.triplets import Description, Evidence, Statement

NAME = "composer@8"
TRIES = 16
"""Wordings of a sentence that are tried until one reads back to its claims."""
OPENED = 0.5
"""Part of images whose kind and most telling finding are told in one sentence."""
QUOTED = 0.2
"""Part of descriptions that quote what a passage says of what they name, beside those that are short."""
WORDS = 94
"""From which no further sentence is begun."""
OVERHANG = 15
"""Words by which the last sentence may go beyond them."""
SHORT = 45
"""Words below which structures and tissues are told of one by one."""
LISTED = 4
"""Words that a structure takes where several are listed, about."""
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
    chosen = choose(facts)
    voice = Voice(f"{seed}:order")
    modality = _needed(plans.image(facts, caption=False), facts, f"{seed}:image")
    caption = _needed(plans.image(facts, caption=True), facts, f"{seed}:caption")
    opening = _opening(facts, chosen, seed) if voice.maybe(OPENED) else None
    first = opening.statement if opening else modality
    budget = _Budget(WORDS - _length(first))
    regions, texture, told = _findings(facts, chosen, seed, budget, first, opening)
    rest = [*_counted(facts, chosen, told, seed, budget), *_grouped(facts, chosen, seed, budget)]
    relations = _relations(facts, chosen, told, seed, budget)
    context = _context_labels(facts, chosen)
    missing = _absences(facts, seed, budget)
    said = sum(map(_length, (first, *regions, *texture, *rest, *relations, *missing)))
    around, described = _around(facts, chosen, seed, SHORT - said - LISTED * len(context), budget)
    # What is described one by one is not listed besides.
    context = tuple(one for one in context if one not in described)
    organ = (
        budget.take(written(plans.context(facts, context, chosen.doubled), facts, f"{seed}:context"))
        if context
        else None
    )
    said += _length(organ) if organ else 0
    knowledge = _knowledge(facts, chosen, seed, budget)
    # The same words of the same disease, told of every image of it, teach to recite: most descriptions leave them out.
    short = said + sum(map(_length, around)) < SHORT
    quoted = knowledge if short or voice.maybe(QUOTED) else []
    findings = [*_interleaved(regions, texture), *rest]
    structures = [*([organ] if organ else []), *around]
    # What is spoken of as known has been told of before.
    beside = voice.shuffled([relations, structures, missing] if told else [[*structures, *relations], missing])
    begun, telling = [first], [findings, *beside]
    if regions and opening is None and voice.maybe(0.15):
        # Once in a while the most telling finding opens, and the kind of image follows.
        begun, telling = [findings[0], modality], [findings[1:], *beside]
    return make_description(
        modality,
        organ,
        (*([opening.statement] if opening else []), *regions, *rest, *around),
        tuple(texture),
        tuple(relations),
        tuple(knowledge),
        caption=caption,
        absences=tuple(missing),
        measurements=tuple(_measurements(facts, seed)),
        opinions=tuple(_opinions(facts, seed)),
        text=" ".join(one.text for part in (begun, *telling, quoted) for one in part),
    )


@dataclass(frozen=True, slots=True)
class _Opening:
    """A sentence of the kind of image and its most telling finding, and facets of that which it does not tell."""

    statement: Statement
    region: str
    left: tuple[str, ...]


def _opening(facts: Facts, chosen: Chosen, seed: str) -> _Opening | None:
    for region_id in chosen.findings[:1]:
        region = facts.region(region_id)
        first, left = _split(facts, region, seed, first=3, second=3)
        found = plans.found(facts, region, first, marked=region.kind == "source annotation")
        statement = written(plans.opening(facts, found), facts, f"{seed}:opening")
        if statement is not None:
            return _Opening(statement, region_id, left)
    return None


def _split(
    facts: Facts, region: Region, seed: str, *, first: int, second: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kinds = tuple(kind for kind in w.FACETS if _can_be_told(facts, region, kind))
    return plans.split(kinds, Voice(f"{seed}:split:{region.region_id}"), first=first, second=second)


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
    """Whether a text is read as the claims that it was written from, all of which the facts bear out.

    An indefinite noun is read as one of all that are called so; it was written of one of them.
    """
    reading = read(text, facts)
    return (
        not reading.unlicensed
        and {_meant(claim, piece) for claim in reading.claims} == set(piece.claims)
        and all(claim.judge(facts).truth is True for claim in (*reading.claims, *piece.claims))
    )


def _meant(claim: Claim, piece: Piece) -> Claim:
    """A claim of one of several, as 'a nodule' makes, as the claim of the one that it was written of."""
    # A name fits each that it is said of: "nuclei" names all of them, though one mark of many was meant.
    if not isinstance(claim, OfRegions) or len(claim.regions) < 2 or (claim.every and not isinstance(claim, Finding)):
        return claim
    for one in piece.claims:
        if isinstance(one, OfRegions) and set(one.regions) <= set(claim.regions):
            every = one.every if isinstance(claim, Finding) else claim.every
            if replace(claim, regions=one.regions, every=every) == one:
                return one
    return claim


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


def _findings(
    facts: Facts, chosen: Chosen, seed: str, budget: _Budget, begun: Statement, opening: _Opening | None
) -> tuple[list[Statement], list[Statement], tuple[str, ...]]:
    """Findings one by one, their looks, and which were told; the first may have been told with the kind of image."""
    regions: list[Statement] = []
    texture: list[Statement] = []
    told: list[str] = []

    def tell(plan: Plan, slot: str, into: list[Statement]) -> bool:
        statement = budget.take(written(plan, facts, f"{seed}:{slot}"))
        into += [statement] if statement is not None else []
        return statement is not None

    named = facts.metadata.disease
    if named is not None and all(item.pointer != "/metadata/disease" for item in begun.evidence):
        tell(plans.disease(named), "disease", regions)
    for n, region_id in enumerate(chosen.findings):
        if n and (budget.left < 25 or n == ONE_BY_ONE < len(chosen.findings)):
            break
        region = facts.region(region_id)
        # What its noun alone does not name is told of once, in one sentence.
        alone = w.is_named_alone(facts, region_id)
        first, second = _split(facts, region, seed, first=3 if alone else 4, second=3 if n == 0 else 2)
        if opening is not None and opening.region == region_id:
            second = opening.left
        else:
            plan = plans.introduction(facts, region, first, marked=region.kind == "source annotation")
            if not tell(plan, f"finding:{n}", regions):
                continue
        told.append(region_id)
        if n < 2 and second and alone and budget.left > 15:
            tell(plans.description(facts, region, second), f"looks:{n}", texture)
        for expert in chosen.agreeing[region_id][:1]:
            tell(plans.agreement(facts, region_id, expert), f"agreement:{n}", regions)
    return regions, texture, tuple(told)


def _can_be_told(facts: Facts, region: Region, kind: str) -> bool:
    voice = Voice(kind)
    return w.facet(facts, region, kind, voice, w.name_of(facts, region.region_id, voice)) is not None


def _counted(facts: Facts, chosen: Chosen, told: tuple[str, ...], seed: str, budget: _Budget) -> list[Statement]:
    """Findings that were not told one by one, counted."""
    here = Counter(facts.region(one).label for one in told)
    left = Counter(facts.region(one).label for one in chosen.findings if one not in told) + Counter(chosen.rest)
    merged = {facts.region(one).label for others in chosen.same.values() for one in others}
    rest = tuple((label, here[label]) for label in left if label not in merged)
    if not rest:
        return []
    # However little room is left: what is not told at least counts.
    statement = written(plans.further(facts, rest[:2]), facts, f"{seed}:rest")
    budget.left -= _length(statement) if statement is not None else 0
    return [statement] if statement is not None else []


def _grouped(facts: Facts, chosen: Chosen, seed: str, budget: _Budget) -> list[Statement]:
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


def _relations(facts: Facts, chosen: Chosen, told: tuple[str, ...], seed: str, budget: _Budget) -> list[Statement]:
    found: list[Statement] = []
    predicates: set[str] = set()
    for index, one in enumerate(facts.grounding.relations):
        if len(found) < 2 and one.predicate not in predicates and _tells(facts, chosen, told, one):
            statement = budget.take(written(plans.relation(facts, index), facts, f"{seed}:relation:{index}"))
            if statement is not None:
                found.append(statement)
                predicates.add(one.predicate)
    for index, one in enumerate(facts.grounding.continuations):
        followed = told[:2] or (facts.grounding.continuations[0].region,)
        if one.region in followed and len(found) < 4:
            plan = plans.continuation(facts, index)
            statement = budget.take(written(plan, facts, f"{seed}:continuation:{index}"))
            if statement is not None:
                found.append(statement)
    return found


_COMPARES = {"larger than", "brighter than", "similar in size to", "same texture as", "mirror of"}


def _tells(facts: Facts, chosen: Chosen, told: tuple[str, ...], relation: Relation) -> bool:
    """Whether a relation is one of findings: to compare one with what it is not says nothing."""
    ends = {relation.subject, relation.object}
    labels = {facts.region(one).label for one in ends if one in facts.regions}
    if not ends & set(told) or not all(w.is_named_alone(facts, one) for one in ends):
        return False
    if relation.predicate in _COMPARES:
        return ends <= set(told) and len(labels) == 1
    structures = {
        one
        for one, (_, region) in facts.regions.items()
        if region.label in chosen.structures and len(facts.named(" ".join(words(region.label)))) == 1
    }
    return ends <= set(told) | structures


def _around(
    facts: Facts, chosen: Chosen, seed: str, wanted: int, budget: _Budget
) -> tuple[list[Statement], frozenset[str]]:
    """Where structures and tissues lie and how they look, the largest first: where findings leave room to tell it.

    Returns:
        The sentences, and labels of which every region is told by them.
    """
    found: list[Statement] = []
    regions = [region for one, (_, region) in facts.regions.items() if one not in chosen.doubled]
    left = Counter(region.label for region in regions)
    for label in (*chosen.structures, *chosen.tissues):
        fitting = [region for region in regions if region.label == label]
        for region in sorted(fitting, key=lambda one: one.area_px, reverse=True)[:2]:
            if sum(map(_length, found)) >= wanted:
                break
            kinds = [kind for kind in _telling_of(facts, region) if _can_be_told(facts, region, kind)]
            plan = plans.introduction(facts, region, tuple(kinds[:2]), marked=region.kind == "source annotation")
            statement = budget.take(written(plan, facts, f"{seed}:around:{region.region_id}"))
            if statement is not None:
                found.append(statement)
                left[label] -= 1
    return found, frozenset(label for label, count in left.items() if not count)


def _telling_of(facts: Facts, region: Region) -> tuple[str, ...]:
    """Facets that say something of what is no finding: a whole organ is as dark and as even as such organs are."""
    if table().bare(region.label) in table().organs:
        return ("share",)
    return ("share", "parts", "level") if table().called(region.label).role == "structure" else ("share", "density")


def _absences(facts: Facts, seed: str, budget: _Budget) -> list[Statement]:
    """What experts looked for and did not find."""
    statements = (written(plans.absence(label), facts, f"{seed}:absence:{label}") for label in absences(facts))
    return [taken for one in statements if (taken := budget.take(one)) is not None]


def _knowledge(facts: Facts, chosen: Chosen, seed: str, budget: _Budget) -> list[Statement]:
    """What a passage says of the disease or a finding that the image names.

    What else an image shows is not explained: "normal lung is …" would read as a finding.
    """
    voice = Voice(f"{seed}:knowledge")
    named = {facts.metadata.disease, *(facts.region(one).label for one in chosen.findings)}
    explaining = [one for one in quotable(facts.passages) if facts.passages[one[0]].answers in named]
    if facts.metadata.disease is None:
        # What is called a tumour, and no more, would read as a malignant one.
        explaining = [one for one in explaining if not _GRAVE & set(words(one[1]))]
    # The disease before what is seen of it: a glioma is explained rather than the tumour that it is.
    disease = facts.metadata.disease
    for index, said in sorted(
        voice.shuffled(explaining[:3]), key=lambda one: facts.passages[one[0]].answers != disease
    ):
        title = facts.passages[index].title
        text = voice.spin(voice.pick(_EXPLAINS)).replace("<t>", title).replace("<f>", said)
        if len(text.split()) > budget.left + OVERHANG:
            continue
        evidence = [facts.evidence(f"/passages/{index}/{field}") for field in ("passage_id", "title")]
        return [Statement(text=text, evidence=tuple(item for item in evidence if item))]
    return []


_EXPLAINS = (
    "According to “<t>”: “<f>.”",
    "{For reference|In general|As background}: “<f>.”",
    "“<t>” {explains|states}: “<f>.”",
    "As “<t>” states, “<f>.”",
    "“<f>”, {as|so} “<t>” {states|explains}.",
)


def _opinions(facts: Facts, seed: str) -> Iterable[Statement]:
    """What classifiers told of the image, where they state how often they were right; the surest first."""
    told = [one for one in facts.grounding.opinions if one.told and one.precision is not None]
    for one in sorted(told, key=lambda one: -one.score)[:OPINIONS]:
        statement = written(plans.opinion(one), facts, f"{seed}:opinion:{one.expert}:{one.label}")
        if statement is not None:
            yield statement


_GRAVE = frozenset(
    {"malignant", "malignancy", "cancer", "cancerous", "carcinoma", "suspicious", "metastasis", "melanoma"}
)


def _measurements(facts: Facts, seed: str) -> Iterable[Statement]:
    for region_id in list(facts.regions)[:MEASURED]:
        statement = written(plans.measurements(facts.region(region_id)), facts, f"{seed}:measured:{region_id}")
        if statement is not None:
            yield statement
