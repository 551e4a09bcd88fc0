"""What is told of structures around findings, or where there are none."""

from collections import Counter

from models.describers import plans
from models.describers.checked import Budget, length_of, written
from models.describers.choosing import Chosen
from models.describers.findings import can_be_told
from models.statements.facts import Facts
from models.statements.table import table
from schemas.regions import Region
from schemas.triplets import Statement


def context_labels(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    """Structures that are told: what the source outlines.

    Where there is no finding, also what proven experts outline: beside one it says nothing of it.
    """
    marked = marked_structures(facts, chosen)
    told = chosen.structures if not chosen.findings else marked
    structures = [one for one in told if one != facts.metadata.organ]
    return tuple(structures[:3])


def tissues(facts: Facts, chosen: Chosen, seed: str, budget: Budget) -> list[Statement]:
    """That a tissue which a calibrated unit tells lies on both sides, as lungs do, where nothing else is known.

    Fat and air are in every slice, and told in none.
    """
    found: list[Statement] = []
    for label in chosen.tissues if not (chosen.findings or chosen.structures) else ():
        ids = tuple(one for one, (_, region) in facts.regions.items() if region.label == label)
        plan = plans.on_both_sides(facts, ids)
        if table().called(label).rank and (one := budget.take(written(plan, facts, f"{seed}:tissue:{label}"))):
            found.append(one)
    return found


def marked_structures(facts: Facts, chosen: Chosen) -> tuple[str, ...]:
    """Labels of structures that the source outlines."""
    marked = {one.label for _, one in facts.regions.values() if one.kind == "source annotation"}
    return tuple(one for one in chosen.structures if one in marked)


def tell_around(
    facts: Facts, chosen: Chosen, seed: str, wanted: int, budget: Budget
) -> tuple[list[Statement], frozenset[str], Counter[str]]:
    """Where structures that the source outlines lie and how they look, the largest first: where there is room.

    Returns:
        The sentences, labels of which every region is told by them, and how many regions of each label are.
    """
    found: list[Statement] = []
    regions = [one for _, one in facts.regions.values() if one.kind == "source annotation"]
    left = Counter(region.label for region in regions)
    for label in marked_structures(facts, chosen):
        if label == facts.metadata.organ:
            continue  # The kind of image has told of it.
        fitting = [region for region in regions if region.label == label]
        if sum(map(length_of, found)) >= wanted:
            break
        # Both of two or none: beside a list that counts them, one of them told again reads as a third.
        for region in sorted(fitting, key=lambda one: one.area_px, reverse=True)[:2]:
            kinds = [kind for kind in _telling_of(facts, region) if can_be_told(facts, region, kind)]
            plan = plans.introduction(facts, region, tuple(kinds[:3]))
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
