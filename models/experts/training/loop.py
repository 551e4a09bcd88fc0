"""The loop: AdamW, a cosine schedule, the best epoch by validation kept, checkpoints; a U-Net's lesson in it.

What is learnt is a `Lesson`: batches, a loss and a score. `Masks` is that of a U-Net, by Dice and cross entropy.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.experts.datasets import BadDataset, Split
from models.experts.training.augment import Augment, cut
from models.experts.training.prepare import Prepared
from models.experts.training.settings import Settings
from models.experts.training.unet import UNet
from schemas.failures import TristreamError

CHECKPOINT = "checkpoint.pt"


class OtherRun(TristreamError):
    """A checkpoint cannot be continued with other settings or data."""

    def __init__(self) -> None:
        super().__init__(
            "the checkpoint is of other settings or other data: repeat those, or train anew without --resume"
        )


@dataclass(frozen=True, slots=True)
class Epoch:
    """What came of one pass over the training examples."""

    number: int
    loss: float
    validation: float
    """The score of the lesson: for a U-Net mean Dice."""
    learning_rate: float


@dataclass(slots=True)
class Progress:
    """All that a run continues from; random numbers are not in it, since each epoch begins with its own."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_score: float = -math.inf

    def save(self, path: Path, key: str) -> None:
        """Written beside, then put in place: a run that is stopped leaves a whole checkpoint."""
        state: dict[str, Any] = {
            "key": key,
            **{name: getattr(self, name).state_dict() for name in ("network", "optimiser", "schedule", "scaler")},
            "history": [(one.number, one.loss, one.validation, one.learning_rate) for one in self.history],
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
        }
        beside = path.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(path)

    def load(self, path: Path, key: str) -> None:
        """Raises OtherRun."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["key"] != key:
            raise OtherRun
        for name in ("network", "optimiser", "schedule", "scaler"):
            getattr(self, name).load_state_dict(state[name])
        self.history = [Epoch(*one) for one in state["history"]]
        self.best, self.best_epoch, self.best_score = state["best"], state["best_epoch"], state["best_score"]


class Lesson(Protocol):
    """What a network is taught, and how well it has learnt it."""

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """The training examples of an epoch, in an order of torch's random numbers: input, and what the loss takes."""
        ...

    def loss(self, output: Tensor, *wanted: Tensor) -> Tensor:
        """Of a batch's output, to be made small."""
        ...

    def score(self, network: nn.Module) -> float:
        """On what it is validated by; more is better."""
        ...


def fit(
    network: nn.Module,
    lesson: Lesson,
    settings: Settings,
    *,
    key: str = "",
    checkpoint: Path | None = None,
    device: str = "cpu",
    resume: bool = False,
    tell: Callable[[Epoch], None] = lambda _: None,
) -> Progress:
    """The network with the weights of its best epoch by the lesson's score.

    Args:
        network: with its first weights.
        lesson: what it learns.
        settings: of the run; width and depth are the network's own.
        key: of settings and data: a checkpoint of another is not gone on from.
        checkpoint: written after each epoch; None: none is.
        device: 'cpu' or 'cuda'; on the latter with mixed precision.
        resume: go on from the checkpoint, if there is one.
        tell: told of each epoch.

    Raises:
        OtherRun: `resume`, and the checkpoint there has another key.
        BadDataset: the loss is no number any more.
    """
    network.to(device)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    mixed = device != "cpu"
    half = torch.bfloat16 if mixed and torch.cuda.is_bf16_supported() else torch.float16
    scaler = torch.amp.GradScaler(device, enabled=mixed and half is torch.float16)
    run = Progress(network, optimiser, schedule, scaler)
    if resume and checkpoint is not None and checkpoint.exists():
        run.load(checkpoint, key)
    for number in range(len(run.history) + 1, settings.epochs + 1):
        if number - 1 - run.best_epoch >= settings.patience:
            break
        # Of seed and epoch alone: a run that is continued draws what one that was not stopped would.
        torch.manual_seed(settings.seed * 1_000_003 + number)
        network.train()
        losses: list[float] = []
        for batch in lesson.batches():
            image, *wanted = (one.to(device) for one in batch)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device, dtype=half, enabled=mixed):
                loss = lesson.loss(network(image), *wanted)
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            losses.append(loss.item())
        rate = schedule.get_last_lr()[0]
        schedule.step()
        if not math.isfinite(mean := float(np.mean(losses))):
            raise BadDataset("the loss is no number any more: take a lower learning rate, and look at the values")
        score = lesson.score(network)
        run.history.append(Epoch(number, mean, score, rate))
        if score > run.best_score:
            run.best_epoch, run.best_score = number, score
            run.best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        if checkpoint is not None:
            run.save(checkpoint, key)
        tell(run.history[-1])
    network.load_state_dict(run.best)
    network.eval()
    return run


