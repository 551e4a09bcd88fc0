"""Before a model meets words, the tiny preset's reader learns the sentence that it says of a picture.

The source's facts fill the gaps of the sentence, and each gap learns its word by cross-entropy. And heads that are
thrown away afterwards read off each square how much of each part of it the regions that the source marks cover: with a
mask a picture the reader finds within minutes where things lie, with one word a picture it would take hours. No layer
of the language model takes part.
"""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco
from torch import Tensor, nn
from torch.nn import functional
from transformers import get_scheduler

from models.llava_tri.tiny.reader import BINS, Reading
from models.llava_tri.tiny.sentence import EDGES, Words, words_of
from models.llava_tri.tiny.tower import Tower
from models.llava_tri.training.checkpoints import Step
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.facts import FactsOnDisk
from models.llava_tri.training.outcome import Learnt, put
from models.llava_tri.training.settings import BadRun, Run, Stage

PARTS = 4
"""Parts of a square along each side."""
DROPPED = 0.3
"""Share of a tower's features that are left out at each step: there are thousands of a square."""
BLUR = 1.5
"""Deviation of the bins that an edge may fall into, hundredths: the next one is nearly right."""
COVER, SAID = 10.0, 0.3
"""Weights of the loss of cover, and of each gap's."""
UNKNOWN = -100
"""What cross-entropy leaves out."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be read off pictures, in a set's order.

    `covered` (pictures, squares, labels × parts²): shares; `choices` by gap (pictures,): numbers of words, or UNKNOWN;
    `edges` (pictures, edges): parts from 0 to 1, or -1.
    """

    covered: Tensor
    choices: dict[str, Tensor]
    edges: Tensor

    def of(self, some: Tensor) -> "Targets":
        """Those of some pictures."""
        return Targets(self.covered[some], {name: one[some] for name, one in self.choices.items()}, self.edges[some])


def train_concepts(
    model: Any,
    processor: Any,
    sets: Sequence[TrainingSet],
    run: Run,
    stage: Stage,
    folder: Path,
    *,
    tell: Callable[[Step], None],
) -> Learnt:
    """Train the reader of the tiny preset on facts and masks, from the beginning.

    Raises:
        BadRun: the model has no reader, the data has no COCO, or a picture's triplet is not among the facts.
    """
    tower = reading_tower(model, stage.name)
    torch.manual_seed(run.seed)
    pixels = torch.cat([pixels_of(processor, one) for one in sets])
    targets = _targets(tower, sets, FactsOnDisk(run.facts))
    reader = tower.reader.requires_grad_(True).train()
    cover = nn.Linear(tower.config.width, targets.covered.shape[-1])
    nn.init.constant_(cover.bias, -4.0)  # Most of a picture is covered by no region of a label.
    optimizer = torch.optim.AdamW(
        [*reader.parameters(), *cover.parameters()], lr=stage.learning_rate, weight_decay=stage.weight_decay
    )
    steps = stage.steps or round(stage.epochs * math.ceil(len(pixels) / stage.batch))
    schedule = get_scheduler(stage.schedule, optimizer, round(stage.warmup * steps), steps)
    losses: list[float] = []
    order: list[Tensor] = []
    while len(losses) < steps:
        if not order:
            order = list(torch.randperm(len(pixels)).split(stage.batch))
        some = order.pop()
        reading = reader.read(functional.dropout(tower.features(pixels[some]), DROPPED))
        loss = _loss(reading, cover(reading.squares), targets.of(some))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        tell(Step(stage.name, len(losses), steps, losses[-1]))
    reader.requires_grad_(False).eval()
    with torch.no_grad():
        squares = torch.cat([reader.read(tower.features(some)).squares for some in pixels.split(64)])
        reader.as_loud_as_words(squares, model.get_input_embeddings().weight.std())
    return Learnt(put(model, processor, folder), len(pixels), tuple(losses))


def reading_tower(model: Any, stage: str) -> Tower:
    """The tower of a model whose projector says a sentence.

    Raises:
        BadRun: it has none.
    """
    tower = getattr(model.model, "vision_tower", None)
    if not isinstance(tower, Tower) or not tower.config.said:
        raise BadRun(
            f"stage {stage!r}: concepts are learnt by the tiny preset's base, not by {model.config.model_type}"
        )
    return tower


