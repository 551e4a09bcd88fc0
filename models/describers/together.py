"""What is told of many small structures, where little else is known."""

from models.describers import plans
from models.describers.checked import Budget, written
from models.describers.choosing import Chosen
from models.describers.proven import is_mostly_right, is_proven
from models.statements.facts import Facts
from models.statements.table import table
from models.statements.voice import Voice
from schemas.regions import Region
from schemas.triplets import Statement


def small_ones(facts: Facts, chosen: Chosen, seed: str, budget: Budget) -> list[Statement]:
    """How the many small structures of a label are spread and shaped."""
    found: list[Statement] = []
    by_label: dict[str, list[Region]] = {}
    for region_id, (_, region) in facts.regions.items():
        small = table().called(region.label).role == "structure" and region.kind == "candidate"
        if small and region_id not in chosen.doubled and is_mostly_right(facts, region):
            by_label.setdefault(region.label, []).append(region)
    for label, regions in by_label.items():
        # What is told of most of them stands with a few that are doubtful.
        if 2 * sum(is_proven(facts, one) for one in regions) <= len(regions):
            continue
        voice = Voice(f"{seed}:small:{label}")
        ways = voice.shuffled((("spread",), ("shapes",), ("spread", "shapes"), ("both",)))
        made = next((made for way in ways if (made := _told(facts, label, regions, way, seed, budget))), [])
        found += made
    return found


def _told(
    facts: Facts, label: str, regions: list[Region], way: tuple[str, ...], seed: str, budget: Budget
) -> list[Statement]:
    plans_of = {
        "spread": plans.spread_out,
        "shapes": plans.shaped,
        "both": plans.spread_and_shaped,
    }
    said = [written(plans_of[one](facts, regions), facts, f"{seed}:{one}:{label}") for one in way]
    return [one for one in said if budget.take(one) is not None and one is not None]
