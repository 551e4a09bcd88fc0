"""What experts find in real images with readers' masks, set by set: `make experts-real DATA=FOLDER`.

    python -m benchmarks.experts_sets FOLDER [--sets NAME …] [--half first|second] [--own DIR] [--sheets DIR]

A row is a set and a label of its masks, beside the expert and label whose regions come nearest to them over the set.
*Best region* is the Dice of its best region with all that is marked, *all regions* that of their union, means over
images with 95 % bootstrap intervals (patients drawn, 2000 times); an image without a region counts as 0. *Parts found*:
share of the marked parts that a region overlaps by an IoU of 0.1. *False*: regions of that label that overlap none,
an image; *others*: regions of all other labels. AJI and F1 are told of sets with five parts or more an image.

`--own`: a folder with further experts. Those that are prompted are given the source's masks, and told of on their own
in a second table. `--sheets`: the best, median and worst image of each row, as JPEG; look at the images' licences.
"""

import argparse
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from benchmarks.experts_quality import REGION_COLOUR, TRUTH_COLOUR, decode, grid, outlined
from benchmarks.real_figures import Agreement, agreement
from benchmarks.real_images import Case, Mask, cases
from models.experts.calibration import mean_interval
from models.experts.decodings import Promptable
from models.experts.registry import Registry
from schemas.regions import Region, expert_name

Looked = TypeVar("Looked")

TILE = 300
"""px"""
MANY = 5
"""Parts an image from which on regions are also judged one by one."""
_NONE = Agreement(0.0, 0.0, 0.0, 0, 0.0, 0.0)


@dataclass(frozen=True)
class Seen:
    """A case and the regions of each expert and label in it; `prompted`: by the source's marks."""

    case: Case
    regions: dict[str, list[Mask]]
    prompted: dict[str, list[Mask]]


@dataclass(frozen=True)
class Row:
    """A set, a label of its masks, and what came nearest to it."""

    of: str
    label: str
    name: str
    seen: Sequence[Seen]
    each: Sequence[Agreement]
    others: float

    def written(self) -> str:
        """As a line of the table."""
        groups = [one.case.group for one in self.seen]
        parts = float(np.mean([_parts(one.case.truth[self.label]) for one in self.seen]))
        alone = (f"{np.mean([one.aji for one in self.each]):.2f} | {np.mean([one.f1 for one in self.each]):.2f}"
                 if parts >= MANY else " | ")  # fmt: skip
        return (
            f"| {self.of} | {self.label} | {len(self.seen)} | {self.name} | "
            f"{_told([one.best for one in self.each], groups)} | {_told([one.union for one in self.each], groups)} | "
            f"{np.mean([one.recall for one in self.each]):.2f} | {np.mean([one.false for one in self.each]):.1f} | "
            f"{self.others:.1f} | {alone} |"
        )


def _parts(mask: Mask) -> int:
    return cv2.connectedComponents(mask, connectivity=8)[0] - 1


def _told(values: Sequence[float], groups: Sequence[str]) -> str:
    low, high = mean_interval(values, groups)
    return f"{np.mean(values):.2f} ({low:.2f} to {high:.2f})"


def look(registry: Registry, case: Case) -> Seen:
    """What experts find with nothing but the image, and what those find that are prompted by its marks."""
    plain: dict[str, list[Mask]] = defaultdict(list)
    for region in registry.ground(case.values, case.metadata, case.unit, inverted=case.inverted).regions:
        if region.kind == "candidate":
            plain[named(region)].append(decode(region))
    asked = {one.manifest.expert for one in registry.experts if isinstance(one.manifest.decoding, Promptable)}
    prompted: dict[str, list[Mask]] = defaultdict(list)
    if asked:
        told = registry.ground(
            case.values, case.metadata, case.unit, inverted=case.inverted, annotations=case.annotations
        )
        for region in told.regions:
            if region.expert in asked and region.label in case.truth:
                prompted[region.label].append(decode(region))
    return Seen(case, plain, prompted)


def named(region: Region) -> str:
    """Expert without its version, and label."""
    return f"{expert_name(region.expert)}: {region.label}"


