"""References to files of a folder, and the state that each tells of its file.

A path that the system refuses is an object that cannot be read, never an error of the whole; and no error here holds a
path.
"""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlsplit

from schemas.limits import DEFAULT_LIMITS
from schemas.objects import ObjectReference
from streams.buckets.base import Content
from streams.buckets.beside import TEXTS, begin, companions_of

UNREAD = "unread-"
"""How the etag of a file begins whose bytes were not looked at: it tells size, time and inode instead."""


def marked(found: os.stat_result) -> str:
    """An etag that is no hash: size, time and inode."""
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


def tag_of(content: Content, reference: ObjectReference) -> str:
    """The etag of what was read, of the kind that the reference has."""
    if reference.etag.startswith(UNREAD):
        with contextlib.suppress(OSError):
            return UNREAD + marked(path_of(reference).stat())
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
        return refer(path, folder, UNREAD + marked(found) if large else content_tag(path), found.st_size)
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


def reason(error: Exception) -> str:
    """What the system says of an error, without the path."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
