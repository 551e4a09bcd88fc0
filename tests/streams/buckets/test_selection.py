"""Which objects are taken by patterns, and that what is passed by is counted, whatever kind of bucket it lies in."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore

from infra.annotate import find_files
from streams.buckets import Bucket, Watching, store
from streams.buckets.beside import companions_read
from streams.buckets.folder import Folder
from streams.buckets.selection import Reason, Selection, told
from streams.buckets.store import Store

FILES = {
    "a.dcm": b"1", "a.DCM": b"2", "scan.png": b"3", "scan.png.json": b'{"mask": "labels.png"}', "labels.png": b"4",
    "old/b.dcm": b"5", "old/deep/c.dcm": b"6", "old/c, d.dcm": b"7", "sub/run.nii.gz": b"8", "sub/run.bval": b"9",
    "notes.txt": b"10", ".DS_Store": b"11", ".hidden.dcm": b"12", ".masks/a.png": b"13", ".masks/b.png": b"14",
    "sub/.old/deep/.d.dcm": b"15", "sub/.old/e.dcm": b"16", "seen.png": b"17",
    "seen.png.json": b'{"mask": ".masks/a.png"}',
}  # fmt: skip
OBJECTS = {
    "a.dcm",
    "a.DCM",
    "scan.png",
    "old/b.dcm",
    "old/deep/c.dcm",
    "old/c, d.dcm",
    "sub/run.nii.gz",
    "notes.txt",
    "seen.png",
}
PASSED = {"goes along": 2, "hidden": 3}
"""For their names: a hidden folder once, whatever lies in it."""
CASES = [
    ("", "", OBJECTS),
    ("*.dcm", "", {"a.dcm", "old/b.dcm", "old/deep/c.dcm", "old/c, d.dcm"}),
    ("*.dcm, *.png", "old/*", {"a.dcm", "scan.png", "seen.png"}),
    ("*.[dD][cC][mM]", "*/deep/*", {"a.dcm", "a.DCM", "old/b.dcm", "old/c, d.dcm"}),
    ("/old/*", "c? d.dcm", {"old/b.dcm", "old/deep/c.dcm"}),
    ("", "*", set[str]()),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files, in folders."""
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


async def watched(bucket: Bucket, selection: Selection, count: int) -> tuple[set[str], Mapping[Reason, int]]:
    """Keys that a watch gives out until it has told what it passed by and given so many, and what it passed by."""
    passed: dict[Reason, int] = {}
    watching = Watching(listing=0.05, selection=selection, passed_by=passed.update)
    found: set[str] = set()

    async def follow() -> None:
        async with aclosing(bucket.watch(watching)) as references:
            async for reference in references:
                found.add(reference.key)

    task = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        while not passed or len(found) < count:  # noqa: ASYNC110 - waits for the watcher, as a user would
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return found, passed


@pytest.mark.parametrize(("include", "exclude", "taken"), CASES)
def test_files_are_found_by_patterns_and_the_others_are_counted(
    folder: Path, include: str, exclude: str, taken: set[str]
) -> None:
    """By the path below the folder that was named; companions are not selected, and are not taken for objects."""
    passed: Counter[Reason] = Counter()
    found = find_files([folder], Selection.parse(include, exclude), passed.update)
    assert {path.relative_to(folder).as_posix() for path in found} == taken
    assert passed == {**PASSED, "companion": 3, "left out": 9 - len(taken)}
    assert len(found) + passed.total() == len(FILES) - 2, "of the two hidden folders, one file each is not counted"


def test_a_hidden_mask_goes_with_the_image_whose_sidecar_names_it(folder: Path) -> None:
    """And a hidden file or folder that somebody names is taken."""
    assert (folder / ".masks/a.png").read_bytes() in companions_read(folder / "seen.png").values()
    named = [folder / ".hidden.dcm", folder / ".masks"]
    assert [path.name for path in find_files(named)] == [".hidden.dcm", "a.png", "b.png"]


def test_a_file_that_is_named_itself_is_held_against_the_patterns_by_its_name(folder: Path) -> None:
    """As a shell's own patterns may have named more than was meant."""
    named = [folder / "old/b.dcm", folder / "notes.txt"]
    assert find_files(named, Selection(("*.dcm",))) == [folder / "old/b.dcm"]


@pytest.mark.parametrize(("include", "exclude", "taken"), CASES)
async def test_a_watched_folder_gives_out_what_the_patterns_take(
    folder: Path, include: str, exclude: str, taken: set[str]
) -> None:
    """And tells of each listing what it passed by."""
    found, passed = await watched(Folder(folder), Selection.parse(include, exclude), len(taken))
    assert found == {name.replace(",", "%2C").replace(" ", "%20") for name in taken}
    assert passed == {**PASSED, "companion": 3, "left out": 9 - len(taken)}


@pytest.mark.parametrize(("include", "exclude", "taken"), CASES)
async def test_a_watched_object_store_gives_out_the_same(
    monkeypatch: pytest.MonkeyPatch, include: str, exclude: str, taken: set[str]
) -> None:
    """By the key below the prefix. What a sidecar names is a companion, unless it was left out before."""
    memory: Any = MemoryStore()
    for name, data in FILES.items():
        memory.put(f"in/{name}", data)
    monkeypatch.setattr(store, "store_of", lambda _bucket: memory)
    selection = Selection.parse(include, exclude)
    named = int(selection.takes("labels.png"))
    found, passed = await watched(Store("gs://scans", "in"), selection, len(taken))
    assert found == {f"in/{name}" for name in taken}
    assert passed == {**PASSED, "companion": 2 + named, "left out": 10 - named - len(taken)}


async def test_a_file_that_comes_later_is_left_out_too(folder: Path) -> None:
    """By the system's notifications, as by a listing; its sidecar brings it in no more than itself."""
    watching = Watching(listing=3600, selection=Selection.parse("*.dcm", ""))
    found: list[str] = []

    async def follow() -> None:
        async with aclosing(Folder(folder).watch(watching)) as references:
            async for reference in references:
                found.append(reference.key)  # noqa: PERF401 - looked at while it grows

    task = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        while len(found) < 4:  # noqa: ASYNC110 - waits for the watcher, as a user would
            await asyncio.sleep(0.02)
        (folder / "late.png").write_bytes(b"11")
        (folder / "late.png.json").write_text("{}")
        (folder / "scan.png.json").write_text("{}")
        (folder / "late.dcm").write_bytes(b"12")
        while "late.dcm" not in found:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [name for name in found if not name.endswith(".dcm")] == []


def test_what_was_passed_by_is_told_in_words() -> None:
    """Only the reasons that there are."""
    assert told({"goes along": 0, "hidden": 0, "companion": 1, "left out": 0}) == (
        "1 file passed by: 1 that describe others (sidecars, masks, annotations)"
    )
    assert told({"left out": 3, "goes along": 2}).startswith(
        "5 files passed by: 2 that go along with images, 3 left out"
    )
    assert told({}) == ""
