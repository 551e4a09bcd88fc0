"""Scores of running text against a reference: BLEU, ROUGE-L, METEOR, CIDEr-D.

BLEU is sacrebleu's, METEOR nltk's; both are of the extra `evaluation`. ROUGE-L and CIDEr-D stand here: rouge-score has
no wheel, and pycocoevalcap ships 100 MB of Java programs; both were held against those packages (docs/evaluation.md).
"""

import math
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from models.llava_tri.evaluation.scores.intervals import Estimate, Floats, mean, of_statistics
from models.llava_tri.evaluation.scores.normalise import words_of

NAMES = {
    "bleu_1": "BLEU-1 of the set (sacrebleu, 13a, lower case)",
    "bleu_4": "BLEU-4 of the set (sacrebleu, 13a, lower case, exponential smoothing)",
    "rouge_l": "ROUGE-L, F1 of the longest common subsequence of words",
    "meteor": "METEOR, exact words and stems (nltk; no WordNet, so no synonyms)",
    "cider": "CIDEr-D, document frequencies of this set's references; 0 to 10",
}


def installed() -> bool:
    """Whether BLEU and METEOR can be had."""
    return all(find_spec(name) is not None for name in ("nltk", "sacrebleu"))


def text_scores(answers: Sequence[str], right: Sequence[Sequence[str]], units: Sequence[str]) -> dict[str, Estimate]:
    """Every score that can be had here, by its name in NAMES; right answers are at least one each."""
    found: dict[str, Estimate] = {}
    if installed():
        found["bleu_1"] = _bleu(answers, right, units, 1)
        found["bleu_4"] = _bleu(answers, right, units, 4)
    found["rouge_l"] = mean(rouge_l(answers, right), units)
    if installed():
        found["meteor"] = mean(meteor(answers, right), units)
    found["cider"] = mean(cider(answers, right), units)
    return found


def _bleu(answers: Sequence[str], right: Sequence[Sequence[str]], units: Sequence[str], order: int) -> Estimate:
    from sacrebleu.metrics.bleu import BLEU

    bleu = BLEU(lowercase=True, max_ngram_order=order, effective_order=True)
    rows: list[list[float]] = []
    for answer, references in zip(answers, right, strict=True):
        one = bleu.sentence_score(answer, list(references))
        rows.append([*one.counts, *one.totals, one.sys_len, one.ref_len])

    def score(total: Floats) -> float:
        counts, totals = total[:order].astype(int).tolist(), total[order : 2 * order].astype(int).tolist()
        sizes = int(total[-2]), int(total[-1])
        return BLEU.compute_bleu(counts, totals, *sizes, smooth_method="exp", max_ngram_order=order).score / 100

    return of_statistics(np.array(rows, np.float64), units, score)


def rouge_l(answers: Sequence[str], right: Sequence[Sequence[str]]) -> list[float]:
    """F1 of the longest common subsequence (Lin 2004), of each answer with its best right one."""
    return [
        max(_rouge_l(words_of(answer), words_of(one)) for one in references)
        for answer, references in zip(answers, right, strict=True)
    ]


def _rouge_l(given: list[str], right: list[str]) -> float:
    row = [0] * (len(right) + 1)
    for word in given:
        before = 0
        for at, other in enumerate(right, 1):
            before, row[at] = row[at], before + 1 if word == other else max(row[at], row[at - 1])
    common = row[-1]
    return 2 * common / (len(given) + len(right)) if common else 0.0


class _NoSynonyms:
    """Stands in the place of WordNet."""

    def synsets(self, _word: str) -> list[object]:
        return []


def meteor(answers: Sequence[str], right: Sequence[Sequence[str]]) -> list[float]:
    """METEOR of each answer (Banerjee and Lavie 2005), without synonyms."""
    from nltk.translate.meteor_score import meteor_score

    return [
        float(meteor_score([words_of(one) for one in references], words_of(answer), wordnet=_NoSynonyms()))  # pyright: ignore[reportArgumentType]
        for answer, references in zip(answers, right, strict=True)
    ]


CIDER_ORDER, CIDER_SIGMA = 4, 6.0
_Gram = tuple[str, ...]


def cider(answers: Sequence[str], right: Sequence[Sequence[str]]) -> list[float]:
    """CIDEr-D of each answer (Vedantam et al. 2015): clipped tf-idf likeness of 1- to 4-grams, 0 to 10."""
    references = [[_grams(words_of(one)) for one in some] for some in right]
    seen: Counter[_Gram] = Counter()
    for some in references:
        seen.update({gram for grams in some for order in grams for gram in order})
    known = math.log(max(1, len(references)))
    return [
        float(np.mean([_cider(_grams(words_of(answer)), one, seen, known) for one in some])) * 10
        for answer, some in zip(answers, references, strict=True)
    ]


def _grams(words: list[str]) -> list[Counter[_Gram]]:
    return [
        Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))
        for size in range(1, CIDER_ORDER + 1)
    ]


def _cider(given: list[Counter[_Gram]], right: list[Counter[_Gram]], seen: Counter[_Gram], known: float) -> float:
    longer = given[0].total() - right[0].total()
    penalty = math.exp(-(longer**2) / (2 * CIDER_SIGMA**2))
    orders: list[float] = []
    for some, others in zip(given, right, strict=True):
        one, other = _weighed(some, seen, known), _weighed(others, seen, known)
        length = math.sqrt(sum(v * v for v in one.values())) * math.sqrt(sum(v * v for v in other.values()))
        along = sum(min(value, other[gram]) * other[gram] for gram, value in one.items() if gram in other)
        orders.append(along / length * penalty if length else 0.0)
    return float(np.mean(orders))


def _weighed(grams: Counter[_Gram], seen: Counter[_Gram], known: float) -> dict[_Gram, float]:
    return {gram: n * (known - math.log(max(1, seen[gram]))) for gram, n in grams.items()}
