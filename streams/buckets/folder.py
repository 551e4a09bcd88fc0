"""A folder as a bucket: find files, read them as they were announced. Knows nothing of what the files hold.

A path that the system refuses (too long, a link to itself, no right to read) is an object that cannot be read, never an
error of the whole; and no error here holds a path.
"""

import contextlib
import errno
import hashlib
import os
import stat
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from schemas.failures import Unavailable
from schemas.limits import DEFAULT_LIMITS
from schemas.objects import ObjectReference
from streams.buckets.base import Content, ObjectChanged, ObjectGone, ObjectUnreadable, Watching
from streams.buckets.beside import TEXTS, begin, companions_of, companions_read, state_of
from streams.buckets.companions import hidden_in, is_sidecar, is_wanted, sidecar_of
from streams.buckets.selection import Reason, reason_by_name

SCHEME = "file://"
PAGE = 1000
UNREAD = "unread-"
"""How the etag of a file begins whose bytes were not looked at: it tells size, time and inode instead."""


def is_folder(path: Path) -> bool:
    """Whether it is a folder that can be looked at."""
    with contextlib.suppress(OSError):
        found = state_of(path)
        return found is not None and stat.S_ISDIR(found.st_mode)
    return False


def files_below(
    folder: Path, closed: Callable[[], None] = lambda: None, passed: Callable[[Reason], None] = lambda _: None
) -> Iterator[Path]:
    """Every file below a folder, temporary uploads and what is passed by left out, in a stable order.

    Args:
        folder: searched.
        closed: called for each folder that cannot be looked into.
        passed: called for each file, or hidden folder, that is passed by for its name.
    """
    for parent, names in _walk(folder, lambda _: closed(), passed):
        for name in sorted(names):
            if is_wanted(name):
                yield parent / name
            elif (reason := reason_by_name(name)) is not None:
                passed(reason)


