"""Measures of repetition, against their definitions."""

import math
from collections import Counter

import pytest

from models.describers.diversity import distinct_2, in_sixes, masked, self_bleu

TEXTS = [
    masked(text)
    for text in (
        "The tumour r1 lies in the left lobe. It measures 44 mm.",
        "The tumour r1 lies in the right lobe. It measures 12.5 mm.",
        "A nodule is seen in the right lung, and it is round.",
        "Shown is a chest film; the lungs are clear.",
    )
]


def defined(texts: list[list[str]]) -> float:
    """Self-BLEU-4 as BLEU has it: each text's n-grams clipped by the most of any other text."""

    def grams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
        return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    total = 0.0
    for i, text in enumerate(texts):
        others = [other for j, other in enumerate(texts) if j != i]
        logs = 0.0
        for n in range(1, 5):
            mine = grams(text, n)
            matched = sum(min(count, max(grams(other, n)[one] for other in others)) for one, count in mine.items())
            logs += math.log(max(matched, 1e-9) / max(1, sum(mine.values()))) / 4
        closest = min((abs(len(other) - len(text)), len(other)) for other in others)[1]
        total += math.exp(logs + min(0.0, 1 - closest / len(text)))
    return total / len(texts)


def test_self_bleu_is_that_of_the_definition() -> None:
    """With an n-gram twice in a text, and where none of four words matches."""
    repeated = [*TEXTS, masked("The tumour the tumour the tumour the tumour."), masked("The tumour the tumour it is.")]
    for texts in (TEXTS, repeated, TEXTS[:2], [TEXTS[0]] * 3):
        assert self_bleu(texts) == pytest.approx(defined(texts), rel=1e-6, abs=1e-3)


def test_numbers_are_one_word() -> None:
    """Texts that differ in their numbers alone repeat one another."""
    assert self_bleu([masked("The mass is 12.5 mm long."), masked("The mass is 7 mm long.")]) == pytest.approx(1)


def test_distinct_pairs() -> None:
    """Of three pairs two are distinct."""
    assert distinct_2([["a", "b", "a", "b"]]) == pytest.approx(2 / 3)


def test_six_at_a_time_need_six() -> None:
    """And the same six are drawn each time."""
    assert in_sixes(TEXTS) is None
    assert in_sixes(TEXTS * 2) == in_sixes(TEXTS * 2)
