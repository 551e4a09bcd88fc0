"""Precision and recall of what experts tell, label by label over all sets: what their manifests state.

    python -m benchmarks.experts_measured FOLDER [--sets NAME …] [--half first|second] [--own DIR]

A row is an expert's label of which the sets mark what it claims to be (`MARKED`). *Precision*: share of its regions
that are right (`models.experts.calibration.is_right`); *recall*: share of the marked parts that one of them overlaps by
an IoU of 0.1. Both over all images with such marks, with 95 % intervals over patients (drawn 2000 times; of Clopper and
Pearson, regions taken as independent, where all or none are so). Labels of which nothing is marked are told below with
their regions an image: of these nothing is known.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.experts_quality import decode
from benchmarks.experts_sets import by_sets, named, parser
from benchmarks.real_figures import Mask, agreement
from benchmarks.real_images import Case
from models.experts.calibration import exact_interval, is_right, ratio_interval
from models.experts.registry import Registry
from schemas.regions import expert_name

MARKED: dict[str, tuple[str, ...]] = {
    "breast-echo: hypoechoic region": ("tumour",),
    "chest-lungs: lung field": ("lung",),
    "ct-head: hyperattenuating region": ("haemorrhage",),
    "ct-lung: soft-tissue region within the lungs": ("gtv-1",),
    "endoscopy-light: region lighter than the mucosa around it": ("polyp",),
    "fundus-structures: vessel": ("vessel",),
    "fundus-vessels: vessel": ("vessel",),
    "histo-nuclei: nucleus-like region": ("nucleus",),
    "microscopy-cells: bright cell-like region": ("nucleus",),
    "microscopy-nuclei: nucleus-like region": ("white blood cell",),
    "mr-brain: hyperintense region within the brain": ("lesion", "tumour"),
    "mr-brain: region brighter than the mirrored place": ("lesion", "tumour"),
    "mr-composite: hyperintense region within the brain": ("tumour",),
    "pet-uptake: high-uptake region": ("gtv_mass", "gross tumour volume"),
    "skin-colour: region of other colour than the skin around it": ("lesion",),
}
"""By expert and label, what the source's marks of the same are called, in lower case."""


@dataclass(frozen=True, slots=True)
class Looked:
    """An image: how many regions of each label, and of those in MARKED how many are right, parts marked, and found."""

    group: str
    regions: Counter[str]
    judged: dict[str, tuple[int, int, int, int]]


def look(registry: Registry, case: Case) -> Looked:
    """What experts tell of an image, held against its marks."""
    grounding = registry.ground(case.values, case.metadata, case.unit, inverted=case.inverted)
    found: dict[str, list[Mask]] = defaultdict(list)
    for region in grounding.regions:
        if region.kind == "candidate":
            found[named(region)].append(decode(region))
    ran = {expert_name(run.expert) for run in grounding.experts}
    judged: dict[str, tuple[int, int, int, int]] = {}
    for name, words in MARKED.items():
        truths = [mask for label, mask in case.truth.items() if label.lower() in words]
        if not truths or name.split(":")[0] not in ran:
            continue
        truth = np.asarray(np.maximum.reduce(truths), np.uint8)
        parts = cv2.connectedComponents(truth, connectivity=8)[0] - 1
        right = sum(is_right(one, truth) for one in found[name])
        judged[name] = (len(found[name]), right, parts, round(parts * agreement(found[name], truth).recall))
    return Looked(case.group, Counter({name: len(masks) for name, masks in found.items()}), judged)


def share(counts: Sequence[tuple[int, int]], groups: Sequence[str]) -> str:
    """Of (all, right) an image: their share, and its interval."""
    each = np.asarray(counts, float)
    whole, right = each.sum(axis=0)
    if not whole:
        return "none"
    if right in (0, whole):
        low, high = exact_interval(int(right), int(whole))
    else:
        low, high = ratio_interval(each[:, 1], each[:, 0], groups)
    return f"{right / whole:.2f} ({low:.2f} to {high:.2f})"


def lines(looked: Sequence[Looked]) -> Iterator[str]:
    """The table, and below it what is not known."""
    yield "| expert: label | images | patients | regions | precision | marked | recall | false an image |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name in MARKED:
        seen = [(one.group, one.judged[name]) for one in looked if name in one.judged]
        if seen:
            groups, counts = [group for group, _ in seen], [each for _, each in seen]
            told, right, parts, _ = (sum(column) for column in zip(*counts, strict=True))
            yield (
                f"| {name} | {len(seen)} | {len(set(groups))} | {told} | {share([one[:2] for one in counts], groups)} "
                f"| {parts} | {share([one[2:] for one in counts], groups)} | {(told - right) / len(seen):.2f} |"
            )
    yield "\n| not marked | regions | images with some |\n| --- | --- | --- |"
    for name in sorted({name for one in looked for name in one.regions} - set(MARKED)):
        each = [one.regions[name] for one in looked]
        yield f"| {name} | {sum(each)} | {np.count_nonzero(each)} |"


def main() -> None:
    """The command line."""
    arguments = parser(__doc__).parse_args()
    registry = Registry.load(own=arguments.own)
    by_set = by_sets(arguments, lambda case: look(registry, case))
    print(f"rules: {registry.version}\n")
    for line in lines([one for of in sorted(by_set) for one in by_set[of]]):
        print(line)


if __name__ == "__main__":
    main()
