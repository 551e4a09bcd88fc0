"""What is told of an image's findings: with the kind of image, one by one, by number, and together."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from models.describers import plans
from models.describers.checked import Budget, length_of, written
from models.describers.choosing import Chosen
from models.describers.plans import Plan
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.voice import Voice
from schemas.regions import Region
from schemas.triplets import Statement

ROWS = (0.0, 0.3, 0.6)
"""Part of a text's findings that are told as reports do, name, place and looks in a row: one of these for each text."""
IN_UNITS = ("mean", "size")
"""Facets that are numbers with a physical unit."""
IN_AN_OPENING, IN_A_SENTENCE, IN_A_ROW = 3, 3, 4
"""Looks that are told in one sentence at most: that of the kind of image, another, a row."""
FEW = 2
"""Findings up to which all that is known of the most telling one is told."""
ONE_BY_ONE = 3
"""Findings that are told one by one at most where more than that are there; the others are counted."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A sentence of the kind of image and its most telling finding, and facets of that which it does not tell."""

    statement: Statement
    region: str
    left: tuple[str, ...]


def opening(facts: Facts, chosen: Chosen, seed: str, *, full: bool) -> Opening | None:
    """A sentence of the kind of image and its most telling finding; None where there is none, or it cannot be said."""
    for region_id in chosen.findings[:1]:
        region = facts.region(region_id)
        kinds = _facets(facts, region, seed, full=full)
        first, left = kinds[:IN_AN_OPENING], kinds[IN_AN_OPENING:]
        found = plans.found(facts, region, first)
        statement = written(plans.opening(facts, found), facts, f"{seed}:opening")
        if statement is not None:
            # A sentence leaves out what does not fit it: where little else is known, that is told behind it.
            return Opening(statement, region_id, (*(_untold(facts, region, first, statement) if full else ()), *left))
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
    found = {item.pointer for one in claims for item in facts.evidence_of(one.judge(facts).pointers)}
    # What it is compared with, or is a part of, may have been named without it.
    return {one for one in found if one.startswith("/regions/")}


def _facets(facts: Facts, region: Region, seed: str, *, full: bool) -> tuple[str, ...]:
    """What can be told of how a region looks, in the order in which it is told."""
    kinds = [kind for kind in (*w.FACETS, *(w.FURTHER if full else ())) if can_be_told(facts, region, kind)]
    shuffled = Voice(f"{seed}:split:{region.region_id}").shuffled(kinds)
    # What is measured in units that a reader knows before what is only worded, and its size first of that.
    return tuple(sorted(shuffled, key=lambda kind: (kind not in IN_UNITS, kind != "share")))


def one_by_one(
    facts: Facts,
    chosen: Chosen,
    seed: str,
    budget: Budget,
    begun: Statement,
    opening: Opening | None,
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
            row = in_rows and tell(plans.report(facts, region, first), f"finding:{n}", regions)
            if not row and not tell(plans.introduction(facts, region, first), f"finding:{n}", regions):
                continue
            if full:
                second = (*_untold(facts, region, first, regions[-1]), *second)
        told.append(region_id)
        sentences = 0 if not alone else (2 if few else 1) if n == 0 else 1
        for m in range(sentences):
            some = second[m * IN_A_SENTENCE : (m + 1) * IN_A_SENTENCE]
            if some and budget.left > 15:
                tell(plans.description(facts, region, some), f"looks:{n}:{m}", texture)
    return regions, texture, tuple(told)


def can_be_told(facts: Facts, region: Region, kind: str) -> bool:
    voice = Voice(kind)
    return w.facet(facts, region, kind, voice, w.name_of(facts, region.region_id, voice)) is not None


def counted(facts: Facts, chosen: Chosen, told: tuple[str, ...], seed: str, budget: Budget) -> list[Statement]:
    """Findings that were not told one by one, counted."""
    here = Counter(facts.region(one).label for one in told)
    left = Counter(facts.region(one).label for one in chosen.findings if one not in told) + Counter(chosen.rest)
    merged = {facts.region(one).label for others in chosen.same.values() for one in others}
    rest = tuple((label, here[label]) for label in left if label not in merged)
    if not rest:
        return []
    # However little room is left: what is not told at least counts.
    statement = written(plans.further(facts, rest[:2], first=not told), facts, f"{seed}:rest")
    budget.left -= length_of(statement) if statement is not None else 0
    return [statement] if statement is not None else []


def grouped(
    facts: Facts, chosen: Chosen, seed: str, budget: Budget, opening: Statement | None = None
) -> list[Statement]:
    """Findings of one label together, and where the largest of them lies; `opening` has told of the first of them."""
    found: list[Statement] = []
    for n, ids in enumerate(chosen.groups):
        for slot, plan in (("together", plans.together), ("largest", plans.largest)):
            told = opening is not None and (n, slot) == (0, "together")
            # Which of two is the larger tells nothing.
            if told or (slot == "largest" and len(ids) == 2):
                continue
            statement = budget.take(written(plan(facts, ids), facts, f"{seed}:{slot}:{n}"))
            found += [statement] if statement is not None else []
    return found


def interleaved(regions: list[Statement], texture: list[Statement]) -> Iterable[Statement]:
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
