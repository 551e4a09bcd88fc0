"""Accounts of objects: when each is finished, what is written of it, and what earlier runs have done already."""

import csv
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from infra.accounting import Accounts
from infra.exports import FileExport, lines_of
from infra.results import NotResults, Result, recalled

A, B, C = ("a" * 32, "b" * 32, "c" * 32)


def triplet(object_id: str, frame: int = 0, *, of: int = 1, pixels: str = "", marked: bool = False) -> Result:
    name = (pixels or f"{object_id[0]}{frame}").ljust(32, "0")
    row = {
        "object_id": object_id, "frame": frame, "frames_taken": of, "frames_skipped": 0, "image_id": name,
        "triplet_id": name, "also_in": [], "regions": [{"kind": "source annotation"}] if marked else [],
    }  # fmt: skip
    return recalled(orjson.dumps(row))


def letter(
    object_id: str, frame: int | None = None, *, of: int | None = None, error: str = "Damaged", file: str | None = None
) -> Result:
    row = {
        "object_id": object_id, "frame": frame, "frames_taken": of, "frames_skipped": 0, "image_id": None,
        "error": error, "message": "why", "file_id": file,
    }  # fmt: skip
    return recalled(orjson.dumps(row))


runs: list["Run"] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """The files of all runs of a test."""
    yield
    while runs:
        runs.pop().accounts.close()


class Run:
    """One run over some objects, into the same files each time."""

    def __init__(self, folder: Path, *object_ids: str, resume: bool = False) -> None:
        self.folder = folder
        begin = "resume" if resume else "new"
        self.accounts = Accounts(
            FileExport(folder / "t", begin=begin),  # type: ignore[arg-type] - both are of the type
            FileExport(folder / "d", begin=begin),  # type: ignore[arg-type] - both are of the type
        )
        if resume:
            self.accounts.recall()
        for object_id in object_ids:
            self.accounts.expect(object_id)
        runs.append(self)

    def add(self, *results: Result) -> "Run":
        for result in results:
            self.accounts.add(result)
        return self

    def triplets(self) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in lines_of(self.folder / "t")]

    def letters(self) -> list[str]:
        return [orjson.loads(line)["object_id"] for line in lines_of(self.folder / "d")]


def test_an_object_is_finished_by_all_its_frames_or_as_a_whole(tmp_path: Path) -> None:
    """In any order, each outcome once; outcomes of others count for nothing."""
    run = Run(tmp_path, A, B).add(triplet(A, 1, of=2), triplet(A, 1, of=2), triplet(C))
    assert run.accounts.unfinished == [A, B]
    run.add(letter(A, 0, of=2))
    assert run.accounts.unfinished == [B]
    run.add(letter(B), letter(B))
    assert run.accounts.complete
    assert (run.accounts.triplets, run.accounts.dead_letters) == (1, 2)
    assert run.accounts.errors == [("Damaged", "why", 2)]


def test_a_triplet_of_several_objects_stands_once_and_names_all(tmp_path: Path) -> None:
    """And the map tells both by its id."""
    run = Run(tmp_path, A, B, C).add(triplet(A, pixels="x"), triplet(B, pixels="x"), letter(C))
    run.accounts.finish()
    (row,) = run.triplets()
    assert (row["object_id"], row["also_in"]) == (A, [B])
    run.accounts.write_map(tmp_path / "map.csv", [(Path("/a\nb.dcm"), A), (Path("/b"), B), (Path("/c"), C)])
    with (tmp_path / "map.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["outcome"], row["triplet_id"], row["error"]) for row in rows] == [
        ("/a\nb.dcm", "triplet", "x".ljust(32, "0"), ""), ("/b", "triplet", "x".ljust(32, "0"), ""),
        ("/c", "dead-letter", "", "Damaged"),
    ]  # fmt: skip