def rows(seen: Sequence[Seen]) -> Iterator[Row]:
    """Of one set: a row for each label of its masks."""
    for label in sorted({label for one in seen for label in one.case.truth}):
        marked = [one for one in seen if label in one.case.truth]
        names = sorted({name for one in marked for name in one.regions})
        found = {
            name: [agreement(one.regions.get(name, []), one.case.truth[label]) for one in marked] for name in names
        }
        near = max(found, key=lambda name: sum(max(one.best, one.union) for one in found[name]), default="none")
        each = found.get(near, [_NONE] * len(marked))
        if not any(one.union for one in each):
            near, each = "none", [_NONE] * len(marked)
        others = float(
            np.mean([sum(len(all_) for name, all_ in one.regions.items() if name != near) for one in marked])
        )
        yield Row(marked[0].case.of, label, near, marked, each, others)


def prompted_rows(seen: Sequence[Seen]) -> Iterator[str]:
    """The same of experts that were prompted with the marks; nothing where there are none."""
    for label in sorted({label for one in seen for label in one.prompted}):
        marked = [one for one in seen if label in one.case.truth]
        each = [agreement(one.prompted.get(label, []), one.case.truth[label]) for one in marked]
        dice = _told([one.union for one in each], [one.case.group for one in marked])
        yield f"| {marked[0].case.of} | {label} | {len(marked)} | {dice} | {np.mean([o.recall for o in each]):.2f} |"


def sheet(row: Row) -> Mask:
    """The best, the median and the worst image, marks in green and regions in red."""
    order = np.argsort([-one.union for one in row.each], kind="stable")
    tiles: list[Mask] = []
    for place in (0, len(order) // 2, len(order) - 1):
        one = row.seen[int(order[place])]
        case = one.case
        masks = [(mask, REGION_COLOUR) for mask in one.regions.get(row.name, [])]
        masks.append((case.truth[row.label], TRUTH_COLOUR))
        values = -case.values if case.inverted else case.values
        tiles.append(outlined(values, case.unit, masks, TILE))
    return grid(tiles, 3)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The command line of what looks at a folder of sets."""
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("folder", type=Path)
    found.add_argument("--sets", nargs="+", default=())
    found.add_argument("--half", choices=("first", "second"))
    found.add_argument("--own", type=Path)
    return found


def by_sets(arguments: argparse.Namespace, look: Callable[[Case], Looked]) -> dict[str, list[Looked]]:
    """What comes of a look at each image that the command line asks for, by set; SystemExit where there is none."""
    cv2.setNumThreads(1)
    found: dict[str, list[Looked]] = defaultdict(list)
    for case in cases(arguments.folder, arguments.sets):
        if arguments.half in (None, case.half):
            found[case.of].append(look(case))
    if not found:
        raise SystemExit(
            f"no image with a mask below {arguments.folder}: a sidecar names its mask, see docs/formats.md"
        )
    return found


def main() -> None:
    """The command line."""
    options = parser(__doc__)
    options.add_argument("--sheets", type=Path)
    arguments = options.parse_args()
    registry = Registry.load(own=arguments.own)
    by_set = by_sets(arguments, lambda case: look(registry, case))
    print(f"rules: {registry.version}\n")
    print("| set | marked | n | nearest expert: label | best region | all regions | parts found | false | others "
          "| AJI | F1 |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for of in sorted(by_set):
        for row in rows(by_set[of]):
            print(row.written(), flush=True)
            if arguments.sheets is not None:
                arguments.sheets.mkdir(parents=True, exist_ok=True)
                name = re.sub(r"[^A-Za-z0-9]+", "-", f"{of} {row.label}").strip("-")
                cv2.imwrite(str(arguments.sheets / f"{name}.jpg"), sheet(row))
    asked = [line for of in sorted(by_set) for line in prompted_rows(by_set[of])]
    if asked:
        print("\n| set | marked | n | all regions, prompted by the source's marks | parts found |")
        print("| --- | --- | --- | --- | --- |\n" + "\n".join(asked))


if __name__ == "__main__":
    main()
