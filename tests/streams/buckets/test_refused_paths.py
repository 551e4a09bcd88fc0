"""Paths that the system refuses, sizes that nobody can read: each costs itself, and the watch goes on."""

import asyncio
import logging
import os
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest

from infra.annotate import find_files
from schemas.failures import InvalidInput
from schemas.limits import Limits
from schemas.objects import ObjectReference
from streams.buckets import ObjectUnreadable, Watching, bucket_of, watching
from streams.buckets.companions import named_in
from streams.buckets.references import reference_to
from streams.buckets.watching import FolderWatcher


class Seen(list[ObjectReference]):
    """What was given out, and what was told of it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    async def until(self, holds: Callable[["Seen"], bool], seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            while not holds(self):  # noqa: ASYNC110 - waits for the watcher, as a user would
                await asyncio.sleep(0.01)

    @property
    def keys(self) -> list[str]:
        return [one.key for one in self]


@asynccontextmanager
async def watch(folder: Path, listing: float = 3600.0) -> AsyncIterator[Seen]:
    seen = Seen()
    watcher = FolderWatcher(folder, Watching(listing=listing, degraded=seen.told.append), settle=0.05)

    async def follow() -> None:
        async with aclosing(watcher.references()) as references:
            async for reference in references:
                seen.append(reference)

    task = asyncio.create_task(follow())
    try:
        yield seen
        assert not task.done(), "the watch ended"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def lay_traps(folder: Path) -> list[str]:
    """Paths that cannot be read, by their names; with a sound file behind them."""
    (folder / "loop.dcm").symlink_to("loop.dcm")
    (folder / "sound.dcm").write_bytes(b"1")
    (folder / "into.dcm").symlink_to("sound.dcm/below.dcm")
    return ["into.dcm", "loop.dcm"]


async def test_links_to_nowhere_good_are_announced_once_and_fail_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A link to itself and one into a file: a dead letter each, whose text holds no path."""
    traps = lay_traps(tmp_path)
    with caplog.at_level(logging.DEBUG):
        async with watch(tmp_path, listing=0.2) as seen:
            await seen.until(lambda seen: len(seen) == 3)
            await asyncio.sleep(0.5)
    assert sorted(seen.keys) == sorted([*traps, "sound.dcm"])
    for reference in seen:
        if reference.key in traps:
            with pytest.raises(InvalidInput) as caught:
                bucket_of(reference).read(reference)
            assert str(tmp_path) not in str(caught.value)
            assert reference.key not in str(caught.value)
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize("length", range(250, 256))
async def test_the_longest_names_are_read(tmp_path: Path, length: int) -> None:
    """A name that leaves no room for a sidecar's has none."""
    (tmp_path / ("x" * (length - 4) + ".dcm")).write_bytes(b"content")
    async with watch(tmp_path) as seen:
        await seen.until(lambda seen: len(seen) == 1)
    assert bucket_of(seen[0]).read(seen[0]).data == b"content"
    assert len(find_files([tmp_path])) == 1


async def test_a_sidecar_may_name_what_no_system_knows(tmp_path: Path) -> None:
    """A mask of 300 characters is a mask that is not there: who reads the image says so."""
    (tmp_path / "scan.png").write_bytes(b"image")
    (tmp_path / "scan.png.json").write_bytes(orjson.dumps({"mask": "m" * 300, "annotations": ["a\0b", "c/" * 3000]}))
    async with watch(tmp_path) as seen:
        await seen.until(lambda seen: len(seen) == 1)
    assert list(bucket_of(seen[0]).read(seen[0]).companions) == ["sidecar"]
    assert len(find_files([tmp_path])) == 1


async def test_a_folder_without_x(closed: Path) -> None:
    """Its files are seen and cannot be looked at: a dead letter each, in a watch and in a list of files."""
    (closed / "sub").mkdir()
    (closed / "sub/DOE JANE.dcm").write_bytes(b"1")
    (closed / "sound.dcm").write_bytes(b"1")
    (closed / "sub").chmod(0o600)
    async with watch(closed) as seen:
        await seen.until(lambda seen: len(seen) == 2)
    (reference,) = [one for one in seen if one.key.startswith("sub/")]
    with pytest.raises(ObjectUnreadable, match="Permission denied") as caught:
        bucket_of(reference).read(reference)
    assert "DOE" not in str(caught.value)
    assert sorted(path.name for path in find_files([closed])) == ["DOE JANE.dcm", "sound.dcm"]


async def test_a_folder_that_cannot_be_looked_into_is_told(closed: Path) -> None:
    """Other files are found and noticed; that something is not seen is said, and in a list the folder fails itself."""
    (closed / "sub").mkdir()
    (closed / "sub/hidden.dcm").write_bytes(b"1")
    (closed / "sub").chmod(0o000)
    async with watch(closed, listing=3600) as seen:
        await seen.until(lambda seen: any("a folder of the inbox cannot be looked into" in told for told in seen.told))
        await asyncio.sleep(0.5)
        (closed / "late.dcm").write_bytes(b"1")
        await seen.until(lambda seen: seen.keys == ["late.dcm"])
        (closed / "sub").chmod(0o700)
    assert not any("notifications" in told for told in seen.told)
    (closed / "sub").chmod(0o000)
    assert sorted(path.name for path in find_files([closed])) == ["late.dcm", "sub"]
    reference = reference_to(closed / "sub", closed)
    with pytest.raises(ObjectUnreadable, match="Permission denied"):
        bucket_of(reference).read(reference)


