"""The command: folders in, de-identified folders out, a report, and nothing lost or overwritten."""

import csv
import json
import os
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from click.testing import CliRunner, Result
from pydicom.data import get_testdata_file

from agents.places import BadSetting
from infra import deidentify as module
from infra.cli import main
from infra.deidentify import NotWritable, pseudonyms_of
from infra.variables import from_environment
from models.imaging.deidentify.files import Masked

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Two slices of a patient in a folder that bears the name, a picture, and half a file."""
    folder = tmp_path / "in" / "JONES ANNA 1960"
    folder.mkdir(parents=True)
    for number in (1, 2):
        dataset = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        dataset.PatientName, dataset.PatientID, dataset.StudyDate = "JONES^ANNA", "4711", "20200102"
        dataset.SOPInstanceUID = f"1.2.3.{number}"
        dataset.save_as(folder / f"JONES {number}.dcm")
    (folder / "JONES.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (folder / "JONES half.dcm").write_bytes((folder / "JONES 1.dcm").read_bytes()[:3000])
    return tmp_path / "in"


def run(*arguments: object, key: str = KEY) -> Result:
    return CliRunner().invoke(main, ["deidentify", *map(str, arguments)], env={"TRISTREAM_KEY": key})


def copies(out: Path) -> list[Path]:
    return sorted(path for path in out.rglob("*") if path.is_file())


def test_files_are_copied_by_their_new_uids_and_the_rest_is_reported(inbox: Path, tmp_path: Path) -> None:
    """Study and series are folders; refused files are counted by their error, and the exit status says so."""
    out, report, map_ = tmp_path / "out", tmp_path / "report.json", tmp_path / "map.csv"
    done = run(inbox, "--out", out, "--report", report, "--map", map_)
    assert done.exit_code == 1
    found = copies(out)
    assert len(found) == 2
    for path in found:
        dataset = pydicom.dcmread(path)
        assert path == out / dataset.StudyInstanceUID / dataset.SeriesInstanceUID / f"{dataset.SOPInstanceUID}.dcm"
        assert dataset.PatientIdentityRemoved == "YES"
        assert not dataset.StudyDate
    body = json.loads(report.read_text())
    assert body["summary"] == {
        "files": 4, "copied": 2, "refused": 2, "attributes": sum(len(copy["actions"]) for copy in body["copied"]),
    }  # fmt: skip
    assert {copy["id"] for copy in body["copied"]} == {path.stem for path in found}
    assert body["copied"][0]["actions"]["(0010,0020)"] == "Z"
    assert {refused["error"] for refused in body["refused"]} == {"NotDicom", "TruncatedFile"}
    assert "JONES" not in done.output + report.read_text()
    rows = list(csv.reader(map_.read_text().splitlines()))
    assert rows[0] == ["path", "outcome"]
    assert {row[1] for row in rows[1:]} == {"NotDicom", "TruncatedFile", *(path.stem for path in found)}


def test_all_good_is_exit_status_0_and_a_repeat_changes_nothing(inbox: Path, tmp_path: Path) -> None:
    """The same files under the same key are there already."""
    files, out = sorted(inbox.rglob("JONES ?.dcm")), tmp_path / "out"
    assert run(*files, "--out", out).exit_code == 0
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copies(out)}
    assert run(*files, "--out", out).exit_code == 0
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in copies(out)} == before


def test_another_file_is_never_overwritten(inbox: Path, tmp_path: Path) -> None:
    """One of the same UID with other content is refused."""
    (first, second), out = sorted(inbox.rglob("JONES ?.dcm")), tmp_path / "out"
    assert run(first, "--out", out).exit_code == 0
    (copy,) = copies(out)
    before = copy.read_bytes()
    done = run(first, second, "--out", out, "--shift-dates")
    assert done.exit_code == 1
    assert "Occupied" in done.output
    assert copy.read_bytes() == before
    assert len(copies(out)) == 2


def test_output_within_the_input_is_not_taken_as_input(inbox: Path) -> None:
    """Nor are the copies of an earlier run de-identified again."""
    out = inbox / "out"
    run(inbox, "--out", out)
    run(inbox, "--out", out)
    assert len(copies(out)) == 2


def test_options_shift_or_keep_what_they_say(inbox: Path, tmp_path: Path) -> None:
    """Dates and UIDs; they exclude each other by the last one given."""
    (first, _) = sorted(inbox.rglob("JONES ?.dcm"))
    run(first, "--out", tmp_path / "shift", "--shift-dates")
    run(first, "--out", tmp_path / "keep", "--keep-dates", "--keep-uids", "--no-descriptions")
    shifted = pydicom.dcmread(copies(tmp_path / "shift")[0])
    kept = pydicom.dcmread(copies(tmp_path / "keep")[0])
    assert shifted.StudyDate not in ("", "20200102")
    assert (kept.StudyDate, kept.SOPInstanceUID) == ("20200102", "1.2.3.1")
    assert [code.CodeValue for code in kept.DeidentificationMethodCodeSequence] == ["113100", "113106", "113110"]


def test_the_report_can_be_a_table(inbox: Path, tmp_path: Path) -> None:
    """One line an attribute, for a spreadsheet."""
    report = tmp_path / "report.CSV"
    run(inbox, "--out", tmp_path / "out", "--report", report)
    rows = list(csv.reader(report.read_text().splitlines()))
    assert rows[0] == ["id", "tag", "action"]
    assert ["(0008,0018)", "U"] in [row[1:] for row in rows]


def test_a_crash_leaves_no_half_written_copy(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy gets its name once it is whole; a full disk ends the run with one line."""
    out = tmp_path / "out"

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device", "JONES")

    monkeypatch.setattr(module.os, "fsync", full)
    done = run(inbox, "--out", out)
    assert done.exit_code == 1
    assert str(NotWritable()) in done.output
    assert "JONES" not in done.output
    assert copies(out) == []


