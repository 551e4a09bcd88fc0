"""`tristream experts phantoms` and `train`, as far as they go without torch."""

import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from models.experts.datasets import open_dataset


def test_without_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch is missing, training ends with status 2 and says what to do."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["experts", "train", "--data", str(tmp_path), "--out", "a.onnx"])
    assert result.exit_code == 2
    assert "make train-env" in result.output
    assert "torch" in result.output


def test_phantoms(tmp_path: Path) -> None:
    """Phantoms are written as a folder to train on, and nothing is written over."""
    out = tmp_path / "us"
    command = ["experts", "phantoms", "--out", str(out), "--modality", "ultrasound", "--count", "3", "--side", "128"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert open_dataset(out).files == 3
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 1
    assert "not empty" in again.output


def test_no_such_phantom(tmp_path: Path) -> None:
    """A modality without a phantom is bad usage, and the others are named."""
    result = CliRunner().invoke(main, ["experts", "phantoms", "--out", str(tmp_path), "--modality", "sonar"])
    assert result.exit_code == 2
    assert "ultrasound" in result.output
