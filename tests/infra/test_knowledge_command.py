"""`tristream knowledge`: build, add and search in a file, and what a person is told."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import main

LINE = {"passage_id": "us-stone", "title": "Stones", "text": "A stone twinkles in Doppler.", "reference": "A textbook"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TRISTREAM_KNOWLEDGE", str(tmp_path / "own.npz"))
    monkeypatch.delenv("TRISTREAM_WEAVIATE_URL", raising=False)

    def run_(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["knowledge", *arguments], catch_exceptions=False)

    return run_


def test_build_add_search(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """What was built is found, what is added is found beside it, and each record without a passage is named."""
    notes, more, rejected = tmp_path / "notes", tmp_path / "more.jsonl", tmp_path / "rejected.jsonl"
    notes.mkdir()
    (notes / "colic.md").write_text("# Renal colic\n\nStones are bright on CT.\n")
    (notes / "scan.docx").write_text("x")
    more.write_text(json.dumps(LINE) + "\n" + json.dumps(LINE | {"text": "Another."}) + "\nnonsense\n")
    built = run("build", str(notes), "--name", "ours")
    added = run("add", str(more), "--rejected", str(rejected))
    found = run("search", "twinkling stone", "--json", "--limit", "1")
    assert (built.exit_code, added.exit_code, found.exit_code) == (0, 0, 0)
    assert "no loader for such files" in built.stderr
    assert "scan.docx" in built.stderr
    assert "ours@" in added.stdout
    assert "holds 2 passages" in added.stdout
    assert json.loads(found.stdout)["text"] == LINE["text"]
    assert [(r["file"], r["record"]) for r in map(json.loads, rejected.read_text().splitlines())] == [
        ("more.jsonl", 2),
        ("more.jsonl", 3),
    ]


def test_search_finds_what_was_just_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any setting, the base that build wrote into the state folder is the one that is searched."""
    monkeypatch.chdir(tmp_path)
    for name in ("TRISTREAM_KNOWLEDGE", "TRISTREAM_WEAVIATE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "one.jsonl").write_text(json.dumps(LINE))
    built = CliRunner().invoke(main, ["knowledge", "build", "one.jsonl", "--name", "mine"], catch_exceptions=False)
    found = CliRunner().invoke(main, ["knowledge", "search", "stone"], catch_exceptions=False)
    assert built.exit_code == 0
    assert "us-stone" in found.stdout
    assert "mine@" in found.stderr


def test_what_a_person_can_act_on(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Nothing to index, no base to add to, a server that is away, a wrong URL: one line each, and a status."""
    (tmp_path / "empty.md").write_text("\n")
    for arguments, status, words in (
        (("build", str(tmp_path / "empty.md")), 1, "no passage was found"),
        (("add", str(tmp_path / "empty.md")), 1, "cannot be read; build it"),
        (("search", "x", "--weaviate", "http://127.0.0.1:9"), 1, "Weaviate does not answer"),
        (("search", "x", "--weaviate", "weaviate"), 2, "the URL of Weaviate must be"),
    ):
        result = run(*arguments)
        assert (result.exit_code, words in result.stderr) == (status, True), result.stderr
        assert "Traceback" not in result.stderr
