"""How often regions of a score are right, and whether the score tells that better than the share of right ones does.

Knows no image and no file: regions come with their scores and whether readers marked something there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binomtest, rankdata

from models.experts.stated import Calibration, Precision

BinaryImage = NDArray[np.uint8]
Values = NDArray[np.float64]

TOUCHED, WITHIN = 0.1, 0.5
"""IoU with the marked parts that it touches, or part of a region within what is marked, from which on it is right."""
LEAST_PATIENTS, LEAST_REGIONS = 10, 20
"""Below either, halves of the patients tell too little of each other for anything to be called a probability."""
BINS = 5
"""Of about equal numbers of regions, for the calibration error."""
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Scored:
    """A region: its score, whether it is right, and whose it is."""

    score: float
    right: bool
    group: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a probability, on patients to whom it was not fitted. `error`: expected calibration error."""

    brier: float
    error: float


@dataclass(frozen=True, slots=True)
class Worth:
    """What scores of a label are worth, each half of the patients predicted by the other.

    `score`: taken as the probability; `curve`: by Platt's method; `share`: that of right regions, in which scores have
    no part. `gain`: how much less the curve's Brier score is than the share's, and its 95 % interval over patients.
    `told_apart`: probability that a right region scores higher than a wrong one.
    """

    patients: int
    regions: int
    right: float
    interval: tuple[float, float]
    told_apart: float | None
    score: Way
    curve: Way
    share: Way
    gain: tuple[float, float, float]


def is_right(region: BinaryImage, truth: BinaryImage) -> bool:
    """Whether readers marked something there; both of 0 and 1 (rows, columns), neither empty."""
    size, shared = int(region.sum()), int((region & truth).sum())
    if shared >= WITHIN * size:
        return True
    number, parts = cv2.connectedComponents(truth, connectivity=8)
    areas = np.bincount(parts.ravel(), minlength=number)[1:]
    marked = int(areas[np.bincount(parts[region > 0], minlength=number)[1:] > 0].sum())
    return shared > 0 and shared >= TOUCHED * (size + marked - shared)


def told_apart(scored: Sequence[Scored]) -> float | None:
    """Area under the ROC curve of the score, ties a half; None where it cannot be said."""
    right, wrong = (np.asarray([one.score for one in scored if one.right is kind]) for kind in (True, False))
    if not len(right) or not len(wrong) or len({one.score for one in scored}) == 1:
        return None
    # By ranks: of the nuclei of many sections all pairs would fill the memory.
    above = rankdata(np.concatenate((right, wrong)))[: len(right)].sum() - len(right) * (len(right) + 1) / 2
    return float(above / (len(right) * len(wrong)))


def share_interval(right: Values, groups: Sequence[str]) -> tuple[float, float]:
    """95 % interval of a share of regions over patients, drawn DRAWS times.

    Of Clopper and Pearson, regions taken as independent, where all are alike.
    """
    number, of = int(right.sum()), len(right)
    return exact_interval(number, of) if number in (0, of) else mean_interval(right, groups)


def exact_interval(right: int, of: int) -> tuple[float, float]:
    """95 % interval of a share of independent cases, by Clopper and Pearson."""
    found = binomtest(right, of).proportion_ci(method="exact")
    return float(found.low), float(found.high)


def mean_interval(values: ArrayLike, groups: Sequence[str]) -> tuple[float, float]:
    """95 % bootstrap interval of a mean over regions or images: patients are drawn, with all of theirs."""
    return ratio_interval(values, np.ones(len(groups)), groups)


def ratio_interval(parts: ArrayLike, wholes: ArrayLike, groups: Sequence[str]) -> tuple[float, float]:
    """The same of the sum of `parts` over that of `wholes`; draws in which the latter is 0 tell nothing."""
    _, of = np.unique(groups, return_inverse=True)
    sums = np.stack([np.bincount(of, each) for each in (parts, wholes)])
    drawn = np.random.default_rng(0).integers(sums.shape[1], size=(DRAWS, sums.shape[1]))
    part, whole = sums[:, drawn].sum(axis=2)
    low, high = np.percentile(part[whole > 0] / whole[whole > 0], (2.5, 97.5))
    return float(low), float(high)


