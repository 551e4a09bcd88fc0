"""The recogniser is the one that was measured, or nothing is read."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.handlers import missing_to_preprocess
from infra.cli import main
from models.imaging.text import weights
from schemas.failures import Unavailable


@pytest.fixture(autouse=True)
def asked_anew():
    """The answer is kept otherwise."""
    weights.recogniser.cache_clear()
    yield
    weights.recogniser.cache_clear()


def test_another_recogniser_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What masks names must not change with a lock file."""
    assert weights.recogniser().stat().st_size > 2**20
    weights.recogniser.cache_clear()
    monkeypatch.setattr(weights, "RECOGNISER_SHA256", "0" * 64)
    with pytest.raises(weights.MissingWeights, match="pyproject"):
        weights.recogniser()


@pytest.mark.parametrize("changed", [{"PACKAGE": "no-such-package"}, {"RECOGNISER": "rapidocr/models/none.onnx"}])
def test_a_missing_recogniser_says_how_to_bring_it(monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]) -> None:
    """The message names the extra, and no path."""
    for name, value in changed.items():
        monkeypatch.setattr(weights, name, value)
    with pytest.raises(weights.MissingWeights, match=r"tristream\[text\]") as caught:
        weights.recogniser()
    assert str(Path.cwd()) not in str(caught.value)


@pytest.fixture
def without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The optional extra is not installed."""
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package")


@pytest.mark.usefixtures("without_weights")
def test_no_image_is_to_blame_for_missing_weights() -> None:
    """A stage waits for them, as for a server that is away, and none of its images is a dead letter."""
    with pytest.raises(Unavailable):
        weights.recogniser()
    assert "tristream[text]" in missing_to_preprocess()


@pytest.mark.usefixtures("without_weights")
@pytest.mark.parametrize("command", ["up --inbox {} --state {}/state", "annotate {} --triplets {}/t"])
def test_commands_say_at_once_what_to_install(tmp_path: Path, command: str) -> None:
    """Before anything is started or written, in one line."""
    (tmp_path / "a.png").write_bytes(b"any")
    done = CliRunner().invoke(main, [word.format(tmp_path) for word in command.split()])
    assert (done.exit_code, "pip install tristream[text]" in done.output) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
