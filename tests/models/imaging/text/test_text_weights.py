"""The recogniser is the one that was measured, or nothing is read."""

from pathlib import Path

import pytest

from models.imaging.text import weights


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
