"""The loop: Dice and cross entropy, AdamW, a cosine schedule, the best epoch by validation kept, checkpoints."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
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
    validation_dice: float
    learning_rate: float


@dataclass(slots=True)
class Progress:
    """All that a run continues from; random numbers are not in it, since each epoch begins with its own."""

    network: UNet
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    scaler: torch.amp.GradScaler
    history: list[Epoch] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_dice: float = -math.inf

    def save(self, path: Path, key: str) -> None:
        """Written beside, then put in place: a run that is stopped leaves a whole checkpoint."""
        state: dict[str, Any] = {
            "key": key,
            **{name: getattr(self, name).state_dict() for name in ("network", "optimiser", "schedule", "scaler")},
            "history": [(one.number, one.loss, one.validation_dice, one.learning_rate) for one in self.history],
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_dice": self.best_dice,
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
        self.best, self.best_epoch, self.best_dice = state["best"], state["best_epoch"], state["best_dice"]


def train(
    data: Prepared,
    parts: Split,
    settings: Settings,
    folder: Path,
    *,
    device: str,
    resume: bool,
    tell: Callable[[Epoch], None] = lambda _: None,
) -> Progress:
    """A network trained on `data`, its best weights in `Progress.best`; a checkpoint in `folder` after each epoch.

    Raises:
        OtherRun: `resume`, and the checkpoint there is of other settings or data.
    """
    torch.manual_seed(settings.seed)
    network = UNet(data.images.shape[1], len(data.labels), settings.width, settings.depth).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    mixed = device != "cpu"
    half = torch.bfloat16 if mixed and torch.cuda.is_bf16_supported() else torch.float16
    scaler = torch.amp.GradScaler(device, enabled=mixed and half is torch.float16)
    run, key = Progress(network, optimiser, schedule, scaler), f"{data.digest} {settings.plain()}"
    checkpoint = folder / CHECKPOINT
    if resume and checkpoint.exists():
        run.load(checkpoint, key)

    augment = Augment(settings, data.normalisation.kind)
    for number in range(len(run.history) + 1, settings.epochs + 1):
        if number - 1 - run.best_epoch >= settings.patience:
            break
        # Of seed and epoch alone: a run that is continued draws what one that was not stopped would.
        torch.manual_seed(settings.seed * 1_000_003 + number)
        network.train()
        losses: list[float] = []
        for image, masks, inside in _batches(data, parts.training, settings, augment):
            image, masks, inside = image.to(device), masks.to(device), inside.to(device)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device, dtype=half, enabled=mixed):
                loss = loss_of(network(image), masks, inside)
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            losses.append(loss.item())
        rate = schedule.get_last_lr()[0]
        schedule.step()
        if not math.isfinite(mean := float(np.mean(losses))):
            raise BadDataset("the loss is no number any more: take a lower learning rate, and look at the values")
        dice = float(np.nanmean([scores.dice for scores in evaluate(network, data, parts.validation, settings.batch)]))
        run.history.append(Epoch(number, mean, dice, rate))
        if dice > run.best_dice:
            run.best_epoch, run.best_dice = number, dice
            run.best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        run.save(checkpoint, key)
        tell(run.history[-1])
    network.load_state_dict(run.best)
    network.eval()
    return run


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
def evaluate(network: UNet, data: Prepared, indices: Sequence[int], batch: int, threshold: float = 0.5) -> list[Scores]:
    """Scores of each label on whole images."""
    network.eval()
    device = next(network.parameters()).device
    dice: list[list[float]] = [[] for _ in data.labels]
    iou: list[list[float]] = [[] for _ in data.labels]
    without, found_without = [0] * len(data.labels), [0] * len(data.labels)
    for start in range(0, len(indices), batch):
        chosen = list(indices[start : start + batch])
        images = torch.from_numpy(data.images[chosen]).to(device)
        found = (torch.sigmoid(network(images)) >= threshold).cpu() & torch.stack([data.inside(at) for at in chosen])
        truth = torch.from_numpy(data.masks[chosen]) > 0
        overlap = (found & truth).sum(dim=(2, 3))
        here, there = found.sum(dim=(2, 3)), truth.sum(dim=(2, 3))
        for image in range(len(chosen)):
            for label in range(len(data.labels)):
                both, one, other = (int(count[image, label]) for count in (overlap, here, there))
                if other:
                    dice[label].append(2 * both / (one + other))
                    iou[label].append(both / (one + other - both))
                else:
                    without[label] += 1
                    found_without[label] += one > 0
    return [
        Scores(
            name,
            float(np.mean(dice[at])) if dice[at] else math.nan,
            float(np.mean(iou[at])) if iou[at] else math.nan,
            len(dice[at]),
            without[at],
            found_without[at],
        )
        for at, name in enumerate(data.labels)
    ]