def leads_back(path: Path) -> bool:
    """Whether a path is a link to a folder that it lies in itself, however far up."""
    try:
        return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())
    except (OSError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13.
        return True


def _walk(
    folder: Path, failed: Callable[[OSError], object], passed: Callable[[Reason], None]
) -> Iterator[tuple[Path, list[str]]]:
    """Folders below one, itself first, and the names in each that are no folders'; links to folders are followed.

    Hidden folders are passed by: some hold all that there was before (`.snapshot`), or was thrown away (`.Trash`).

    No folder is entered twice, by its own path rather than by a link's, and no link that leads back is followed.
    """
    tops, entered = deque([folder]), set[tuple[int, int]]()
    while tops:
        for parent, folders, names in os.walk(tops.popleft(), onerror=failed):
            here = Path(parent)
            with contextlib.suppress(OSError):  # Gone meanwhile: then nothing can be below it.
                found = here.stat()
                place = found.st_dev, found.st_ino
                if place in entered:
                    folders.clear()
                    continue
                entered.add(place)
            for _ in filter(hidden_in, folders):
                passed("hidden")
            folders[:] = sorted(name for name in folders if not hidden_in(name))
            tops.extend(link for name in folders if (link := here / name).is_symlink() and not leads_back(link))
            yield here, names


def everything_below(folder: Path, passed: Callable[[Reason], None] = lambda _: None) -> Iterator[Path]:
    """What must be accounted for below a folder that somebody chose, companions among it, in no order.

    Regular files; paths that the system does not let be looked at, folders among them: they fail when they are read.

    Args:
        folder: searched.
        passed: called for each file, or hidden folder, that is passed by for its name.
    """
    closed: list[OSError] = []
    for parent, names in _walk(folder, closed.append, passed):
        for name in names:
            reason = reason_by_name(name)
            if reason == "goes along" or reason == "hidden":
                passed(reason)
                continue
            path = parent / name
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    yield path
            except FileNotFoundError:
                continue  # A link to nowhere.
            except OSError:
                yield path
    yield from (Path(os.fsdecode(error.filename)) for error in closed if error.filename is not None)


@dataclass(frozen=True, slots=True)
class Folder:
    """All below a folder. See streams.buckets.base.Bucket.

    Args:
        path: absolute.
    """

    path: Path

    @property
    def url(self) -> str:
        """file:///folder."""
        return self.path.as_uri()

    @property
    def notifies(self) -> bool:
        """A folder tells by the system, not by Kafka."""
        return False

    def holds(self, reference: ObjectReference) -> bool:
        """Whether a reference's path lies below, as it is written."""
        if not reference.bucket.startswith(SCHEME) or ".." in (path := path_of(reference)).parts:
            return False
        # Watching, a folder that is a link is known by where it leads.
        return any(path != folder and path.is_relative_to(folder) for folder in (self.path, self.path.resolve()))

    def list(self, beside: ObjectReference | None = None) -> Iterator[Sequence[ObjectReference]]:
        """As the protocol says. The etags are no hashes: they tell size, time and inode of file and sidecar."""
        if beside is not None:
            with contextlib.suppress(OSError):  # Of a folder that cannot be read nothing is known.
                yield list(_beside(beside))
            return
        if not is_folder(self.path):
            raise Unavailable("the folder is not there")
        page: list[ObjectReference] = []
        for path in files_below(self.path):
            if is_sidecar(path.name):
                continue
            try:
                found = path.stat()
            except OSError:
                continue  # Gone since it was listed, or a link to nowhere.
            page.append(refer(path, self.path, _marked(found), found.st_size))
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page

    def read(self, reference: ObjectReference) -> Content:
        """As the protocol says."""
        content = self.read_now(reference)
        if _tag_of(content, reference) != reference.etag:
            raise ObjectChanged
        return content

    def read_now(self, reference: ObjectReference) -> Content:
        """As the protocol says."""
        path = path_of(reference)
        try:
            return Content(path.read_bytes(), companions_read(path))
        except (OSError, ValueError) as error:
            raise _failed(error) from None

    def get(self, reference: ObjectReference, most: int = -1) -> bytes:
        """As the protocol says."""
        try:
            with path_of(reference).open("rb") as file:
                return file.read(most)
        except (OSError, ValueError) as error:
            raise _failed(error) from None

    def watch(self, watching: Watching, ledger: Iterable[ObjectReference] = ()) -> AsyncGenerator[ObjectReference]:
        """As the protocol says: at once by the system's notifications, and by listing."""
        from streams.buckets.watching import FolderWatcher

        return FolderWatcher(self.path, watching, ledger).references()


def _failed(error: OSError | ValueError) -> ObjectGone | ObjectUnreadable:
    if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ObjectGone("The object was deleted before it was read. Drop it again to have it annotated.")
    return ObjectUnreadable(
        f"The object, or a file beside it that describes it, could not be read ({reason(error)}). "
        "Let the worker's user read it, then replay it."
    )


def reason(error: Exception) -> str:
    """What the system says of an error, without the path."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__


def _beside(reference: ObjectReference) -> Iterator[ObjectReference]:
    states: dict[str, os.stat_result] = {}
    with os.scandir(path_of(reference).parent) as found:
        for entry in found:
            if is_wanted(entry.name):
                with contextlib.suppress(OSError):  # Gone since it was listed, or a link to nowhere.
                    states[entry.name] = entry.stat()
    folder = reference.key.rpartition("/")[0]
    for name, state in sorted(states.items()):
        if stat.S_ISREG(state.st_mode) and not is_sidecar(name):
            sidecar = states.get(sidecar_of(name) or "")
            yield ObjectReference(
                bucket=reference.bucket,
                key="/".join(filter(None, (folder, quote(os.fsencode(name))))),
                etag="-".join(_marked(each) for each in (state, sidecar) if each is not None),
                size=state.st_size,
            )


def _marked(found: os.stat_result) -> str:
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"


def content_tag(path: Path) -> str:
    """The etag of a folder's object, in hexadecimal: SHA-256 of its bytes.

    Of an object with companions: SHA-256 over those of each file.

    Raises:
        OSError: it cannot be read.
    """
    found = companions_of(path)
    beside = {role: _digest(one, role) for role, one in found.there()} if found is not None else {}
    return _combined(_digest(path), beside)


def _digest(path: Path, role: str = "") -> str:
    if role in TEXTS:
        return hashlib.sha256(begin(path, role)).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _combined(digest: str, companions: Mapping[str, str]) -> str:
    if not companions:
        return digest
    return hashlib.sha256(repr((digest, sorted(companions.items()))).encode()).hexdigest()


def _tag_of(content: Content, reference: ObjectReference) -> str:
    if reference.etag.startswith(UNREAD):
        with contextlib.suppress(OSError):
            return UNREAD + _marked(path_of(reference).stat())
    digests = {role: hashlib.sha256(data).hexdigest() for role, data in content.companions.items()}
    return _combined(hashlib.sha256(content.data).hexdigest(), digests)


def reference_to(path: Path, folder: Path, most_bytes: int = DEFAULT_LIMITS.file_bytes) -> ObjectReference:
    """The reference to a file as it is now.

    A file that cannot be read has an empty etag, and fails when it is read. Of one that is larger than `most_bytes`, or
    has a companion that is, the bytes are not looked at.
    """
    try:
        found = path.stat()
        large = found.st_size > most_bytes or _largest_beside(path) > most_bytes
        return refer(path, folder, UNREAD + _marked(found) if large else content_tag(path), found.st_size)
    except (OSError, ValueError):
        return refer(path, folder, "", 0)


def _largest_beside(path: Path) -> int:
    found = companions_of(path)
    return max((one.stat().st_size for role, one in found.there() if role not in TEXTS), default=0) if found else 0


def refer(path: Path, folder: Path, etag: str, size: int) -> ObjectReference:
    """The reference to a file of a folder in a state that is known."""
    # Percent-encoded: a file name is bytes, and need not be UTF-8.
    key = quote(os.fsencode(path.absolute().relative_to(folder.absolute())))
    return ObjectReference(bucket=folder.absolute().as_uri(), key=key, etag=etag, size=size)


def path_of(reference: ObjectReference) -> Path:
    """Where the file of a reference lies."""
    return Path(os.fsdecode(unquote_to_bytes(f"{urlsplit(reference.bucket).path.rstrip('/')}/{reference.key}")))
