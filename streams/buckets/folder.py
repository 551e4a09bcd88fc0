"""A folder as a bucket: find files, read them as they were announced. Knows nothing of what the files hold.

A path that the system refuses (too long, a link to itself, no right to read) is an object that cannot be read, never an
error of the whole; and no error here holds a path.
"""

import contextlib
import errno
import os
import stat
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams.buckets.base import Content, ObjectChanged, ObjectGone, ObjectUnreadable, Watching
from streams.buckets.beside import companions_read
from streams.buckets.companions import is_sidecar, is_wanted, sidecar_of
from streams.buckets.references import marked, path_of, reason, refer, tag_of
from streams.buckets.walking import files_below, is_folder
from streams.buckets.watching import FolderWatcher

SCHEME = "file://"
PAGE = 1000


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
            page.append(refer(path, self.path, marked(found), found.st_size))
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page

    def read(self, reference: ObjectReference) -> Content:
        """As the protocol says."""
        content = self.read_now(reference)
        if tag_of(content, reference) != reference.etag:
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
        return FolderWatcher(self.path, watching, ledger).references()


def _failed(error: OSError | ValueError) -> ObjectGone | ObjectUnreadable:
    if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ObjectGone("The object was deleted before it was read. Drop it again to have it annotated.")
    return ObjectUnreadable(
        f"The object, or a file beside it that describes it, could not be read ({reason(error)}). "
        "Let the worker's user read it, then replay it."
    )


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
                etag="-".join(marked(each) for each in (state, sidecar) if each is not None),
                size=state.st_size,
            )
