"""How often a region is where readers marked something, and whether its score tells: `make experts-scores DATA=FOLDER`.

    python -m benchmarks.experts_scores FOLDER [--sets NAME …] [--half first|second] [--own DIR] [--plot FILE.svg]

A row is a set, a label of its masks, and the expert and label that come nearest to it there, as `experts_sets` chooses
them. A region is *right* where it overlaps the marked parts that it touches by an IoU of 0.1, or lies by half or more
within what is marked, as a piece of a tree of vessels does. *Right* is the share of such regions, with a 95 % bootstrap
interval over patients; *score* the mean of all their scores: in a calibrated expert both are alike. *Lower* and *upper*
are the shares among the half of the regions with the lower and the higher scores. *Told apart* is the probability that
a right region scores higher than a wrong one, ties a half (area under the ROC curve); 0.5 says that the score tells
nothing, and an empty field that there are none of one kind, or one score alone.

The last columns tell whether scores could be made probabilities: Brier scores (means of squared differences; less is
better) of the score as it is, of an isotonic regression fitted on the other patients, and of the other patients' share
of right regions, which no score has part in. *Gain* is the last less the second: scores are worth calibrating where its
interval lies above 0. Empty where fewer than LEAST_PATIENTS patients have a region, or all regions are alike.

`--plot`: by expert and label over all sets, the share of right regions against the mean score (experts_reliability).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import isotonic_regression

from benchmarks.experts_quality import decode
from benchmarks.experts_reliability import Scored, draw
from benchmarks.experts_sets import Row, Seen, by_sets, named, parser, rows
from benchmarks.real_figures import Mask, agreement, interval
from benchmarks.real_images import Case
from models.experts.registry import Registry

HEAD = (
    "| set | marked | nearest expert: label | images | regions | right | score | lower | upper | told apart "
    "| Brier: score | isotonic | share | gain |"
)
LEAST_PATIENTS = 5
WITHIN = 0.5
"""Part of a region within what is marked from which on it is right, however small it is against that."""


def found(registry: Registry, case: Case) -> dict[str, list[tuple[float, Mask]]]:
    """By expert and label, the score and mask of each candidate that has a score."""
    regions: dict[str, list[tuple[float, Mask]]] = defaultdict(list)
    for one in registry.ground(case.values, case.metadata, case.unit, inverted=case.inverted).regions:
        if one.kind == "candidate" and one.score is not None:
            regions[named(one)].append((one.score, decode(one)))
    return regions


def is_right(region: Mask, truth: Mask) -> bool:
    """Whether readers marked something there; both uint8 (rows, columns), neither empty."""
    return int((region & truth).sum()) >= WITHIN * int(region.sum()) or agreement([region], truth).false == 0


def told_apart(scored: Sequence[Scored]) -> float | None:
    """Area under the ROC curve of the score; None where it cannot be said."""
    right, wrong = (np.asarray([one.score for one in scored if one.right is kind]) for kind in (True, False))
    if not len(right) or not len(wrong) or len({one.score for one in scored}) == 1:
        return None
    above, alike = right[:, None] > wrong[None], right[:, None] == wrong[None]
    return float((above + 0.5 * alike).mean())


def halves(scored: Sequence[Scored]) -> tuple[float, float] | None:
    """Shares of right regions in the half with the lower and with the higher scores; None where all score alike."""
    order = sorted(scored, key=lambda one: one.score)
    middle = len(order) // 2
    if not middle or order[0].score == order[-1].score:
        return None
    lower, upper = (float(np.mean([one.right for one in half])) for half in (order[:middle], order[middle:]))
    return lower, upper


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Of each region, the squared difference of a prediction from what is so (1 right, 0 wrong)."""

    raw: list[float]
    isotonic: list[float]
    share: list[float]
    groups: list[str]

    @property
    def gain(self) -> tuple[float, float, float]:
        """How much nearer the calibrated score comes than the share: mean and 95 % interval over patients."""
        apart = [share - one for share, one in zip(self.share, self.isotonic, strict=True)]
        return float(np.mean(apart)), *interval(apart, self.groups)


def calibrated(scored: Sequence[Scored]) -> Calibrated | None:
    """Each patient's regions predicted by those of the others; None where that cannot be said."""
    patients = {one.group for one in scored}
    if len(patients) < LEAST_PATIENTS or len({one.right for one in scored}) < 2:
        return None
    found = Calibrated([], [], [], [])
    for patient in sorted(patients):
        others = sorted((one for one in scored if one.group != patient), key=lambda one: one.score)
        right = np.asarray([one.right for one in others], float)
        scores, place = np.unique([one.score for one in others], return_inverse=True)
        count = np.bincount(place).astype(float)
        fitted = isotonic_regression(np.bincount(place, right) / count, weights=count).x
        for one in (one for one in scored if one.group == patient):
            found.raw.append((one.score - one.right) ** 2)
            found.isotonic.append((float(np.interp(one.score, scores, fitted)) - one.right) ** 2)
            found.share.append((float(right.mean()) - one.right) ** 2)
            found.groups.append(patient)
    return found


def judged(looked: Sequence[tuple[Case, dict[str, list[tuple[float, Mask]]]]]) -> Iterator[tuple[Row, list[Scored]]]:
    """Of one set: each label of its masks, with the regions of the expert and label that come nearest to it."""
    seen = [Seen(case, {name: [mask for _, mask in of] for name, of in by.items()}, {}) for case, by in looked]
    for row in rows(seen):
        yield (
            row,
            [
                Scored(score, is_right(mask, case.truth[row.label]), case.group)
                for case, by in looked
                if row.label in case.truth
                for score, mask in by.get(row.name, [])
            ],
        )


def line(row: Row, scored: Sequence[Scored]) -> str:
    """Of the table."""
    return f"| {row.of} | {row.label} | {row.name} | {len(row.seen)} | {len(scored)} | {_told(scored)} |"


def _told(scored: Sequence[Scored]) -> str:
    if not scored:
        return " | | | | | | | |"
    right = [float(one.right) for one in scored]
    low, high = interval(right, [one.group for one in scored])
    apart, both = told_apart(scored), halves(scored)
    parts = f"{both[0]:.2f} | {both[1]:.2f}" if both else " | "
    return (
        f"{np.mean(right):.2f} ({low:.2f} to {high:.2f}) | {np.mean([one.score for one in scored]):.2f} | {parts} | "
        f"{'' if apart is None else f'{apart:.2f}'} | {_worth(calibrated(scored))}"
    )


def _worth(found: Calibrated | None) -> str:
    if found is None:
        return " | | |"
    mean, low, high = found.gain
    briers = " | ".join(f"{np.mean(one):.2f}" for one in (found.raw, found.isotonic, found.share))
    return f"{briers} | {mean:+.2f} ({low:+.2f} to {high:+.2f})"


def main() -> None:
    """The command line."""
    options = parser(__doc__)
    options.add_argument("--plot", type=Path, help="reliability of each expert and label, as SVG")
    arguments = options.parse_args()
    registry = Registry.load(own=arguments.own)
    by_set = by_sets(arguments, lambda case: (case, found(registry, case)))
    print(f"rules: {registry.version}\n\n{HEAD}\n|{' --- |' * 14}")
    by_name: dict[str, list[Scored]] = defaultdict(list)
    for of in sorted(by_set):
        for row, scored in judged(by_set[of]):
            print(line(row, scored), flush=True)
            by_name[row.name] += scored
    if arguments.plot is not None:
        draw(by_name, arguments.plot)


if __name__ == "__main__":
    main()
