"""A folder as a bucket: find files, wait until they have stopped growing, take each content once.

An object may have companions: `<name>.json` beside `<name>`, and more files that this one names. They are no objects
by themselves, and a change of theirs is a change of their object. Knows nothing else of what the files hold.
"""

import asyncio
import contextlib
import hashlib
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from urllib.parse import quote, unquote_to_bytes, urlsplit

import orjson
from watchfiles import awatch

from schemas.failures import InvalidInput
from schemas.objects import ObjectReference
from streams.known import Known, fingerprint

SETTLE = 0.3
"""Seconds a file must have been left alone."""
LISTING = 30.0
"""Seconds between listings, which find what the watcher missed."""
UNFINISHED = (".part", ".tmp")
"""Endings that uploaders give to files they have not finished."""
ACCOMPANIED = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".nii", ".nii.gz", ".dcm", ".dicom", ".svs")
"""Endings of objects that may have companions, in any case."""
SIDECAR = ".json"
NAMED_IN = ("mask", "annotations")
"""The fields of a sidecar that name more files, one or a list, by paths below the object's own folder."""
MOST_SIDECAR_BYTES = 2**24
MOST_NAMED = 64
"""Files of a list in a sidecar; those after them are not looked for."""


class ObjectGone(InvalidInput):
    """An object was deleted before it was read."""


class ObjectUnreadable(InvalidInput):
    """An object exists but may not be read."""


class ObjectChanged(InvalidInput):
    """An object was overwritten between being announced and being read."""


@dataclass(frozen=True, slots=True)
class Companions:
    """Where an object's companions are, or would be."""

    sidecar: Path
    named: Mapping[str, Path]

    def there(self) -> Iterator[tuple[str, Path]]:
        """Those that exist, by what they are."""
        for role, path in (("sidecar", self.sidecar), *self.named.items()):
            if path.is_file():
                yield role, path


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an object, and of its companions by what they are: `sidecar`, `mask`, `annotations/0`, …"""

    data: bytes = field(repr=False)
    companions: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)


def is_sidecar(path: PurePath) -> bool:
    """Whether a file is another's companion by its name, be that one there or not."""
    return path.name.endswith(SIDECAR) and may_have_companions(PurePath(path.name.removesuffix(SIDECAR)))


def may_have_companions(path: PurePath) -> bool:
    """Whether an object is of a kind that another file may describe, by its name."""
    return path.name.lower().endswith(ACCOMPANIED)


def _described_by(sidecar: Path) -> Path:
    return sidecar.with_name(sidecar.name.removesuffix(SIDECAR))


def companions_of(path: Path) -> Companions | None:
    """The companions of a file. None where it can have none, or has no sidecar."""
    sidecar = path.with_name(path.name + SIDECAR)
    if not may_have_companions(path) or not sidecar.is_file():
        return None
    try:
        with sidecar.open("rb") as file:
            names = named_in(file.read(MOST_SIDECAR_BYTES))
    except OSError:
        return Companions(sidecar, {})
    found = ((role, _below(path.parent, name)) for role, name in names.items())
    return Companions(sidecar, {role: one for role, one in found if one is not None and one not in (path, sidecar)})


def named_in(sidecar: bytes) -> dict[str, str]:
    """The paths of the files that a sidecar names, by what they are: the field, of a list with the place in it."""
    try:
        described = orjson.loads(sidecar)
    except orjson.JSONDecodeError:
        return {}  # Whoever reads the object says what is wrong with it.
    found: dict[str, str] = {}
    for field_name in NAMED_IN if isinstance(described, dict) else ():
        match described.get(field_name):
            case str(name):
                found[field_name] = name
            case list(names):
                found |= {
                    f"{field_name}/{n}": name for n, name in enumerate(names[:MOST_NAMED]) if isinstance(name, str)
                }
            case _:
                pass
    return found


def _below(folder: Path, name: str) -> Path | None:
    """A file that is named by a relative path. None where that leads out of the folder, by a link too."""
    try:
        path = folder / name
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return None
    if not inside or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    return path


def objects_among(paths: Iterable[Path]) -> list[Path]:
    """The paths without those that are companions of others among them.

    A file with a sidecar of its own is an object, even where another's sidecar names it.
    """
    candidates = [path for path in paths if not is_sidecar(path)]
    found = {path: companions for path in candidates if (companions := companions_of(path)) is not None}
    named = {path for companions in found.values() for path in companions.named.values()} - found.keys()
    return [path for path in candidates if path not in named]


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, hidden ones and temporary uploads left out, in a stable order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(UNFINISHED):
                yield Path(parent, name)


def beside(reference: ObjectReference) -> Iterator[ObjectReference]:
    """The objects in a reference's own folder, itself included, none below it; in a stable order.

    Their etags are no hashes: they tell size, time and inode of the file, and of its sidecar.

    Raises:
        OSError: the folder cannot be read.
    """
    states: dict[str, os.stat_result] = {}
    with os.scandir(path_of(reference).parent) as found:
        for entry in found:
            if not entry.name.startswith(".") and not entry.name.endswith(UNFINISHED):
                with contextlib.suppress(OSError):  # Gone since it was listed, or a link to nowhere.
                    states[entry.name] = entry.stat()
    folder = reference.key.rpartition("/")[0]
    for name, state in sorted(states.items()):
        if stat.S_ISREG(state.st_mode) and not is_sidecar(PurePath(name)):
            sidecar = states.get(name + SIDECAR) if may_have_companions(PurePath(name)) else None
            marks = [_marked(each) for each in (state, sidecar) if each is not None]
            yield ObjectReference(
                bucket=reference.bucket,
                key="/".join(filter(None, (folder, quote(os.fsencode(name))))),
                etag="-".join(str(mark) for each in marks for mark in each),
                size=state.st_size,
            )


