"""What is told of many small structures, of two, of the only one, and of how much of a mark another outline covers."""

import re

import pytest

from models.describers import plans
from models.describers.checked import Budget, written
from models.describers.choosing import choose
from models.describers.explaining import explanation
from models.experts.phantoms import draw
from models.statements import Facts
from schemas.images import SourceAnnotation
from schemas.knowledge import FoundPassage
from schemas.regions import Region
from schemas.shapes import Box
from tests.models.describers.test_telling import film_of_two_fields, many, scattered
from tests.models.statements.known_images import brain, registry

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


def test_the_larger_of_two_fields_is_told_where_it_plainly_is() -> None:
    """On its side of the display; of two of one size that they are alike."""
    facts = film_of_two_fields()
    left, right = facts.grounding.regions
    alike = [one.text for seed in SEEDS if (one := written(plans.compared(facts, [left, right]), facts, seed))]
    assert alike
    assert all("size" in text for text in alike)
    larger = right.model_copy(update={"area_px": int(1.5 * left.area_px)})
    grounding = facts.grounding.model_copy(update={"regions": (left, larger)})
    other = Facts(facts.metadata, grounding, (), facts.rows, facts.columns)
    said = [one.text for seed in SEEDS if (one := written(plans.compared(other, [left, larger]), other, seed))]
    assert said
    assert all(re.search(r"\b(?:larger|bigger)\b.*\bright\b", text) for text in said)


def test_the_only_finding_that_the_source_marks_is_called_so() -> None:
    """One of two is not, nor is a mark of many parts."""
    facts = brain()
    said = [one.text for seed in SEEDS if (one := written(plans.only_one(facts, facts.region("r1")), facts, seed))]
    assert said
    assert all(re.search(r"\b(?:only|single|no)\b", text, re.IGNORECASE) for text in said)
    two = many(2)
    assert not any(written(plans.only_one(two, two.region("r1")), two, seed) for seed in SEEDS)
    parted, region = scattered()
    assert not any(written(plans.only_one(parted, region), parted, seed) for seed in SEEDS)


@pytest.mark.parametrize(("height", "wanted"), [(20, "half"), (10, "quarter"), (30, "three quarters")])
def test_how_much_of_a_mark_an_experts_outline_covers_is_told(height: int, wanted: str) -> None:
    """As a part that a reader knows."""
    drawn = draw("MR", seed=1, contrast=0)
    rows, columns = drawn.values.shape[:2]
    boxes = (Box(x=80, y=90, width=40, height=40), Box(x=80, y=90, width=40, height=height))
    marks = tuple(SourceAnnotation(label="tumour", box=box) for box in boxes)
    grounding = registry().ground(drawn.values, drawn.metadata, drawn.unit, annotations=marks)
    mark, inner = sorted(
        (one for one in grounding.regions if one.kind == "source annotation"), key=lambda one: -one.area_px
    )
    inner = inner.model_copy(update={"kind": "candidate", "label": "hyperintense region within the brain"})
    facts = Facts(drawn.metadata, grounding.model_copy(update={"regions": (mark, inner)}), (), rows, columns)
    plan = plans.covering(facts, inner.region_id, mark.region_id)
    said = [one.text for seed in SEEDS if (one := written(plan, facts, seed))]
    assert said
    assert all(wanted in text for text in said)


def test_no_passage_is_quoted_that_the_image_belies() -> None:
    """What is mostly dark, irregular or tall, beside what is bright, oval and wide; nor how a reader goes about it."""
    facts = brain()
    quoted = {
        text: [
            one.text
            for seed in SEEDS
            for one in explanation(with_passage(facts, text), choose(facts), seed, Budget(100))
        ]
        for text in (
            "A glioblastoma is a bright mass on T2.",
            "A glioblastoma is a dark mass on T1.",
            "A glioblastoma is described by place and size.",
            "A glioblastoma is an irregular bright mass.",
            "A glioblastoma is a bright mass, taller than wide.",
        )
    }
    assert [bool(said) for said in quoted.values()] == [True, False, False, False, False]


def with_passage(facts: Facts, text: str) -> Facts:
    """The same with one passage on the disease that the source names."""
    passage = FoundPassage(
        passage_id="glioblastoma-1", title="Glioblastoma on MR", text=text,
        score=1.0, answers="glioblastoma", kind="appearance", reference="none",
    )  # fmt: skip
    return Facts(facts.metadata, facts.grounding, (passage,), facts.rows, facts.columns)
