"""Two falsehoods that sound measured: the share of a picture told of a body, and silence told as absence."""

from dataclasses import replace

import pytest
from known_images import brain

from models.statements import Facts, judge
from schemas.expert_runs import LabelRecall

OF_THE_BRAIN = """
+ r1 covers 1.7 % of the image.
+ r1 covers 4.8 % of the brain.
+ The tumour covers 1.7 % of the slice.
+ The tumour takes up 4.8 % of the organ.
+ The tumour occupies about 5 % of the brain.
- The tumour is tiny relative to the brain.
+ The tumour covers 1.7 % of the image and 4.8 % of the brain.
- r1 covers 1.7 % of the brain.
- The tumour takes up 1.7 % of the organ.
- The tumour makes up a third of the brain.
- r1 covers 4.8 % of the image.
? r1 covers 1.7 % of the body.
? r1 covers 4.8 % of the body.
? The tumour covers 1.7 % of the patient.
? The tumour takes up 1.7 % of the patient's body.
? The tumour occupies 4.8 % of the head.
? The tumour is 1.7 % of the trunk.
? 1.7 % of the body is covered by the tumour.
? 1.7 % of the body is tumour.
? The area of the tumour is 1.7 % of that of the body.
? The tumour covers a small part of the body.
? A small part of the body is taken up by the tumour.
? The tumour is small compared with the body.
? The tumour covers the whole body.
? The tumour accounts for 1.7 % of the visible body.
? The tumour makes up 4.8 % of the hemisphere.
? The tumour takes up 1.7 % of the whole patient.
? 1.7 % of all tissue is tumour.
? The tumour covers 1.7 % of the image, that is, of the body.
? The tumour takes up 1.7 % of the image or of the head.
+ The tumour takes up 1.7 % of the image and 4.8 % of the brain, and is oval.
"""
OF_THE_PICTURE = """
+ The tumour covers 1.7 % of the image.
+ The tumour covers 1.7 % of this slice.
+ The tumour occupies 1.7 % of the total image area.
+ The tumour is small relative to the image.
- The tumour covers 4.8 % of the image.
? The tumour covers 1.7 % of the brain.
? The tumour makes up 1.7 % of the brain tissue.
? The tumour takes up 1.7 % of the visible brain.
? 1.7 % of the brain is tumour.
? The tumour covers 1.7 % of the organ.
? The tumour takes up 1.7 % of its organ.
? The tumour covers 1.7 % of the organ in which it lies.
? The tumour occupies a small part of the brain.
? The tumour is small relative to the brain.
? The tumour covers the whole brain.
? The tumour covers 1.7 % of the body.
? The tumour occupies one sixtieth of the body.
? The tumour, 1.7 % of the body, is oval.
"""
OF_SILENCE = """
+ No hyperintense region was found on automated analysis.
+ The expert mr-brain found no hyperintense region.
+ The experts found no hyperintense region.
+ No hyperintense region is outlined.
+ No hyperintense region has been marked.
+ No hyperintense region was proposed by an expert.
? No hyperintense region is present.
? There is no hyperintense region.
? There are no hyperintense regions.
? No hyperintense region is seen.
? No hyperintense region is visible.
? A hyperintense region is absent.
? Absence of hyperintense regions.
? Without any hyperintense region.
? No hyperintense region was found.
? No hyperintense region can be detected.
? The brain is free of hyperintense regions.
? The brain contains no hyperintense region.
? The slice shows no hyperintense region.
? This MR image of the brain shows no hyperintense region.
? Hyperintense regions are not seen.
? No nodule is present.
? No nodule was found on automated analysis.
"""
OUTCOMES = {"+": "supported", "-": "contradicted", "?": "unsupported"}


def lines(text: str) -> list[tuple[str, str]]:
    """Wanted outcome and sentence."""
    return [(OUTCOMES[line[0]], line[2:]) for line in text.strip().splitlines()]


def of_the_picture() -> Facts:
    """The brain, of which the tumour's share is not measured: as of a picture whose brain nobody outlines."""
    facts = brain()
    regions = tuple(
        one.model_copy(update={"place": one.place.model_copy(update={"within": "image", "share_percent": 1.7})})
        if one.place is not None and one.region_id == "r1"
        else one
        for one in facts.grounding.regions
    )
    return replace(facts, grounding=facts.grounding.model_copy(update={"regions": regions}))


def silent(recall: LabelRecall | None = None) -> Facts:
    """The brain, in which all experts looked and none found anything; `recall`: what they state of themselves."""
    facts = brain()
    ran = tuple(
        one.model_copy(
            update={
                "outcome": "nothing found",
                "regions": 0,
                "left_out": 0,
                "merged": 0,
                "looked_for": tuple(label.model_copy(update={"recall": recall}) for label in one.looked_for),
            }
        )
        for one in facts.grounding.experts
        if one.expert != "source"
    )
    return replace(facts, grounding=facts.grounding.model_copy(update={"regions": (), "relations": (), "experts": ran}))


@pytest.mark.parametrize(("outcome", "text"), lines(OF_THE_BRAIN))
def test_a_share_is_of_what_it_was_measured_of(outcome: str, text: str) -> None:
    assert judge(text, brain()).verdict.outcome == outcome


@pytest.mark.parametrize(("outcome", "text"), lines(OF_THE_PICTURE))
def test_a_share_of_the_picture_is_none_of_an_organ(outcome: str, text: str) -> None:
    assert judge(text, of_the_picture()).verdict.outcome == outcome


@pytest.mark.parametrize(("outcome", "text"), lines(OF_SILENCE))
def test_an_expert_that_finds_nothing_proves_no_absence(outcome: str, text: str) -> None:
    assert judge(text, silent()).verdict.outcome == outcome


@pytest.mark.parametrize(("least", "outcome"), [(0.85, "supported"), (0.7, "unsupported"), (None, "unsupported")])
def test_an_absence_is_believed_of_an_expert_that_finds_nearly_all(least: float | None, outcome: str) -> None:
    interval = (least, 0.95) if least is not None else None
    recall = LabelRecall(value=0.9, images=60, marked=90, interval=interval, of="made for this test")
    text = "No hyperintense region within the brain is present."
    assert judge(text, silent(recall)).verdict.outcome == outcome


def test_no_further_one_is_the_source_s_to_say() -> None:
    """The source has marked its tumours; an expert that marks one may have missed another."""
    assert judge("No other tumour is seen.", brain()).verdict.outcome == "supported"
    alone = tuple(one for one in brain().grounding.regions if one.region_id in ("r1", "r2"))
    facts = replace(brain(), grounding=brain().grounding.model_copy(update={"regions": alone, "relations": ()}))
    assert judge("No other hypointense region is seen.", facts).verdict.outcome == "unsupported"
    assert judge("No other hypointense region is outlined.", facts).verdict.outcome == "supported"
