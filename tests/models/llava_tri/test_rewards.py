"""Rewards by the facts: truth earns, its opposite costs, and neither saying little nor saying it again pleases."""

import pytest

from models.llava_tri.training.rewards import Rewards, reward, supported
from models.llava_tri.training.weights import Weights
from models.statements import Facts
from tests.models.statements.known_images import brain

TRUE = "An MR image of the brain. The source labels a tumour."
SIDE = "The tumour lies on the patient's {side}."


@pytest.fixture(scope="module")
def facts() -> Facts:
    """A slice of a brain whose source marks a tumour on the patient's left."""
    return brain()


def test_truth_earns_and_its_opposite_costs(facts: Facts) -> None:
    """A right side is worth a sentence, a wrong one costs one."""
    right, wrong = (f"{TRUE} {SIDE.format(side=side)}" for side in ("left", "right"))
    assert supported(right, facts) == (1.0, 0.0)
    assert supported(wrong, facts) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert reward(right, facts, None) == 1.0
    assert reward(wrong, facts, None) == pytest.approx(1 / 3)


def test_saying_it_again_or_saying_nothing_does_not_please(facts: Facts) -> None:
    """A repeated sentence adds nothing, an empty answer earns nothing, nor do words that no measurement bears."""
    once = "An MR image of the brain."
    assert reward(once, facts, None) == 1.0
    assert reward(f"{once} {once} {once} {once}", facts, None) == pytest.approx(0.25)
    assert reward("", facts, None) == 0.0
    assert reward("Brain.", facts, None) == 0.0
    assert reward("Everything is as it should be here.", facts, None) <= 0.0


def test_length_costs_beyond_what_is_allowed(facts: Facts) -> None:
    """By the word."""
    weights = Weights(length=5, longer=0.01)
    answer = "An MR image of the brain."
    assert reward(answer, facts, None, weights=weights) == pytest.approx(1.0 - 0.01)


def test_a_box_is_worth_its_overlap() -> None:
    """As the model writes boxes, in px of the picture as it sees it too; without one it earns nothing."""
    box = (0.2, 0.2, 0.6, 0.6)
    assert reward("[200, 200, 600, 600]", None, box) == 1.0
    assert reward("It is at [0.2, 0.2, 0.6, 0.4].", None, box, scale="parts") == pytest.approx(0.5)
    assert reward("Nowhere.", None, box) == 0.0
    assert reward("[40, 10, 120, 30]", None, box, scale="px", size=(200, 50)) == 1.0


def test_completions_are_judged_by_what_was_asked(facts: Facts) -> None:
    """As TRL calls it: texts or conversations; other columns are let be; a triplet that is not known is an error."""
    rewards = Rewards({"a": facts})
    said = [[{"role": "assistant", "content": TRUE}], "[0, 0, 500, 1000]"]
    asked = {"triplet_id": ["a", None], "box": [None, (0.0, 0.0, 1.0, 1.0)], "size": [(9, 9), (9, 9)]}
    assert rewards(said, **asked, prompts=[], trainer_state=None) == [1.0, 0.5]
    with pytest.raises(KeyError):
        rewards([TRUE], triplet_id=["b"], box=[None], size=[(9, 9)])
