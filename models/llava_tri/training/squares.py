"""Before a model meets words, its projector learns which regions lie in each square of a picture.

A token of a LLaVA's picture is a square of it. Heads, thrown away afterwards, read off each token how much of each part
of its square the regions of each label cover, as triplets have their masks; of which labels a region's middle lies in
it, since those can be counted, and that region's box; and where the square itself lies, for a language model knows of a
token only how far off it is. And each token is drawn to what its square would be called: to the sum of the embeddings
of the words for its place and its regions, so that it can be read as words are. No layer of the language model takes
part, so an epoch costs seconds where one of answers costs minutes.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco
from torch import Tensor, nn
from torch.nn import functional
from transformers import get_scheduler

from models.llava_tri.training.checkpoints import Step
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.outcome import Learnt, put
from models.llava_tri.training.settings import BadRun, Run, Stage

PARTS = 4
"""Parts of a square along each side."""
DROPPED = 0.3
"""Share of a tower's features that are left out at each step: there are thousands of a square."""
DOWN, ACROSS = ("upper", "middle", "lower"), ("left", "centre", "right")
"""What the thirds of a picture are called."""
SHOWN = 0.3
"""Share of a part of a square from which a region there is called by its name."""
WHERE, BOX, WORDS = 0.05, 0.1, 0.3
"""Weights of these losses beside those of cover and of middles."""


@dataclass(frozen=True, slots=True)
class Regions:
    """What lies in the squares of pictures, in a set's order.

    `covered` (pictures, squares, labels × parts²): shares; `middles` (pictures, squares, labels): 1 where a region's
    middle lies; `boxes` (pictures, squares, 4): of the smallest region whose middle lies there, left, top, right and
    bottom in parts of the picture, or -1.
    """

    covered: Tensor
    middles: Tensor
    boxes: Tensor

    def of(self, some: Tensor) -> "Regions":
        """Those of some pictures."""
        return Regions(self.covered[some], self.middles[some], self.boxes[some])

    def called(self) -> Tensor:
        """Whether regions of each label are seen in each square: (pictures, squares, labels), 0 or 1."""
        pictures, squares, labels = self.middles.shape
        shown = self.covered.view(pictures, squares, labels, -1).amax(dim=-1) > SHOWN
        return torch.maximum(shown.float(), self.middles)


def train_squares(
    model: Any,
    processor: Any,
    sets: Sequence[TrainingSet],
    run: Run,
    stage: Stage,
    folder: Path,
    *,
    tell: Callable[[Step], None],
) -> Learnt:
    """Train the projector of a LLaVA on regions, from the beginning.

    Raises:
        BadRun: the model is no LLaVA whose tokens are a square grid, or the data has no COCO.
    """
    if model.config.model_type != "llava":
        raise BadRun(f"stage {stage.name!r}: squares are those of a LLaVA's tokens, not of {model.config.model_type}'s")
    torch.manual_seed(run.seed)
    ids = [one.triplet_ids() for one in sets]
    pixels = torch.cat([_pixels(processor, one, len(there)) for one, there in zip(sets, ids, strict=True)])
    grid = _grid(_seen(model, pixels[:1]).shape[1], stage)
    told = [one.regions() for one in sets]
    labels = _labels(told)
    each = [_regions(*one, grid, labels) for one in zip(told, ids, strict=True)]
    regions = Regions(
        torch.cat([one.covered for one in each]),
        torch.cat([one.middles for one in each]),
        torch.cat([one.boxes for one in each]),
    )
    projector = model.model.multi_modal_projector.requires_grad_(True).train()
    heads = _Heads(_words(model, processor, labels), regions, grid)
    weights = [*projector.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=stage.learning_rate, weight_decay=stage.weight_decay)
    a_pass = math.ceil(len(pixels) / stage.batch)
    steps = stage.steps or round(stage.epochs * a_pass)
    schedule = get_scheduler(stage.schedule, optimizer, round(stage.warmup * steps), steps)
    losses: list[float] = []
    order: list[Tensor] = []
    while len(losses) < steps:
        if not order:
            order = list(torch.randperm(len(pixels)).split(stage.batch))
        some = order.pop()
        seen = functional.dropout(_seen(model, pixels[some]), DROPPED)
        loss = heads(projector(seen), regions.of(some))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        tell(Step(stage.name, len(losses), steps, losses[-1]))
    _as_words(model, pixels)
    return Learnt(put(model, processor, folder), len(pixels), tuple(losses))


def _pixels(processor: Any, one: TrainingSet, rows: int) -> Tensor:
    pictures = [one.picture_of_row(row) for row in range(rows)]
    return processor.image_processor(pictures, return_tensors="pt")["pixel_values"]


def _seen(model: Any, pixels: Tensor) -> Tensor:
    """What the projector gets: (pictures, tokens, features)."""
    with torch.no_grad():
        states = model.model.vision_tower(pixels, output_hidden_states=True).hidden_states
    seen = states[model.config.vision_feature_layer]
    return seen[:, 1:] if model.config.vision_feature_select_strategy == "default" else seen


def _grid(tokens: int, stage: Stage) -> int:
    grid = math.isqrt(tokens)
    if grid * grid != tokens:
        raise BadRun(f"stage {stage.name!r}: {tokens} tokens of a picture are no square grid")
    return grid


