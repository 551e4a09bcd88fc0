"""A folder as a bucket: settled files, once each, read as announced."""

import asyncio
import hashlib
import os
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import pytest

from infra.annotate import find_files
from schemas.objects import ObjectReference
from streams.buckets import Content, ObjectChanged, ObjectGone, Watching, bucket_of
from streams.buckets.beside import companions_of, objects_among
from streams.buckets.references import reference_to
from streams.buckets.selection import Reason
from streams.buckets.walking import everything_below, files_below
from streams.buckets.watching import FolderWatcher


def read(reference: ObjectReference) -> Content:
    return bucket_of(reference).read(reference)


class Seen(list[str]):
    """Keys in the order they were announced."""

    async def until(self, count: int, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while len(self) < count:  # noqa: ASYNC110 - waits for the watcher, as a user would
                await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(
    folder: Path, ledger: list[ObjectReference] | None = None, listing: float = 3600.0
) -> AsyncGenerator[Seen]:
    seen = Seen()
    watcher = FolderWatcher(folder, Watching(listing=listing), ledger or [], settle=0.2)

    async def follow() -> None:
        async with aclosing(watcher.references()) as references:
            async for reference in references:
                seen.append(reference.key)

    task = asyncio.create_task(follow())
    try:
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_files_there_before_and_files_that_come_are_announced_once(tmp_path: Path) -> None:
    """Listing finds the old, watching finds the new, also in folders that are made or moved in."""
    inbox, outside = tmp_path / "inbox", tmp_path / "outside"
    for folder in (inbox, outside / "series"):
        folder.mkdir(parents=True)
    (inbox / "old.dcm").write_bytes(b"1")
    (outside / "series" / "moved.dcm").write_bytes(b"2")
    async with watching(inbox) as seen:
        await seen.until(1)
        (inbox / "new.dcm").write_bytes(b"3")
        await seen.until(2)
        (outside / "series").rename(inbox / "series")
        await seen.until(3)
    assert seen == ["old.dcm", "new.dcm", "series/moved.dcm"]


async def test_a_growing_file_is_taken_when_it_is_whole(tmp_path: Path) -> None:
    """A file that is open for writing is not taken, however long the writer pauses."""
    async with watching(tmp_path) as seen:
        with (tmp_path / "slow.dcm").open("wb") as file:
            file.write(b"half")
            file.flush()
            await asyncio.sleep(0.8)
            assert seen == []
            file.write(b"whole")
        await seen.until(1)
    assert seen == ["slow.dcm"]


async def test_the_same_bytes_again_make_nothing_new(tmp_path: Path) -> None:
    """Rewriting a file with its own content announces nothing; other content does; a restart changes neither."""
    path = tmp_path / "a.dcm"
    path.write_bytes(b"one")
    first = reference_to(path, tmp_path)
    async with watching(tmp_path) as seen:
        await seen.until(1)
        path.write_bytes(b"one")
        (tmp_path / "b.dcm").write_bytes(b"marker")
        await seen.until(2)
        path.write_bytes(b"two")
        await seen.until(3)
    assert seen == ["a.dcm", "b.dcm", "a.dcm"]
    path.write_bytes(b"one")
    async with watching(tmp_path, [first]) as again:
        await again.until(1)
    assert again == ["b.dcm"]


async def test_listing_finds_what_the_watcher_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no event at all, the next listing still finds the file."""

    async def deaf(self: FolderWatcher, stop: asyncio.Event) -> None:
        await stop.wait()

    monkeypatch.setattr(FolderWatcher, "_be_notified", deaf)
    async with watching(tmp_path, listing=0.3) as seen:
        await asyncio.sleep(0.1)
        (tmp_path / "missed.dcm").write_bytes(b"1")
        await seen.until(1)


def test_hidden_and_unfinished_files_are_left_alone(tmp_path: Path) -> None:
    """Uploaders' temporary names and hidden files are not objects."""
    for name in (".hidden", "a.dcm.part", "b.tmp", "c.dcm", ".git/config", "sub/d"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert [path.name for path in files_below(tmp_path)] == ["c.dcm", "d"]


def test_an_object_is_read_as_it_was_announced(tmp_path: Path) -> None:
    """Its bytes come back; overwritten or deleted since, it is refused with a reason. Names are bytes."""
    name = os.fsdecode("Jos\u00e9 #1%20?.dcm".encode() + b"\xff")
    path = tmp_path / name
    path.write_bytes(b"content")
    reference = ObjectReference.model_validate_json(reference_to(path, tmp_path).model_dump_json())
    assert read(reference) == Content(b"content")
    path.write_bytes(b"changed")
    with pytest.raises(ObjectChanged):
        read(reference)
    path.unlink()
    with pytest.raises(ObjectGone) as caught:
        read(reference)
    assert "Jos" not in str(caught.value)


def described(folder: Path, name: str = "scan.png", mask: str = "masks/scan.png") -> Path:
    """An object with a sidecar and the file that this one names."""
    path = folder / name
    path.write_bytes(b"image")
    (folder / f"{name}.json").write_text(f'{{"mask": "{mask}"}}')
    (folder / "masks").mkdir(exist_ok=True)
    (folder / "masks/scan.png").write_bytes(b"mask")
    return path


def test_companions_are_no_objects_by_themselves(tmp_path: Path) -> None:
    """Sidecars by their names, what they name, and other JSON files; files with sidecars of their own are."""
    described(tmp_path)
    for name in ("alone.nii.gz.json", "x.dcm.json", "notes.json", "scan.json"):
        (tmp_path / name).touch()
    found = objects_among(files_below(tmp_path))
    assert [path.name for path in found] == ["scan.png"]
    described(tmp_path, "other.png", mask="scan.png")
    assert tmp_path / "scan.png" in objects_among(files_below(tmp_path))


def test_the_etag_covers_companions_and_leaves_plain_files_as_they_were(tmp_path: Path) -> None:
    """A change of any of the three is another content; without a sidecar it is the SHA-256 of the file."""
    path = described(tmp_path)
    etags = [reference_to(path, tmp_path).etag]
    for name in ("masks/scan.png", "scan.png.json", "scan.png"):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b" ")
        etags.append(reference_to(path, tmp_path).etag)
    (tmp_path / "masks/scan.png").unlink()
    etags.append(reference_to(path, tmp_path).etag)
    assert len(set(etags)) == 5
    (tmp_path / "scan.png.json").unlink()
    assert reference_to(path, tmp_path).etag == hashlib.sha256(b"image ").hexdigest()


def test_an_object_is_read_with_its_companions(tmp_path: Path) -> None:
    """As they were announced: a changed sidecar is a changed object."""
    path = described(tmp_path)
    reference = reference_to(path, tmp_path)
    content = read(reference)
    assert content == Content(b"image", {"sidecar": b'{"mask": "masks/scan.png"}', "mask": b"mask"})
    assert "mask" not in repr(content)
    (tmp_path / "scan.png.json").write_text("{}")
    with pytest.raises(ObjectChanged):
        read(reference)


def test_files_that_go_along_with_images_are_passed_by_and_counted(tmp_path: Path) -> None:
    """NIfTI as converters leave it, a folder's index; but not a sidecar's image, nor a file that is named itself."""
    for name in (
        "sub/run.nii.gz", "sub/run.json", "sub/run.bval", "sub/run.BVEC", "DICOMDIR", "Thumbs.db", ".DS_Store",
        "source_text.jsonl", "scan.png", "scan.png.json", "notes.txt",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    counted: Counter[Reason] = Counter()
    found = find_files([tmp_path], passed_by=counted.update)
    assert sorted(path.name for path in found) == ["notes.txt", "run.nii.gz", "scan.png"]
    assert counted == {"goes along": 7, "companion": 1, "left out": 0}
    assert sorted(path.name for path in files_below(tmp_path)) == [
        "notes.txt", "run.nii.gz", "scan.png", "scan.png.json",
    ]  # fmt: skip
    assert [path.name for path in find_files([tmp_path / "DICOMDIR"])] == ["DICOMDIR"]


def lay_links(folder: Path) -> dict[str, Path]:
    """Links to folders within an inbox and out of it, and loops of every kind. The files that are there to find."""
    inbox, outside = folder / "inbox", folder / "outside"
    for path in (inbox / "real", outside / "series", folder / "beside"):
        path.mkdir(parents=True)
    links = {
        "linked": outside, "again": inbox / "real", "self": Path(), "up": Path(".."), "higher": folder.parent,
        "real/down": Path("../../outside/series"),
    }  # fmt: skip
    for name, target in links.items():
        (inbox / name).symlink_to(target)
    (outside / "series/loop").symlink_to(outside)
    (outside / "back").symlink_to(inbox)
    files = {"real/a.dcm": inbox / "real/a.dcm", "linked/series/b.dcm": outside / "series/b.dcm"}
    for path in (*files.values(), folder / "beside/not-mine.dcm"):
        path.write_bytes(path.name.encode())
    return files


def test_links_to_folders_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    """Each folder has its files once, by its own path where it has one; links out of the folder are followed."""
    files = lay_links(tmp_path)
    inbox = tmp_path / "inbox"
    for below in (files_below, everything_below):
        found = list(below(inbox))
        assert sorted(path.resolve() for path in found) == sorted(files.values())
        assert inbox / "real/a.dcm" in found
    assert [path.name for path in files_below(inbox / "again")] == ["a.dcm", "b.dcm"]
    assert [path.name for path in find_files([inbox / "linked/series", inbox / "real"])] == ["b.dcm", "a.dcm", "b.dcm"]


async def test_a_watch_follows_links_to_folders_and_stays_out_of_circles(tmp_path: Path) -> None:
    """Those that are there, and those that come; what lies behind a loop outside the inbox is not announced."""
    files = lay_links(tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    (new / "c.dcm").write_bytes(b"c")
    async with watching(tmp_path / "inbox", listing=1.0) as seen:
        await seen.until(2)
        (tmp_path / "inbox/later").symlink_to(new)
        await seen.until(3)
        (files["real/a.dcm"].parent / "d.dcm").write_bytes(b"d")
        (tmp_path / "beside/not-mine-either.dcm").write_bytes(b"e")
        (new / "f.dcm").write_bytes(b"f")
        await seen.until(5)
        await asyncio.sleep(1.5)
    assert sorted(seen) == sorted([*seen[:2], "later/c.dcm", "real/d.dcm", "later/f.dcm"])
    assert "real/a.dcm" in seen


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "masks/../../secret.png", "link.png", "scan.png"])
def test_a_sidecar_names_no_file_outside_its_folder(tmp_path: Path, name: str) -> None:
    """Neither by dots, nor absolutely, nor by a link; nor the object itself."""
    (tmp_path / "secret.png").write_bytes(b"other patient")
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    found = companions_of(described(folder, mask=name))
    assert found is not None
    assert [role for role, _ in found.there()] == ["sidecar"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mask": 5}', '{"mask": "none.png"}', '{"mask": "a\\u0000b"}'])
def test_a_damaged_sidecar_is_still_a_companion(tmp_path: Path, text: str) -> None:
    """What it holds is for those who read the object to refuse."""
    path = tmp_path / "a.tif"
    path.write_bytes(b"image")
    (tmp_path / "a.tif.json").write_text(text)
    assert read(reference_to(path, tmp_path)).companions == {"sidecar": text.encode()}


async def test_an_object_is_announced_again_when_its_companions_change(tmp_path: Path) -> None:
    """When a sidecar comes later or what it names changes; not when they are written again as they were."""
    (tmp_path / "a.png").write_bytes(b"image")
    async with watching(tmp_path) as seen:
        await seen.until(1)
        described(tmp_path, "a.png")
        await seen.until(2)
        (tmp_path / "masks/scan.png").write_bytes(b"another")
        await seen.until(3)
        described(tmp_path, "a.png")
        (tmp_path / "b.png").write_bytes(b"marker")
        await seen.until(4)
    assert seen == ["a.png", "a.png", "a.png", "b.png"]


async def test_what_several_objects_name_announces_each_again(tmp_path: Path) -> None:
    """A segmentation that the sidecars of two images name is the companion of both, and no object."""
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(name.encode())
        (tmp_path / f"{name}.json").write_text('{"annotations": ["seg.dcm", 5, "none.dcm"], "mask": "seg.dcm"}')
    (tmp_path / "seg.dcm").write_bytes(b"marks")
    content = read(reference_to(tmp_path / "b.dcm", tmp_path))
    assert {role: data for role, data in content.companions.items() if role != "sidecar"} == {
        "mask": b"marks",
        "annotations/0": b"marks",
    }
    async with watching(tmp_path) as seen:
        await seen.until(2)
        (tmp_path / "seg.dcm").write_bytes(b"others")
        await seen.until(4)
    assert seen == ["a.dcm", "b.dcm"] * 2
