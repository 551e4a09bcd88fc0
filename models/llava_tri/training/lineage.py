"""What a model is made of: data sets, offsets, base, settings, versions. Written beside every result."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from models.llava_tri.digest import weights_digest
from models.llava_tri.training.examples import TrainingSet
from models.llava_tri.training.settings import BadRun, Run, Stage

LINEAGE = "lineage.json"
Lineage = Mapping[str, Any]
LIBRARIES = ("accelerate", "datasets", "peft", "torch", "transformers", "trl")


def first_lineage(run: Run, sets: Sequence[TrainingSet], commit: str | None) -> dict[str, Any]:
    """Of a run before its first stage.

    Args:
        run: its settings.
        sets: what it learns from.
        commit: of the base on the hub; None: it is a folder, and its weights are hashed.
    """
    folder = Path(run.base)
    before = read_lineage(folder) if (folder / LINEAGE).is_file() else None
    return {
        "title": run.title,
        "run": run.digest,
        "base": {
            "name": folder.name if folder.is_dir() else run.base,
            "commit": commit,
            "digest": weights_digest(folder) if folder.is_dir() else None,
            "lineage": before,
        },
        "data": [one.digest for one in sets],
        "sets": [_told(one) for one in sets],
        "text_generation": max([before.get("text_generation", 0) if before else 0, *(one.generation for one in sets)]),
        "settings": {**asdict(run), "data": [Path(one).name for one in run.data], "base": folder.name},
        "versions": {name: version(name) for name in LIBRARIES},
        "stages": [],
    }


def after_stage(
    before: Lineage,
    stage: Stage,
    *,
    questions: int,
    losses: Sequence[float],
    rewards: Sequence[float] = (),
    seconds: float,
) -> dict[str, Any]:
    """With one stage more."""
    told = {
        "name": stage.name,
        "trained": stage.train,
        "kinds": list(stage.kinds),
        "questions": questions,
        "steps": len(losses),
        **tenths("loss", losses),
        **(tenths("reward", rewards) if rewards else {}),
        "seconds": round(seconds),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {**before, "stages": [*before["stages"], told]}


def tenths(name: str, values: Sequence[float]) -> dict[str, float]:
    """Means of the first and of the last tenth of what was told step by step, of one step at least."""
    ends = max(1, len(values) // 10)
    some = {"first": values[:ends], "last": values[-ends:]}
    return {f"{name}_{which}_tenth": round(sum(each) / ends, 4) for which, each in some.items()}


def read_lineage(folder: Path) -> dict[str, Any]:
    """Of a model's folder.

    Raises:
        BadRun: it has none.
    """
    try:
        return json.loads((folder / LINEAGE).read_bytes())
    except (OSError, ValueError):
        raise BadRun(f"{folder.name!r} has no {LINEAGE}: it is no result of tristream train") from None


def write_lineage(folder: Path, lineage: Lineage) -> None:
    """Beside the weights."""
    (folder / LINEAGE).write_text(json.dumps(lineage, indent=1) + "\n", encoding="utf-8")


def _told(one: TrainingSet) -> dict[str, Any]:
    report = one.report
    return {
        "name": one.folder.name,
        "digest": one.digest,
        "images": report["images"],
        "describers": one.describers,
        "read_from": report["source"],  # files, or a topic with its offsets
        "sources": report["sources"],
        "licences": report["licences"],
    }