def _labels(told: Sequence[Any]) -> list[str]:
    """Of all regions of some sets, as COCO tells them."""
    return sorted({one["name"] for each in told for one in each["categories"]})


def _regions(told: Any, triplet_ids: Sequence[str], grid: int, labels: Sequence[str]) -> Regions:
    """Of one set, in its order."""
    rows = {triplet_id: row for row, triplet_id in enumerate(triplet_ids)}
    row_of = {image["id"]: rows[image["triplet_id"]] for image in told["images"]}
    label_of = {category["id"]: labels.index(category["name"]) for category in told["categories"]}
    covered = torch.zeros(len(rows), len(labels), grid * PARTS, grid * PARTS)
    middles = torch.zeros(len(rows), grid, grid, len(labels))
    boxes = torch.full((len(rows), grid, grid, 4), -1.0)
    # The smallest last, so that its box is the one that stays.
    for region in sorted(told["annotations"], key=lambda one: -one["area"]):
        row, label = row_of[region["image_id"]], label_of[region["category_id"]]
        mask = np.asarray(coco.decode(region["segmentation"]), dtype=np.float32)
        share = functional.adaptive_avg_pool2d(torch.from_numpy(mask)[None], grid * PARTS)[0]
        torch.maximum(covered[row, label], share, out=covered[row, label])
        high, wide = mask.shape
        left, top, width, height = region["bbox"]
        box = torch.tensor([left / wide, top / high, (left + width) / wide, (top + height) / high])
        down, across = (int(grid * (box[at] + box[at + 2]) / 2) for at in (1, 0))
        middles[row, down, across, label] = 1
        boxes[row, down, across] = box
    return Regions(_by_square(covered, grid), middles.flatten(1, 2), boxes.flatten(1, 2))


def _by_square(covered: Tensor, grid: int) -> Tensor:
    """(pictures, labels, grid × parts, grid × parts) → (pictures, grid², labels × parts²)."""
    pictures, labels = covered.shape[:2]
    squares = covered.view(pictures, labels, grid, PARTS, grid, PARTS).permute(0, 2, 4, 1, 3, 5)
    return squares.reshape(pictures, grid * grid, labels * PARTS * PARTS)


def _words(model: Any, processor: Any, names: Sequence[str]) -> Tensor:
    """Embeddings of the thirds' words and of names, each the mean of its tokens, about the mean of all words."""
    every = model.get_input_embeddings().weight.detach().float()
    found = [
        processor.tokenizer(f" {name}", add_special_tokens=False)["input_ids"] for name in (*DOWN, *ACROSS, *names)
    ]
    return torch.stack([every[ids].mean(dim=0) for ids in found]) - every.mean(dim=0)


class _Heads(nn.Module):
    """What is read off tokens (pictures, squares, width) while they learn: forward gives the loss."""

    def __init__(self, words: Tensor, regions: Regions, grid: int) -> None:
        super().__init__()
        width, labels = words.shape[1], regions.middles.shape[-1]
        self.cover = nn.Linear(width, regions.covered.shape[-1])
        self.middle = nn.Linear(width, labels)
        for head in (self.cover, self.middle):
            nn.init.constant_(head.bias, -4.0)  # Most of a picture is covered by no region of a label.
        self.box = nn.Linear(width, 4)
        self.where = nn.Linear(width, 2 * grid)
        square = torch.arange(grid * grid)
        self.rows, self.columns = square // grid, square % grid
        down, across, names = words.split([len(DOWN), len(ACROSS), labels])
        self.place = down[len(DOWN) * self.rows // grid] + across[len(ACROSS) * self.columns // grid]
        # What is called by its name nearly everywhere would drown the rest.
        self.names = names * (1 - regions.called().mean(dim=(0, 1)))[:, None]

    def forward(self, tokens: Tensor, regions: Regions) -> Tensor:
        cover = functional.binary_cross_entropy_with_logits(self.cover(tokens), regions.covered)
        middle = functional.binary_cross_entropy_with_logits(self.middle(tokens), regions.middles)
        there = regions.boxes[..., 0] >= 0
        box = functional.l1_loss(self.box(tokens[there]), regions.boxes[there]) if there.any() else tokens.sum() * 0
        rows, columns = self.where(tokens).chunk(2, dim=-1)
        pictures = len(tokens)
        where = functional.cross_entropy(rows.flatten(0, 1), self.rows.repeat(pictures)) + functional.cross_entropy(
            columns.flatten(0, 1), self.columns.repeat(pictures)
        )
        called = regions.called() @ self.names + self.place
        words = 1 - functional.cosine_similarity(tokens, called, dim=-1).mean()
        return cover + middle + BOX * box + WHERE * where + WORDS * words


def _as_words(model: Any, pixels: Tensor) -> None:
    """Shift and scale the projector's tokens to the mean and deviation of words' embeddings, so that neither drowns."""
    projector = model.model.multi_modal_projector.eval()
    words = model.get_input_embeddings().weight
    with torch.no_grad():
        tokens = torch.cat([projector(_seen(model, some)) for some in pixels.split(64)]).flatten(0, 1)
        last = projector.linear_2
        mean = tokens.mean(dim=0)
        factor = words.std() / (tokens - mean).std()
        last.weight.mul_(factor)
        last.bias.copy_((last.bias - mean) * factor)
