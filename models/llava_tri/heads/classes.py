"""A head that tells classes: torchvision's ResNet-18 from random weights, in the loop that trains experts.

He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
"""

# pyright: reportMissingImports=false, reportUntypedFunctionDecorator=false
# torch is installed in .venv-llava only; tests/llava runs this.

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet18

from models.experts.training.augment import Augment
from models.experts.training.loop import fit
from models.experts.training.settings import Settings
from models.llava_tri.evaluation.scores.intervals import mean, of_statistics
from models.llava_tri.heads.budget import TellEpoch, silent, within
from models.llava_tri.heads.pictures import Parts, Picture, parts_of
from models.llava_tri.heads.result import OWN, Count, Figure, Row, Run, Skipped, against

Target = Literal["modality", "organ", "disease"]
FEWEST = 5
"""Images of a class to learn from, at least."""
MAJORITY, KNOWING, BARE, SHUFFLED = (
    "majority class", "majority of its modality", "size and grey levels", "shuffled labels",
)  # fmt: skip
_TOLD = {
    OWN: "ResNet-18, learnt from this set alone",
    MAJORITY: "the most frequent class of the training part",
    KNOWING: "the most frequent class among training images of the same modality, which every triplet tells",
    BARE: "the class of the training image that is nearest by size, colour and histogram, whatever it shows",
    SHUFFLED: "the same network, taught the labels of other images",
}
Labels = npt.NDArray[np.int64]


class Classes:
    """The lesson: cross entropy over augmented squares; scored by the same, negated, on what is validated by.

    Args:
        images: uint8 (n, 3, side, side).
        labels: of each.
        parts: of them.
        settings: of batches and augmentation.
    """

    def __init__(self, images: npt.NDArray[np.uint8], labels: Labels, parts: Parts, settings: Settings) -> None:
        self._images, self._labels = images, torch.from_numpy(labels)
        self._parts, self._batch = parts, settings.batch
        self._augment = Augment(settings, "full range")

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """Images in [-1, 1] and their labels."""
        order = [self._parts.training[at] for at in torch.randperm(len(self._parts.training)).tolist()]
        side = self._images.shape[-1]
        masks, inside = torch.zeros((0, side, side), dtype=torch.uint8), torch.ones((1, side, side), dtype=torch.bool)
        for chosen in _batched(order, self._batch):
            if len(chosen) > 1:  # Of one there are no statistics to normalise by.
                images = torch.stack([self._augment(one, masks, inside)[0] for one in self._inputs(chosen)])
                yield images, self._labels[chosen]

    def loss(self, output: Tensor, *wanted: Tensor) -> Tensor:
        """Cross entropy."""
        return functional.cross_entropy(output, *wanted)

    def score(self, network: nn.Module) -> float:
        """Mean log probability of the right class."""
        chosen = list(self._parts.choosing)
        logits = self.logits(network, chosen)
        return -float(functional.cross_entropy(logits, self._labels[chosen]))

    @torch.no_grad()
    def logits(self, network: nn.Module, indices: Sequence[int]) -> Tensor:
        """Of some images, (n, classes), on the CPU."""
        network.eval()
        device = next(network.parameters()).device
        found = [network(self._inputs(chosen).to(device)).float().cpu() for chosen in _batched(indices, self._batch)]
        return torch.cat(found)

    def _inputs(self, chosen: Sequence[int]) -> Tensor:
        return torch.from_numpy(self._images[list(chosen)]).float() / 127.5 - 1


def _batched(indices: Sequence[int], size: int) -> Iterator[list[int]]:
    return (list(indices[start : start + size]) for start in range(0, len(indices), size))


