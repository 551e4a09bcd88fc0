"""`tristream train --preset`: the run that comes with Tristream can be read, and bad usage is told."""

from pathlib import Path

from click.testing import CliRunner

from infra.cli import main
from models.llava_tri import tiny
from models.llava_tri.training.settings import read_run

PRESET = Path(tiny.__file__).with_name("preset.toml")


def test_the_preset_is_a_run_of_three_stages() -> None:
    """With the data and facts that are given, and a base that is given in place of its own."""
    run = read_run(PRESET, data=["set"], facts=["triplets.jsonl"], base="elsewhere")
    assert [stage.name for stage in run.stages] == ["concepts", "multigranular", "task"]
    assert (run.base, run.data) == ("elsewhere", ("set",))


def test_a_run_is_a_file_or_a_preset(tmp_path: Path) -> None:
    """Neither, both, or a preset without data are bad usage."""
    out = ("--out", str(tmp_path / "run"))
    for given in ((), (str(PRESET), "--preset", "tiny"), ("--preset", "tiny")):
        result = CliRunner().invoke(main, ["train", *given, *out])
        assert result.exit_code == 2, result.output
        assert "--preset" in result.output
