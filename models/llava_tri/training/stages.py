"""One stage: a model, questions, TRL's SFTTrainer. Checkpoints carry the place in the data, and go on from any step."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import PartialState
from datasets import Dataset
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from models.llava_tri.training import bases
from models.llava_tri.training.boxes import rewritten
from models.llava_tri.training.examples import Question, TrainingSet
from models.llava_tri.training.settings import BadRun, Boxes, Run, Stage
from models.llava_tri.training.together import Together, loss_of
from schemas.failures import TristreamError

POSITION = "position.json"
LEARNING = "learning.safetensors"


class OtherRun(TristreamError):
    """A checkpoint cannot be continued with other settings or data."""

    def __init__(self) -> None:
        super().__init__("the checkpoint is of other settings or other data: repeat those, or name a new --out")


@dataclass(frozen=True, slots=True)
class Step:
    """What a stage tells as it goes on."""

    stage: str
    step: int
    steps: int
    loss: float


class _Positions(TrainerCallback):
    """Writes where in the data each checkpoint stands, and tells of every step that is logged."""

    def __init__(self, stage: Stage, told: dict[str, Any], tell: Callable[[Step], None]) -> None:
        self._stage, self._told, self._tell = stage, told, tell

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs and state.is_world_process_zero:
            self._tell(Step(self._stage.name, state.global_step, state.max_steps, logs["loss"]))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        a_step = self._stage.batch * self._stage.accumulate * args.world_size
        told = self._told | {"step": state.global_step, "epoch": state.epoch, "examples": state.global_step * a_step}
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / POSITION).write_text(json.dumps(told, indent=1))


class StageTrainer(SFTTrainer):
    """Keeps in a checkpoint the weights that learn, by the names that they have in memory.

    Trainer's own way loses them on the way back: it loads by names of memory what `save_pretrained` wrote by names of
    the hub (Qwen2.5-VL's `visual.` for `model.visual.`) and only warns, and of a model with adapters it keeps the
    adapters alone, though the projector learns beside them. Seen in Transformers 5.17.
    """

    projector = 1.0
    """Times the learning rate at which the projector learns."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **given: Any) -> Any:
        if not isinstance(self.data_collator, Together):
            return super().compute_loss(model, inputs, return_outputs, **given)
        # Trainer leaves to the loss of a whole batch what its parts are divided by.
        parts = 1 if given.get("num_items_in_batch") is None else self.current_gradient_accumulation_steps
        return loss_of(model, inputs) / parts

    def create_optimizer(self, *given: Any) -> Any:
        optimizer = super().create_optimizer(*given)
        if self.projector != 1:
            family = bases.family_of(self.model)
            named = self.model.named_parameters()
            its = {id(weight) for name, weight in named if bases.part_of(name, family) == "projector"}
            for group in list(optimizer.param_groups):
                mine = [weight for weight in group["params"] if id(weight) in its]
                if mine:
                    group["params"] = [weight for weight in group["params"] if id(weight) not in its]
                    optimizer.add_param_group({**group, "params": mine, "lr": group["lr"] * self.projector})
        return optimizer

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        if self.is_fsdp_enabled:
            super()._save(output_dir, state_dict)
            return
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_file(learning(self.model), folder / LEARNING)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        there = learning(model or self.model)
        kept = load_file(Path(resume_from_checkpoint) / LEARNING)
        if kept.keys() != there.keys():
            raise OtherRun
        with torch.no_grad():
            for name, weight in there.items():
                weight.copy_(kept[name])


def learning(model: Any) -> dict[str, torch.Tensor]:
    """The weights that learn, by their names in memory."""
    return {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}


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
    resized = bases.resizing(processor) if boxes == "resized" else lambda size: size

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

    def rows(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        made = [row(at) for at in batch["at"]]
        return {name: [one[name] for one in made] for name in made[0]}

    return Dataset.from_dict({"at": list(range(len(groups)))}).with_transform(rows)


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


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of a stage: the folder of its weights and processor, how many questions there were, losses by step."""

    folder: Path
    questions: int
    losses: tuple[float, ...]


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
    told = {"run": run.digest, "stage": asdict(stage), "data": [one.digest for one in sets], "seed": run.seed}
    told = json.loads(json.dumps(told))  # as it is read back
    last = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
    if last is not None:
        before = json.loads((Path(last) / POSITION).read_text())
        if any(before[name] != value for name, value in told.items()):
            raise OtherRun
    torch.manual_seed(run.seed)
    positions = _Positions(stage, told, tell)
    trainer = StageTrainer(
        model=bases.set_free(model, stage),
        args=arguments(run, stage, folder),
        train_dataset=as_dataset(sets, in_groups(questions, stage.together), boxes, processor),
        data_collator=collator,
        processing_class=processor,
        callbacks=[positions],
    )
    trainer.projector = stage.projector
    trainer.remove_callback(PrinterCallback)
    if trainer.is_fsdp_enabled and stage.train in ("lora", "adapters"):
        raise BadRun("adapters cannot be merged under FSDP: train all weights, or on one GPU")
    trainer.train(resume_from_checkpoint=last)
    part = folder / "model.part"
    _write(trainer, processor, part)
    losses = [one["loss"] for one in trainer.state.log_history if "loss" in one]
    return Learnt(part, len(questions), tuple(losses))


def _write(trainer: SFTTrainer, processor: Any, part: Path) -> None:
    if trainer.is_fsdp_enabled:
        # Every process takes part in gathering what is spread over them.
        weights = trainer.accelerator.get_state_dict(trainer.model)
        model = trainer.accelerator.unwrap_model(trainer.model)
    else:
        model = bases.merged(trainer.accelerator.unwrap_model(trainer.model))
        weights = None
    if is_first_process():
        shutil.rmtree(part, ignore_errors=True)
        model.save_pretrained(part, state_dict=weights)
        processor.save_pretrained(part)


def is_first_process() -> bool:
    """Whether this process writes what all of them made."""
    return _processes().is_main_process


def wait_for_all() -> None:
    """Until every process is here: the next stage begins from what the first one wrote."""
    _processes().wait_for_everyone()


def _processes() -> PartialState:
    # As Trainer makes it: without being told of a CPU it takes each of several processes there for the only one.
    return PartialState(cpu=not torch.cuda.is_available())


def arguments(run: Run, stage: Stage, folder: Path) -> SFTConfig:
    """Of a trainer of a stage, with its checkpoints in `folder`."""
    on_gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=stage.batch,
        gradient_accumulation_steps=stage.accumulate,
        num_train_epochs=stage.epochs,
        max_steps=stage.steps or -1,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup,
        weight_decay=stage.weight_decay,
        max_length=stage.length,
        bf16=run.precision == "bf16",
        use_cpu=not on_gpu,
        gradient_checkpointing=run.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if run.gradient_checkpointing else None,
        completion_only_loss=True,
        remove_unused_columns=False,
        dataloader_num_workers=4 if on_gpu else 0,
        save_strategy="steps",
        save_steps=run.checkpoints,
        save_total_limit=run.kept,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=list(run.track) or "none",
        seed=run.seed,
        data_seed=run.seed,
        disable_tqdm=True,
    )
