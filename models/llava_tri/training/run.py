"""A whole run: stage after stage, each from what the one before it left, with a lineage beside every result."""

# pyright: reportMissingImports=false
# torch and transformers are installed in .venv-llava only; tests/llava runs this.

import time
from collections.abc import Callable
from pathlib import Path

from models.llava_tri.tiny.tower import FEATURES
from models.llava_tri.training import bases
from models.llava_tri.training.checkpoints import OtherRun, Step
from models.llava_tri.training.concepts import train_concepts
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.lineage import LINEAGE, after_stage, first_lineage, read_lineage, write_lineage
from models.llava_tri.training.outcome import is_first_process, wait_for_all
from models.llava_tri.training.rewarded import train_by_rewards
from models.llava_tri.training.settings import BadRun, Run
from models.llava_tri.training.stages import train_stage

MODEL = "model"
"""Folder of a stage's result, with its processor and lineage; checkpoints lie beside it until it is there."""


def train(run: Run, out: Path, *, resume: bool = False, tell: Callable[[Step], None] = lambda _: None) -> Path:
    """Train all stages; returns the folder of the last one's model.

    Args:
        run: what is trained.
        out: a folder for checkpoints and results.
        resume: go on in `out`: stages that are done are kept, a broken one goes on from its last checkpoint.
        tell: told of every step.

    Raises:
        BadRun: the run cannot be begun; the message says why.
        OtherRun: what stands in `out` is of other settings or data.
    """
    if out.exists() and any(out.iterdir()) and not resume:
        raise BadRun("the folder of the run is not empty: take another, or --resume")
    wait_for_all()  # Else who comes late would find what another process has put there.
    sets = [TrainingSet(Path(folder), model_written=run.model_written, cache=out / "pictures") for folder in run.data]
    FEATURES.folder = out / "features"
    base, lineage = run.base, None
    for number, stage in enumerate(run.stages, start=1):
        folder = out / f"{number}-{stage.name}"
        done = folder / MODEL
        if (done / LINEAGE).is_file():
            lineage = read_lineage(done)
            if lineage["run"] != run.digest or lineage["data"] != [one.digest for one in sets]:
                raise OtherRun
        else:
            model, processor = bases.load(base, run)
            lineage = lineage or first_lineage(run, sets, getattr(model.config, "_commit_hash", None))
            begun = time.monotonic()
            if stage.objective == "concepts":
                learnt = train_concepts(model, processor, sets, run, stage, folder, tell=tell)
            else:
                learn = train_by_rewards if stage.objective == "rewards" else train_stage
                learnt = learn(model, processor, sets, run, stage, folder, resume=resume, tell=tell)
            lineage = after_stage(
                lineage,
                stage,
                questions=learnt.questions,
                losses=learnt.losses,
                rewards=learnt.rewards,
                seconds=time.monotonic() - begun,
            )
            if is_first_process():
                write_lineage(learnt.folder, lineage)
                learnt.folder.rename(done)
            wait_for_all()
        base = str(done)
    return Path(base)
