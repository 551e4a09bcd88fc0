"""What the facts of a picture put into the sentence that the tiny preset's projector says of it."""

from dataclasses import replace

import pytest

from models.llava_tri.tiny.sentence import CHOICES, NONE, words_of
from models.statements import Facts
from schemas.regions import Region
from tests.models.statements.known_images import brain


def with_marks(*marks: Region) -> Facts:
    """The drawn brain with these regions before those that experts found."""
    facts = brain()
    found = tuple(one for one in facts.grounding.regions if one.kind == "candidate")
    return replace(facts, grounding=facts.grounding.model_copy(update={"regions": (*marks, *found)}))


@pytest.fixture(scope="module")
def tumour() -> Region:
    """The one region that the source marks: an ellipse about (165, 120), 49 × 31 px, of 256."""
    (found,) = (one for one in brain().grounding.regions if one.kind == "source annotation")
    return found


def copy_of(region: Region, number: int, share: float) -> Region:
    return region.model_copy(update={"region_id": f"r9{number}", "area_px": round(region.area_px * share)})


def test_a_lone_mark_fills_every_gap(tumour: Region) -> None:
    """By its source's words and by where it lies; what experts propose beside it is not counted."""
    assert any(one.kind == "candidate" for one in brain().grounding.regions)
    words = words_of(brain())
    assert words.choices == {
        "modality": "MR", "organ": "brain", "count": "one", "side": "left", "down": "middle",
        "across": tumour.place.axes[0].third.removeprefix("patient's ") if tumour.place else None,
    }  # fmt: skip
    assert words.edges == pytest.approx((141 / 256, 105 / 256, 190 / 256, 136 / 256), abs=1 / 256)


def test_marks_of_like_size_are_counted_and_not_placed(tumour: Region) -> None:
    """Of two of which none stands out only the number is learnt; of one that is twice as large its place is too."""
    alike = words_of(with_marks(tumour, copy_of(tumour, 1, 0.9)))
    assert alike.choices["count"] == "two"
    assert alike.choices["side"] is alike.choices["down"] is alike.choices["across"] is alike.edges is None
    apart = words_of(with_marks(copy_of(tumour, 1, 0.4), tumour))
    assert apart.choices["count"] == "two"
    assert apart.choices["side"] == "left"
    assert apart.edges == words_of(brain()).edges


def test_without_a_mark_nothing_is_counted() -> None:
    """What experts found alone is no source's word; the picture's kind and organ are told all the same."""
    words = words_of(with_marks())
    assert (words.choices["modality"], words.choices["organ"], words.choices["count"]) == ("MR", "brain", NONE)
    assert words.choices["side"] is words.edges is None


def test_every_word_that_facts_give_may_be_chosen() -> None:
    """Of the drawn brain; and no gap offers a word twice."""
    for name, word in words_of(brain()).choices.items():
        assert word in CHOICES[name]
    assert all(len(set(few)) == len(few) for few in CHOICES.values())