def worth(scored: Sequence[Scored]) -> Worth | None:
    """What scores are worth; None where there are too few patients or regions to tell."""
    groups = [one.group for one in scored]
    patients = sorted(set(groups), key=lambda one: hashlib.sha256(one.encode()).digest())
    if len(patients) < LEAST_PATIENTS or len(scored) < LEAST_REGIONS:
        return None
    score, right = _columns(scored)
    first = np.isin(groups, patients[::2])
    curved, shared = np.empty(len(scored)), np.empty(len(scored))
    for half in (first, ~first):
        slope, intercept = _platt(score[~half], right[~half])
        curved[half] = expit(slope * score[half] + intercept)
        shared[half] = _share(right[~half])
    gains = (shared - right) ** 2 - (curved - right) ** 2
    return Worth(
        patients=len(patients),
        regions=len(scored),
        right=float(right.mean()),
        interval=share_interval(right, groups),
        told_apart=told_apart(scored),
        score=_way(score, right),
        curve=_way(curved, right),
        share=_way(shared, right),
        gain=(float(gains.mean()), *mean_interval(gains, groups)),
    )


def calibrated(scored: Sequence[Scored], images: int, of: str) -> Calibration | None:
    """Fitted to all regions: by their scores where these are worth it for sure, or else one probability for all.

    `images`: that were looked at; `of`: what they are, and who marked them. None: too few.
    """
    found = worth(scored)
    if found is None:
        return None
    score, right = _columns(scored)
    told = found.told_apart is not None and found.gain[1] > 0
    slope, intercept = _platt(score, right) if told else (0.0, float(logit(_share(right))))
    return Calibration(
        slope=float(f"{slope:.5g}"),  # Of scores in grey levels it is small.
        intercept=round(intercept, 3),
        images=images,
        patients=found.patients,
        regions=found.regions,
        brier=round((found.curve if told else found.share).brier, 3),
        brier_of_share=round(found.share.brier, 3),
        of=of,
    )


def precise(scored: Sequence[Scored], images: int, of: str) -> Precision:
    """How often regions were right, as a manifest states it; of one region at least.

    Of fewer patients than LEAST_PATIENTS it has no interval: how patients differ is not known by them.
    """
    right, groups = np.asarray([one.right for one in scored], float), [one.group for one in scored]
    enough = len(set(groups)) >= LEAST_PATIENTS
    low, high = share_interval(right, groups) if enough else (0.0, 0.0)
    return Precision(
        value=round(float(right.mean()), 2),
        images=images,
        regions=len(scored),
        interval=(round(low, 2), round(high, 2)) if enough else None,
        of=of,
    )


def _columns(scored: Sequence[Scored]) -> tuple[Values, Values]:
    return np.asarray([one.score for one in scored]), np.asarray([one.right for one in scored], float)


def _share(right: Values) -> float:
    """Of right regions, by Laplace's rule of succession: twenty of twenty are no certainty."""
    return float((right.sum() + 1) / (len(right) + 2))


def _platt(score: Values, right: Values) -> tuple[float, float]:
    """Slope, 0 or more, and intercept of the logarithm of the odds: Platt 1999, with his targets for few examples."""
    number = right.sum()
    target = np.where(right > 0, (number + 1) / (number + 2), 1 / (len(right) - number + 2))
    middle, spread = float(score.mean()), float(score.std()) or 1.0
    apart = (score - middle) / spread

    def loss(line: Values) -> float:
        odds = line[0] * apart + line[1]
        return float((np.logaddexp(0, odds) - target * odds).sum())

    slope, intercept = minimize(loss, np.zeros(2), bounds=((0, None), (None, None))).x
    return float(slope / spread), float(intercept - slope * middle / spread)


def _way(told: Values, right: Values) -> Way:
    order = np.argsort(told, kind="stable")
    apart = sum(abs(float((told[part] - right[part]).sum())) for part in np.array_split(order, BINS))
    return Way(float(((told - right) ** 2).mean()), apart / len(right))
