"""What a trainer of any stage keeps: the weights that learn, and where in the data each checkpoint stands."""

# pyright: reportMissingImports=false, reportUntypedBaseClass=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import Trainer, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from models.llava_tri.training import bases
from models.llava_tri.training.settings import Run, Stage
from schemas.failures import TristreamError

POSITION = "position.json"
LEARNING = "learning.safetensors"


class OtherRun(TristreamError):
    """A checkpoint cannot be continued with other settings or data."""

    def __init__(self) -> None:
        super().__init__("the checkpoint is of other settings or other data: repeat those, or name a new --out")


@dataclass(frozen=True, slots=True)
class Step:
    """What a stage tells as it goes on; `reward`: mean of the step's answers, where it learns from rewards."""

    stage: str
    step: int
    steps: int
    loss: float
    reward: float | None = None


class Positions(TrainerCallback):
    """Writes where in the data each checkpoint stands, and tells of every step that is logged."""

    def __init__(self, stage: Stage, told: dict[str, Any], tell: Callable[[Step], None]) -> None:
        self._stage, self._told, self._tell = stage, told, tell

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs and state.is_world_process_zero:
            self._tell(Step(self._stage.name, state.global_step, state.max_steps, logs["loss"], logs.get("reward")))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if not state.is_world_process_zero:
            return
        a_step = self._stage.batch * self._stage.accumulate * args.world_size
        told = self._told | {"step": state.global_step, "epoch": state.epoch, "examples": state.global_step * a_step}
        (Path(args.output_dir) / f"checkpoint-{state.global_step}" / POSITION).write_text(json.dumps(told, indent=1))


class Kept(Trainer):
    """Of a trainer: keeps in a checkpoint the weights that learn, by the names that they have in memory.

    Trainer's own way loses them on the way back: it loads by names of memory what `save_pretrained` wrote by names of
    the hub (Qwen2.5-VL's `visual.` for `model.visual.`) and only warns, and of a model with adapters it keeps the
    adapters alone, though the projector learns beside them. Seen in Transformers 5.17.
    """

    projector = 1.0
    """Times the learning rate at which the projector learns."""

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
        restore(model or self.model, Path(resume_from_checkpoint))


def learning(model: Any) -> dict[str, torch.Tensor]:
    """The weights that learn, by their names in memory."""
    return {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}


def restore(model: Any, folder: Path) -> None:
    """Give the weights that learn the values that a checkpoint keeps.

    Raises:
        OtherRun: it keeps other weights.
    """
    there, kept = learning(model), load_file(folder / LEARNING)
    if kept.keys() != there.keys():
        raise OtherRun
    with torch.no_grad():
        for name, weight in there.items():
            weight.copy_(kept[name])


def last_checkpoint(folder: Path, told: dict[str, Any]) -> str | None:
    """The last one of a stage; None where there is none.

    Raises:
        OtherRun: it is of other settings or data than `told`.
    """
    last = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if last is not None:
        before = json.loads((Path(last) / POSITION).read_text())
        if any(before.get(name) != value for name, value in told.items()):
            raise OtherRun
    return last


def identity(run: Run, stage: Stage, data: list[str]) -> dict[str, Any]:
    """What a checkpoint must be of to be gone on from; `data`: digests."""
    told = {"run": run.digest, "stage": asdict(stage), "data": data, "seed": run.seed}
    return json.loads(json.dumps(told))  # as it is read back
