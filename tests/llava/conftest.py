"""A data set that the pipeline made of drawn images, and tiny random models to train on it."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from infra.cli import main
from models.experts.phantoms import draw
from tests.llava.small import BASES, small_tiny

SPLITS = ("train",) * 6 + ("validation", "test")


@pytest.fixture(scope="session")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight patients, each with one slice in which the source marks a tumour."""
    folder = tmp_path_factory.mktemp("set")
    source = folder / "in"
    source.mkdir()
    for seed, split in enumerate(SPLITS):
        values = draw("MR", seed=seed, side=128).values
        grey = np.interp(values, (values.min(), values.max()), (0, 255)).astype(np.uint8)
        box = {"x": 30 + 5 * seed, "y": 50, "width": 20, "height": 25, "label": "tumour"}
        cv2.imwrite(str(source / f"{seed}.png"), grey)
        told = {
            "source": "Drawn 1", "licence": "CC0-1.0", "patient": f"P{seed}", "split": split,
            "modality": "MR", "organ": "brain", "boxes": [box],
        }  # fmt: skip
        (source / f"{seed}.png.json").write_text(json.dumps(told))
    triplets, out = folder / "triplets.jsonl", folder / "drawn"
    _run("annotate", str(source), "--triplets", str(triplets))
    formats = ("--format", "parquet", "--format", "coco")
    _run("dataset", "build", str(triplets), "--out", str(out), "--turns", "8", "--unproven", *formats)
    return out


def _run(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a model of two layers with random weights, of a family by its name."""
    made: dict[str, Path] = {}

    def make(family: str) -> Path:
        if family not in made:
            import torch
            from bases import FAMILIES

            made[family] = tmp_path_factory.mktemp("base") / family
            torch.manual_seed(0)
            FAMILIES[family](made[family])
        return made[family]

    sys.path.insert(0, str(BASES))
    return make


@pytest.fixture(scope="session")
def qwen(base: Callable[[str], Path]) -> Path:
    """A Qwen2.5-VL."""
    return base("qwen2-5-vl")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As small_tiny makes it."""
    import torch

    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("base") / "tiny"
    small_tiny(out)
    return out
