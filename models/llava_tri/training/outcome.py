"""What comes of a stage, and who writes it: the first of all processes."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import PrinterCallback

from models.llava_tri.training import bases
from models.llava_tri.training.settings import BadRun, Stage


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of a stage: the folder of its weights and processor, how many questions there were, losses by step.

    `rewards` are means of a step, of a stage that learns from them.
    """

    folder: Path
    questions: int
    losses: tuple[float, ...]
    rewards: tuple[float, ...] = ()


def teach(trainer: Any, stage: Stage, last: str | None) -> None:
    """Train a stage from the checkpoint `last` on, or from the beginning.

    Raises:
        BadRun: the stage cannot be trained as processes stand together here.
    """
    trainer.projector = stage.projector
    trainer.remove_callback(PrinterCallback)
    if trainer.is_fsdp_enabled and stage.train in ("lora", "adapters"):
        raise BadRun("adapters cannot be merged under FSDP: train all weights, or on one GPU")
    trainer.train(resume_from_checkpoint=last)


def write_model(trainer: Any, processor: Any, folder: Path) -> Path:
    """The model of a trainer with its processor, whole: what is spread over processes together, adapters merged.

    Returns as `put` does.
    """
    if trainer.is_fsdp_enabled:
        # Every process takes part in gathering what is spread over them.
        weights = trainer.accelerator.get_state_dict(trainer.model)
        model = trainer.accelerator.unwrap_model(trainer.model)
    else:
        model = bases.merged(trainer.accelerator.unwrap_model(trainer.model))
        weights = None
    return put(model, processor, folder, weights)


def put(model: Any, processor: Any, folder: Path, weights: Any = None) -> Path:
    """Write a stage's model, by the first process, beside its place in the stage's folder: its lineage is yet to come.

    Returns where. `weights`: in place of those that the model holds.
    """
    part = folder / "model.part"
    if is_first_process():
        shutil.rmtree(part, ignore_errors=True)
        model.save_pretrained(part, state_dict=weights)
        processor.save_pretrained(part)
    return part


def is_first_process() -> bool:
    """Whether this process writes what all of them made."""
    return _processes().is_main_process


def processes() -> int:
    """How many train together."""
    return _processes().num_processes


def wait_for_all() -> None:
    """Until every process is here: the next stage begins from what the first one wrote."""
    _processes().wait_for_everyone()


def _processes() -> PartialState:
    # As Trainer makes it: without being told of a CPU it takes each of several processes there for the only one.
    return PartialState(cpu=not torch.cuda.is_available())
