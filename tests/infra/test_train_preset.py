"""`tristream train --preset`: the run that comes with Tristream can be read, and bad usage is told."""

import re
import subprocess
from pathlib import Path

from click.testing import CliRunner

from infra.cli import main
from models.datasets.instructions import KINDS
from models.llava_tri import tiny
from models.llava_tri.training.settings import read_run

PRESET = Path(tiny.__file__).with_name("preset.toml")
ROOT = Path(__file__).parents[2]


def test_the_preset_is_a_run_of_three_stages() -> None:
    """With the data and facts that are given, and a base that is given in place of its own."""
    run = read_run(PRESET, data=["set"], facts=["triplets.jsonl"], base="elsewhere")
    assert [stage.name for stage in run.stages] == ["concepts", "multigranular", "task"]
    assert (run.base, run.data) == ("elsewhere", ("set",))


def test_the_preset_learns_yes_no_and_choices() -> None:
    """Of kinds that there are, and of all that `make llava-tiny` has its phantoms asked."""
    asked = read_run(PRESET, data=["set"], facts=["triplets.jsonl"]).stages[-1].kinds
    assert set(asked) <= set(KINDS)
    assert {one.rpartition("-")[2] for one in asked} >= {"closed", "choice"}
    built = subprocess.run(["make", "-n", "out/llava-tiny/set"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(re.findall(r"--question (\S+)", built.stdout)) == sorted(asked)


def test_a_run_is_a_file_or_a_preset(tmp_path: Path) -> None:
    """Neither, both, or a preset without data are bad usage."""
    out = ("--out", str(tmp_path / "run"))
    for given in ((), (str(PRESET), "--preset", "tiny"), ("--preset", "tiny")):
        result = CliRunner().invoke(main, ["train", *given, *out])
        assert result.exit_code == 2, result.output
        assert "--preset" in result.output
