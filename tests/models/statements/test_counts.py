"""How many there are: exactly, at least, at most; and what is known of that where an expert left smaller ones out."""

from dataclasses import replace

import pytest
from known_images import brain
from test_binding import CT, RADIOGRAPH, facts_of

from models.statements import Facts, judge


def fat(left_out: int) -> Facts:
    """A CT slice with four fat-density regions, of which its expert is said to have left so many more out."""
    facts = facts_of(CT)
    runs = tuple(
        run.model_copy(update={"left_out": left_out if run.expert.startswith("ct-density") else 0})
        for run in facts.grounding.experts
    )
    return replace(facts, grounding=facts.grounding.model_copy(update={"experts": runs}))


@pytest.mark.parametrize(
    ("text", "whole", "some_left_out"),
    [
        ("Four fat-density regions are seen.", "supported", "unsupported"),
        ("There are 4 fat-density regions.", "supported", "unsupported"),
        ("Four fat-density regions are outlined.", "supported", "supported"),
        ("At least four fat-density regions are seen.", "supported", "supported"),
        ("More than three fat-density regions are seen.", "supported", "supported"),
        ("More than four fat-density regions are seen.", "contradicted", "unsupported"),
        ("Fewer than five fat-density regions are seen.", "supported", "unsupported"),
        ("Fewer than four fat-density regions are seen.", "contradicted", "contradicted"),
        ("Three fat-density regions are seen.", "contradicted", "contradicted"),
        ("Five fat-density regions are seen.", "contradicted", "unsupported"),
        ("Eight fat-density regions are seen.", "contradicted", "contradicted"),
        ("More than 20 fat-density regions are seen.", "contradicted", "contradicted"),
        ("Several fat-density regions are seen.", "supported", "supported"),
    ],
)
def test_where_smaller_ones_were_left_out_a_count_is_a_lower_bound(text: str, whole: str, some_left_out: str) -> None:
    """Nobody can tell how many there are: only that there are no fewer."""
    assert judge(text, fat(0)).verdict.outcome == whole
    assert judge(text, fat(3)).verdict.outcome == some_left_out


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("An irregular bright patch lies anteriorly.", "supported"),
        ("A round bright area measuring over 3 cm is seen.", "unsupported"),
        ("Several vessels cross the tumour.", "unsupported"),
    ],
)
def test_a_noun_for_any_region_is_one_that_is_outlined_or_is_not_told(text: str, outcome: str) -> None:
    """'A dark patch' can be one that nobody outlined: where none fits it is not denied."""
    assert judge(text, facts_of(CT) if "tumour" not in text else brain()).verdict.outcome == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The segmented tumour is oval.", "supported"),
        ("The tumour is brighter than the adjacent parenchyma and its border is sharp.", "supported"),
        ("The tumour is brighter than the normal parenchyma.", "supported"),
        ("The tumour is darker than the normal brain.", "contradicted"),
        ("The surrounding parenchyma is bright.", "unsupported"),
        ("Dr Smith sees a tumour.", "unsupported"),
        ("The organ shown is the thyroid.", "contradicted"),
    ],
)
def test_words_beside_a_finding_are_not_taken_for_it(text: str, outcome: str) -> None:
    """Tissue that it is compared with is what lies around; a title is no disease."""
    found = judge(text, brain())
    assert found.verdict.outcome == outcome, (found.verdict.reason, found.claims)
    assert all(claim.kind != "disease" or "Smith" not in text for claim in found.claims)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("The larger lung field lies on the patient's left.", "supported"),
        ("The larger lung field lies on the patient's right.", "contradicted"),
        ("The lung field on the patient's left is larger than the other one.", "contradicted"),
        ("The darker field r3 is larger than the darker field r4.", "supported"),
        ("The lung field on the patient's right is larger than the one on the left.", "contradicted"),
        ("The lung field on the patient's right is the larger one.", "contradicted"),
        ("Some of the darker fields are oval and lie on the patient's right.", "supported"),
        ("The darker fields cover a third of its area.", "contradicted"),
        ("One darker field near the top is oval.", "supported"),
        ("The uppermost darker field is the largest.", "contradicted"),
        ("One of the two lung fields is larger than the other.", "supported"),
        ("The two lung fields are equal in size.", "supported"),
        ("The smaller lung field is larger than the other.", "contradicted"),
        ("The largest darker field and the lung field on the patient's left overlap.", "unsupported"),
    ],
)
def test_of_two_one_is_compared_with_the_other(text: str, outcome: str) -> None:
    """'The larger lung field', 'the other one', and some of what is outlined, of a radiograph."""
    found = judge(text, facts_of(RADIOGRAPH))
    assert found.verdict.outcome == outcome, (found.verdict.reason, found.claims)