def test_a_run_that_broke_off_is_gone_on_with(tmp_path: Path) -> None:
    """What has its triplets is not done again, half an object is, and nothing that was written is lost or doubled."""
    Run(tmp_path, C).add(triplet(C, marked=True)).accounts.finish()
    Run(tmp_path, A, B).add(triplet(A, 0, of=2), triplet(A, 1, of=2), triplet(B, 0, of=2)).accounts.close()
    again = Run(tmp_path, A, B, resume=True)
    assert (again.accounts.unfinished, again.accounts.finished, again.accounts.triplets) == ([B], 1, 3)
    assert again.accounts.is_annotated(C), "it was not expected, and is done all the same"
    again.add(triplet(B, 0, of=2), triplet(B, 1, of=2)).accounts.finish()
    assert sorted((row["object_id"], row["frame"]) for row in again.triplets()) == [
        (A, 0), (A, 1), (B, 0), (B, 1), (C, 0),
    ]  # fmt: skip
    summary = again.accounts.summary(1.0)
    assert (summary.objects, summary.images, summary.triplets, summary.marked) == (2, 4, 4, 0)


def test_dead_letters_are_tried_again_and_closed_by_success(tmp_path: Path) -> None:
    """One that fails again stands once; those of objects that nobody asked for stay."""
    Run(tmp_path, A, B, C).add(letter(A), letter(B), letter(C)).accounts.finish()
    again = Run(tmp_path, A, B, resume=True)
    assert again.accounts.unfinished == [A, B]
    again.add(triplet(A), letter(B, error="Again")).accounts.finish()
    assert again.letters() == [B, C]
    assert again.accounts.errors == [("Again", "why", 1)]


def test_a_corrected_file_closes_its_old_dead_letter(tmp_path: Path) -> None:
    """Its new content is another object of the same file; another file's letter stays."""
    file, other = "1" * 32, "2" * 32
    Run(tmp_path, A, B).add(letter(A, file=file), letter(B, file=other)).accounts.finish()
    again = Run(tmp_path, resume=True)
    again.accounts.expect(C, file)
    again.add(triplet(C)).accounts.finish()
    assert again.letters() == [B]


def test_objects_that_share_a_triplet_are_known_again(tmp_path: Path) -> None:
    """The one that is not named in the line, too; a third one joins them."""
    Run(tmp_path, A, B).add(triplet(A, pixels="x"), triplet(B, pixels="x")).accounts.finish()
    again = Run(tmp_path, A, B, C, resume=True)
    assert again.accounts.unfinished == [C]
    again.add(triplet(C, pixels="x")).accounts.finish()
    (row,) = again.triplets()
    assert row["also_in"] == [B, C]


def test_a_file_of_something_else_is_not_gone_on_with(tmp_path: Path) -> None:
    """It is told, and left as it was."""
    (tmp_path / "t").write_bytes(b'{"a": 1}\n')
    export = FileExport(tmp_path / "t", begin="resume")
    with pytest.raises(NotResults):
        Accounts(export, None).recall()
    export.close()
    assert (tmp_path / "t").read_bytes() == b'{"a": 1}\n'


def test_what_experts_lacked_is_counted_over_the_objects_of_a_run(tmp_path: Path) -> None:
    """Each triplet once, of earlier runs too where these objects are gone on with."""

    def lacking(object_id: str, *experts: str) -> Result:
        row = orjson.loads(triplet(object_id).line)
        return recalled(
            orjson.dumps({**row, "unasked": [{"expert": one, "lacks": "It takes two."} for one in experts]})
        )

    first = Run(tmp_path, A, B)
    first.add(lacking(A, "brats@1"), lacking(A, "brats@1"), lacking(B, "brats@1", "pet-ct@2"))
    assert first.accounts.unasked == [("brats@1", "It takes two.", 2), ("pet-ct@2", "It takes two.", 1)]
    first.accounts.finish()
    second = Run(tmp_path, A, C, resume=True).add(triplet(C))
    assert second.accounts.unasked == [("brats@1", "It takes two.", 1)]
