"""What colour a skin lesion is told to have, and how colours that others tell are judged."""

import re

import pytest

from models.describers.composer import compose
from models.experts.phantoms import draw
from models.statements import Facts, judge
from models.statements.terms import terms
from schemas.images import Modality, SourceAnnotation
from schemas.regions import Colour
from schemas.shapes import Box
from tests.models.describers.test_sides_and_crowds import SEEDS, marked

BROWN = Colour(lightness=40, green_red=22, blue_yellow=20, yellower_by=20)
RED = Colour(lightness=45, green_red=55, blue_yellow=3, yellower_by=0)
BLUE = Colour(lightness=40, green_red=20, blue_yellow=-20, yellower_by=-15)
BLACK = Colour(lightness=10, green_red=5, blue_yellow=3, yellower_by=1)
BETWEEN = Colour(lightness=50, green_red=44, blue_yellow=25, yellower_by=19)
FOUND = "region of other colour than the skin around it"
PALE = Colour(lightness=70, green_red=20, blue_yellow=10, yellower_by=3)


def lesion(colour: Colour, kind: Modality = "dermoscopy") -> Facts:
    """A picture of skin with a lesion of a colour."""
    side = draw(kind, seed=1).values.shape[1]
    facts = marked(kind, SourceAnnotation(label="lesion", box=Box(x=side // 3, y=side // 3, width=60, height=60)))
    region = facts.region("r1")
    words = terms({"colour": colour}, kind, "px", region.intensity.unit)
    kept = tuple(one for one in region.terms if one.aspect != "colour")
    region = region.model_copy(update={"colour": colour, "terms": (*kept, *words)})
    return Facts(
        facts.metadata, facts.grounding.model_copy(update={"regions": (region,)}), (), facts.rows, facts.columns
    )


@pytest.mark.parametrize(
    ("colour", "told"),
    [(BROWN, "brown"), (RED, "red"), (BLUE, "bluish"), (BLACK, "brown-black"), (BETWEEN, None), (PALE, None)],
)
def test_a_lesions_plain_colour_stands_before_its_noun(colour: Colour, told: str | None) -> None:
    """Between red and brown, and between brown and skin, nothing is told."""
    for seed in SEEDS:
        text = compose(lesion(colour), seed).description
        found = re.search(r"\b(brown-black|brown|red|reddish|bluish)\b(?: \w+)* lesion", text, re.IGNORECASE)
        assert (found[1] if found else None) == told, text


@pytest.mark.parametrize(
    ("colour", "text", "outcome"),
    [
        (BROWN, "The lesion is brown.", "supported"),
        (BROWN, "A brownish lesion is seen.", "supported"),
        (BROWN, "The lesion is red.", "contradicted"),
        (BROWN, "The lesion is blue.", "contradicted"),
        (BROWN, "The lesion is not brown.", "contradicted"),
        (BROWN, "The lesion is brown and blue.", "contradicted"),
        (RED, "The lesion is brown.", "contradicted"),
        (BLUE, "A bluish lesion is seen.", "supported"),
        (BLUE, "The lesion is red.", "contradicted"),
        (BLUE, "The lesion is brown.", "unsupported"),  # beside the blue it often is
        (BETWEEN, "The lesion is red.", "unsupported"),
        (BETWEEN, "The lesion is brown.", "unsupported"),
        (BETWEEN, "The lesion is reddish.", "supported"),
        (PALE, "The lesion is brown.", "unsupported"),
        (PALE, "The lesion is not brown.", "unsupported"),
    ],
)
def test_colours_are_judged_by_what_was_measured(colour: Colour, text: str, outcome: str) -> None:
    """Only what a lesion of its colour has not contradicts."""
    assert judge(text, lesion(colour)).verdict.outcome == outcome


def test_of_other_pictures_no_colour_is_told_or_believed() -> None:
    """An endoscope's lamp colours what it shows."""
    facts = lesion(BROWN, "endoscopy")
    assert not any("brown" in compose(facts, seed).description for seed in SEEDS)
    assert judge("The lesion is brown.", facts).verdict.outcome == "unsupported"


@pytest.mark.parametrize(("part", "told"), [(0.25, False), (0.8, True)])
def test_no_size_is_told_of_a_mark_in_which_the_lesion_is_far_smaller(part: float, told: bool) -> None:
    """By what an expert finds there."""
    side = draw("dermoscopy", seed=1).values.shape[1]
    boxes = [
        Box(x=side // 8, y=side // 8, width=width, height=width)
        for width in (3 * side // 4, int(part**0.5 * 3 * side / 4))
    ]
    marks = (SourceAnnotation(label=label, box=one) for label, one in zip(("lesion", FOUND), boxes, strict=True))
    facts = marked("dermoscopy", *marks)
    regions = tuple(
        one.model_copy(update={"kind": "candidate", "expert": "skin-colour@3.0.0"}) if one.label == FOUND else one
        for one in facts.grounding.regions
    )
    grounding = facts.grounding.model_copy(update={"regions": regions})
    facts = Facts(facts.metadata, grounding, (), facts.rows, facts.columns)
    texts = [compose(facts, seed).description for seed in SEEDS]
    assert any(re.search(r"most of the image|large", one) for one in texts) == told, texts
