"""Scores of texts held against what they implement."""

import pytest
import sacrebleu

from models.llava_tri.evaluation.scores.texts import cider, meteor, rouge_l, text_scores

ANSWERS = [
    "there is small nodule in left upper lobe",
    "heart is normal",
    "no pleural effusion or pneumothorax is seen",
    "mass",
]
RIGHT = [
    "small nodule is seen in left upper lobe of lung",
    "heart size is normal",
    "there is no pleural effusion",
    "large mass in right kidney",
]
# Of texts without articles, which the normalisation here would drop: the same words for both.
ROUGE_SCORE = [2 / 3, 0.8571428571428571, 0.5, 1 / 3]
"""rouge-score 0.1.2, rougeL F1."""
PYCOCOEVALCAP = [4.006956006070838, 3.0267397847115065, 3.0320074554204512, 0.9710367325319902]
"""pycocoevalcap 1.2, Cider."""
UNITS = ["a", "b", "c", "d"]


def test_rouge_l_is_that_of_rouge_score() -> None:
    """To the last digit."""
    assert rouge_l(ANSWERS, [[one] for one in RIGHT]) == pytest.approx(ROUGE_SCORE)


def test_cider_is_that_of_pycocoevalcap() -> None:
    """Over a set, as document frequencies are of its references."""
    assert cider(ANSWERS, [[one] for one in RIGHT]) == pytest.approx(PYCOCOEVALCAP)


def test_bleu_of_the_set_is_sacrebleus() -> None:
    """Its statistics are drawn anew, and the figure itself is that of the whole set."""
    found = text_scores(ANSWERS, [[one] for one in RIGHT], UNITS)
    for order, name in ((1, "bleu_1"), (4, "bleu_4")):
        bleu = sacrebleu.BLEU(lowercase=True, max_ngram_order=order)
        assert found[name].value * 100 == pytest.approx(bleu.corpus_score(ANSWERS, [RIGHT]).score)
        assert found[name].low <= found[name].value <= found[name].high


def test_meteor_of_the_same_words() -> None:
    """By the formula: one chunk of m matches, penalty 0.5 (1/m)^3; a stem matches as its word does."""
    assert meteor(["heart size is normal"], [["heart size is normal"]])[0] == pytest.approx(1 - 0.5 / 4**3)
    assert meteor(["nodules"], [["nodule"]]) == meteor(["nodule"], [["nodule"]])
    assert meteor(["lung"], [["kidney"]]) == [0.0]


def test_several_references_the_best_counts() -> None:
    """Of ROUGE-L; a missing answer has nothing."""
    assert rouge_l(["heart is normal", ""], [["lung", "heart is normal"], ["lung"]]) == [1.0, 0.0]
    assert text_scores(["", ""], [["lung"], ["heart"]], ["a", "b"])["bleu_4"].value == 0
