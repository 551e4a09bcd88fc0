"""The scripts in examples/ run on a data set as it is built; those that train do in tests/llava."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from models.datasets.build import build
from models.datasets.policy import Policy
from tests.models.datasets.conftest import read

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def built(triplet_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set in the formats that they read."""
    out = tmp_path_factory.mktemp("examples") / "set"
    build(lambda: read(triplet_file), out, ("parquet", "coco", "llava"), Policy())
    return out


def run(name: str, *arguments: str, cache: Path) -> str:
    """What an example prints."""
    environment = {**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments], capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_duckdb_counts(built: Path, tmp_path: Path) -> None:
    """Modalities and kinds of questions."""
    text = run("count_with_duckdb.py", str(built), cache=tmp_path)
    assert "ultrasound" in text
    assert "description" in text


def test_pandas_makes_a_table(built: Path, tmp_path: Path) -> None:
    """A row an image, with a question and its answer."""
    text = run("read_with_pandas.py", str(built), str(tmp_path / "out.csv"), cache=tmp_path)
    assert "ultrasound" in text
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len((built / "index.jsonl").read_text().splitlines())
    assert all(row["caption"] and row["question"] and row["answer"] for row in rows)


def test_llava_json_is_read(built: Path, tmp_path: Path) -> None:
    """Each conversation begins with its picture, which is there."""
    text = run("read_llava_json.py", str(built), cache=tmp_path)
    items = json.loads((built / "llava" / "train.json").read_bytes())
    assert text.count("  human: <image>") == len(items)
    assert all(item["id"] in text for item in items)


def test_a_conversation_is_shown(built: Path, tmp_path: Path) -> None:
    """From the picture on."""
    text = run("show_conversation.py", str(built), cache=tmp_path)
    assert "user: <image>" in text
    assert "assistant: " in text


def test_regions_are_drawn(built: Path, tmp_path: Path) -> None:
    """In colour, on the picture."""
    run("draw_regions.py", str(built), str(tmp_path / "out.png"), cache=tmp_path)
    drawn = cv2.imread(str(tmp_path / "out.png"))
    assert drawn is not None
    assert ((drawn == (0, 200, 255)).all(axis=2)).any()
