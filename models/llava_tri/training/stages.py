"""One stage: a model, questions, TRL's SFTTrainer. Checkpoints carry the place in the data, and go on from any step."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from datasets import Dataset
from PIL import Image
from trl import SFTConfig, SFTTrainer

from models.llava_tri.training import bases
from models.llava_tri.training.arguments import shared
from models.llava_tri.training.boxes import rewritten
from models.llava_tri.training.checkpoints import Kept, Positions, Step, identity, last_checkpoint
from models.llava_tri.training.examples import Question, TrainingSet, lazily
from models.llava_tri.training.outcome import Learnt, teach, write_model
from models.llava_tri.training.settings import BadRun, Boxes, Run, Stage
from models.llava_tri.training.together import Together, loss_of


class StageTrainer(Kept, SFTTrainer):
    """Learns answers, each alone or several about one picture together."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **given: Any) -> Any:
        if not isinstance(self.data_collator, Together):
            return super().compute_loss(model, inputs, return_outputs, **given)
        # Trainer leaves to the loss of a whole batch what its parts are divided by.
        parts = 1 if given.get("num_items_in_batch") is None else self.current_gradient_accumulation_steps
        return loss_of(model, inputs) / parts


def questions_of(sets: Sequence[TrainingSet], stage: Stage) -> list[tuple[int, Question]]:
    """Those of a stage, each with the number of its set.

    Raises:
        BadRun: there is none.
    """
    found = [(number, one) for number, read in enumerate(sets) for one in read.questions(stage.kinds)]
    if not found:
        raise BadRun(f"no question of stage {stage.name!r} is in the data: it asks for {', '.join(stage.kinds)}")
    return found


class HasPictures(Protocol):
    """Where the pictures of questions lie: a training set, or a round of a stream."""

    def picture(self, question: Question) -> Image.Image:
        """In RGB."""
        ...


def as_dataset(
    sets: Sequence[HasPictures], groups: Sequence[Sequence[tuple[int, Question]]], boxes: Boxes, processor: Any
) -> Dataset:
    """Groups of questions, each about one picture: `images`, `questions`, `answers`, read as they are asked for.

    A group of one stands in TRL's prompt–completion form too: `prompt`, `completion`.
    """
    resized = bases.resizing(processor, boxes)

    def row(at: int) -> dict[str, Any]:
        number, first = groups[at][0]
        questions, answers = (
            [rewritten(text, first.size, boxes, resized) for text in texts]
            for texts in zip(*((one.question, one.answer) for _, one in groups[at]), strict=True)
        )
        return {
            "images": [sets[number].picture(first)],
            "questions": questions,
            "answers": answers,
            "prompt": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": questions[0]}]}],
            "completion": [{"role": "assistant", "content": [{"type": "text", "text": answers[0]}]}],
        }

    return lazily(len(groups), row)


def in_groups(questions: Sequence[tuple[int, Question]], most: int) -> list[list[tuple[int, Question]]]:
    """Questions of a picture together, `most` at most, in their order; 0: each alone."""
    if not most:
        return [[one] for one in questions]
    of_picture: defaultdict[tuple[int, int], list[tuple[int, Question]]] = defaultdict(list)
    for number, one in questions:
        of_picture[number, one.row].append((number, one))
    return [some[at : at + most] for some in of_picture.values() for at in range(0, len(some), most)]


def collator_of(model: Any, processor: Any, stage: Stage) -> Together | None:
    """What puts questions of a stage together; None: TRL's own, each alone.

    Raises:
        BadRun: they cannot stand together in this model.
    """
    if not stage.together:
        return None
    if model.config.model_type != "llava":
        raise BadRun(f"stage {stage.name!r}: together is for a LLaVA, whose tokens lie along one line")
    return Together(processor)


def train_stage(
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
    """Train one stage, with checkpoints in `folder`.

    Raises:
        OtherRun: `resume`, and the checkpoint is of other settings or data.
        BadRun: the data has no question of the stage.
    """
    boxes = run.boxes or bases.family_of(model).boxes
    collator = collator_of(model, processor, stage)
    questions = questions_of(sets, stage)
    told = identity(run, stage, [one.digest for one in sets])
    last = last_checkpoint(folder, told) if resume else None
    torch.manual_seed(run.seed)
    trainer = StageTrainer(
        model=bases.set_free(model, stage),
        args=arguments(run, stage, folder),
        train_dataset=as_dataset(sets, in_groups(questions, stage.together), boxes, processor),
        data_collator=collator,
        processing_class=processor,
        callbacks=[Positions(stage, told, tell)],
    )
    teach(trainer, stage, last)
    losses = [one["loss"] for one in trainer.state.log_history if "loss" in one]
    return Learnt(write_model(trainer, processor, folder), len(questions), tuple(losses))


def arguments(run: Run, stage: Stage, folder: Path) -> SFTConfig:
    """Of a trainer of a stage, with its checkpoints in `folder`."""
    return SFTConfig(
        **shared(run, stage, folder),
        per_device_train_batch_size=stage.batch,
        max_length=stage.length,
        completion_only_loss=True,
    )
