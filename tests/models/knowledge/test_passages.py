"""Reading a corpus file."""

import json
from pathlib import Path

import pytest

from models.knowledge import InvalidCorpus, read_corpus
from schemas.failures import InvalidInput, Unavailable

GOOD = {"passage_id": "a", "title": "T", "text": "X.", "reference": "R", "modalities": ["CT"], "organs": ["liver"]}


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_passages_come_ordered_by_id(tmp_path: Path) -> None:
    """Blank lines are skipped and the order of lines does not matter."""
    corpus = write(tmp_path / "c.jsonl", json.dumps(GOOD | {"passage_id": "b"}), "", json.dumps(GOOD), "")
    assert [passage.passage_id for passage in read_corpus(corpus)] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"passage_id": "Doe', "line 3: not a JSON object"),
        ('["Doe"]', "line 3: not a JSON object"),
        (json.dumps(GOOD | {"passage_id": "Doe", "text": 7}), "line 3: field text is missing or of the wrong type"),
        (json.dumps({key: GOOD[key] for key in GOOD if key != "reference"}), "line 3: field reference is missing"),
        (json.dumps(GOOD | {"passage_id": "Doe", "reference": " "}), "line 3: field reference is empty"),
        (
            json.dumps(GOOD | {"passage_id": "Doe", "modalities": ["MRI Doe"]}),
            "line 3: field modalities names an unknown",
        ),
        (json.dumps(GOOD | {"passage_id": "Doe", "organs": ["Liver"]}), "line 3: field organs has a capital letter"),
        (json.dumps(GOOD), "line 3: same passage_id as line 1"),
    ],
)
def test_wrong_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    """The error names the line and the field, and quotes nothing of the corpus."""
    corpus = write(tmp_path / "c.jsonl", json.dumps(GOOD), "", line)
    with pytest.raises(InvalidCorpus) as raised:
        read_corpus(corpus)
    assert str(raised.value).startswith(message)
    assert "Doe" not in str(raised.value)
    assert isinstance(raised.value, InvalidInput)


def test_empty_corpus_is_refused(tmp_path: Path) -> None:
    """A corpus without passages is a mistake."""
    with pytest.raises(InvalidCorpus, match="no passage"):
        read_corpus(write(tmp_path / "c.jsonl", "", ""))


def test_missing_corpus_is_unavailable(tmp_path: Path) -> None:
    """A file that is not there is reported without its path."""
    with pytest.raises(Unavailable) as raised:
        read_corpus(tmp_path / "none.jsonl")
    assert "none.jsonl" not in str(raised.value)


def test_folder_is_one_corpus(tmp_path: Path) -> None:
    """The files of a folder are read together; an error names the file, and one id in two files is refused."""
    write(tmp_path / "a.jsonl", json.dumps(GOOD))
    write(tmp_path / "b.jsonl", json.dumps(GOOD | {"passage_id": "b"}))
    assert [passage.passage_id for passage in read_corpus(tmp_path)] == ["a", "b"]
    write(tmp_path / "c.jsonl", "", json.dumps(GOOD))
    with pytest.raises(InvalidCorpus, match=r"c\.jsonl, line 2: same passage_id as a\.jsonl, line 1"):
        read_corpus(tmp_path)


def test_unknown_condition_is_refused(tmp_path: Path) -> None:
    """What a passage presupposes is of a closed list."""
    with pytest.raises(InvalidCorpus, match="applies_when"):
        read_corpus(write(tmp_path / "c.jsonl", json.dumps(GOOD | {"applies_when": ["on Tuesdays"]})))
