"""Watching a folder: wait until files have stopped growing, give out each content once.

Notifications of the system are a help and no more: where they fail, files are found by listing, and that is told.
"""

import asyncio
import contextlib
import os
import stat
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import structlog
from watchfiles import awatch

from schemas.objects import ObjectReference
from streams.buckets.base import Watching
from streams.buckets.beside import Names, companions_of
from streams.buckets.companions import described_by, is_sidecar, is_wanted
from streams.buckets.known import fingerprint
from streams.buckets.references import reason, reference_to
from streams.buckets.selection import Reason, by_reason
from streams.buckets.walking import files_below, is_folder, leads_back

log = structlog.get_logger()

SETTLE = 0.3
"""Seconds a file must have been left alone."""
LARGE = 2**26
"""Bytes from which a file is hashed apart, so that smaller ones do not wait for it."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until notifications that failed are asked for again, the first time and at most."""
HEARD = 500
"""Milliseconds after which notifications are known to work though nothing has changed."""


class FolderWatcher:
    """Yields a reference for every content of every file in a folder, once it has settled, and once only.

    Args:
        folder: watched with all folders below it.
        watching: how.
        ledger: references that earlier runs announced.
        settle: seconds a file must be unchanged and not open for writing.
    """

    def __init__(
        self, folder: Path, watching: Watching, ledger: Iterable[ObjectReference] = (), *, settle: float = SETTLE
    ) -> None:
        # The watcher reports resolved paths.
        self.folder = folder.resolve()
        self._watching, self._settle = watching, settle
        bucket = self.folder.as_uri()
        for known in ledger:
            if known.bucket == bucket:
                watching.known.add((known.key, known.etag))
        self._seen: dict[bytes, bytes] = {}
        """The state of each path at the last look, both as fingerprints."""
        self._owners: dict[Path, set[Path]] = {}
        """Of the files that sidecars name, the objects whose companion each is."""
        self._changes: asyncio.Queue[set[Path]] = asyncio.Queue()
        self._next_listing = time.monotonic()
        self._large: dict[Path, asyncio.Future[ObjectReference]] = {}
        self._again: set[Path] = set()
        self._deaf = self._closed = ""
        self._passed = Counter[Reason]()
        """What the last listing has passed by for its name."""

    async def references(self) -> AsyncGenerator[ObjectReference]:
        """References until closed."""
        stop = asyncio.Event()
        notified = asyncio.create_task(self._be_notified(stop))
        candidates: set[Path] = set()
        apart = ThreadPoolExecutor(1, "large-files")
        try:
            while True:
                listed: list[Path] | None = None
                if time.monotonic() >= self._next_listing:
                    listed = await asyncio.to_thread(self._list)
                    candidates.update(listed)
                    self._next_listing = time.monotonic() + self._watching.listing
                growing: set[Path] = set()
                for path in await asyncio.to_thread(self._selected, candidates, listed):
                    match await asyncio.to_thread(self._settled, path):
                        case "growing":
                            growing.add(path)
                        case "large":
                            self._hash_apart(path, apart)
                        case ObjectReference() as reference if self._is_new(reference):
                            yield reference
                        case _:
                            pass
                for path in [path for path, hashing in self._large.items() if hashing.done()]:
                    reference = self._large.pop(path).result()
                    if path in self._again:
                        self._again.discard(path)
                        self._hash_apart(path, apart)
                    elif self._is_new(reference):
                        yield reference
                candidates = growing
                pause = self._settle / 3 if growing else max(0.0, self._next_listing - time.monotonic())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        candidates |= await self._changes.get()
        finally:
            stop.set()
            apart.shutdown(wait=False, cancel_futures=True)
            notified.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await notified

    def _is_new(self, reference: ObjectReference) -> bool:
        return self._watching.known.add((reference.key, reference.etag))

    def _hash_apart(self, path: Path, apart: ThreadPoolExecutor) -> None:
        if path in self._large:
            self._again.add(path)  # Written anew while it is hashed.
        else:
            loop = asyncio.get_running_loop()
            hashing = loop.run_in_executor(apart, reference_to, path, self.folder, self._watching.most_bytes)
            hashing.add_done_callback(lambda _: self._changes.put_nowait(set()))
            self._large[path] = hashing

    def _list(self) -> list[Path]:
        unseen: list[None] = []
        self._passed = Counter[Reason]()
        found = list(
            files_below(self.folder, lambda: unseen.append(None), lambda reason: self._passed.update([reason]))
        )
        closed = len(unseen)
        folders = "a folder" if closed == 1 else f"{closed} folders"
        self._closed = f"{folders} of the inbox cannot be looked into: let the worker's user read it" if closed else ""
        self._tell()
        return found

    def _tell(self) -> None:
        self._watching.degraded("; ".join(filter(None, (self._deaf, self._closed))))

    async def _be_notified(self, stop: asyncio.Event) -> None:
        """Have changes told by the system, and again after each failure, until stopped."""
        pause = FIRST_PAUSE
        while not stop.is_set():
            started = time.monotonic()
            try:
                async for batch in awatch(
                    self.folder, stop_event=stop, step=20, debounce=200, watch_filter=None, rust_timeout=HEARD,
                    yield_on_timeout=True, ignore_permission_denied=True,
                ):  # fmt: skip
                    if self._deaf:
                        self._deaf = ""
                        log.info("notifications work again")
                        self._tell()
                    paths = {Path(name) for _, name in batch}
                    if paths:
                        await self._changes.put(await asyncio.to_thread(self._wanted, paths))
            except Exception as error:  # noqa: BLE001 - of a library: one bad name must not end the watch
                if time.monotonic() - started > LONGEST_PAUSE:
                    pause = FIRST_PAUSE
                cause = _cause(error)
                self._deaf = f"changes are seen by listing only: the system's notifications failed ({cause})"
                log.warning("notifications failed", error=cause, again_in_s=pause)
                self._tell()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                # What happened meanwhile nobody has told.
                self._next_listing = time.monotonic()
                await self._changes.put(set())

    def _wanted(self, paths: set[Path]) -> set[Path]:
        # A folder that was moved in announces itself alone: what lies below it comes by listing it. What lies behind a
        # link may lie elsewhere in the inbox too, which only a listing of all of it can tell.
        folders = {path for path in paths if is_folder(path)}
        if any(folder.is_symlink() for folder in folders):
            self._next_listing = time.monotonic()
        below = {path for folder in folders if not folder.is_symlink() for path in files_below(folder)}
        found = filter(None, map(self._at_home, paths | below))
        return {path for path in found if is_wanted(self._below(path))}

    def _at_home(self, path: Path) -> Path | None:
        """By its own path where it lies in the inbox: of two paths of a folder the system tells only one.

        None where it lies outside, behind a link that leads back: the system follows those.
        """
        try:
            home = path.parent.resolve() / path.name
        except (OSError, RuntimeError):
            return path
        if home.is_relative_to(self.folder):
            return home
        return None if any(map(leads_back, _between(path, self.folder))) else path

    def _selected(self, candidates: Iterable[Path], listed: list[Path] | None) -> list[Path]:
        """The objects that may be new, among those to be given out; of a listing it is told what is passed by."""
        # Of the few that a notification tells of, looking into their folders would cost more than looking at each.
        names = Names() if listed is not None else None
        found = self._objects(candidates, names)
        kept = [path for path in found if self._watching.selection.takes(self._below(path))]
        if listed is not None:
            objects = set(found)
            out = len(found) - len(kept)
            companions = sum(path not in objects for path in listed)
            self._watching.passed_by(by_reason({**self._passed, "companion": companions, "left out": out}))
        return [path for path in kept if not self._is_as_it_was(path, names)]

    def _below(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _objects(self, candidates: Iterable[Path], names: Names | None) -> list[Path]:
        """The objects that a change of the candidates touches: a companion stands for the one that it describes."""
        paths = {path.with_name(described_by(path.name)) if is_sidecar(path.name) else path for path in candidates}
        for path in paths:
            for named in _named_by(path, names) or ():
                self._owners.setdefault(named, set()).add(path)
        return sorted({owner for path in paths for owner in self._owned_by(path, names)}, key=os.fspath)

    def _owned_by(self, path: Path, names: Names | None) -> set[Path]:
        if path not in self._owners or _named_by(path, names) is not None:
            return {path}
        return {owner for owner in self._owners[path] if path in (_named_by(owner, names) or ())} or {path}

    def _is_as_it_was(self, path: Path, names: Names | None) -> bool:
        """Whether nothing happened to it, or what describes it, since the last look. False where that is not plain."""
        if (seen := self._seen.get(fingerprint(os.fsencode(path)))) is None:
            return False
        try:
            return _marks(_states(path, names)) == seen
        except OSError:
            return False

    def _settled(self, path: Path) -> ObjectReference | Literal["growing", "large"] | None:
        """A reference if its state is new and can be told at once."""
        place = fingerprint(os.fsencode(path))
        most = self._watching.most_bytes
        try:
            states = _states(path)
            if not stat.S_ISREG(states[path].st_mode):
                return None
            marks = _marks(states)
            if self._seen.get(place) == marks:
                return None
            quiet = time.time() - max(max(state.st_mtime, state.st_ctime) for state in states.values())
            if 0 <= quiet < self._settle or any(map(being_written, states)):
                return "growing"
            large = max(state.st_size for state in states.values())
        except FileNotFoundError:
            self._seen.pop(place, None)
            return None
        except OSError:
            # Announced, so that it ends in a dead letter, once.
            marks, large = b"", 0
            if self._seen.get(place) == marks:
                return None
        self._seen[place] = marks
        if LARGE <= large <= most:
            return "large"
        return reference_to(path, self.folder, most)


def _between(path: Path, folder: Path) -> list[Path]:
    """The folders on the way from one to a path below it."""
    return [parent for parent in path.parents if parent != folder and parent.is_relative_to(folder)]


def _states(path: Path, names: Names | None = None) -> dict[Path, os.stat_result]:
    """What the system says of a file and of its companions, itself first. Raises OSError."""
    first = path.stat()
    found = companions_of(path, names) if stat.S_ISREG(first.st_mode) else None
    return {path: first} | {one: one.stat() for _, one in (found.there() if found is not None else ())}


def _marks(states: Mapping[Path, os.stat_result]) -> bytes:
    return fingerprint(*((state.st_size, state.st_mtime_ns, state.st_ino) for state in states.values()))


def _named_by(path: Path, names: Names | None) -> list[Path] | None:
    """The files that an object's sidecar names; None where it has none, or it cannot be looked at."""
    try:
        found = companions_of(path, names)
    except OSError:
        return None
    return found.named_by_sidecar if found is not None else None


def _cause(error: BaseException) -> str:
    """What failed, without its text: that holds paths."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return reason(error) if isinstance(error, Exception) else type(error).__name__


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
