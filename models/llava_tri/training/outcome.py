"""What comes of a stage, and who writes it: the first of all processes."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from models.llava_tri.training import bases


@dataclass(frozen=True, slots=True)
class Learnt:
    """What came of a stage: the folder of its weights and processor, how many questions there were, losses by step.

    `rewards` are means of a step, of a stage that learns from them.
    """

    folder: Path
    questions: int
    losses: tuple[float, ...]
    rewards: tuple[float, ...] = ()


def write_model(trainer: Any, processor: Any, part: Path) -> None:
    """The model of a trainer with its processor, whole: what is spread over processes together, adapters merged."""
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


def processes() -> int:
    """How many train together."""
    return _processes().num_processes


def wait_for_all() -> None:
    """Until every process is here: the next stage begins from what the first one wrote."""
    _processes().wait_for_everyone()


def _processes() -> PartialState:
    # As Trainer makes it: without being told of a CPU it takes each of several processes there for the only one.
    return PartialState(cpu=not torch.cuda.is_available())
