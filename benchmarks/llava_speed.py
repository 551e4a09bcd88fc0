"""What a step of each stage of LLaVA-Tri costs: tokens and pictures a second, MFU, memory; beside a plain TRL script.

    .venv-llava/bin/python -m benchmarks.llava_speed BASE SET [--stages align multigranular task] [--steps 6]

BASE is a model's folder, SET a data set of `tristream dataset build` with Parquet. Each stage has a process of its own,
so that its memory is its own, and one thread; times are of the processor, so that other work on the machine counts for
little. A stage is trained by `tristream train`'s own code and by a script that knows TRL alone and has all rows
in memory, in turns; FLOPs are counted by torch while a step runs, the peak is that of a matrix product in the same
process. One JSON a line.
"""

# pyright: basic, reportMissingImports=false
# torch and transformers are installed in .venv-llava only.

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STAGES = {
    "align": ("projector", ("caption",)),
    "multigranular": ("all", ("description", "phrase-to-box", "box-to-phrase")),
    "task": ("lora", ("*",)),
}
WARM = 2
"""Steps at the start that are left out."""
TURNS = 2


@dataclass
class Watched:
    """What was seen of the steps of one training, each with its own entry; the counted step has none of `seconds`."""

    seconds: list[float] = field(default_factory=list)
    loading: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    pictures: list[int] = field(default_factory=list)
    flops: int = 0


def watching(kind: type, watched: Watched, count: int) -> type:
    """A trainer of this kind whose steps are watched; FLOPs are counted in step `count`."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    class Trainer(kind):
        def get_batch_samples(self, *given: Any, **more: Any) -> Any:
            begun = time.process_time()
            self._begun = begun
            found = super().get_batch_samples(*given, **more)
            watched.loading.append(time.process_time() - begun)
            return found

        def training_step(self, model: Any, inputs: Any, *given: Any, **more: Any) -> Any:
            watched.tokens.append(int(inputs["attention_mask"].sum()))
            sizes = inputs.get("image_grid_thw")
            watched.pictures.append(len(inputs["pixel_values"]) if sizes is None else len(sizes))
            if len(watched.tokens) != count:
                return super().training_step(model, inputs, *given, **more)
            with FlopCounterMode(display=False) as counter:
                loss = super().training_step(model, inputs, *given, **more)
            watched.flops = counter.get_total_flops()
            return loss

        def log(self, logs: dict[str, float], *given: Any, **more: Any) -> None:
            if "loss" in logs:  # Each step logs, at its end.
                watched.seconds.append(time.process_time() - self._begun)
            super().log(logs, *given, **more)

    assert torch.get_num_threads() == 1
    return Trainer


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """A name of a module means something else for a while."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def forget() -> None:
    """What the tiny preset's tower saw before."""
    from models.llava_tri.tiny import tower

    tower.FEATURES.folder = None
    tower.FEATURES._latest.clear()  # pyright: ignore[reportPrivateUsage]


def ours(base: str, data: str, stage: Any, count: int) -> Watched:
    """By `tristream train`'s own code."""
    from models.llava_tri.training import stages
    from models.llava_tri.training.run import train
    from models.llava_tri.training.settings import Run

    watched = Watched()
    run = Run(base, (data,), (stage,), precision="fp32", gradient_checkpointing=False, checkpoints=10**6)
    with (
        tempfile.TemporaryDirectory() as folder,
        replaced(stages, "StageTrainer", watching(stages.StageTrainer, watched, count)),
    ):
        train(run, Path(folder) / "run")
    return watched


