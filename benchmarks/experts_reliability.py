"""Reliability of experts' scores as a drawing: how often regions of a score were right. Judges no region itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from models.experts.calibration import Scored, calibrated, exact_interval

LEAST, MOST_BINS = 10, 5
"""Regions of a label from which on it is drawn, and how many bins of about equal numbers of regions at most."""
ACROSS = 4


@dataclass(frozen=True, slots=True)
class Bin:
    """Regions of about one score: their mean score, how many there are, share of right ones and its 95 % interval."""

    score: float
    regions: int
    right: float
    interval: tuple[float, float]


def bins(scored: Sequence[Scored]) -> list[Bin]:
    """From the lowest scores to the highest; regions of one score are never parted.

    Intervals are Clopper and Pearson's, regions taken as independent: patients with many make them too narrow.
    """
    order = sorted(scored, key=lambda one: one.score)
    scores = np.array([one.score for one in order])
    wanted = np.linspace(0, len(order), min(MOST_BINS, len(order) // (LEAST // 2)) + 1)[1:-1].astype(int)
    cuts = sorted({0, len(order), *(int(np.searchsorted(scores, scores[at])) for at in wanted)})
    found: list[Bin] = []
    for first, last in pairwise(cuts):
        number, right = last - first, sum(one.right for one in order[first:last])
        found.append(Bin(float(scores[first:last].mean()), number, right / number, exact_interval(right, number)))
    return found


def draw(by_name: Mapping[str, Sequence[Scored]], path: Path) -> None:
    """One panel for each expert and label with LEAST regions or more.

    On the grey line a score would be a probability; the orange one is what a calibration makes of it.
    """
    shown = {name: scored for name, scored in sorted(by_name.items()) if len(scored) >= LEAST}
    if not shown:
        raise SystemExit(f"no label has {LEAST} regions or more: nothing is drawn")
    down = -(-len(shown) // ACROSS)
    figure = Figure(figsize=(3.2 * ACROSS, 3.4 * down), layout="constrained")
    panels = figure.subplots(down, ACROSS, squeeze=False, sharex=True, sharey=True).ravel()
    for panel, (name, scored) in zip(panels, shown.items(), strict=False):
        _panel(panel, name, scored)
    for panel in panels[len(shown) :]:
        panel.set_visible(False)
    # Text as text, and no random ids: the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "reliability"}):
        figure.savefig(path, metadata={"Date": None})


def _panel(panel: Axes, name: str, scored: Sequence[Scored]) -> None:
    found = bins(scored)
    x, y = [one.score for one in found], [one.right for one in found]
    apart = [
        [one.right - one.interval[0] for one in found],
        [one.interval[1] - one.right for one in found],
    ]
    panel.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
    if (stated := calibrated(scored, 1, name)) is not None:
        across = np.linspace(0, 1, 51 if stated.slope else 2)
        panel.plot(across, expit(stated.slope * across + stated.intercept), color="#d55e00", linewidth=1)
    panel.errorbar(x, y, yerr=apart, fmt="o", color="#0072b2", markersize=4, linewidth=1, capsize=2)
    for one in found:
        panel.annotate(str(one.regions), (one.score, one.right), xytext=(4, 3), textcoords="offset points", fontsize=7)
    expert, _, label = name.partition(": ")
    patients = len({one.group for one in scored})
    panel.set_title(f"{expert}\n{label}\n{len(scored)} regions, {patients} patients", fontsize=8)
    panel.set(xlim=(0, 1.05), ylim=(-0.05, 1.05), xlabel="mean score", ylabel="share of right regions")
    panel.tick_params(labelsize=7)
    panel.label_outer()
