"""Every family of models goes through the three stages in bfloat16, of all weights and of LoRA, and out to a server."""

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from models.llava_tri.training.export import export  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.run import train  # noqa: E402
from models.llava_tri.training.settings import Run, Stage  # noqa: E402

STAGES = (
    Stage("align", "projector", 1e-2, batch=2, steps=3),
    Stage("multigranular", "all", 5e-3, batch=2, steps=3),
    Stage("task", "lora", 5e-3, batch=2, steps=3, rank=4),
)


@pytest.mark.parametrize(
    ("family", "boxes"), [("qwen3-vl", "thousandths"), ("llava-clip", "unit"), ("llava-siglip", "unit")]
)
def test_a_family_is_trained_and_exported(
    base: Callable[[str], Path], data_set: Path, tmp_path: Path, family: str, boxes: str
) -> None:
    """Three steps a stage; the export says how its boxes are written."""
    torch.set_num_threads(1)
    trained = train(Run(str(base(family)), (str(data_set),), STAGES), tmp_path / "run")
    export(trained, tmp_path / "served")
    lineage = read_lineage(tmp_path / "served")
    assert lineage["boxes"] == boxes
    assert [one["steps"] for one in lineage["stages"]] == [3, 3, 3]
    assert lineage["base"]["digest"] != lineage["model"].partition("@")[2]