def content_tag(path: Path) -> str:
    """The etag of a folder's object, in hexadecimal: SHA-256 of its bytes.

    Of an object with companions: SHA-256 over those of each file.

    Raises:
        OSError: it cannot be read.
    """
    found = companions_of(path)
    companions = {role: _digest(companion) for role, companion in found.there()} if found is not None else {}
    return _combined(_digest(path), companions)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _combined(digest: str, companions: Mapping[str, str]) -> str:
    if not companions:
        return digest
    return hashlib.sha256(repr((digest, sorted(companions.items()))).encode()).hexdigest()


def reference_to(path: Path, folder: Path) -> ObjectReference:
    """The reference to a file as it is now. A file that cannot be read has an empty etag, and fails when it is read."""
    try:
        size, etag = path.stat().st_size, content_tag(path)
    except OSError:
        size, etag = 0, ""
    return refer(path, folder, etag, size)


def refer(path: Path, folder: Path, etag: str, size: int) -> ObjectReference:
    """The reference to a file of a folder in a state that is known."""
    # Percent-encoded: a file name is bytes, and need not be UTF-8.
    key = quote(os.fsencode(path.absolute().relative_to(folder.absolute())))
    return ObjectReference(bucket=folder.absolute().as_uri(), key=key, etag=etag, size=size)


def path_of(reference: ObjectReference) -> Path:
    """Where the file of a reference lies."""
    return Path(os.fsdecode(unquote_to_bytes(f"{urlsplit(reference.bucket).path}/{reference.key}")))


def read_object(reference: ObjectReference) -> Content:
    """What a reference means, with its companions.

    Raises:
        ObjectGone, ObjectUnreadable, ObjectChanged: see there.
    """
    content = read_now(reference)
    digests = {role: hashlib.sha256(data).hexdigest() for role, data in content.companions.items()}
    if _combined(hashlib.sha256(content.data).hexdigest(), digests) != reference.etag:
        raise ObjectChanged(
            "The object, or a file beside it that describes it, was overwritten after it was announced. "
            "Its new content is announced by itself; nothing to do."
        )
    return content


def read_now(reference: ObjectReference) -> Content:
    """The file of a reference as it is now, with its companions.

    Raises:
        ObjectGone, ObjectUnreadable: see there.
    """
    path = path_of(reference)
    try:
        found = companions_of(path)
        return Content(
            path.read_bytes(),
            {role: companion.read_bytes() for role, companion in found.there()} if found is not None else {},
        )
    except (FileNotFoundError, NotADirectoryError):
        raise ObjectGone("The object was deleted before it was read. Drop it again to have it annotated.") from None
    except OSError as error:
        raise ObjectUnreadable(
            f"The object could not be read ({type(error).__name__}). Let the worker's user read it, then replay it."
        ) from None


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


def _marked(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ino


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
    taken: Known = field(default_factory=Known)
    _seen: dict[bytes, bytes] = field(default_factory=dict)
    """The state of each path at the last look, both as fingerprints."""
    _owners: dict[Path, set[Path]] = field(default_factory=dict)
    """Of the files that sidecars name, the objects whose companion each is."""

    def __post_init__(self) -> None:
        # The watcher reports resolved paths.
        self.folder = self.folder.resolve()
        bucket = self.folder.as_uri()
        for known in self.ledger:
            if known.bucket == bucket:
                self.taken.add((known.key, known.etag))
        self.ledger = ()

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
                for path in await asyncio.to_thread(self._objects, candidates):
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

    def _objects(self, candidates: Iterable[Path]) -> list[Path]:
        """The objects that a change of the candidates touches: a companion stands for the one that it describes."""
        paths = {_described_by(path) if is_sidecar(path) else path for path in candidates}
        for path in paths:
            found = companions_of(path)
            for named in found.named.values() if found is not None else ():
                self._owners.setdefault(named, set()).add(path)
        return sorted({owner for path in paths for owner in self._owned_by(path)})

    def _owned_by(self, path: Path) -> set[Path]:
        if path not in self._owners or companions_of(path) is not None:
            return {path}
        found = {owner: companions_of(owner) for owner in self._owners[path]}
        return {owner for owner, one in found.items() if one is not None and path in one.named.values()} or {path}

    def _settled(self, path: Path) -> tuple[ObjectReference | None, bool]:
        """A reference if there is something new; and whether to look again soon."""
        place = fingerprint(os.fsencode(path))
        try:
            found = companions_of(path)
            files = [path, *(companion for _, companion in found.there())] if found is not None else [path]
            states = [file.stat() for file in files]
            if not stat.S_ISREG(states[0].st_mode):
                return None, False
            marks = fingerprint(*map(_marked, states))
            if self._seen.get(place) == marks:
                return None, False
            quiet = time.time() - max(max(state.st_mtime, state.st_ctime) for state in states)
            if 0 <= quiet < self.settle or any(map(being_written, files)):
                return None, True
        except FileNotFoundError:
            self._seen.pop(place, None)
            return None, False
        except PermissionError:
            marks = b""
            if self._seen.get(place) == marks:
                return None, False
        reference = reference_to(path, self.folder)
        self._seen[place] = marks
        return (reference if self.taken.add((reference.key, reference.etag)) else None), False
