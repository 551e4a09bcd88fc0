"""The stage in which the tiny preset's reader learns the sentence that it says of a picture."""

# pyright: basic, reportMissingImports=false
# torch is installed in .venv-llava only.

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: E402

from models.llava_tri.evaluation import read_out  # noqa: E402
from models.llava_tri.training import concepts  # noqa: E402
from models.llava_tri.training.examples import TrainingSet  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.run import MODEL, train  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage  # noqa: E402

CONCEPTS = Stage("concepts", "projector", 3e-3, objective="concepts", batch=6, steps=60, warmup=0.3)
SQUARES = 16


def run(base: Path, data: Path, *stages: Stage) -> Run:
    facts = (str(data.with_name("triplets.jsonl")),)
    return Run(str(base), (str(data),), stages, facts=facts, precision="fp32", gradient_checkpointing=False)


@pytest.fixture(scope="module")
def learnt(tiny: Path, data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model after the stage."""
    return train(run(tiny, data_set, CONCEPTS), tmp_path_factory.mktemp("run") / "run")


def tokens_of(folder: Path, data: Path) -> tuple[Any, Any, Any]:
    """A model, its processor, and its tokens of the six training pictures, as the language model gets them."""
    model, processor = AutoModelForImageTextToText.from_pretrained(folder), AutoProcessor.from_pretrained(folder)
    with torch.no_grad():
        seen = model.model.vision_tower(concepts.pixels_of(processor, TrainingSet(data)))
        return model, processor, model.model.multi_modal_projector(seen.last_hidden_state)


def test_a_mark_stands_in_the_squares_that_it_covers(data_set: Path) -> None:
    """A box of 20 × 25 px at (30 + 5 n, 50) of 128 px: in that part of the grid, and what experts found is left out."""
    one = TrainingSet(data_set)
    told = one.regions()
    whole = coco.encode(np.ones((128, 128), np.uint8, order="F"))
    told["annotations"].append(told["annotations"][0] | {"kind": "candidate", "segmentation": whole})
    assert set(concepts._marked(told).values()) == {"tumour"}
    covered = concepts._covered(told, one.triplet_ids(), 8, ["tumour"])
    parts = concepts.PARTS
    covered = covered.view(6, 8, 8, parts, parts).permute(0, 1, 3, 2, 4).reshape(6, 32, 32)
    lefts: set[float] = set()
    for picture in covered:
        rows, columns = torch.nonzero(picture == 1, as_tuple=True)
        assert (rows.min().item() * 4, (rows.max().item() + 1) * 4) == (52, 72)
        assert picture.sum() * 16 == pytest.approx(20 * 25)
        lefts.add(columns.min().item() * 4)
    assert lefts == {32, 36, 40, 48, 52, 56}


def test_the_sentence_is_made_of_words_and_says_what_facts_say(learnt: Path, data_set: Path) -> None:
    """Its fixed tokens are embeddings of the language model, bit by bit; its gaps are filled as the marks have it."""
    model, processor, tokens = tokens_of(learnt, data_set)
    every = model.get_input_embeddings().weight
    for said in tokens[:, SQUARES:]:
        near = torch.cdist(said, every).min(dim=1)
        fixed = torch.tensor([one == "" for one in model.config.vision_config.said])
        assert torch.equal(every[near.indices[fixed]], said[fixed])
    reading = model.model.vision_tower.reader.read(
        model.model.vision_tower.features(concepts.pixels_of(processor, TrainingSet(data_set)))
    )
    choices = model.config.vision_config.choices
    count, organ = (
        {choices[name][at] for at in reading.choices[name].argmax(dim=1).tolist()} for name in ("count", "organ")
    )
    assert (count, organ) == ({"one"}, {"brain"})
    right = torch.tensor([[(30 + 5 * n) / 128, 50 / 128, (50 + 5 * n) / 128, 75 / 128] for n in range(6)])
    found = reading.hundredths() / 100
    found, right = (boxes[boxes[:, 0].argsort()] for boxes in (found, right))
    assert (found - right).abs().mean() < 0.1


def test_a_model_that_is_loaded_says_the_same(learnt: Path, data_set: Path, tmp_path: Path) -> None:
    """Configurations lose the order of their names when they are written: words must not change places by it."""
    model, processor, tokens = tokens_of(learnt, data_set)
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    assert torch.equal(tokens_of(tmp_path, data_set)[2], tokens)


def test_the_reader_alone_learns_and_squares_speak_as_loud_as_words(tiny: Path, learnt: Path, data_set: Path) -> None:
    """No other weight moves; tokens of squares end with the deviation of words' embeddings, about a mean of nought."""
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny, learnt))
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert moved
    assert all(".reader." in name and not name.endswith(".words") for name in moved)
    model, _, tokens = tokens_of(learnt, data_set)
    squares = tokens[:, :SQUARES]
    assert squares.std().item() == pytest.approx(model.get_input_embeddings().weight.std().item(), rel=0.05)
    assert squares.mean(dim=(0, 1)).abs().max() < 1e-4


def test_what_is_read_off_held_out_pictures_is_told_beside_controls(learnt: Path, data_set: Path) -> None:
    """One picture, called an MR image of the brain as all that were learnt from are. The set stays as it was."""
    before = {path.name for path in data_set.parent.iterdir()}
    found = read_out.measure(learnt, data_set, [str(data_set.with_name("triplets.jsonl"))])
    modality = found["modality"]
    assert [modality[name] for name in ("value", "n", "patients")] == [1, 1, 1]
    assert modality["most frequent"]["value"] == 1
    assert {path.name for path in data_set.parent.iterdir()} == before, "a set can lie where nothing can be written"
    assert 0 <= found["box, IoU"]["value"] <= 1


def test_concepts_are_the_tiny_presets_and_need_facts(qwen: Path, tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """Another family is refused; so are questions in such a stage, a run without facts, and facts of other pictures."""
    with pytest.raises(BadRun, match="tiny preset"):
        train(run(qwen, data_set, CONCEPTS), tmp_path / "run")
    with pytest.raises(BadRun, match="without questions"):
        Stage("concepts", "all", 1e-2, objective="concepts")
    with pytest.raises(BadRun, match="facts ="):
        Run(str(tiny), (str(data_set),), (CONCEPTS,))
    (tmp_path / "other.jsonl").write_text("")
    with pytest.raises(BadRun, match="no facts are given of triplet"):
        train(replace(run(tiny, data_set, CONCEPTS), facts=(str(tmp_path / "other.jsonl"),)), tmp_path / "other")


def test_two_processes_train_one_model(tiny: Path, data_set: Path, tmp_path: Path) -> None:
    """Both learn, one writes, and the next stage begins when it has: the tiny preset is trained so on two cores."""
    config, out = tmp_path / "run.toml", tmp_path / "run"
    config.write_text(
        f'base = "{tiny}"\nfacts = ["{data_set.with_name("triplets.jsonl")}"]\nprecision = "fp32"\n'
        "gradient_checkpointing = false\n"
        '[[stage]]\nname = "concepts"\ntrain = "projector"\nobjective = "concepts"\nlearning_rate = 1e-3\nsteps = 2\n'
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
    assert [(stage["name"], stage["steps"]) for stage in stages] == [("concepts", 2), ("align", 2)]
