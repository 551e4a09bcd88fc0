"""Promotion: a model takes the place of another only where nothing speaks against it, and every reason is told."""

import asyncio
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Outcome

from infra.cli import main
from models.describers.scoring import Score
from models.llava_tri.evaluation.answering import Answered, Tell
from models.llava_tri.evaluation.audit import Leakage
from models.llava_tri.evaluation.evaluating import evaluate
from models.llava_tri.evaluation.pictures import View
from models.llava_tri.evaluation.questions import Benchmark, Question
from models.llava_tri.evaluation.scores.boxes import Scale
from models.llava_tri.promotion import Promoted, present

NEW, OLD = "llava-tri@new", "llava-tri@old"
Promote = Callable[..., Outcome]
CLEAN = Leakage({"set": 100}, 30, 0, ())


class Sighted:
    """A source that is right where it is shown the picture, and else says yes."""

    settings = "made for a test"
    scale: Scale = "parts"

    def __init__(self, name: str, right: float = 1.0) -> None:
        self.name, self._right = name, right

    async def answers(self, benchmark: Benchmark, view: View, tell: Tell) -> Mapping[str, Answered]:
        sees = int(len(benchmark.questions) * self._right) if view == "image" else 0
        return {
            one.id: Answered(one.answers[0] if number < sees else "yes")
            for number, one in enumerate(benchmark.questions)
        }


def evaluation(folder: Path, name: str, leakage: Leakage = CLEAN, right: float = 1.0, of: int | None = None) -> Path:
    """The result of one, of thirty questions."""
    asked = [
        Question(str(n), (f"p{n}",), "Is it?", ("yes" if n % 2 else "no",), "closed", ("yes", "no")) for n in range(30)
    ]
    benchmark = Benchmark("Bench", "test", asked, lambda _: b"")
    result = asyncio.run(evaluate(benchmark, Sighted(name, right), leakage, of=of))
    folder.mkdir(exist_ok=True)
    (folder / "result.json").write_text(result.model_dump_json())
    return folder


def scores(
    path: Path, describer: str, supported: int, *, images: int = 20, failed: int = 0, prompt: str = "p1"
) -> Path:
    """Of so many images, each with ten sentences of which so many are supported."""
    lines = [
        Score(
            key=f"i{n}",
            describer=describer,
            prompt=prompt,
            modality="CT",
            text="A sentence.",
            drafted={"supported": supported - n % 2, "unsupported": 10 - supported + n % 2},
        )
        for n in range(failed, images)
    ]
    lines += [
        Score(key=f"i{n}", describer=describer, prompt=prompt, modality="CT", error="away") for n in range(failed)
    ]
    path.write_text("".join(one.model_dump_json() + "\n" for one in lines))
    return path


@pytest.fixture
def promote(tmp_path: Path) -> Promote:
    """Runs the command on a registry of its own."""

    def run(name: str, *more: object) -> Outcome:
        arguments = ["model", "promote", name, "--registry", str(tmp_path / "registry"), *map(str, more)]
        return CliRunner().invoke(main, arguments)

    return run


def test_the_first_and_then_a_better_one(promote: Promote, tmp_path: Path) -> None:
    """What is written is what the workers' environment takes; the second names whom it replaced, and by how much."""
    old, new = scores(tmp_path / "old.jsonl", OLD, 7), scores(tmp_path / "new.jsonl", NEW, 8)
    done = promote(OLD, "--scores", old, "--evaluation", evaluation(tmp_path / "e1", OLD))
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == f"TRISTREAM_SGLANG_MODEL={OLD}"
    evaluated = evaluation(tmp_path / "e2", NEW, dataclasses.replace(CLEAN, generation=1))
    done = promote(NEW, "--scores", new, "--present", old, "--evaluation", evaluated)
    assert done.exit_code == 0, done.output
    told = f"TRISTREAM_SGLANG_GENERATION=2\nTRISTREAM_SGLANG_MODEL={NEW}\n"
    assert (tmp_path / "registry/promoted.env").read_text() == told, "it learnt from a model's text"
    found = present(tmp_path / "registry")
    assert isinstance(found, Promoted)
    assert (found.model, found.before) == (NEW, OLD)
    assert found.better_by is not None
    assert found.better_by[0] == pytest.approx(0.1)
    assert found.supported.n == 200
    assert found.evaluations[0].figures["closed"].value == 1


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("worse", r"65\.0 % of its 200 sentences are supported, of the present model's 200 75\.0 %"),
        ("failing", "it leaves 2 of 20 images without a description, the present model 0"),
        ("other images", "the scores are of other images than those that the present model was promoted on"),
        ("other prompt", "asked with different prompts or settings"),
        ("no present", rf"there is a present model, {OLD}: give its scores"),
        ("scores of another", rf"the scores are of somebody@1, not of {NEW}"),
        ("evaluation of another", rf"Bench test is of {OLD}, not of {NEW}"),
        ("no evaluation", "no evaluation was given"),
        ("blind", "Bench test is not shown; not beaten: closed: no image"),
        ("partial", "of Bench test only 30 of 60 questions were asked"),
        ("not audited", "Bench test: not audited"),
    ],
)
def test_what_speaks_against_it_is_told(promote: Promote, tmp_path: Path, case: str, told: str) -> None:
    """One line, exit status 1, and the present model stays."""
    old = scores(tmp_path / "old.jsonl", OLD, 8)
    assert promote(OLD, "--scores", old, "--evaluation", evaluation(tmp_path / "e1", OLD)).exit_code == 0
    before = (tmp_path / "registry/promoted.json").read_bytes()
    path = tmp_path / "new.jsonl"
    made = {
        "worse": lambda: scores(path, NEW, 7),
        "failing": lambda: scores(path, NEW, 9, failed=2),
        "other images": lambda: scores(path, NEW, 9, images=19),
        "other prompt": lambda: scores(path, NEW, 9, prompt="p2"),
        "scores of another": lambda: scores(path, "somebody@1", 9),
    }.get(case, lambda: scores(path, NEW, 9))()
    shown = {
        "evaluation of another": lambda: evaluation(tmp_path / "e2", OLD),
        "blind": lambda: evaluation(tmp_path / "e2", NEW, right=0),
        "partial": lambda: evaluation(tmp_path / "e2", NEW, of=60),
        "not audited": lambda: evaluation(tmp_path / "e2", NEW, Leakage({}, 30, 0, ())),
    }.get(case, lambda: evaluation(tmp_path / "e2", NEW))()
    arguments: list[object] = ["--scores", made]
    arguments += [] if case == "no present" else ["--present", old]
    arguments += [] if case == "no evaluation" else ["--evaluation", shown]
    done = promote(NEW, *arguments)
    assert done.exit_code == 1
    assert re.search(told, done.output), done.output
    assert (tmp_path / "registry/promoted.json").read_bytes() == before


def test_files_that_are_something_else(promote: Promote, tmp_path: Path) -> None:
    """Are named."""
    path = tmp_path / "s.jsonl"
    path.write_text('{"a": 1}\n')
    done = promote(NEW, "--scores", path, "--evaluation", evaluation(tmp_path / "e", NEW))
    assert (done.exit_code, "s.jsonl: no scores of `tristream describe-eval`" in done.output) == (1, True)
    done = promote(NEW, "--scores", scores(path, NEW, 8), "--evaluation", path)
    assert (done.exit_code, "no result of `tristream evaluate`" in done.output) == (1, True)
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry/promoted.json").write_text("{}")
    done = promote(NEW, "--scores", path, "--evaluation", tmp_path / "e")
    assert (done.exit_code, "promoted.json is damaged" in done.output) == (1, True)
