"""Three stages on a tiny random Qwen2.5-VL: they learn, go on as if never stopped, refuse what they must, export."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from safetensors.torch import load_file  # noqa: E402
from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: E402

from models.llava_tri.training import bases  # noqa: E402
from models.llava_tri.training.checkpoints import POSITION, OtherRun, Step  # noqa: E402
from models.llava_tri.training.examples import CROISSANT, TrainingSet  # noqa: E402
from models.llava_tri.training.export import export  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.run import MODEL, train  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage  # noqa: E402

SHORT = ("modality", "organ", "count")
STAGES = (
    Stage("align", "projector", 1e-2, batch=2, steps=20),
    Stage("multigranular", "all", 5e-3, batch=2, steps=20),
    Stage("task", "lora", 2e-2, SHORT, batch=2, steps=20, rank=4),
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(qwen: Path, data_set: Path) -> Run:
    return Run(str(qwen), (str(data_set),), STAGES, checkpoints=10, precision="fp32", gradient_checkpointing=True)


@pytest.fixture(scope="module")
def trained(run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Step]]:
    steps: list[Step] = []
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(run, out, tell=steps.append)
    return out, steps


def weights(folder: Path) -> dict[str, Any]:
    return load_file(folder / "model.safetensors")


def changed(before: Path, after: Path) -> set[str]:
    """Parts of the model of which a weight is another."""
    family = bases.FAMILIES["qwen2_5_vl"]
    one, other = weights(before), weights(after)
    return {bases.part_of(name, family) for name in one if not torch.equal(one[name].float(), other[name].float())}


def test_every_stage_learns(trained: tuple[Path, list[Step]]) -> None:
    """Of each the loss falls, step by step as it tells."""
    out, steps = trained
    stages = read_lineage(out / "3-task" / MODEL)["stages"]
    assert [(one["name"], one["steps"]) for one in stages] == [(stage.name, 20) for stage in STAGES]
    for stage in STAGES:
        told = [step for step in steps if step.stage == stage.name]
        assert [(step.step, step.steps) for step in told] == [(n, 20) for n in range(1, 21)]
        losses = [step.loss for step in told]
        assert sum(losses[-5:]) < sum(losses[:5]), stage.name


def test_a_stage_changes_what_it_may(trained: tuple[Path, list[Step]], qwen: Path) -> None:
    """Align the projector alone; the others the language model too; the vision tower is left as it was."""
    out, _ = trained
    folders = [qwen, *(out / name / MODEL for name in ("1-align", "2-multigranular", "3-task"))]
    assert changed(folders[0], folders[1]) == {"projector"}
    assert changed(folders[1], folders[2]) == {"projector", "language"}
    assert changed(folders[2], folders[3]) == {"projector", "language"}
    assert not any("lora" in name for name in weights(folders[3])), "adapters are merged"


@pytest.mark.parametrize(("stage", "folder"), [(1, "2-multigranular"), (2, "3-task")])
def test_a_stopped_run_ends_with_the_same_bits(
    run: Run, trained: tuple[Path, list[Step]], tmp_path: Path, stage: int, folder: str
) -> None:
    """From the middle of a stage, of all weights or of LoRA, with pictures in an order of their own."""
    whole, out = trained[0], tmp_path / "stopped"
    shutil.copytree(whole, out)
    for later in ("2-multigranular", "3-task")[stage - 1 :]:
        shutil.rmtree(out / later / MODEL)
    shutil.rmtree(out / folder / "checkpoint-20")
    position = json.loads((out / folder / "checkpoint-10" / POSITION).read_text())
    assert (position["step"], position["examples"]) == (10, 20)
    train(run, out, resume=True)
    one, other = weights(whole / folder / MODEL), weights(out / folder / MODEL)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_another_run_does_not_go_on(run: Run, trained: tuple[Path, list[Step]], tmp_path: Path) -> None:
    """Not with other settings, and a new one not where one stands."""
    with pytest.raises(OtherRun):
        train(dataclasses.replace(run, seed=1), trained[0], resume=True)
    with pytest.raises(BadRun, match="--resume"):
        train(run, trained[0])


def test_what_must_not_be_learnt_is_refused(data_set: Path, tmp_path: Path) -> None:
    """Text of a model, rows of the test split, files that are not those of the card."""
    copy = tmp_path / "set"

    def spoilt(name: str, change: Any) -> Path:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(data_set, copy)
        change(copy / name)
        return copy

    def by_a_model(report: Path) -> None:
        told = json.loads(report.read_text())
        lineages = [json.loads(one) | {"describer": "llava-tri@2", "generation": 2} for one in told["lineages"]]
        report.write_text(json.dumps(told | {"lineages": {json.dumps(one): 1 for one in lineages}}))

    def a_sentence_by_a_model(report: Path) -> None:
        told = json.loads(report.read_text())
        report.write_text(
            json.dumps(told | {"authors": {f"{by}, llava-tri@1": n for by, n in told["authors"].items()}})
        )

    for change, generation in ((a_sentence_by_a_model, 1), (by_a_model, 2)):
        with pytest.raises(BadRun, match=rf"llava-tri@{generation} \(generation {generation}\).*model_written"):
            TrainingSet(spoilt("dataset.json", change))
        assert TrainingSet(copy, model_written=True).generation == generation

    data = "parquet/data"
    with pytest.raises(BadRun, match="not the file that its card tells of"):
        TrainingSet(spoilt(data, lambda path: shutil.copy(path / "test-00000.parquet", path / "train-00000.parquet")))

    def test_rows(folder: Path) -> None:
        shutil.copy(folder / data / "test-00000.parquet", folder / data / "train-00000.parquet")
        told = json.loads((folder / CROISSANT).read_text())
        hashes = {one.get("contentUrl"): one for one in told["distribution"]}
        hashes[f"{data}/train-00000.parquet"]["sha256"] = hashes[f"{data}/test-00000.parquet"]["sha256"]
        (folder / CROISSANT).write_text(json.dumps(told))

    with pytest.raises(BadRun, match="another split"):
        TrainingSet(spoilt(".", test_rows))


def test_export_answers_as_the_trained_model_does(
    trained: tuple[Path, list[Step]], data_set: Path, tmp_path: Path
) -> None:
    """In bfloat16, under a name that is of its content, with the boxes' convention and what it learnt from."""
    out = tmp_path / "served"
    trained_folder = trained[0] / "3-task" / MODEL
    name = export(trained_folder, out)
    lineage = read_lineage(out)
    assert name == lineage["model"]
    assert lineage["boxes"] == "resized"
    assert lineage["text_generation"] == 0
    assert lineage["sets"][0]["images"]["train"] == 6
    assert "| drawn |" in (out / "README.md").read_text()
    held_out = TrainingSet(data_set, split="test")
    picture = held_out.picture(next(held_out.questions({"caption"})))
    answers: list[Any] = []
    for folder in (trained_folder, out):
        model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.bfloat16)
        processor = AutoProcessor.from_pretrained(folder)
        said = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is this?"}]}]
        prompt = processor.apply_chat_template(said, add_generation_prompt=True)
        inputs = processor(text=[prompt], images=[picture], return_tensors="pt")
        answers.append(model.generate(**inputs, max_new_tokens=8, do_sample=False))
    assert torch.equal(*answers)
    with pytest.raises(BadRun, match="not empty"):
        export(trained_folder, out)