def classify(
    pictures: Sequence[Picture],
    squares: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
    of: Target,
    settings: Settings,
    steps: int,
    device: str = "cpu",
    tell: TellEpoch = silent,
) -> Row | Skipped:
    """Teach a head one kind of label and test it; or say why it cannot be.

    Args:
        pictures: of the set.
        squares: of all of them, as `pictures.squares` makes them.
        of: what is told.
        settings: of both networks.
        steps: of each, at most.
        device: 'cpu' or 'cuda'.
        tell: told of each epoch of each.
    """
    begun = time.monotonic()
    told = [getattr(one, of) for one in pictures]
    known = Counter(label for one, label in zip(pictures, told, strict=True) if label and not one.test)
    names = sorted(label for label, n in known.items() if n >= FEWEST)
    kept = [at for at, label in enumerate(told) if label in names]
    left_out = Counter(
        "nothing tells" if not label else f"fewer than {FEWEST} of its class to learn from"
        for label in told
        if label not in names
    )
    some = [pictures[at] for at in kept]
    parts = parts_of(some)
    if len(names) < 2:
        return Skipped(
            task="classify", of=of, why=f"classes with {FEWEST} images to learn from: {len(names)}, 2 needed"
        )
    if not parts.choosing or not parts.test:
        return Skipped(task="classify", of=of, why="too few patients to choose the best epoch by, or none to test on")
    labels = np.array([names.index(told[at]) for at in kept], np.int64)
    images, bare = squares[0][kept], squares[1][kept]
    settings = within(settings, parts, steps)

    def taught(name: str, wanted: Labels) -> tuple[Labels, int, int]:
        torch.manual_seed(settings.seed)
        network = resnet18(weights=None, num_classes=len(names))
        lesson = Classes(images, wanted, parts, settings)
        run = fit(network, lesson, settings, device=device, tell=tell(name, settings.epochs))
        return lesson.logits(network, parts.test).argmax(dim=1).numpy(), len(run.history), run.best_epoch

    own, epochs, best = taught(OWN, labels)
    said = {OWN: own, MAJORITY: _majority(labels, parts)}
    if of != "modality":
        said[KNOWING] = _majority_of_modality(labels, parts, [one.modality for one in some])
    said[BARE] = labels[_nearest(bare, parts)]
    said[SHUFFLED] = taught(SHUFFLED, _shuffled(labels, parts, settings.seed))[0]
    truth = labels[list(parts.test)]
    units = [some[at].group for at in parts.test]
    runs = [
        Run(name=name, told=_TOLD[name], figures=_figures(found, truth, units, len(names)))
        for name, found in said.items()
    ]
    gaps = against({name: (found == truth).astype(float).tolist() for name, found in said.items()}, units)
    return Row(
        task="classify", of=of, classes={names[at]: n for at, n in sorted(Counter(truth.tolist()).items())},
        parts=counts(some, parts), left_out=dict(left_out),
        runs=runs, against=gaps, shown=all(gap.beaten for gap in gaps.values()), epochs=epochs, best_epoch=best,
        seconds=round(time.monotonic() - begun, 1),
    )  # fmt: skip


def counts(pictures: Sequence[Picture], parts: Parts) -> dict[str, Count]:
    """Images and patients of each part."""
    named = {"training": parts.training, "choosing the epoch": parts.choosing, "test": parts.test}
    return {
        name: Count(images=len(some), groups=len({pictures[at].group for at in some})) for name, some in named.items()
    }


def _figures(found: Labels, truth: Labels, units: Sequence[str], classes: int) -> dict[str, Figure]:
    right = (found == truth).astype(np.float64)
    each = np.arange(classes)
    is_true, is_found = truth[:, None] == each, found[:, None] == each
    sums = np.concatenate([is_true & is_found, is_found.astype(int) + is_true], axis=1).astype(np.float64)

    def macro(total: npt.NDArray[np.float64]) -> float:
        both, either = total[:classes], total[classes:]
        return float(np.mean(2 * both[either > 0] / either[either > 0]))

    return {
        "accuracy": Figure.of(mean(right, units)),
        "macro-F1": Figure.of(of_statistics(sums, units, macro)),
    }


def _majority(labels: Labels, parts: Parts) -> Labels:
    return np.full(len(parts.test), np.bincount(labels[list(parts.training)]).argmax())


def _majority_of_modality(labels: Labels, parts: Parts, modalities: Sequence[str]) -> Labels:
    found = _majority(labels, parts)
    for at, test in enumerate(parts.test):
        alike = [labels[one] for one in parts.training if modalities[one] == modalities[test]]
        found[at] = np.bincount(alike).argmax() if alike else found[at]
    return found


def _nearest(bare: npt.NDArray[np.float32], parts: Parts) -> Labels:
    """The training image nearest to each test image, each measure in its standard deviations."""
    training = np.array(parts.training)
    scaled = bare / (bare[training].std(axis=0) + 1e-6)
    apart = [np.square(scaled[training] - scaled[at]).sum(axis=1) for at in parts.test]
    return training[np.argmin(apart, axis=1)]


def _shuffled(labels: Labels, parts: Parts, seed: int) -> Labels:
    mixed = labels.copy()
    for some in (list(parts.training), list(parts.choosing)):
        mixed[some] = np.random.default_rng(seed).permutation(labels[some])
    return mixed
