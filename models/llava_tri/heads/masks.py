"""A head that marks regions: the U-Net that experts are trained as, in their loop, and MONAI's beside it.

An image in which a collection marks no polyp has none only if that collection marks polyps at all. So a label is learnt
from images of those sources alone that mark it, and labels of the same sources are learnt together.
"""

# pyright: reportMissingImports=false
# torch is installed in .venv-llava only; tests/llava runs this.

import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.experts.datasets.examples import BinaryImage, Dataset, Example, Split, decoded
from models.experts.training.loop import overlaps, train
from models.experts.training.prepare import Prepared, prepare
from models.experts.training.settings import Settings, Subject
from models.llava_tri.evaluation.scores.intervals import mean
from models.llava_tri.heads import plain
from models.llava_tri.heads.budget import TellEpoch, silent, within
from models.llava_tri.heads.classes import counts
from models.llava_tri.heads.pictures import Parts, Picture, parts_of
from models.llava_tri.heads.result import OWN, Figure, Row, Run, Skipped, against

FEWEST, FEWEST_TESTED = 10, 5
"""Images in which a label is marked: to learn from and choose the epoch by, and to test on, at least."""
MEAN, CENTRE, PLAIN = "mean mask", "centre box", "MONAI's U-Net"
_TOLD = {
    OWN: "a U-Net, learnt from this set alone",
    PLAIN: "MONAI's network and Dice loss, learnt from the same images for as many epochs; a baseline and no control",
    MEAN: "the same mask for every image: where the label lies in enough training images, as fits those best",
    CENTRE: "a box in the middle, of the median width and height of the label in the training part",
}
GRID = 64
"""Cells a side in which a mean mask is told, in parts of the image."""


@dataclass(frozen=True, slots=True)
class Group:
    """Labels of one kind of image that the same sources mark, and the images of those sources."""

    modality: str
    labels: tuple[str, ...]
    pictures: tuple[Picture, ...]


def groups_of(
    pictures: Sequence[Picture], kind: str, wanted: Collection[str] = ()
) -> tuple[list[Group], list[Skipped]]:
    """What is learnt together, by the kind of region that is learnt, and labels of which there are too few.

    Of `wanted` labels alone, where some are.
    """
    marked: dict[tuple[str, str], dict[bool, int]] = defaultdict(lambda: {False: 0, True: 0})
    sources: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in pictures:
        for label in _marked(one, kind):
            if wanted and label not in wanted:
                continue
            marked[one.modality, label][one.test] += 1
            sources[one.modality, label].add(one.source)
    together: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
    skipped: list[Skipped] = []
    for (modality, label), n in sorted(marked.items()):
        if n[False] < FEWEST or n[True] < FEWEST_TESTED:
            why = (
                f"marked in {n[False]} images to learn from and {n[True]} to test on: {FEWEST} and {FEWEST_TESTED} "
                "are needed"
            )
            skipped.append(Skipped(task="segment", of=f"{label}, {modality}", why=why))
        else:
            together[modality, frozenset(sources[modality, label])].append(label)
    found = [
        Group(modality, tuple(labels), tuple(one for one in pictures if one.modality == modality and one.source in of))
        for (modality, of), labels in together.items()
    ]
    return found, skipped


