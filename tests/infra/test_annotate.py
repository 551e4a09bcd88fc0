"""The command without a broker: every file accounted for, results whole or to be gone on with, nothing of Java."""

import csv
import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result
from pydicom.data import get_testdata_file

from infra.annotate import find_files
from infra.cli import main
from schemas.dead_letters import DeadLetter
from schemas.triplets import Triplet
from tests.models.imaging.samples import distinct_copies

KEY = "00112233445566778899aabbccddeeff"
TRISTREAM = Path(sys.executable).with_name("tristream")


def sample(name: str) -> bytes:
    path = get_testdata_file(name, download=False)
    assert path is not None, f"{name} is not installed"
    return Path(str(path)).read_bytes()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), env={"TRISTREAM_KEY": KEY})


def rows(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A slice, the same again, a cine, half a file and a text; the names are a patient's."""
    found = tmp_path / "in" / "JONES ANNA"
    found.mkdir(parents=True)
    for name in ("JONES a.dcm", "JONES again.dcm"):
        (found / name).write_bytes(sample("CT_small.dcm"))
    (found / "JONES cine").write_bytes(sample("examples_ybr_color.dcm"))
    (found / "JONES half").write_bytes(sample("MR_small.dcm")[:5000])
    (found / "JONES text").write_text("JONES^ANNA")
    return tmp_path / "in"


def test_every_file_is_accounted_for(folder: Path, tmp_path: Path) -> None:
    """Triplets, dead letters by their reasons, a map by frame that tells files of the same pixels, and no name."""
    out = tmp_path / "out"
    done = run(
        "annotate", folder, "--triplets", out / "t.jsonl.gz", "--dead-letters", out / "d.jsonl", "--map", out / "m.csv",
        "--frames", "spread:2", "--json-summary", "--jobs", 2,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    summary = orjson.loads(done.stdout.splitlines()[-1])
    assert {name: summary[name] for name in ("objects", "images", "triplets", "dead_letters", "skipped_frames")} == {
        "objects": 5, "images": 4, "triplets": 3, "dead_letters": 2, "skipped_frames": 28,
    }  # fmt: skip
    lines = gzip.decompress((out / "t.jsonl.gz").read_bytes())
    triplets = [Triplet.model_validate(orjson.loads(line)) for line in lines.splitlines()]
    letters = [DeadLetter.model_validate(row) for row in rows(out / "d.jsonl")]
    assert sorted(letter.error for letter in letters) == ["NotAnImage", "TruncatedFile"]
    assert "1 × TruncatedFile: the file ends too early" in done.stderr
    with (out / "m.csv").open(newline="") as file:
        table = {(Path(row["path"]).name, row["frame"]): row for row in csv.DictReader(file)}
    assert {key: row["outcome"] for key, row in table.items()} == {
        ("JONES a.dcm", "0"): "triplet", ("JONES again.dcm", "0"): "triplet", ("JONES cine", "7"): "triplet",
        ("JONES cine", "22"): "triplet", ("JONES half", ""): "dead-letter", ("JONES text", ""): "dead-letter",
    }  # fmt: skip
    first, second = table["JONES a.dcm", "0"], table["JONES again.dcm", "0"]
    assert first["object_id"] != second["object_id"]
    assert (first["image_id"], first["triplet_id"]) == (second["image_id"], second["triplet_id"])
    (shared,) = [one for one in triplets if one.triplet_id == first["triplet_id"]]
    assert {shared.object_id, *shared.also_in} == {first["object_id"], second["object_id"]}
    assert {path.name for path in out.iterdir()} == {"t.jsonl.gz", "d.jsonl", "m.csv"}
    assert "JONES" not in done.output + (out / "d.jsonl").read_text()


def test_neither_java_nor_anything_else_on_the_path_is_needed(folder: Path, tmp_path: Path) -> None:
    """With an empty PATH, to standard output, the summary beside it."""
    environment = {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path), "TRISTREAM_KEY": KEY}
    done = subprocess.run(
        [TRISTREAM, "annotate", folder / "JONES ANNA" / "JONES a.dcm", "--triplets", "-", "--no-image"],
        env=environment, capture_output=True, check=True, text=True, timeout=300,
    )  # fmt: skip
    triplet = Triplet.model_validate_json(done.stdout)
    assert (triplet.metadata.modality, triplet.image.data) == ("CT", None)
    assert triplet.image.reference is not None
    assert triplet.image.reference.startswith("sha256/")
    assert done.stderr.startswith("1 object: 1 triplet, 0 dead letters, 0 frames skipped")


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(folder: Path) -> None:
    """As `head` does: no traceback."""
    arguments = [TRISTREAM, "annotate", folder / "JONES ANNA" / "JONES a.dcm", "--triplets", "-"]
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        arguments,
        env=os.environ | {"TRISTREAM_KEY": KEY},
        stdout=writes,
        stderr=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (1, b"")


def test_where_all_are_dead_it_says_why_and_fails(folder: Path, tmp_path: Path) -> None:
    """Exit status 1; reasons grouped, with how many of each."""
    done = run(
        "annotate", folder / "JONES ANNA/JONES half", folder / "JONES ANNA/JONES text", "--triplets", tmp_path / "t"
    )
    assert done.exit_code == 1
    assert "1 × NotAnImage" in done.stderr
    assert (tmp_path / "t").read_bytes() == b""


def test_an_empty_folder_is_bad_usage(tmp_path: Path) -> None:
    """Nothing to do is told, and no result is made or emptied."""
    (tmp_path / "empty").mkdir()
    done = run("annotate", tmp_path / "empty", "--triplets", tmp_path / "t")
    assert (done.exit_code, "no files found" in done.output) == (2, True)
    assert not (tmp_path / "t").exists()


def test_a_dry_run_counts_kinds_and_does_nothing(folder: Path, tmp_path: Path) -> None:
    """By what files hold, not by their names."""
    done = run("annotate", folder, "--dry-run", "--json-summary", "--triplets", tmp_path / "t")
    assert (done.exit_code, orjson.loads(done.stdout)) == (
        0, {
            "objects": 5, "kinds": {"DICOM": 4, "no image format that is read here": 1},
            "passed_by": {"goes along": 0, "hidden": 0, "companion": 0, "left out": 0},
        },
    )  # fmt: skip
    assert not (tmp_path / "t").exists()


def test_a_broken_run_is_gone_on_with_and_empties_nothing(tmp_path: Path) -> None:
    """Killed in the midst of its work, its results go on from where they were; so they do by batches of a limit."""
    files, out = distinct_copies(tmp_path / "in", 40), tmp_path / "t.jsonl"
    arguments = [TRISTREAM, "annotate", files, "--triplets", out, "--jobs", "1"]
    environment = os.environ | {"TRISTREAM_KEY": KEY}
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
        part = out.with_name("t.jsonl.part")
        deadline = time.monotonic() + 240
        while not (part.exists() and part.stat().st_size > 100_000):
            assert started.poll() is None, "it ended before it was interrupted"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        started.send_signal(signal.SIGINT)
        assert started.wait(60) == 130
    before = rows(part)
    assert 0 < len(before) < 40
    refused = run("annotate", files, "--triplets", out)
    assert (refused.exit_code, "--resume" in refused.stderr) == (1, True)
    first = run("annotate", files, "--triplets", out, "--resume", "--limit", 3, "--jobs", 1, "--json-summary")
    assert first.exit_code == 0, first.output
    assert len(rows(out)) == len(before) + 3
    last = run("annotate", files, "--triplets", out, "--resume", "--jobs", 1, "--json-summary")
    assert (last.exit_code, orjson.loads(last.stdout.splitlines()[-1])["triplets"]) == (0, 40)
    found = rows(out)
    assert found[: len(before)] == before
    assert len({str(row["triplet_id"]) for row in found}) == len(found) == 40
    nothing = run("annotate", files, "--triplets", out, "--resume")
    assert (nothing.exit_code, rows(out)) == (0, found)


def test_a_file_is_found_by_the_name_that_results_give_it(folder: Path, tmp_path: Path) -> None:
    """As annotate names it, and as an object of a watched folder above it; not under another key."""
    run("annotate", folder / "JONES ANNA/JONES text", "--triplets", tmp_path / "t", "--map", tmp_path / "m")
    with (tmp_path / "m").open(newline="") as file:
        (row,) = csv.DictReader(file)
    done = run("which", row["object_id"], folder)
    assert (done.exit_code, done.stdout.strip()) == (0, str(folder / "JONES ANNA/JONES text"))
    other = CliRunner().invoke(main, ["which", row["object_id"], str(folder)], env={"TRISTREAM_KEY": KEY[::-1]})
    assert (other.exit_code, other.stdout) == (1, "")


def test_defaults_that_hold_for_nothing_are_told(folder: Path) -> None:
    """They lie above the images, and hold for those beside them alone; with an image there they are of use."""
    (folder / "_defaults.json").write_text('{"modality": "CT"}')
    told = "1 _defaults.json above images say nothing of them"
    assert told in run("annotate", folder, "--dry-run").output
    (folder / "JONES b.dcm").write_bytes(sample("MR_small.dcm"))
    assert told not in run("annotate", folder, "--dry-run").output


def test_a_path_is_told_plainly_unless_that_leads_elsewhere(tmp_path: Path) -> None:
    """`..` goes where the file is the same, so that one file has one name, and stays behind a link to a folder."""
    (tmp_path / "a/in").mkdir(parents=True)
    (tmp_path / "b/in").mkdir(parents=True)
    (tmp_path / "a/1.png").write_bytes(b"1")
    (tmp_path / "b/1.png").write_bytes(b"2")
    (tmp_path / "a/link").symlink_to(tmp_path / "b/in")
    assert find_files([tmp_path / "a", tmp_path / "b/../a", tmp_path / "a/in/.."]) == [tmp_path / "a/1.png"]
    assert find_files([tmp_path / "a/link/../1.png"]) == [tmp_path / "a/link/../1.png"]


def test_marks_in_hidden_folders_of_the_annotations_are_told_by_name(folder: Path) -> None:
    """They are not taken, and the images would seem to have none; hidden folders without marks are not told."""
    marks = folder / "JONES ANNA/.marks"
    marks.mkdir()
    (folder / ".thumbnails").mkdir()
    (folder / ".thumbnails/1.dcm").write_bytes(sample("CT_small.dcm"))
    assert "hidden folder" not in run("annotate", folder, "--annotations", folder, "--dry-run").stderr
    (marks / "rt.dcm").write_bytes(sample("rtstruct.dcm"))
    told = run("annotate", folder, "--annotations", folder, "--dry-run").stderr
    assert "1 hidden folder below --annotations with marks in them, which are not taken: JONES ANNA/.marks;" in told
    assert "hidden folder below" not in run("annotate", folder, "--annotations", marks, "--dry-run").stderr


def test_own_experts_that_are_not_there_are_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none of them would look, nothing is annotated as if they had."""
    monkeypatch.setenv("TRISTREAM_EXPERTS", str(tmp_path / "expersts"))
    refused = run("annotate", folder, "--triplets", tmp_path / "t")
    assert refused.exit_code == 1
    assert "TRISTREAM_EXPERTS names a folder that is not there" in refused.stderr
    assert not (tmp_path / "t").exists()
