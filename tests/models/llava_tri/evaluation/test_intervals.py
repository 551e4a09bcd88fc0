"""How sure a figure is, held against scipy."""

import math
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from models.llava_tri.evaluation.scores import intervals
from models.llava_tri.evaluation.scores.intervals import difference, mcnemar, mean, of_statistics


def test_interval_is_scipys_where_each_picture_has_one_question() -> None:
    """Percentiles of a bootstrap of the mean, within what its draws leave open."""
    values = np.random.default_rng(1).beta(2, 3, 150)
    found = mean(values, [str(n) for n in range(150)])
    known = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=2).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=0.005)
    assert (found.n, found.images) == (150, 150)


def test_pictures_are_drawn_and_not_questions() -> None:
    """Ten times the same question about a picture tells no more than one: the interval stays as wide."""
    values = [0.0, 1.0] * 20
    units = [str(n) for n in range(40)]
    once, ten = mean(values, units), mean(values * 10, units * 10)
    assert (ten.low, ten.high) == pytest.approx((once.low, once.high))
    assert (once.n, ten.n, ten.images) == (40, 400, 40)


def test_all_right_is_not_certain() -> None:
    """Wilson's interval over pictures, where a bootstrap would have none."""
    found = mean([1.0] * 12, [str(n // 2) for n in range(12)])
    assert found.high == 1
    assert found.low == pytest.approx(stats.binomtest(6, 6).proportion_ci(method="wilson").low, abs=1e-5)


def test_sign_flips_are_scipys_permutation_test() -> None:
    """One-sided, of paired samples, one question a picture."""
    generator = np.random.default_rng(3)
    one, other = generator.integers(0, 2, 60).astype(float), generator.integers(0, 2, 60).astype(float)
    known = stats.permutation_test(
        (one, other),
        lambda a, b: (a - b).mean(),
        permutation_type="samples",
        alternative="greater",
        n_resamples=9999,
        rng=4,
    )
    found = difference(one.tolist(), other.tolist(), [str(n) for n in range(60)])
    assert found.value == pytest.approx(known.statistic)
    assert found.p == pytest.approx(known.pvalue, abs=0.02)


def test_few_pictures_show_nothing() -> None:
    """Better on all of four pictures, with a hundred questions each, is chance in one of sixteen."""
    units = [str(n % 4) for n in range(400)]
    found = difference([1.0] * 400, [0.0] * 400, units)
    assert found.p == pytest.approx(1 / 16, abs=0.01)


def test_one_picture_tells_nothing_of_others() -> None:
    """However many questions are asked about it."""
    found, gap = mean([0.0, 1.0] * 50, ["a"] * 100), difference([1.0] * 9, [0.5] * 9, ["a"] * 9)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)
    assert (gap.value, gap.low, gap.high) == (0.5, -1.0, 1.0)
    assert gap.p > 0.4


def test_mcnemar_by_its_sum() -> None:
    """Two-sided exact p of 2 against 9 discordant pairs, from the binomial coefficients."""
    first = [True] * 2 + [False] * 9 + [True] * 30
    second = [False] * 2 + [True] * 9 + [True] * 30
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (2, 9)
    assert found.p == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)
    assert mcnemar([True], [True]).p == 1


def test_a_score_of_the_whole_is_drawn_by_its_statistics() -> None:
    """A ratio of sums, as the mean of it is."""
    statistics = np.array([[1.0, 1], [0, 1], [1, 1], [0, 1]] * 30)
    units = [str(n) for n in range(120)]
    found = of_statistics(statistics, units, lambda total: float(total[0] / total[1]))
    known = mean(statistics[:, 0], units)
    assert (found.value, found.low, found.high) == pytest.approx((known.value, known.low, known.high), abs=0.02)


def test_many_pictures_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws of 8,000 pictures would be 640 MB; taken by parts they are the same draws."""
    generator = np.random.default_rng(7)
    one, other = generator.random(8000).round(), generator.random(8000).round()
    units = [str(n) for n in range(8000)]
    tracemalloc.start()
    try:
        difference(one.tolist(), other.tolist(), units)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    few = one[:90].tolist(), other[:90].tolist(), units[:90]
    whole = mean(few[0], few[2]), difference(*few)
    monkeypatch.setattr(intervals, "HELD", 1000)
    assert (mean(few[0], few[2]), difference(*few)) == whole
