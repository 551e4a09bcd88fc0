"""Opinions of classifiers: told with their stated precision alone, and read for what they are."""

from dataclasses import replace

import pytest
from known_images import brain

from models.describers.composer import compose
from models.statements import Facts, judge
from models.statements.opinions import SAY, claimed, filled, read_opinion
from models.statements.tokens import spelled_out, tokens
from models.statements.writing import sentence
from schemas.regions import Opinion, OpinionPrecision

TOLD = Opinion(
    label="pleural effusion (small)",
    expert="chest-14@1.0.0",
    score=0.91,
    threshold=0.5,
    told=True,
    precision=OpinionPrecision(value=0.8125, images=1280, of="films of another hospital"),
)
UNSTATED = TOLD.model_copy(update={"label": "oedema", "precision": None})
BELOW = TOLD.model_copy(update={"label": "cardiomegaly", "score": 0.2, "told": False})
SURE = "The classifier chest-14 thinks that the image shows {}, with a stated precision of {} % on {} images."


@pytest.fixture
def facts() -> Facts:
    known = brain()
    return replace(known, grounding=known.grounding.model_copy(update={"opinions": (TOLD, UNSTATED, BELOW)}))


def test_told_with_its_precision_alone(facts: Facts) -> None:
    """The one that reached its threshold and states how often it was right; it rests on the record of it."""
    said = compose(facts, "a")
    (statement,) = said.opinions
    assert "pleural effusion (small)" in statement.text
    assert "81.2" in statement.text
    assert "1,280" in statement.text
    assert {item.pointer.rsplit("/", 1)[0] for item in statement.evidence} == {"/opinions/0", "/opinions/0/precision"}
    assert {item.kind for item in statement.evidence} == {"image"}


def test_no_part_of_what_is_learnt_from(facts: Facts) -> None:
    """All else that is said is what is said without opinions."""
    without = compose(brain(), "a")
    assert without.opinions == ()
    assert compose(facts, "a").model_copy(update={"opinions": ()}) == without


def test_every_phrasing_is_read_back(facts: Facts) -> None:
    """As that claim and nothing else, and borne out."""
    for pattern in SAY:
        for phrase in spelled_out(pattern):
            text = sentence(filled(phrase, TOLD))
            assert read_opinion(tokens(text)[:-1]) == claimed(TOLD), text
            assert judge(text, facts).verdict.outcome == "supported", text


@pytest.mark.parametrize(
    ("label", "percent", "images", "outcome"),
    [
        ("pleural effusion (small)", "81", "1,280", "supported"),
        ("pleural effusion (small)", "81.3", "1,280", "supported"),
        ("pleural effusion (small)", "91", "1,280", "contradicted"),
        ("pleural effusion (small)", "81", "12,800", "contradicted"),
        ("cardiomegaly", "81", "1,280", "contradicted"),
        ("oedema", "81", "1,280", "unsupported"),
        ("no pleural effusion (small)", "81", "1,280", "unsupported"),
        ("pneumothorax", "81", "1,280", "unsupported"),
    ],
)
def test_what_others_say_of_opinions(facts: Facts, label: str, percent: str, images: str, outcome: str) -> None:
    """Numbers, thresholds and labels are held against the record."""
    assert judge(SURE.format(label, percent, images), facts).verdict.outcome == outcome


def test_an_opinion_is_no_finding(facts: Facts) -> None:
    """That the image shows it, or where, is not borne out by what an expert thinks."""
    for text in (
        "The image shows a pleural effusion (small).",
        "There is a pleural effusion in the left lower part.",
        "The classifier chest-14 thinks that the image shows pleural effusion (small).",
    ):
        assert judge(text, facts).verdict.outcome != "supported", text
