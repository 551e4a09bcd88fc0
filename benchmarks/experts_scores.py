"""Whether experts' scores tell which regions are right, label by label: `make experts-scores DATA=FOLDER`.

    python -m benchmarks.experts_scores FOLDER [--sets NAME …] [--half first|second] [--own DIR] [--plot FILE.svg]

A row is an expert's label of which the sets mark what it claims to be (`experts_measured.MARKED`). *Right* is the share
of its regions that are right (`models.experts.calibration.is_right`), with a 95 % interval over patients. *Told apart*
is the probability that a right region scores higher than a wrong one (area under the ROC curve; 0.5 says that the score
tells nothing), empty where that cannot be said.

Then how near three probabilities come, each half of the patients predicted from the other: Brier scores (means of
squared differences; less is better), and behind a stroke the expected calibration error (five bins), of the score as it
is, of Platt's curve, and of the share of right regions, which no score has part in. *Gain* is the share's Brier score
less the curve's: a curve is kept where its interval lies above 0. Empty where patients or regions are too few. Below
the table stands what a manifest may state of each label.

`--plot`: the share of right regions against the mean score, and what is kept (experts_reliability).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.experts_measured import MARKED
from benchmarks.experts_quality import decode
from benchmarks.experts_reliability import draw
from benchmarks.experts_sets import by_sets, named, parser
from benchmarks.real_figures import Mask
from benchmarks.real_images import Case
from models.experts.calibration import Scored, Way, calibrated, is_right, worth
from models.experts.registry import Registry
from schemas.regions import expert_name

HEAD = (
    "| expert: label | images | patients | regions | right | told apart | score | curve | share | gain |\n"
    f"|{' --- |' * 10}"
)


@dataclass
class Label:
    """What was seen of an expert's label."""

    images: int = 0
    scored: list[Scored] = field(default_factory=list[Scored])
    sets: set[str] = field(default_factory=set[str])


def look(registry: Registry, case: Case) -> dict[str, list[Scored]]:
    """By expert and label, candidates of an image in which what it claims to be is marked."""
    grounding = registry.ground(case.values, case.metadata, case.unit, inverted=case.inverted)
    ran = {expert_name(run.expert) for run in grounding.experts}
    found: dict[str, list[Scored]] = {}
    for name, words in MARKED.items():
        truths = [mask for label, mask in case.truth.items() if label.lower() in words]
        if truths and name.split(":")[0] in ran:
            truth: Mask = np.maximum.reduce(truths)
            found[name] = [
                Scored(one.score or 0.0, is_right(decode(one), truth), case.group)
                for one in grounding.regions
                if one.kind == "candidate" and named(one) == name
            ]
    return found


def together(by_set: Mapping[str, Sequence[Mapping[str, list[Scored]]]]) -> dict[str, Label]:
    """The same over all images of all sets."""
    found: dict[str, Label] = defaultdict(Label)
    for of, seen in sorted(by_set.items()):
        for name, scored in (each for one in seen for each in one.items()):
            found[name].images += 1
            found[name].scored += scored
            found[name].sets.add(of)
    return found


def lines(found: Mapping[str, Label]) -> Iterator[str]:
    """The table, and below it what manifests may state."""
    yield HEAD
    for name, one in sorted(found.items()):
        patients, regions = len({each.group for each in one.scored}), len(one.scored)
        yield f"| {name} | {one.images} | {patients} | {regions} | {_told(one.scored)} |"
    yield ""
    for name, one in sorted(found.items()):
        stated = calibrated(one.scored, one.images, ", ".join(sorted(one.sets)))
        yield f"{name}: {stated!r}" if stated else f"{name}: too few to be calibrated"


def _told(scored: Sequence[Scored]) -> str:
    of = worth(scored)
    if of is None:
        return (f"{np.mean([one.right for one in scored]):.2f}" if scored else "") + " | | | | |"
    apart = "" if of.told_apart is None else f"{of.told_apart:.2f}"
    ways = " | ".join(_way(one) for one in (of.score, of.curve, of.share))
    return (
        f"{of.right:.2f} ({of.interval[0]:.2f} to {of.interval[1]:.2f}) | {apart} | {ways} | "
        f"{of.gain[0]:+.3f} ({of.gain[1]:+.3f} to {of.gain[2]:+.3f})"
    )


def _way(one: Way) -> str:
    return f"{one.brier:.3f} / {one.error:.2f}"


def main() -> None:
    """The command line."""
    options = parser(__doc__)
    options.add_argument("--plot", type=Path, help="reliability of each expert and label, as SVG")
    arguments = options.parse_args()
    registry = Registry.load(own=arguments.own)
    found = together(by_sets(arguments, lambda case: look(registry, case)))
    print(f"rules: {registry.version}\n")
    for line in lines(found):
        print(line)
    if arguments.plot is not None:
        draw({name: one.scored for name, one in found.items()}, arguments.plot)


if __name__ == "__main__":
    main()
