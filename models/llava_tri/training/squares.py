"""Before a model meets words, its projector learns which regions lie in each square of a picture.

A token of a LLaVA's picture is a square of it. A head, thrown away afterwards, reads off each token how much of each
part of its square is covered by the regions of each label, as triplets have their masks. No language model takes part,
so an epoch costs seconds where one of answers costs minutes; what lies where is then in the tokens for words to find.
"""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco
from torch import Tensor, nn
from torch.nn import functional
from transformers import get_scheduler

from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.settings import BadRun, Run, Stage
from models.llava_tri.training.stages import Learnt, Step, is_first_process

PARTS = 4
"""Parts of a square along each side."""
DROPPED = 0.3
"""Share of a tower's features that are left out at each step: there are thousands of a square."""


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
    covered = torch.cat([_covered(*each, grid * PARTS, labels) for each in zip(told, ids, strict=True)])
    targets = _by_square(covered, grid)
    projector = model.model.multi_modal_projector.requires_grad_(True).train()
    head = nn.Linear(model.config.text_config.hidden_size, targets.shape[-1])
    weights = [*projector.parameters(), *head.parameters()]
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
        loss = functional.binary_cross_entropy_with_logits(head(projector(seen)), targets[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        tell(Step(stage.name, len(losses), steps, losses[-1]))
    _as_words(model, pixels)
    part = folder / "model.part"
    if is_first_process():
        shutil.rmtree(part, ignore_errors=True)
        model.save_pretrained(part)
        processor.save_pretrained(part)
    return Learnt(part, len(pixels), tuple(losses))


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


def _covered(told: Any, triplet_ids: Sequence[str], cells: int, labels: Sequence[str]) -> Tensor:
    """Share of each cell that regions of each label cover: (pictures, labels, cells, cells), in the set's order."""
    rows = {triplet_id: row for row, triplet_id in enumerate(triplet_ids)}
    row_of = {image["id"]: rows[image["triplet_id"]] for image in told["images"]}
    label_of = {category["id"]: labels.index(category["name"]) for category in told["categories"]}
    found = torch.zeros(len(rows), len(labels), cells, cells)
    for region in told["annotations"]:
        mask = np.asarray(coco.decode(region["segmentation"]), dtype=np.float32)
        share = functional.adaptive_avg_pool2d(torch.from_numpy(mask)[None], cells)[0]
        cover = found[row_of[region["image_id"]], label_of[region["category_id"]]]
        torch.maximum(cover, share, out=cover)
    return found


def _by_square(covered: Tensor, grid: int) -> Tensor:
    """(pictures, labels, grid × parts, grid × parts) → (pictures, grid², labels × parts²)."""
    pictures, labels = covered.shape[:2]
    squares = covered.view(pictures, labels, grid, PARTS, grid, PARTS).permute(0, 2, 4, 1, 3, 5)
    return squares.reshape(pictures, grid * grid, labels * PARTS * PARTS)


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
