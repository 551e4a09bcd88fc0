"""Benchmarks by their names on the command line, each with its loader."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.llava_tri.evaluation.benchmarks import held_out, reports, vqa
from models.llava_tri.evaluation.questions import Benchmark

Loader = Callable[[Path, str, Path | None], Benchmark]
LOADERS: dict[str, Loader] = {
    "vqa-rad": partial(vqa.load, vqa.VQA_RAD),
    "slake": partial(vqa.load, vqa.SLAKE),
    "pathvqa": partial(vqa.load, vqa.PATH_VQA),
    "iu-xray": reports.iu_xray,
    "roco": reports.roco,
    "held-out": held_out.held_out,
    "grounding": held_out.grounding,
}
"""Each takes the folder, the split, and the folder of the pictures where they lie elsewhere."""

__all__ = ["LOADERS", "Loader"]
