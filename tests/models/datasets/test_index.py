"""The index of a data set, as all who read a finished one have it."""

import json
from pathlib import Path

import pytest

from models.datasets.index import BadIndex, entries, groups_by_triplet
from models.datasets.report import Report

LINE = {"triplet_id": "a", "group": "g", "split": "train"}


def test_the_group_of_each_triplet_is_told(built: tuple[Path, Report]) -> None:
    """Of a data set as `build` writes it, every image once."""
    groups = groups_by_triplet(built[0])
    assert len(groups) == sum(built[1].images.values())
    assert len({*groups.values()}) == sum(built[1].groups.values())


@pytest.mark.parametrize("damaged", ["{", "[]", "null", '{"triplet_id": "b", "split": "test"}', ""])
def test_a_damaged_line_is_told_by_its_number(tmp_path: Path, damaged: str) -> None:
    """After those before it were read; whoever reads, the words are the same."""
    (tmp_path / "index.jsonl").write_text(f"{json.dumps(LINE)}\n{damaged}\n{json.dumps(LINE)}\n")
    found = entries(tmp_path)
    assert next(found) == LINE
    with pytest.raises(BadIndex, match=r"^index\.jsonl, line 2: "):
        next(found)
