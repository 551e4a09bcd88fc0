"""How sure a figure is: bootstrap over pictures, a sign-flip test of a difference, McNemar's exact test.

Questions about one picture stand or fall together, so it is pictures that are drawn anew, each with all its questions;
or patients, each with all their pictures, where a benchmark tells whose they are.
All draws are seeded: the same figures give the same intervals.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

RESAMPLES = 2000
FLIPS = 9999
SEED = 20240806
HELD = 2_000_000
"""Numbers of draws that are held at once."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; n questions over so many pictures.

    The interval is of percentiles of a bootstrap. Where every question has the same value a bootstrap says nothing,
    and the interval is Wilson's of that share over pictures.
    """

    value: float
    low: float
    high: float
    n: int
    images: int


def draws(images: int, resamples: int = RESAMPLES) -> Iterable[Floats]:
    """How often each picture is drawn: (some of the resamples, images) of counts, each row with the sum `images`."""
    return _seeded(_draws, resamples, images)


def _draws(rows: int, images: int) -> Iterator[Floats]:
    generator, even = np.random.default_rng(SEED), np.full(images, 1 / images)
    for some in _parts(rows, images):
        yield generator.multinomial(images, even, size=some).astype(np.float64)


def _flips(rows: int, images: int) -> Iterator[Floats]:
    """The sign of each picture's difference: (some of the rows, images) of 1 and -1."""
    generator = np.random.default_rng(SEED + 1)
    for some in _parts(rows, images):
        yield generator.integers(0, 2, (some, images)).astype(np.float64) * 2 - 1


_Make = Callable[[int, int], Iterator[Floats]]


def _seeded(make: _Make, rows: int, images: int) -> Iterable[Floats]:
    """The same every time, so what is little is kept."""
    return _kept(make, rows, images) if rows * images <= HELD else make(rows, images)


@lru_cache(maxsize=8)
def _kept(make: _Make, rows: int, images: int) -> tuple[Floats, ...]:
    return tuple(make(rows, images))


def _parts(rows: int, images: int) -> Iterator[int]:
    """Rows by as many as are held at once: of 8,000 pictures all of them would be gigabytes."""
    most = max(1, HELD // images)
    yield from (min(most, rows - done) for done in range(0, rows, most))


def totals(values: Sequence[float] | Floats, units: Sequence[str]) -> tuple[Floats, Floats]:
    """The sum of values and the number of them, by picture."""
    names, place = np.unique(np.asarray(units), return_inverse=True)
    sums = np.bincount(place, np.asarray(values, np.float64), len(names)).astype(np.float64)
    return sums, np.bincount(place, minlength=len(names)).astype(np.float64)


def mean(values: Sequence[float] | Floats, units: Sequence[str]) -> Estimate:
    """The mean of values between 0 and 1, one a question; `units` are their pictures.

    Raises:
        ValueError: there are none.
    """
    if not len(values):
        raise ValueError("a mean of nothing")
    sums, counts = totals(values, units)
    value = float(sums.sum() / counts.sum())
    if len(sums) == 1 and value not in (0.0, 1.0):
        low, high = 0.0, 1.0  # One picture tells nothing of others.
    elif np.ptp(np.asarray(values, np.float64)) == 0 and value in (0.0, 1.0):
        low, high = _wilson(value, len(sums))
    else:
        low, high = _between(sums, counts)
    return Estimate(value, float(low), float(high), len(values), len(sums))


def _between(sums: Floats, counts: Floats) -> tuple[float, float]:
    """Bounds of 95 % of the mean, by pictures drawn anew."""
    drawn = np.concatenate([(times @ sums) / (times @ counts) for times in draws(len(sums))])
    low, high = np.percentile(drawn, (2.5, 97.5))
    return float(low), float(high)


def of_statistics(statistics: Floats, units: Sequence[str], score: Callable[[Floats], float]) -> Estimate:
    """A score of a whole set, as BLEU is, from statistics that add up.

    Args:
        statistics: (questions, k).
        units: the picture of each question.
        score: of the sum of statistics, (k,).
    """
    names, place = np.unique(np.asarray(units), return_inverse=True)
    sums = np.zeros((len(names), statistics.shape[1]))
    np.add.at(sums, place, statistics)
    drawn = np.concatenate([counts @ sums for counts in draws(len(names), RESAMPLES // 4)])
    low, high = np.percentile([score(row) for row in drawn], (2.5, 97.5))
    return Estimate(score(sums.sum(axis=0)), float(low), float(high), len(statistics), len(names))


def _wilson(part: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    middle = (part + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(part * (1 - part) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


@dataclass(frozen=True, slots=True)
class Difference:
    """One run less another over the same questions, with its 95 % interval, and how likely one as large is by chance.

    `p` is one-sided, of the sign-flip test over pictures: were the two alike, each picture's difference could as well
    have the other sign.
    """

    value: float
    low: float
    high: float
    p: float
    n: int
    images: int


def difference(one: Sequence[float], other: Sequence[float], units: Sequence[str]) -> Difference:
    """How much better `one` is than `other`, paired by question, drawn and flipped by picture."""
    gaps, counts = totals(np.asarray(one, np.float64) - np.asarray(other, np.float64), units)
    value = float(gaps.sum() / counts.sum())
    low, high = _between(gaps, counts) if len(gaps) > 1 else (-1.0, 1.0)
    # The sum that was seen is one of those that chance could give; rounding must not hide its equals.
    as_large = sum(int((signs @ gaps >= gaps.sum() - 1e-9).sum()) for signs in _seeded(_flips, FLIPS, len(gaps)))
    return Difference(value, float(low), float(high), (1 + as_large) / (1 + FLIPS), len(one), len(gaps))


@dataclass(frozen=True, slots=True)
class McNemar:
    """Questions that only one of two runs has right, and the two-sided exact p that this is chance."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """McNemar's exact test (a binomial test of the discordant pairs). It takes questions for independent."""
    one = sum(a and not b for a, b in zip(first, second, strict=True))
    two = sum(b and not a for a, b in zip(first, second, strict=True))
    p = float(binomtest(one, one + two).pvalue) if one + two else 1.0
    return McNemar(one, two, p)
