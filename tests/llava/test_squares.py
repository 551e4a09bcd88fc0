"""The stage in which a projector learns what lies in each square of a picture."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from safetensors.torch import load_file  # noqa: E402

from models.llava_tri.training import squares  # noqa: E402
from models.llava_tri.training.bases import FAMILIES, part_of  # noqa: E402
from models.llava_tri.training.examples import TrainingSet  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.run import MODEL, train  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage  # noqa: E402

SQUARES = Stage("squares", "projector", 1e-2, objective="squares", batch=2, steps=20)


def run(base: Path, data: Path, *stages: Stage) -> Run:
    return Run(str(base), (str(data),), stages, precision="fp32", gradient_checkpointing=False)


def test_a_region_stands_in_the_squares_that_it_covers(data_set: Path) -> None:
    """A box of 20 × 25 px at (30 + 5 n, 50) of 128 px: in that part of the grid and in no other, by its label."""
    one = TrainingSet(data_set)
    labels = squares._labels([told := one.regions()])
    regions = squares._regions(told, one.triplet_ids(), 8, labels)
    tumour = labels.index("tumour")
    parts = squares.PARTS
    covered = regions.covered.view(6, 8, 8, len(labels), parts, parts)[:, :, :, tumour]
    covered = covered.permute(0, 1, 3, 2, 4).reshape(6, 32, 32)
    lefts: set[float] = set()
    for picture in covered:
        rows, columns = torch.nonzero(picture == 1, as_tuple=True)
        left = columns.min().item() * 4
        assert (rows.min().item() * 4, (rows.max().item() + 1) * 4) == (52, 72)
        assert picture.sum() * 16 == pytest.approx(20 * 25)
        lefts.add(left)
    assert lefts == {32, 36, 40, 48, 52, 56}
    # Middles at (40 + 5 n, 62.5) px: row 3, and columns 2 to 4, which are 16 px wide.
    middles = torch.nonzero(regions.middles[..., tumour])[:, 1]
    assert set(middles.tolist()) <= {3 * 8 + column for column in (2, 3, 4)}
    assert len(middles) == 6
    boxes = regions.boxes[torch.arange(6), middles] * 128
    assert torch.allclose(boxes[:, 2:] - boxes[:, :2], torch.tensor([20.0, 25.0]))


def test_a_token_is_drawn_to_what_its_square_is_called(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """After the stage, tokens are nearer to the words for their own third than to those for the others."""
    from transformers import AutoModelForImageTextToText, AutoProcessor

    trained = train(run(tiny, data_set, replace(SQUARES, steps=100)), tmp_path / "run")
    model, processor = AutoModelForImageTextToText.from_pretrained(trained), AutoProcessor.from_pretrained(trained)
    words = torch.nn.functional.normalize(squares._words(model, processor, ()), dim=1)
    with torch.no_grad():
        tokens = model.model.multi_modal_projector(
            squares._seen(model, squares._pixels(processor, TrainingSet(data_set), 6))
        )
    near = tokens @ words.T
    rows = torch.arange(16) // 4 * 3 // 4
    assert (near[..., :3].argmax(dim=-1) == rows).float().mean() > 0.9


def test_the_projector_alone_learns_and_speaks_as_loud_as_words(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """No other weight moves; the tokens of a picture end with the deviation of words' embeddings, about their mean."""
    trained = train(run(tiny, data_set, SQUARES), tmp_path / "run")
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny, trained))
    moved = {part_of(name, FAMILIES["llava"]) for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"projector"}

    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(trained)
    pixels = squares._pixels(AutoProcessor.from_pretrained(trained), TrainingSet(data_set), 6)
    with torch.no_grad():
        tokens = model.model.multi_modal_projector(squares._seen(model, pixels))
    assert tokens.std().item() == pytest.approx(model.get_input_embeddings().weight.std().item(), rel=0.01)


def test_squares_are_a_llavas(qwen: Path, data_set: Path, tmp_path: Path) -> None:
    """A family of other tokens is refused, and so are questions in such a stage."""
    with pytest.raises(BadRun, match="LLaVA"):
        train(run(qwen, data_set, SQUARES), tmp_path / "run")
    with pytest.raises(BadRun, match="without questions"):
        Stage("squares", "all", 1e-2, objective="squares")


def test_two_processes_train_one_model(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """Both learn, one writes, and the next stage begins when it has: the tiny preset is trained so on two cores."""
    config, out = tmp_path / "run.toml", tmp_path / "run"
    config.write_text(
        f'base = "{tiny}"\nprecision = "fp32"\ngradient_checkpointing = false\n'
        '[[stage]]\nname = "squares"\ntrain = "projector"\nobjective = "squares"\nlearning_rate = 1e-3\nsteps = 2\n'
        '[[stage]]\nname = "align"\ntrain = "lora"\nlearning_rate = 1e-3\nbatch = 1\ntogether = 4\nsteps = 2\n'
    )
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "infra.cli",
    ]
    done = subprocess.run(
        [*command, "train", str(config), "--data", str(data_set), "--out", str(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    stages = read_lineage(out / "2-align" / MODEL)["stages"]
    assert [(stage["name"], stage["steps"]) for stage in stages] == [("squares", 2), ("align", 2)]