def pixels_of(processor: Any, one: TrainingSet) -> Tensor:
    """All pictures of a set's split, as its tower takes them: (pictures, 3, side, side)."""
    pictures = [one.picture_of_row(row) for row in range(len(one.triplet_ids()))]
    return processor.image_processor(pictures, return_tensors="pt")["pixel_values"]


def words_in(one: TrainingSet, facts: FactsOnDisk) -> list[Words]:
    """What the facts of a set's pictures say, in its order.

    Raises:
        BadRun: a picture's triplet is not among the facts.
    """
    ids = one.triplet_ids()
    if missing := [each for each in ids if each not in facts]:
        raise BadRun(f"no facts are given of triplet {missing[0]} of data set {one.folder.name!r}")
    return [words_of(facts[each]) for each in ids]


def _targets(tower: Tower, sets: Sequence[TrainingSet], facts: FactsOnDisk) -> Targets:
    words = [each for one in sets for each in words_in(one, facts)]
    told = [one.regions() for one in sets]
    labels = sorted({name for each in told for name in _marked(each).values()})
    grid = tower.config.grid
    covered = torch.cat([_covered(each, one.triplet_ids(), grid, labels) for each, one in zip(told, sets, strict=True)])
    choices = {
        name: torch.tensor([_number(few, one.choices.get(name)) for one in words])
        for name, few in tower.config.choices.items()
    }
    edges = torch.tensor([one.edges or (-1.0,) * len(EDGES) for one in words])
    return Targets(covered, choices, edges)


def _number(words: Sequence[str], word: str | None) -> int:
    return words.index(word) if word in words else UNKNOWN


def _marked(told: Mapping[str, Any]) -> dict[int, str]:
    """Names of the categories of COCO in which the source marks regions, by id."""
    marked = {one["category_id"] for one in told["annotations"] if one["kind"] == "source annotation"}
    return {one["id"]: one["name"] for one in told["categories"] if one["id"] in marked}


def _covered(told: Mapping[str, Any], triplet_ids: Sequence[str], grid: int, labels: Sequence[str]) -> Tensor:
    """By the source's regions of each label: (pictures, grid², labels × PARTS²)."""
    rows = {triplet_id: row for row, triplet_id in enumerate(triplet_ids)}
    row_of = {image["id"]: rows[image["triplet_id"]] for image in told["images"]}
    names = _marked(told)
    covered = torch.zeros(len(rows), len(labels), grid * PARTS, grid * PARTS)
    for region in told["annotations"]:
        if region["kind"] == "source annotation":
            there = covered[row_of[region["image_id"]], labels.index(names[region["category_id"]])]
            mask = np.asarray(coco.decode(region["segmentation"]), dtype=np.float32)
            share = functional.adaptive_avg_pool2d(torch.from_numpy(mask)[None], grid * PARTS)[0]
            torch.maximum(there, share, out=there)
    squares = covered.view(len(rows), len(labels), grid, PARTS, grid, PARTS).permute(0, 2, 4, 1, 3, 5)
    return squares.reshape(len(rows), grid * grid, len(labels) * PARTS * PARTS)


def _loss(reading: Reading, cover: Tensor, targets: Targets) -> Tensor:
    losses = [
        functional.cross_entropy(logits, targets.choices[name], ignore_index=UNKNOWN)
        for name, logits in reading.choices.items()
        if (targets.choices[name] != UNKNOWN).any()
    ]
    there = targets.edges[:, 0] >= 0
    if there.any():
        bins = torch.arange(BINS)
        away = (100 * targets.edges[there][..., None] - bins) / BLUR
        wanted = (-(away**2) / 2).softmax(dim=-1)
        losses.append(-(wanted * reading.edges[there].log_softmax(dim=-1)).sum(dim=-1).mean())
    said = torch.stack(losses).sum() if losses else reading.squares.sum() * 0
    if not cover.numel():
        return SAID * said
    return COVER * functional.binary_cross_entropy_with_logits(cover, targets.covered) + SAID * said
