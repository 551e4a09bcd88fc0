"""A stage of rewards on a tiny random Qwen2.5-VL: it says what pays, judged by the facts of each picture."""

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of make llava-env")

from models.llava_tri.training import bases  # noqa: E402
from models.llava_tri.training.boxes import rewritten  # noqa: E402
from models.llava_tri.training.checkpoints import OtherRun, Step  # noqa: E402
from models.llava_tri.training.examples import TrainingSet  # noqa: E402
from models.llava_tri.training.facts import FactsOnDisk  # noqa: E402
from models.llava_tri.training.lineage import read_lineage  # noqa: E402
from models.llava_tri.training.rewarded import as_dataset  # noqa: E402
from models.llava_tri.training.rewards import Rewards  # noqa: E402
from models.llava_tri.training.run import MODEL, train  # noqa: E402
from models.llava_tri.training.settings import BadRun, Run, Stage  # noqa: E402
from models.llava_tri.training.stages import questions_of  # noqa: E402

BRIEF = Stage(
    "brief", "all", 2e-2, ("description",), batch=2, steps=24, objective="rewards", answers=6, answer_tokens=24,
    reward={"length": 0, "longer": 1.0},
)  # fmt: skip
"""Every word costs: words are what a random model has to say, so the way to learn is to say fewer."""


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def run(qwen: Path, data_set: Path) -> Run:
    triplets = str(data_set.with_name("triplets.jsonl"))
    return Run(str(qwen), (str(data_set),), (BRIEF,), facts=(triplets,), precision="fp32", checkpoints=6)


def test_what_pays_is_said_more(run: Run, tmp_path: Path) -> None:
    """Answers of the last steps are shorter by a word and more than those of the first; the lineage tells of both."""
    steps: list[Step] = []
    told = read_lineage(train(run, tmp_path / "run", tell=steps.append))["stages"][0]
    rewards = [step.reward for step in steps if step.reward is not None]
    assert len(rewards) == told["steps"] == BRIEF.steps
    assert sum(rewards[-6:]) > sum(rewards[:6]) + 6, rewards
    assert told["reward_last_tenth"] == pytest.approx(sum(rewards[-2:]) / 2, abs=1e-3)


def test_it_goes_on_from_a_checkpoint(run: Run, tmp_path: Path) -> None:
    """And not with other facts."""
    out = tmp_path / "run"
    two = dataclasses.replace(BRIEF, steps=2, answers=2, answer_tokens=4)
    short = dataclasses.replace(run, stages=(two,), checkpoints=1)
    model = train(short, out)
    (model / "lineage.json").unlink()
    (model.parent / "checkpoint-2").rename(tmp_path / "later")
    model.rename(tmp_path / "model")
    assert read_lineage(train(short, out, resume=True))["stages"][0]["steps"] == 2
    (out / "1-brief" / MODEL / "lineage.json").unlink()
    changed = tmp_path / "other.jsonl"
    changed.write_bytes(Path(run.facts[0]).read_bytes() + b"\n")
    with pytest.raises(OtherRun):
        train(dataclasses.replace(short, facts=(str(changed),)), out, resume=True)


def test_the_right_box_earns_all(run: Run, qwen: Path, data_set: Path) -> None:
    """In the convention of the model, which here are px of the picture that the processor makes."""
    stage = dataclasses.replace(BRIEF, kinds=("phrase-to-box",))
    sets = [TrainingSet(data_set)]
    questions = questions_of(sets, stage)
    facts, processor = FactsOnDisk(run.facts), bases.load(str(qwen), run)[1]
    rows = as_dataset(sets, questions, facts, "resized", processor)
    rewards = Rewards(facts, scale="px")
    assert len(rows) > 0
    for row, (_, one) in zip(rows, questions, strict=True):
        assert row["triplet_id"] is None
        said = rewritten(one.answer, one.size, "resized", bases.resizing(processor, "resized"))
        (earned,) = rewards([said], triplet_id=[None], box=[row["box"]], size=[row["size"]])
        assert earned > 0.9
        (before,) = rewards([one.answer], triplet_id=[None], box=[row["box"]], size=[row["size"]])
        assert before < earned, "in px of the stored picture it is another box"


def test_a_picture_without_facts_is_named(run: Run, tmp_path: Path) -> None:
    """Before anything is learnt."""
    some = tmp_path / "some.jsonl"
    some.write_bytes(b"".join(Path(run.facts[0]).read_bytes().splitlines(keepends=True)[:3]))
    with pytest.raises(BadRun, match=r"no facts are given of triplet [0-9a-f]{32}"):
        train(dataclasses.replace(run, facts=(str(some),)), tmp_path / "run")


def test_a_step_that_is_never_full_is_refused(run: Run, tmp_path: Path) -> None:
    """Six pictures, and seven questions a step: TRL would end without a step, and without a word."""
    with pytest.raises(BadRun, match="asks 7 questions a step, and the data has 6"):
        train(dataclasses.replace(run, stages=(dataclasses.replace(BRIEF, batch=7),)), tmp_path / "run")


def test_facts_are_those_of_the_last_line(run: Run, tmp_path: Path) -> None:
    """Of a triplet that stands twice; and a line that is none is named."""
    lines = Path(run.facts[0]).read_bytes().splitlines(keepends=True)
    twice = tmp_path / "twice.jsonl"
    twice.write_bytes(lines[0].replace(b'"organ":"brain"', b'"organ":"liver"') + lines[0])
    facts = FactsOnDisk((str(twice),))
    (only,) = facts
    assert facts[only].metadata.organ == "brain"
    twice.write_bytes(lines[0] + b"{}\n")
    with pytest.raises(BadRun, match=r"line 2 of 'twice.jsonl'"):
        FactsOnDisk((str(twice),))
