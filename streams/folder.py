"""A folder as a bucket: find files, wait until they have stopped growing, take each content once.

Knows nothing of what the files hold.
"""

import asyncio
import hashlib
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from watchfiles import awatch

from schemas.failures import InvalidInput
from schemas.objects import ObjectReference

SETTLE = 0.3
"""Seconds a file must have been left alone."""
LISTING = 30.0
"""Seconds between listings, which find what the watcher missed."""
UNFINISHED = (".part", ".tmp")
"""Endings that uploaders give to files they have not finished."""


class ObjectGone(InvalidInput):
    """An object was deleted before it was read."""


class ObjectUnreadable(InvalidInput):
    """An object exists but may not be read."""


class ObjectChanged(InvalidInput):
    """An object was overwritten between being announced and being read."""


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, hidden ones and temporary uploads left out, in a stable order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(UNFINISHED):
                yield Path(parent, name)


def content_tag(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal: the etag of a folder's object.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reference_to(path: Path, folder: Path) -> ObjectReference:
    """The reference to a file as it is now. A file that cannot be read has an empty etag, and fails when it is read."""
    try:
        size, etag = path.stat().st_size, content_tag(path)
    except OSError:
        size, etag = 0, ""
    # Percent-encoded: a file name is bytes, and need not be UTF-8.
    key = quote(os.fsencode(path.absolute().relative_to(folder.absolute())))
    return ObjectReference(bucket=folder.absolute().as_uri(), key=key, etag=etag, size=size)


def read_object(reference: ObjectReference) -> bytes:
    """The bytes that a reference means.

    Raises:
        ObjectGone, ObjectUnreadable, ObjectChanged: see there.
    """
    path = Path(os.fsdecode(unquote_to_bytes(f"{urlsplit(reference.bucket).path}/{reference.key}")))
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ObjectGone("The object was deleted before it was read. Drop it again to have it annotated.") from None
    except OSError as error:
        raise ObjectUnreadable(
            f"The object could not be read ({type(error).__name__}). Let the worker's user read it, then replay it."
        ) from None
    if hashlib.sha256(data).hexdigest() != reference.etag:
        raise ObjectChanged(
            "The object was overwritten after it was announced. Its new content is announced by itself; nothing to do."
        )
    return data


def being_written(path: Path) -> bool:
    """True if some process has the file open for writing; False if none has, or the system cannot tell.

    On Linux a read lease is granted only while there is no writer (fcntl(2), F_SETLEASE).
    """
    if sys.platform != "linux":
        return False
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


@dataclass(slots=True)
class FolderWatcher:
    """Yields a reference for every content of every file in a folder, once it has settled, and once only.

    Args:
        folder: watched with all folders below it.
        ledger: references that earlier runs announced.
        settle: seconds a file must be unchanged and not open for writing.
        listing: seconds between listings.
    """

    folder: Path
    ledger: Iterable[ObjectReference] = ()
    settle: float = SETTLE
    listing: float = LISTING
    taken: set[tuple[str, str]] = field(init=False)
    _seen: dict[Path, tuple[int, int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The watcher reports resolved paths.
        self.folder = self.folder.resolve()
        bucket = self.folder.as_uri()
        self.taken = {(known.key, known.etag) for known in self.ledger if known.bucket == bucket}

    async def references(self, stop: asyncio.Event) -> AsyncIterator[ObjectReference]:
        """References until `stop` is set."""
        changes: asyncio.Queue[set[Path]] = asyncio.Queue()
        watching = asyncio.create_task(self._watch(changes, stop))
        candidates: set[Path] = set()
        next_listing = time.monotonic()
        try:
            while not stop.is_set():
                if time.monotonic() >= next_listing:
                    candidates.update(await asyncio.to_thread(lambda: list(files_below(self.folder))))
                    next_listing = time.monotonic() + self.listing
                growing: set[Path] = set()
                for path in sorted(candidates):
                    reference, wait = await asyncio.to_thread(self._settled, path)
                    if wait:
                        growing.add(path)
                    elif reference is not None:
                        yield reference
                candidates = growing
                pause = self.settle / 3 if growing else max(0.0, next_listing - time.monotonic())
                try:
                    async with asyncio.timeout(pause):
                        candidates |= await changes.get()
                except TimeoutError:
                    continue
        finally:
            stop.set()
            await watching

    async def _watch(self, changes: asyncio.Queue[set[Path]], stop: asyncio.Event) -> None:
        async for batch in awatch(self.folder, stop_event=stop, step=20, debounce=200, watch_filter=None):
            paths = {Path(name) for _, name in batch}
            # A folder that was moved in announces itself alone: what lies below it comes by listing it.
            below = {path for folder in paths if folder.is_dir() for path in files_below(folder)}
            await changes.put({path for path in paths | below if self._wanted(path)})
        await changes.put(set())

    def _wanted(self, path: Path) -> bool:
        parts = path.relative_to(self.folder).parts
        return bool(parts) and not any(part.startswith(".") for part in parts) and not path.name.endswith(UNFINISHED)

    def _settled(self, path: Path) -> tuple[ObjectReference | None, bool]:
        """A reference if there is something new; and whether to look again soon."""
        try:
            before = path.stat()
            if not stat.S_ISREG(before.st_mode):
                return None, False
            mark = (before.st_size, before.st_mtime_ns, before.st_ino)
            if self._seen.get(path) == mark:
                return None, False
            quiet = time.time() - max(before.st_mtime, before.st_ctime)
            if 0 <= quiet < self.settle or being_written(path):
                return None, True
        except FileNotFoundError:
            self._seen.pop(path, None)
            return None, False
        except PermissionError:
            mark = (0, 0, 0)
            if self._seen.get(path) == mark:
                return None, False
        reference = reference_to(path, self.folder)
        self._seen[path] = mark
        fresh = (reference.key, reference.etag) not in self.taken
        self.taken.add((reference.key, reference.etag))
        return (reference if fresh else None), False
