"""How much texts repeat one another, numbers masked: self-BLEU-4 and distinct-2. Knows nothing of what they say."""

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

SIX = 6
"""Texts at a time of `in_sixes`: neither measure can be compared between sets of different size."""
DRAWS = 100


def masked(text: str) -> list[str]:
    """The words, marks and numbers of a text in lower case; every number is '#'."""
    return [re.sub(r"^-?[\d.]*\d$", "#", one) for one in re.findall(r"-?[\d.]*\d|[a-z'’]+|[^\sa-z\d]", text.lower())]


def self_bleu(texts: Sequence[Sequence[str]]) -> float:
    """Mean BLEU-4 (Papineni et al., 2002) of each text against all others: 1 where each stands in another.

    Args:
        texts: two or more, in words.
    """
    precisions = [_precisions(texts, n) for n in range(1, 5)]
    lengths = sorted(len(text) for text in texts)
    total = 0.0
    for i, text in enumerate(texts):
        logs = sum(math.log(max(found[i], 1e-9)) / 4 for found in precisions)
        total += math.exp(logs + min(0.0, 1 - _closest(lengths, len(text)) / max(1, len(text))))
    return total / len(texts)


def _precisions(texts: Sequence[Sequence[str]], n: int) -> list[float]:
    """Of each text the share of its n-grams that one of the others has as often."""
    counts = [_grams(text, n) for text in texts]
    # The most of any text and the most of any but that one: each text is held against all others at once.
    most: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for i, mine in enumerate(counts):
        for gram, count in mine.items():
            first, owner, second = most.get(gram, (0, -1, 0))
            most[gram] = (count, i, first) if count > first else (first, owner, max(second, count))
    found: list[float] = []
    for i, mine in enumerate(counts):
        matched = 0
        for gram, count in mine.items():
            first, owner, second = most[gram]
            matched += min(count, second if owner == i else first)
        found.append(matched / max(1, sum(mine.values())))
    return found


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def _closest(lengths: Sequence[int], own: int) -> int:
    """The length nearest to a text's own among those of the others; the shorter of two."""
    others = list(lengths)
    others.remove(own)
    return min(others, key=lambda length: (abs(length - own), length))


def distinct_2(texts: Sequence[Sequence[str]]) -> float:
    """Distinct pairs of neighbouring words over all (Li et al., 2016)."""
    pairs = [pair for text in texts for pair in pairwise(text)]
    return len(set(pairs)) / max(1, len(pairs))


def in_sixes(texts: Sequence[Sequence[str]]) -> tuple[float, float] | None:
    """self-BLEU-4 and distinct-2 of six texts at a time, the mean over 100 draws; None of fewer than six."""
    if len(texts) < SIX:
        return None
    chance = random.Random(0)  # noqa: S311 - the same draws each time
    draws = [chance.sample(texts, SIX) for _ in range(DRAWS)]
    return sum(map(self_bleu, draws)) / DRAWS, sum(map(distinct_2, draws)) / DRAWS
