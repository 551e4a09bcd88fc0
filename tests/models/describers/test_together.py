"""What is told of many small structures."""

import re

import pytest

from models.describers import plans
from models.describers.checked import Budget, written
from models.describers.choosing import choose
from models.describers.together import small_ones
from models.experts.phantoms import draw
from models.statements import Facts
from schemas.regions import Region
from tests.models.statements.known_images import registry

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SEEDS = "abcdefghij"


def cells() -> tuple[Facts, list[Region]]:
    """A drawn micrograph, and the cells that an expert outlines."""
    drawn = draw("microscopy", seed=1)
    rows, columns = drawn.values.shape[:2]
    facts = Facts(drawn.metadata, registry().ground(drawn.values, drawn.metadata, drawn.unit), (), rows, columns)
    return facts, [region for _, region in facts.regions.values() if region.label == "bright cell-like region"]


def test_most_is_told_of_a_shape_that_most_of_many_have() -> None:
    """And of the shape that few have never."""
    facts, regions = cells()
    assert len(regions) >= plans.MANY
    said = [one.text for seed in SEEDS if (one := written(plans.shaped(facts, regions), facts, seed))]
    words = {
        word: sum(any(term.word == word for term in one.terms) for one in regions) / len(regions)
        for word in ("round", "oval", "elongated")
    }
    assert said
    for text in said:
        if re.search(r"\bmost\b", text, re.IGNORECASE):
            told = "round" if re.search(r"round|circular|disc", text) else "oval"
            assert words[told] > 0.5, text
    assert written(plans.shaped(facts, regions[:3]), facts, "few") is None


def test_cells_are_spread_over_the_image_where_each_quarter_has_its_part() -> None:
    """Not where most of them lie in one half."""
    facts, regions = cells()
    assert any(written(plans.spread_out(facts, regions), facts, seed) for seed in SEEDS)
    above = [one.model_copy(update={"centroid": (one.centroid[0], one.centroid[1] / 4)}) for one in regions]
    grounding = facts.grounding.model_copy(update={"regions": tuple(above)})
    crowded = Facts(facts.metadata, grounding, (), facts.rows, facts.columns)
    assert not any(written(plans.spread_out(crowded, above), crowded, seed) for seed in SEEDS)


@pytest.mark.parametrize(("doubtful", "told"), [(0.1, True), (0.6, False)])
def test_a_few_doubtful_ones_do_not_silence_what_is_told_of_many(doubtful: float, told: bool) -> None:
    """Though each of them alone is told by no text."""
    facts, regions = cells()
    many = round(doubtful * len(regions))
    weighed = tuple(one.model_copy(update={"probability": 0.5 if n < many else 0.95}) for n, one in enumerate(regions))
    found = Facts(
        facts.metadata, facts.grounding.model_copy(update={"regions": weighed}), (), facts.rows, facts.columns
    )
    said = [one for seed in SEEDS for one in small_ones(found, choose(found, proven=True), seed, Budget(90))]
    assert bool(said) == told
