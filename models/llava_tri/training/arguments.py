"""What every trainer of a stage is told, whatever it learns from."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

from pathlib import Path
from typing import Any

import torch

from models.llava_tri.training.settings import Run, Stage


def shared(run: Run, stage: Stage, folder: Path) -> dict[str, Any]:
    """Arguments of Transformers' TrainingArguments, by their names; batches are left out."""
    on_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(folder),
        "gradient_accumulation_steps": stage.accumulate,
        "num_train_epochs": stage.epochs,
        "max_steps": stage.steps or -1,
        "learning_rate": stage.learning_rate,
        "lr_scheduler_type": stage.schedule,
        "warmup_steps": stage.warmup,
        "weight_decay": stage.weight_decay,
        "bf16": run.precision == "bf16",
        "use_cpu": not on_gpu,
        "gradient_checkpointing": run.gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False} if run.gradient_checkpointing else None,
        "remove_unused_columns": False,
        "dataloader_num_workers": 4 if on_gpu else 0,
        "save_strategy": "steps",
        "save_steps": run.checkpoints,
        "save_total_limit": run.kept,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "report_to": list(run.track) or "none",
        "seed": run.seed,
        "data_seed": run.seed,
        "disable_tqdm": True,
    }