def plain(base: str, data: str, stage: Any, count: int) -> Watched:
    """By TRL alone: the same weights learn the same questions, which lie decoded in memory."""
    import torch
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from models.llava_tri.training import bases, stages
    from models.llava_tri.training.examples import TrainingSet
    from models.llava_tri.training.settings import Run

    watched = Watched()
    run = Run(base, (data,), (stage,), precision="fp32")
    model, processor = bases.load(base, run)
    sets = [TrainingSet(Path(data))]
    questions = stages.questions_of(sets, stage)[: 4 * stage.batch * (stage.steps + 1)]
    boxes = bases.family_of(model).boxes
    rows = stages.as_dataset(sets, [[one] for one in questions], boxes, processor)
    rows = Dataset.from_list(
        [{name: rows[at][name] for name in ("images", "prompt", "completion")} for at in range(len(rows))]
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = SFTConfig(
            output_dir=folder, max_steps=stage.steps, learning_rate=stage.learning_rate, max_length=stage.length,
            per_device_train_batch_size=stage.batch, completion_only_loss=True, logging_steps=1, report_to="none",
            use_cpu=True, bf16=False, gradient_checkpointing=False, save_strategy="no", remove_unused_columns=False,
            disable_tqdm=True,
        )  # fmt: skip
        torch.manual_seed(0)
        trainer = watching(SFTTrainer, watched, count)(
            model=bases.set_free(model, stage), args=settings, train_dataset=rows, processing_class=processor
        )
        trainer.train()
    return watched


def peak() -> float:
    """FLOP a second of processor time of one thread, of a product of two matrices in float32: the best of twenty."""
    import torch

    one = torch.rand(1024, 1024)
    best = float("inf")
    for _ in range(20):
        begun = time.process_time()
        _ = one @ one
        best = min(best, time.process_time() - begun)
    return 2 * 1024**3 / best


def measure(base: str, data: str, name: str, steps: int, batch: int) -> dict[str, Any]:
    """One stage, in this process."""
    import torch

    from models.llava_tri.training.settings import Stage

    torch.set_num_threads(1)
    trained, kinds = STAGES[name]
    count = WARM  # FLOPs are counted in the last step that is left out.
    stage = Stage(name, trained, 1e-5, kinds, batch=batch, steps=WARM + steps, schedule="constant", warmup=0)  # pyright: ignore[reportArgumentType]
    seen: dict[str, list[Watched]] = {"ours": [], "plain": []}
    made: tuple[tuple[str, Callable[..., Watched]], ...] = (("ours", ours), ("plain", plain))
    for _ in range(TURNS):
        for which, run in made:
            forget()
            seen[which].append(run(base, data, stage, count))
    before = peak()
    of: dict[str, float] = {}
    for which, runs in seen.items():
        # By the token, for the two draw batches of their own.
        of[which] = sum(sum(one.seconds[WARM:]) for one in runs) / sum(sum(one.tokens[WARM:]) for one in runs)
    mine = seen["ours"]
    seconds = [one for run in mine for one in run.seconds[WARM:]]
    counted = [run.flops / run.tokens[count - 1] for run in mine]
    return {
        "stage": name, "trains": trained, "batch": batch, "steps": len(seconds),
        "tokens a step": statistics.median(one for run in mine for one in run.tokens[WARM:]),
        "s a step": round(statistics.median(seconds), 3),
        "tokens a s": round(1 / of["ours"], 1),
        "pictures a s": round(sum(sum(run.pictures[WARM:]) for run in mine) / sum(seconds), 3),
        "loading": round(sum(sum(run.loading[WARM:]) for run in mine) / sum(seconds), 4),
        "FLOP a token": round(statistics.mean(counted) / 1e6) * 10**6,
        "peak GFLOP a s": round(before / 1e9, 1),
        "MFU": round(statistics.mean(counted) / of["ours"] / before, 3),
        "ours to plain": round(of["ours"] / of["plain"], 3),
        "memory MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip


def main() -> None:
    """A process a stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base")
    parser.add_argument("data")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--steps", type=int, default=6, help="that are measured, of each of two turns")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(json.dumps(measure(given.base, given.data, given.stages[0], given.steps, given.batch)))
        return
    for stage in given.stages:
        argv = [sys.executable, "-m", "benchmarks.llava_speed", given.base, given.data, "--here", "--stages", stage]
        argv += ["--steps", str(given.steps), "--batch", str(given.batch)]
        done = subprocess.run(
            argv, check=True, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )
        print(done.stdout.splitlines()[-1], flush=True)


if __name__ == "__main__":
    main()
