"""A short chaos: five kinds of faults, one after another, and nothing lost or doubled."""

import logging
from pathlib import Path

import pytest

from tests.chaos.faults import SHORT
from tests.chaos.running import FEW_WAITING, run

pytestmark = pytest.mark.integration


def test_a_pipeline_under_faults_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Every file that stands at the end has its triplet, every announced object its outcome, and each only one."""
    logging.getLogger("streams.reader").setLevel(logging.ERROR)  # Poison that is passed by is no news here.
    report = run(tmp_path / "chaos", seed=3, faults=SHORT, most_waiting=FEW_WAITING)
    (tmp_path / "report.txt").write_text(str(report))
    assert not report.lost, report
    assert not report.doubled, report
    assert report.worst_recovery_s < report.patience_s, report
