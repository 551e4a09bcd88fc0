"""A stage of rewards: the model answers, the facts of the picture say what each answer is worth (GRPO, by TRL)."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from models.llava_tri.evaluation.scores.boxes import Scale, read_box
from models.llava_tri.training import bases
from models.llava_tri.training.arguments import shared
from models.llava_tri.training.boxes import rewritten
from models.llava_tri.training.checkpoints import Kept, Positions, Step, identity, last_checkpoint
from models.llava_tri.training.examples import Question, TrainingSet, lazily
from models.llava_tri.training.facts import FactsOnDisk
from models.llava_tri.training.outcome import Learnt, processes, teach, write_model
from models.llava_tri.training.rewards import Rewards
from models.llava_tri.training.settings import BadRun, Boxes, Run, Stage
from models.llava_tri.training.stages import questions_of
from models.llava_tri.training.weights import Weights

_SCALES: dict[Boxes, Scale] = {"pixels": "px", "resized": "px", "unit": "parts", "thousandths": "thousandths"}


class _Trainer(Kept, GRPOTrainer):
    """Its checkpoints are those of the other stages."""


def train_by_rewards(
    model: Any,
    processor: Any,
    sets: Sequence[TrainingSet],
    run: Run,
    stage: Stage,
    folder: Path,
    *,
    resume: bool,
    tell: Callable[[Step], None],
) -> Learnt:
    """Train one stage of rewards, with checkpoints in `folder`.

    Answers are drawn at random: one that goes on from a checkpoint does not end with the same bits.

    Raises:
        OtherRun: `resume`, and the checkpoint is of other settings, data or facts.
        BadRun: the data has no question of the stage, or a picture whose triplet is not among the facts.
    """
    boxes = run.boxes or bases.family_of(model).boxes
    facts = FactsOnDisk(run.facts)
    questions = questions_of(sets, stage)
    # TRL leaves out what does not fill a step, and then ends without one.
    if (a_step := stage.batch * stage.accumulate * processes()) > len(questions):
        raise BadRun(f"stage {stage.name!r} asks {a_step} questions a step, and the data has {len(questions)}")
    data = as_dataset(sets, questions, facts, boxes, processor)
    told = identity(run, stage, [*(one.digest for one in sets), facts.digest])
    last = last_checkpoint(folder, told) if resume else None
    torch.manual_seed(run.seed)
    trainer = _Trainer(
        model=bases.set_free(model, stage),
        reward_funcs=Rewards(facts, weights=Weights(**stage.reward), scale=_SCALES[boxes]),
        args=GRPOConfig(
            **shared(run, stage, folder),
            per_device_train_batch_size=stage.batch * stage.answers,
            num_generations=stage.answers,
            max_completion_length=stage.answer_tokens,
            beta=stage.divergence,
        ),
        train_dataset=data,
        processing_class=processor,
        callbacks=[Positions(stage, told, tell)],
    )
    # TRL pads prompts on the left itself, and leaves the kinds of their tokens to the processor.
    with _padded_left(processor.tokenizer):
        teach(trainer, stage, last)
    logged = [one for one in trainer.state.log_history if "reward" in one]
    losses, rewards = (tuple(one[name] for one in logged) for name in ("loss", "reward"))
    return Learnt(write_model(trainer, processor, folder), len(questions), losses, rewards)


@contextmanager
def _padded_left(tokenizer: Any) -> Generator[None]:
    before, tokenizer.padding_side = tokenizer.padding_side, "left"
    try:
        yield
    finally:
        tokenizer.padding_side = before


def as_dataset(
    sets: Sequence[TrainingSet],
    questions: Sequence[tuple[int, Question]],
    facts: Mapping[str, Any],
    boxes: Boxes,
    processor: Any,
) -> Dataset:
    """Prompts with pictures, and what their answers are judged by; pictures are read as they are asked for.

    Raises:
        BadRun: a picture's triplet is not among the facts.
    """
    resized = bases.resizing(processor, boxes)
    ids = [one.triplet_ids() for one in sets]
    for number, one in questions:
        if ids[number][one.row] not in facts:
            raise BadRun(
                f"no facts are given of triplet {ids[number][one.row]} of data set {sets[number].folder.name!r}"
            )

    def row(at: int) -> dict[str, Any]:
        number, one = questions[at]
        width, height = one.size
        asked = rewritten(one.question, one.size, boxes, resized)
        box = read_box(one.answer, "px", height, width) if one.kind == "phrase-to-box" else None
        return {
            "images": [sets[number].picture(one)],
            "prompt": [{"role": "user", "content": asked}],
            "triplet_id": ids[number][one.row] if box is None else None,
            "box": box,
            "size": resized(one.size),
        }

    return lazily(len(questions), row)
