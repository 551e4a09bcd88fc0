"""Scores of short answers: what is right is right in any spelling, and nothing can be had by saying everything."""

import pytest

from models.llava_tri.evaluation.questions import Mask
from models.llava_tri.evaluation.scores.answers import YES_NO, chosen, committed, exact, named, papers_rule, shared
from models.llava_tri.evaluation.scores.boxes import dice_as_mask, overlap, read_box, write_box
from models.llava_tri.evaluation.scores.normalise import normalised, words_of


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  The Left  Lung. ", "left lung"),
        ("Two masses", "2 masses"),
        ("3.5 cm", "3.5 cm"),
        ("X-ray", "x ray"),
        ("A", "a"),
        ("ﬁbrosis", "fibrosis"),
        ("?!", ""),
    ],
)
def test_normalisation_is_as_stated(text: str, plain: str) -> None:
    """Case, signs, articles and number words do not count; decimals stay whole."""
    assert normalised(text) == plain


@pytest.mark.parametrize(
    "answer", ["yes and no", "Yes. No.", "no, yes", "", "normal", "I note nothing", "not yes", "yes, no or maybe"]
)
def test_an_answer_that_does_not_choose_is_wrong(answer: str) -> None:
    """Whichever of yes and no is right."""
    assert chosen(answer, YES_NO) is None
    assert committed(answer, YES_NO) is None


def test_papers_rule_is_flattered_by_what_scores_are_not() -> None:
    """Published closed accuracy takes characters for words: kept for comparison, as one sees here why."""
    assert papers_rule("yes and no", ["yes"])
    assert papers_rule("yes and no", ["no"])
    assert papers_rule("The image is normal.", ["No"])
    assert not exact("The image is normal.", ["No"])


def test_a_sentence_commits_where_it_begins_with_one_option() -> None:
    """The laxer measure, which accuracy is not."""
    assert committed("No, there is no effusion.", YES_NO) == "no"
    assert chosen("No, there is no effusion.", YES_NO) is None
    assert chosen("No.", YES_NO) == "no"
    assert committed("Right side of the lung", ("left", "right", "right side")) == "right side"


def test_a_label_is_named_alone() -> None:
    """Of labels of which one lies within another, the longer one is meant; two labels are none."""
    labels = ("brain", "brain stem", "liver")
    assert named("It shows the brain stem.", labels) == "brain stem"
    assert named("It shows the liver and the brain.", labels) is None
    assert named("brain stem and brain", labels) is None


def test_words_are_shared_as_often_as_they_stand_in_both() -> None:
    """Precision and recall of bags of words, by hand."""
    one = shared("left left lung", ["the left lower lung lobe"])
    assert (one.precision, one.recall) == pytest.approx((2 / 3, 2 / 4))
    assert one.f1 == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))
    assert shared("", ["lung"]).f1 == 0
    assert shared("kidney", ["lung", "kidney"]).f1 == 1


def test_a_missing_answer_matches_nothing() -> None:
    """Not even an empty right answer."""
    assert not exact("", [""])
    assert words_of("") == []


def test_boxes_are_read_in_the_scale_that_was_asked_for() -> None:
    """Written and read back; cut to the picture; nothing of what is no box."""
    box = (0.1, 0.25, 0.6, 0.75)
    for scale in ("parts", "thousandths", "px"):
        written = write_box(box, scale, 200, 400)
        assert read_box(f"It is at {written}.", scale, 200, 400) == pytest.approx(box, abs=0.003)
    assert read_box("(900, 0, 1200, 500)", "thousandths", 1, 1) == (0.9, 0.0, 1.0, 0.5)
    assert read_box("[5, 5, 5, 9]", "px", 10, 10) is None
    assert read_box("in the middle", "px", 10, 10) is None


def test_overlap_is_intersection_over_union() -> None:
    """By hand; an answer without a box overlaps nothing."""
    assert overlap((0, 0, 0.5, 1), (0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.2, 0.2), (0.5, 0.5, 1, 1)) == 0
    assert overlap(None, (0, 0, 1, 1)) == 0


def test_a_filled_box_has_a_dice() -> None:
    """Against a mask that is the left half: the box of it is perfect, that of the whole picture 2/3."""
    import numpy as np
    from pycocotools import mask as coco

    half = np.zeros((10, 20), np.uint8)
    half[:, :10] = 1
    mask = Mask(10, 20, coco.encode(np.asfortranarray(half))["counts"].decode())
    assert dice_as_mask((0, 0, 0.5, 1), mask) == 1
    assert dice_as_mask((0, 0, 1, 1), mask) == pytest.approx(2 / 3)
    assert dice_as_mask(None, mask) == 0
