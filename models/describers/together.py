"""What is told of many small structures, and of the one finding that there is, where little else is known."""

from collections.abc import Sequence

from models.describers import plans
from models.describers.checked import Budget, written
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from schemas.regions import Region
from schemas.triplets import Statement


def small_ones(facts: Facts, seed: str, budget: Budget) -> list[Statement]:
    """How the many small structures of a label are spread and shaped, and how two of one kind compare."""
    found: list[Statement] = []
    by_label: dict[str, list[Region]] = {}
    for _, region in facts.regions.values():
        if table().called(region.label).role == "structure" and region.kind == "candidate":
            by_label.setdefault(region.label, []).append(region)
    for label, regions in by_label.items():
        voice = Voice(f"{seed}:small:{label}")
        ways = voice.shuffled((("spread",), ("shapes",), ("spread", "shapes"), ("both",)))
        made = next((made for way in ways if (made := _told(facts, label, regions, way, seed, budget))), [])
        made += _told(facts, label, regions, ("two",), seed, budget)
        if len(regions) >= plans.MANY and made:
            largest = plans.largest(facts, tuple(one.region_id for one in regions))
            statement = budget.take(written(largest, facts, f"{seed}:largest:{label}"))
            made = voice.shuffled([*made, statement]) if statement is not None else made
        found += made
    return found


def _told(
    facts: Facts, label: str, regions: list[Region], way: tuple[str, ...], seed: str, budget: Budget
) -> list[Statement]:
    plans_of = {
        "spread": plans.spread_out,
        "shapes": plans.shaped,
        "both": plans.spread_and_shaped,
        "two": plans.compared,
    }
    said = [written(plans_of[one](facts, regions), facts, f"{seed}:{one}:{label}") for one in way]
    return [one for one in said if budget.take(one) is not None and one is not None]


def the_only_one(
    facts: Facts, told: tuple[str, ...], before: Sequence[Statement], seed: str, budget: Budget
) -> list[Statement]:
    """That the source marks no other finding, where what was said before has not told it."""
    marked = [
        one
        for one, (_, region) in facts.regions.items()
        if region.kind == "source annotation" and table().called(region.label).role == "finding"
    ]
    if not marked or marked != list(told[:1]) or w.is_scattered(facts.region(marked[0])):
        return []
    if {"single", "solitary"} & {word for one in before for word in one.text.lower().split()}:
        return []
    statement = budget.take(written(plans.only_one(facts, facts.region(marked[0])), facts, f"{seed}:only"))
    return [statement] if statement is not None else []