def test_the_key_is_the_machines_own_and_never_shown(inbox: Path, tmp_path: Path) -> None:
    """Made on first use, readable by its owner alone; pseudonyms are under a key derived from it."""
    key = tmp_path / "config" / "key"
    environment = {"TRISTREAM_KEY_FILE": str(key), "TRISTREAM_KEY": None}
    done = CliRunner().invoke(main, ["deidentify", str(inbox), "--out", str(tmp_path / "out")], env=environment)
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_text()
    assert text not in done.output
    assert not any(text.encode() in path.read_bytes() for path in copies(tmp_path / "out"))
    settings = from_environment({"TRISTREAM_KEY_FILE": str(key)})
    assert pseudonyms_of(settings).uid("1.2.3") == pseudonyms_of(settings).uid("1.2.3")
    assert pseudonyms_of(settings).uid("1.2.3") != pseudonyms_of(from_environment({"TRISTREAM_KEY": KEY})).uid("1.2.3")
    with pytest.raises(BadSetting):
        pseudonyms_of(from_environment({"TRISTREAM_KEY": "00"}))
    assert run(inbox, "--out", tmp_path / "other", key="nothing").exit_code == 2


def test_an_unreadable_file_is_one_refusal(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others go on."""
    opened = os.open

    def failing(path: Path, *arguments: int) -> int:
        if Path(path).name == "JONES 1.dcm":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return opened(path, *arguments)

    monkeypatch.setattr(module.os, "open", failing)
    done = run(*sorted(inbox.rglob("JONES ?.dcm")), "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "Unreadable" in done.output
    assert "JONES" not in done.output
    assert "1 copied" in done.output


def test_paths_that_the_system_refuses_are_refusals(inbox: Path, tmp_path: Path) -> None:
    """A link to itself, one into a file, a name as long as names can be: counted each, told without a path."""
    (inbox / "MILLER loop.dcm").symlink_to("MILLER loop.dcm")
    (inbox / "MILLER into.dcm").symlink_to("M" * 251 + ".dcm/below")
    (inbox / ("M" * 251 + ".dcm")).write_bytes(b"no image")
    result = run(inbox, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "7 files: 2 copied, 5 refused" in result.stdout
    assert "2 × Unreadable" in result.stderr
    assert "MILLER" not in result.output


def test_what_is_passed_by_or_left_out_is_told(inbox: Path, tmp_path: Path) -> None:
    """A sidecar, what it names and an index are no objects; patterns leave out others; all are counted."""
    folder, report = inbox / "JONES ANNA 1960", tmp_path / "report.json"
    (folder / "JONES 1.dcm.json").write_text('{"annotations": ["JONES 2.dcm"]}')
    (folder / "DICOMDIR").write_bytes(b"index")
    done = run(inbox, "--out", tmp_path / "out", "--report", report, "--exclude", "*half*", "--exclude", "*.png")
    assert json.loads(report.read_text())["passed_by"] == {
        "goes along": 1, "hidden": 0, "companion": 2, "left out": 2,
    }  # fmt: skip
    assert "1 files" in done.stdout
    assert "5 files passed by: 1 that go along with images, 2 that describe others" in done.stdout
    assert "JONES" not in done.output


def test_a_pipe_is_a_refusal_and_is_not_waited_for(inbox: Path, tmp_path: Path) -> None:
    """Named itself or within a folder; so is a device."""
    os.mkfifo(inbox / "JONES pipe")
    done = run(inbox, inbox / "JONES pipe", "/dev/zero", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "pipe, a socket or a device" in done.output
    assert "JONES" not in done.output
    assert len(copies(tmp_path / "out")) == 2


def test_an_output_that_cannot_be_written_is_told_without_its_path(inbox: Path, tmp_path: Path) -> None:
    """Paths can hold names."""
    (tmp_path / "file").touch()
    result = run(inbox, "--out", tmp_path / "out", "--report", tmp_path / "file/JONES.json")
    assert result.exit_code == 1
    assert "a file or folder cannot be used: Not a directory" in result.stderr
    assert "JONES" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_reports_go_through_no_link(inbox: Path, tmp_path: Path) -> None:
    """A link that somebody laid under the name of a map or report is replaced; what it leads to stays as it was."""
    for name in ("map.csv", "report.json"):
        (tmp_path / f"other-{name}").write_text("somebody's")
        (tmp_path / name).symlink_to(f"other-{name}")
    run(inbox, "--out", tmp_path / "out", "--map", tmp_path / "map.csv", "--report", tmp_path / "report.json")
    for name in ("map.csv", "report.json"):
        assert (tmp_path / f"other-{name}").read_text() == "somebody's"
        assert not (tmp_path / name).is_symlink()
    assert "JONES" in (tmp_path / "map.csv").read_text()
    assert not list(tmp_path.glob(".*"))


def test_masked_pixels_are_written(inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a function that finds burned-in text is given, it is called on each object."""

    def mask(dataset: pydicom.Dataset, *_: object, **_how: object) -> Masked:
        dataset.PixelData = bytes(len(dataset.PixelData))
        return Masked(3, complete=True)

    monkeypatch.setattr(module, "CLEAN_PIXELS", mask)
    run(inbox, "--out", tmp_path / "out")
    for path in copies(tmp_path / "out"):
        dataset = pydicom.dcmread(BytesIO(path.read_bytes()))
        assert not any(dataset.PixelData)
        assert dataset.BurnedInAnnotation == "NO"


def test_burned_in_text_is_masked_and_counted_unless_pixels_are_kept(tmp_path: Path) -> None:
    """The report says how many areas were masked, or that nobody looked; a declared text is refused then."""
    source, report = tmp_path / "in.dcm", tmp_path / "report.json"
    dataset = pydicom.dcmread(str(get_testdata_file("examples_palette.dcm")))
    dataset.save_as(source)
    assert run(source, "--out", tmp_path / "clean", "--report", report).exit_code == 0
    body = json.loads(report.read_text())
    assert body["pixels"] == "clean"
    assert body["copied"][0]["pixels"]["areas"] >= 1
    assert body["copied"][0]["pixels"]["complete"] is True
    assert run(source, "--out", tmp_path / "kept", "--pixels", "keep", "--report", report).exit_code == 0
    body = json.loads(report.read_text())
    assert (body["pixels"], body["copied"][0]["pixels"]) == ("keep", None)
    before, masked, kept = (
        pydicom.dcmread(path).pixel_array for path in (source, *copies(tmp_path / "clean"), *copies(tmp_path / "kept"))
    )
    assert (kept == before).all()
    assert (masked != before).any()
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(source)
    assert "IdentifyingPixels" in run(source, "--out", tmp_path / "no", "--pixels", "keep").output
