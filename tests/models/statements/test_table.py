"""The table says nothing twice in two senses, and what it says can be written and read."""

from collections import defaultdict

import pytest

from models.statements.lexicon import lexicon
from models.statements.table import table
from models.statements.tokens import plural, spelled_out, words


def test_every_phrasing_is_known_to_the_reader() -> None:
    """What can be written has a meaning of its own kind."""
    known = lexicon().meanings
    for row in table().terms:
        for said in (one for pattern in row.say for one in spelled_out(pattern)):
            assert any(one.kind == "word" for one in known[words(said)]), said
    for row in table().relations:
        for said in (*row.say, *row.turned):
            assert any(one.kind == "relation" for one in known[words(said)]), said
    for row in table().labels:
        for said in row.say:
            assert any(one.kind == "finding" for one in known[words(said)]), said


def test_no_phrase_means_two_ends_of_one_measure() -> None:
    """Contradictory words cannot be drawn from one table."""
    directions: dict[tuple[str, str], set[str]] = defaultdict(set)
    aspects: dict[tuple[str, str], set[str]] = defaultdict(set)
    for phrase, meanings in lexicon().meanings.items():
        for one in meanings:
            if one.kind == "level":
                directions[" ".join(phrase), one.value[0]].add(one.value[1])
            if one.kind == "word":
                aspects[" ".join(phrase), one.value[0]].add(one.value[1])
    assert not [phrase for phrase, found in (*directions.items(), *aspects.items()) if len(found) > 1]


def test_what_looks_and_kinds_are_called_has_no_odd_synonym() -> None:
    """A term of the trade and what is natural beside it: variety comes of order and of what is told together."""
    found = {
        **{f"{row.aspect}: {row.word}": (*row.say, *row.having) for row in table().terms if not row.only_read},
        **{f"{one.scale}, more": one.more for one in table().scales},
        **{f"{one.scale}, less": one.less for one in table().scales},
        **{f"kind of image: {row.word}": row.say for row in table().modalities},
        **{f"label: {row.label}": row.say for row in table().labels if row.role == "finding" and row.expert is None},
    }
    assert all(found.values())
    assert not {kind: phrases for kind, phrases in found.items() if len(set(_spelled(phrases))) > 6}


def _spelled(patterns: tuple[str, ...]) -> list[str]:
    return [phrase for pattern in patterns for phrase in spelled_out(pattern)]


def test_every_threshold_names_its_source() -> None:
    """A publication, or the reason why there is none."""
    for row in table().terms:
        assert row.source


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("focus of high uptake", "foci of high uptake"), ("opacity", "opacities"), ("lung field", "lung fields"),
        ("area brighter than the opposite side", "areas brighter than the opposite side"), ("mass", "masses"),
    ],
)  # fmt: skip
def test_plurals(one: str, several: str) -> None:
    """Of the head of a noun phrase."""
    assert plural(one) == several


def test_patterns_are_spelled_out() -> None:
    """Each choice with each."""
    assert list(spelled_out("{high|low} signal {in it|}")) == [
        "high signal in it", "high signal", "low signal in it", "low signal",
    ]  # fmt: skip


def test_spelling_and_hyphens_do_not_matter() -> None:
    """One spelling for both sides of the Atlantic."""
    assert words("hyper-intense tumor, well-defined") == ("hyperintense", "tumour", ",", "well", "defined")
