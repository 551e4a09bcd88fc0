"""Files of made-up patients through the whole pipeline: nothing of theirs is anywhere in what it writes."""

from pathlib import Path

import pytest

from benchmarks import leaks

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::UserWarning")]


def test_no_planted_identity_is_in_topics_logs_metrics_or_exports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damaged files too; and the search does find them where the names of files must stand."""
    monkeypatch.setattr(leaks, "OUT", tmp_path)
    found, line = leaks.check(42, seed=9000)
    assert found == {}, line
