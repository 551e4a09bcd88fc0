"""The file of a run, and boxes in the words of each family of models. Needs no torch."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.cli import main
from models.llava_tri.training.boxes import rewritten
from models.llava_tri.training.settings import KINDS, BadRun, Tail, read_run, read_tail

RUN = """
base = "Qwen/Qwen3-VL-2B-Instruct"
revision = "0123456789abcdef"
data = ["set"]
[[stage]]
name = "align"
train = "projector"
learning_rate = 2e-3
batch = 64
[[stage]]
name = "task"
train = "lora"
learning_rate = 2e-5
kinds = ["modality", "organ"]
"""


TAIL = """
base = "folder"
[[stage]]
name = "task"
train = "adapters"
learning_rate = 1e-4
[tail]
triplets = 8
hold_out = 5
"""


def read(tmp_path: Path, text: str, **given: object):
    path = tmp_path / "run.toml"
    path.write_text(text)
    return read_run(path, **given)


def test_a_run_is_read(tmp_path: Path) -> None:
    """Stages have their own kinds, or those of their name; options go before the file."""
    run = read(tmp_path, RUN, base="folder", revision=None)
    assert (run.base, run.revision, run.data) == ("folder", "0123456789abcdef", ("set",))
    assert [stage.kinds for stage in run.stages] == [KINDS["align"], ("modality", "organ")]


def test_the_digest_is_of_what_is_learnt(tmp_path: Path) -> None:
    """Another seed or rate is another run; another title, or the same data in another place, is not."""
    run = read(tmp_path, RUN)
    assert run.digest == read(tmp_path, RUN, title="another", data=["elsewhere/set"], kept=5).digest
    assert run.digest != read(tmp_path, RUN, seed=1).digest
    assert run.digest != read(tmp_path, RUN.replace("2e-5", "3e-5")).digest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("base", "bass"), "no field 'bass'"),
        (('train = "lora"', 'train = "everything"'), "'everything'"),
        (('name = "task"', 'name = "align"'), "a name of its own"),
        (("2e-5", "-1.0"), "above 0"),
        (('name = "align"', 'name = "first"'), "names no kinds"),
        (('data = ["set"]', ""), "must tell data"),
        (("[[stage]]", "[[stage"), "not TOML"),
        (("batch = 64", 'batch = "many"'), r"\[\[stage\]\]: batch = 'many': Input should be a valid integer"),
        (("batch = 64", "batch = 1.5"), "batch = 1.5: Input should be a valid integer"),
        (("2e-5", "nan"), "learning_rate = nan: Input should be a finite number"),
        (('data = ["set"]', 'data = "set"'), "the run: data = 'set': Input should be a valid list"),
        (('data = ["set"]', 'data = ["set"]\ngradient_checkpointing = "no"'), "a valid boolean"),
        (('data = ["set"]', 'data = ["set"]\ntrack = ["mlflow"]'), "take some of tensorboard, wandb"),
        (('data = ["set"]', 'data = ["set"]\ncheckpoints = 0'), "must be at least 1"),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    """By the field's name, with what could stand there."""
    with pytest.raises(BadRun, match=words):
        read(tmp_path, RUN.replace(*change))


def test_boxes_are_written_as_each_family_reads_them() -> None:
    """Of a picture of 200 x 100 px; other brackets are left alone."""
    text = "The lesion at [20, 10, 100, 50], [sic] [1, 2]"
    assert rewritten(text, (200, 100), "pixels") == text
    assert "[0.10, 0.10, 0.50, 0.50]" in rewritten(text, (200, 100), "unit")
    assert "[100, 100, 500, 500]" in rewritten(text, (200, 100), "thousandths")
    assert "[40, 20, 200, 100]" in rewritten(text, (200, 100), "resized", lambda size: (size[0] * 2, size[1] * 2))
    assert rewritten(text, (200, 100), "unit").endswith(", [sic] [1, 2]")


def test_without_torch_the_command_says_what_to_do(tmp_path: Path) -> None:
    """Which environment has it."""
    path = tmp_path / "run.toml"
    path.write_text(RUN)
    result = CliRunner().invoke(main, ["train", str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "make llava-env" in result.output


def test_how_a_stream_is_followed_is_told_in_the_same_file(tmp_path: Path) -> None:
    """One stage and a table of its own; no data set, no unknown field, and somebody must be left to learn from."""
    path = tmp_path / "tail.toml"
    path.write_text(TAIL)
    run, tail = read_tail(path, base="another")
    assert (run.base, run.data, run.stages[0].train, run.stages[0].kinds) == ("another", (), "adapters", ("*",))
    assert tail == Tail(triplets=8, hold_out=5)
    for text, words in (
        (TAIL + "size = 1\n", r"\[tail\] has no field 'size'"),
        (TAIL.replace("hold_out = 5", "hold_out = 1"), "hold_out 2"),
        ('data = ["set"]\n' + TAIL, "no data"),
        (TAIL.split("[[stage]]")[0], r"one \[\[stage\]\]"),
    ):
        path.write_text(text)
        with pytest.raises(BadRun, match=words):
            read_tail(path)