def train(
    data: Prepared,
    parts: Split,
    settings: Settings,
    folder: Path | None,
    *,
    device: str,
    resume: bool = False,
    tell: Callable[[Epoch], None] = lambda _: None,
) -> Progress:
    """A U-Net trained on `data`, its best weights in `Progress.best`; a checkpoint in `folder` after each epoch.

    Raises:
        OtherRun: `resume`, and the checkpoint there is of other settings or data.
    """
    torch.manual_seed(settings.seed)
    network = UNet(data.images.shape[1], len(data.labels), settings.width, settings.depth)
    return fit(
        network,
        Masks(data, parts, settings),
        settings,
        key=f"{data.digest} {settings.plain()}",
        checkpoint=folder / CHECKPOINT if folder is not None else None,
        device=device,
        resume=resume,
        tell=tell,
    )


class Masks:
    """The lesson of a U-Net: to mark what the masks of images mark."""

    def __init__(self, data: Prepared, parts: Split, settings: Settings) -> None:
        self._data, self._parts, self._settings = data, parts, settings
        self._augment = Augment(settings, data.normalisation.kind)

    def batches(self) -> Iterator[tuple[Tensor, ...]]:
        """Images, masks, and where there is image."""
        return _batches(self._data, self._parts.training, self._settings, self._augment)

    def loss(self, output: Tensor, *wanted: Tensor) -> Tensor:
        """Cross entropy and Dice."""
        return loss_of(output, *wanted)

    def score(self, network: nn.Module) -> float:
        """Mean Dice."""
        found = evaluate(network, self._data, self._parts.validation, self._settings.batch)
        return float(np.nanmean([one.dice for one in found]))


def _batches(
    data: Prepared, indices: Sequence[int], settings: Settings, augment: Augment
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    order = [indices[at] for at in torch.randperm(len(indices)).tolist()]
    for start in range(0, len(order), settings.batch):
        chosen = order[start : start + settings.batch]
        if len(chosen) == 1 and start > 0:
            # A batch of one has no statistics worth normalising by.
            break
        made: list[tuple[Tensor, Tensor, Tensor]] = []
        for index in chosen:
            one = torch.from_numpy(data.images[index].copy()), torch.from_numpy(data.masks[index].copy())
            image, masks, inside = *one, data.inside(index)
            if settings.patch:
                image, masks, inside = cut(image, masks, inside, settings.patch)
            made.append(augment(image, masks, inside))
        images, masks, insides = zip(*made, strict=True)
        yield torch.stack(images), torch.stack(masks).float(), torch.stack(insides).float()


def loss_of(logits: Tensor, masks: Tensor, inside: Tensor) -> Tensor:
    """Cross entropy plus 1 - soft Dice of each class over the batch (Milletari et al., V-Net, 2016), inside only."""
    logits = logits.float()
    entropy = functional.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    entropy = (entropy * inside).sum() / (inside.sum() * logits.shape[1] + 1)
    found = torch.sigmoid(logits) * inside
    overlap = (found * masks).sum(dim=(0, 2, 3))
    dice = (2 * overlap + 1) / (found.sum(dim=(0, 2, 3)) + (masks * inside).sum(dim=(0, 2, 3)) + 1)
    return entropy + (1 - dice).mean()


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one label: means over the images that have it, at the network's size; NaN where none has."""

    label: str
    dice: float
    iou: float
    images: int
    without: int
    found_without: int
    """Images that have none of it, and those of them in which some was found."""


@torch.no_grad()
def overlaps(
    network: nn.Module, data: Prepared, indices: Sequence[int], batch: int, threshold: float = 0.5
) -> npt.NDArray[np.int64]:
    """Pixels on whole images at the network's size, (images, labels, 3): found and true, found, true."""
    network.eval()
    device = next(network.parameters()).device
    counts: list[Tensor] = []
    for start in range(0, len(indices), batch):
        chosen = list(indices[start : start + batch])
        images = torch.from_numpy(data.images[chosen]).to(device)
        found = (torch.sigmoid(network(images)) >= threshold).cpu() & torch.stack([data.inside(at) for at in chosen])
        truth = torch.from_numpy(data.masks[chosen]) > 0
        counts.append(torch.stack([one.sum(dim=(2, 3)) for one in (found & truth, found, truth)], dim=-1))
    return torch.cat(counts).numpy() if counts else np.zeros((0, len(data.labels), 3), np.int64)


def evaluate(
    network: nn.Module, data: Prepared, indices: Sequence[int], batch: int, threshold: float = 0.5
) -> list[Scores]:
    """Scores of each label on whole images."""
    scores: list[Scores] = []
    for name, counts in zip(
        data.labels, overlaps(network, data, indices, batch, threshold).transpose(1, 0, 2), strict=True
    ):
        has = counts[:, 2] > 0
        both, found, true = counts[has].T.astype(float)
        scores.append(
            Scores(
                name,
                float(np.mean(2 * both / (found + true))) if has.any() else math.nan,
                float(np.mean(both / (found + true - both))) if has.any() else math.nan,
                int(has.sum()),
                int((~has).sum()),
                int((counts[~has, 1] > 0).sum()),
            )
        )
    return scores


def best_device(wanted: str = "auto") -> str:
    """'auto' is CUDA where there is one."""
    return ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted
