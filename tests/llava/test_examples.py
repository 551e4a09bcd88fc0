"""The scripts in examples/ that train run on a data set as it is built. `make test-llava`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the environment of make llava-env")

from infra.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str, cache: Path) -> str:
    """What an example prints."""
    environment = {**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_trl_trains(data_set: Path, qwen: Path, tmp_path: Path) -> None:
    """On pictures and conversations as they lie: the loss of each step is a number."""
    text = run("train_with_trl.py", str(data_set), str(qwen), str(tmp_path / "out"), "2", cache=tmp_path)
    losses = [float(line) for line in text.splitlines() if line.replace(".", "").isdigit()]
    assert len(losses) == 2
    assert all(0 < loss < 20 for loss in losses)


def test_a_detector_trains(data_set: Path, tmp_path: Path) -> None:
    """All four losses of Faster R-CNN are numbers above zero."""
    triplets, out = data_set.parent / "triplets.jsonl", tmp_path / "coco"
    result = CliRunner().invoke(main, ["dataset", "build", str(triplets), "--out", str(out), "--format", "coco"])
    assert result.exit_code == 0, result.output
    text = run("train_detector.py", str(out), cache=tmp_path)
    assert all(f"'{name}': " in text for name in ("loss_classifier", "loss_box_reg", "loss_objectness"))
    assert "nan" not in text