async def test_a_name_that_is_not_utf8_costs_no_notification_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The system's watcher stops at it: that is told, the file is found by listing, and later ones by notification."""
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.1)
    async with watch(tmp_path) as seen:
        await asyncio.sleep(0.5)
        (tmp_path / os.fsdecode(b"DOE\xff.dcm")).write_bytes(b"1")
        await seen.until(lambda seen: seen.keys == ["DOE%FF.dcm"])
        await seen.until(lambda seen: seen.told[-1:] == [""])
        (tmp_path / "late.dcm").write_bytes(b"1")
        await seen.until(lambda seen: "late.dcm" in seen.keys)
    assert any("notifications failed" in told for told in seen.told)
    assert "DOE" not in "".join((*seen.told, caplog.text))


async def test_without_notifications_the_listing_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where inotify's limit is reached: told, tried again, and files are found by listing."""
    tries = 0

    def refuses(*_: object, **__: object) -> AsyncIterator[None]:
        nonlocal tries
        tries += 1
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(watching, "awatch", refuses)
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.05)
    async with watch(tmp_path, listing=0.2) as seen:
        await seen.until(lambda _: tries > 2)
        (tmp_path / "late.dcm").write_bytes(b"1")
        await seen.until(lambda seen: seen.keys == ["late.dcm"])
    assert seen.told[-1] == (
        "changes are seen by listing only: the system's notifications failed (No space left on device)"
    )


async def test_a_file_beyond_the_limit_is_announced_unread(tmp_path: Path) -> None:
    """Ten terabytes of nothing: known by size, time and inode, at once; and written anew it is another object."""
    path = tmp_path / "sparse.dcm"
    path.touch()
    os.truncate(path, 10 * 2**40)
    async with watch(tmp_path) as seen:
        await seen.until(lambda seen: len(seen) == 1, seconds=10)
        path.write_bytes(b"small")
        await seen.until(lambda seen: len(seen) == 2)
    assert [one.size for one in seen] == [10 * 2**40, 5]
    assert seen[0].size > Limits().file_bytes
    assert seen[0].etag != seen[1].etag


async def test_small_files_do_not_wait_for_large_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large one is hashed apart; written anew meanwhile, its last content is what is announced."""
    monkeypatch.setattr(watching, "LARGE", 1000)
    hashed, goes_on = threading.Event(), threading.Event()

    def slow(path: Path, folder: Path, most_bytes: int) -> ObjectReference:
        found = reference_to(path, folder, most_bytes)
        if path.name == "large.dcm":
            hashed.set()
            goes_on.wait(30)
        return found

    monkeypatch.setattr(watching, "reference_to", slow)
    (tmp_path / "large.dcm").write_bytes(bytes(2000))
    async with watch(tmp_path, listing=0.2) as seen:
        await asyncio.to_thread(hashed.wait, 30)
        (tmp_path / "small.dcm").write_bytes(b"1")
        await seen.until(lambda seen: seen.keys == ["small.dcm"])
        (tmp_path / "large.dcm").write_bytes(bytes(3000))
        await asyncio.sleep(0.5)
        goes_on.set()
        await seen.until(lambda seen: len(seen) > 1)
        await asyncio.sleep(0.5)
    assert seen[-1] == reference_to(tmp_path / "large.dcm", tmp_path)
    assert seen.keys == ["small.dcm", "large.dcm"]


async def test_a_large_sidecar_is_not_parsed(tmp_path: Path) -> None:
    """16 MiB of nested lists: the image is announced, and no more than the beginning is ever held."""
    (tmp_path / "scan.png").write_bytes(b"image")
    (tmp_path / "scan.png.json").write_bytes(b"[" + b"[[]]," * (2**24 // 5) + b"[]]")
    tracemalloc.start()
    try:
        async with watch(tmp_path) as seen:
            await seen.until(lambda seen: len(seen) == 1)
        assert len(bucket_of(seen[0]).read(seen[0]).companions["sidecar"]) == 2**16 + 1
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
    assert named_in(orjson.dumps({"mask": "a.png", "labels": {"1": "x" * 2**16}})) == {}


async def test_files_that_go_while_they_are_waited_for(tmp_path: Path) -> None:
    """Deleted or renamed before they have settled: they are passed by, and what took their place is announced."""
    async with watch(tmp_path) as seen:
        await asyncio.sleep(0.5)
        with (tmp_path / "slow.dcm").open("wb") as file:
            file.write(b"1")
            file.flush()
            await asyncio.sleep(0.3)
            (tmp_path / "slow.dcm").rename(tmp_path / "renamed.dcm")
        (tmp_path / "short.dcm").write_bytes(b"1")
        (tmp_path / "short.dcm").unlink()
        await seen.until(lambda seen: "renamed.dcm" in seen.keys)
        await asyncio.sleep(0.3)
    assert seen.keys == ["renamed.dcm"]
