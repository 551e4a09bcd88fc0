"""Which relations of what was told are told. Knows nothing of words."""

from models.describers import plans
from models.describers.checked import Budget, written
from models.describers.choosing import Chosen
from models.statements import writing as w
from models.statements.facts import Facts
from models.statements.tokens import words
from schemas.regions import Relation
from schemas.triplets import Statement


def relations(facts: Facts, chosen: Chosen, told: tuple[str, ...], seed: str, budget: Budget) -> list[Statement]:
    """How findings lie to each other and to structures, and whether they go on in the slices beside; four at most."""
    found: list[Statement] = []
    predicates: set[str] = set()
    for index, one in enumerate(facts.grounding.relations):
        if len(found) < 2 and one.predicate not in predicates and _tells(facts, chosen, told, one):
            statement = budget.take(written(plans.relation(facts, index), facts, f"{seed}:relation:{index}"))
            if statement is not None:
                found.append(statement)
                predicates.add(one.predicate)
    for index, one in enumerate(facts.grounding.continuations):
        if one.region in told[:2] and len(found) < 4:
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
