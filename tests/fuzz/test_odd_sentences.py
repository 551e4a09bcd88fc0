"""Sentences that nobody would write each get a verdict: a model writes whatever it likes."""

import pytest

from models.statements import Facts
from tests.fuzz.sentences import facts_of_phantoms, fault, sentences


def test_every_sentence_gets_a_verdict() -> None:
    """Some hundred at random; `python -m tests.fuzz.sentences` tries many more."""
    faults = [(text, why) for facts, text in sentences(7, 400) if (why := fault(facts, text))]
    assert not faults


@pytest.mark.parametrize(
    "text",
    [
        "Between.",
        "Of the.",
        "R1 has a homogeneous internal echo pattern. Between",
        "“",
        "r1 to r99 both.",
        "It covers at most 3 x 4 % of the image.",
    ],
)
def test_a_sentence_that_is_none_gets_one_too(text: str) -> None:
    """Of whatever regions there are."""
    assert [why for facts in facts_of_phantoms() if (why := fault(facts, text))] == []


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were errors and names overlooked, nothing else would be found."""
    facts: Facts = facts_of_phantoms()[0]
    monkeypatch.setattr("tests.fuzz.sentences.judge", lambda *_: {}["r99"])
    assert fault(facts, "r99 is bright.") == "KeyError: 'r99'"