def segment(
    group: Group, kind: str, settings: Settings, steps: int, device: str = "cpu", tell: TellEpoch = silent
) -> list[Row | Skipped]:
    """Teach a head the labels of a group, and MONAI's network beside it, and test both: one row a label.

    Args:
        group: of labels and images.
        kind: of region that is learnt as the truth.
        settings: of both networks.
        steps: of each, at most.
        device: 'cpu' or 'cuda'.
        tell: told of each epoch of each.
    """
    begun = time.monotonic()
    pictures, parts = group.pictures, parts_of(group.pictures)
    for name, some in (("training", parts.training), ("choosing", parts.choosing)):
        there = {label for at in some for label in _marked(pictures[at], kind)}
        if missing := [label for label in group.labels if label not in there]:
            why = f"marked in no image of the part for {name}: too few patients"
            return [Skipped(task="segment", of=f"{label}, {group.modality}", why=why) for label in missing]
    dataset = Dataset("a built set", group.labels, len(pictures), lambda: _examples(group, kind))
    with tempfile.TemporaryDirectory() as folder:
        data = prepare(dataset, Path(folder), settings.side, Subject())
        split, settings = Split(parts.training, parts.choosing, parts.test), within(settings, parts, steps)
        run = train(data, split, settings, None, device=device, tell=tell(OWN, settings.epochs))
        theirs = plain.learn(data, split, settings, device, tell(PLAIN, settings.epochs))
        counted, plainly = (overlaps(one.network, data, parts.test, settings.batch) for one in (run, theirs))
        seconds = round((time.monotonic() - begun) / len(group.labels), 1)
        found: list[Row | Skipped] = []
        for at, label in enumerate(group.labels):
            has = [n for n, index in enumerate(parts.test) if data.masks[index, at].any()]
            if not has:
                found.append(Skipped(task="segment", of=f"{label}, {group.modality}", why="too small at this --side"))
                continue
            rest = [n for n in range(len(parts.test)) if n not in set(has)]
            values = {
                OWN: _dice(counted[has, at]),
                PLAIN: _dice(plainly[has, at]),
                MEAN: _dice_of(data, at, parts, has, _mean_mask(data, at, parts)),
                CENTRE: _dice_of(data, at, parts, has, _centre_box(data, at, parts)),
            }
            units = [pictures[parts.test[n]].group for n in has]
            gaps = against(values, units)
            beside = {PLAIN: gaps.pop(PLAIN)}
            runs = [
                Run(name=name, told=_TOLD[name], figures={"Dice": Figure.of(mean(some, units))})
                for name, some in values.items()
            ]
            false = int((counted[rest, at, 1] > 0).sum())
            row = Row(
                task="segment", of=f"{label}, {group.modality}", parts=counts(pictures, parts), runs=runs, against=gaps,
                beside=beside, shown=all(gap.beaten for gap in gaps.values()), epochs=len(run.history),
                best_epoch=run.best_epoch, seconds=seconds,
                told=f"something was found in {false} of {len(rest)} test images that have none of it" if rest else "",
            )  # fmt: skip
            found.append(row)
    return found


def _marked(one: Picture, kind: str) -> set[str]:
    return {region.label for region in one.regions if region.kind == kind}


def _examples(group: Group, kind: str) -> Iterator[Example]:
    for one in group.pictures:
        rgb = one.rgb()
        masks = {label: np.zeros(rgb.shape[:2], np.uint8) for label in group.labels}
        for region in one.regions:
            if region.kind == kind and region.label in masks:
                masks[region.label] |= decoded(region.size, region.counts)
        # `modality` is told, for without one nothing is prepared; normalisation goes by the three channels alone.
        yield Example(one.triplet_id, one.group, rgb.astype(np.float32), "level", masks, modality="other")


def _dice(counted: npt.NDArray[np.int64]) -> list[float]:
    both, found, true = counted.T.astype(float)
    return (2 * both / (found + true)).tolist()


def _on_grid(mask: BinaryImage, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """A mask of the image's part, on a grid of the image whatever its size."""
    inside = mask[: size[0], : size[1]].astype(np.float32)
    return np.asarray(cv2.resize(inside, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def _training(data: Prepared, label: int, parts: Parts) -> npt.NDArray[np.float32]:
    chosen = [at for at in parts.training if data.masks[at, label].any()]
    return np.stack([_on_grid(data.masks[at, label], data.sizes[at]) for at in chosen])


def _mean_mask(data: Prepared, label: int, parts: Parts) -> npt.NDArray[np.bool_]:
    """(GRID, GRID): the mean of the training masks at the threshold with the best mean Dice on those."""
    true = _training(data, label, parts)
    average = true.mean(axis=0)

    def fit(threshold: float) -> float:
        found = average >= threshold
        both = (true * found).sum(axis=(1, 2))
        return float(np.mean(2 * both / (found.sum() + true.sum(axis=(1, 2)))))

    return average >= max(np.quantile(average, np.linspace(0, 0.99, 50)), key=fit)


def _centre_box(data: Prepared, label: int, parts: Parts) -> npt.NDArray[np.bool_]:
    true = _training(data, label, parts) > 0
    height, width = (int(np.median(true.any(axis=axis).sum(axis=1))) for axis in (2, 1))
    found = np.zeros((GRID, GRID), bool)
    top, left = (GRID - height) // 2, (GRID - width) // 2
    found[top : top + height, left : left + width] = True
    return found


def _dice_of(data: Prepared, label: int, parts: Parts, has: Sequence[int], mask: npt.NDArray[np.bool_]) -> list[float]:
    """Dice of one mask, told in parts of the image, in each test image that has the label."""
    values: list[float] = []
    for index in (parts.test[n] for n in has):
        rows, columns = data.sizes[index]
        found = cv2.resize(mask.astype(np.uint8), (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
        true = data.masks[index, label, :rows, :columns] > 0
        values.append(2 * int((found & true).sum()) / (int(found.sum()) + int(true.sum())))
    return values
