"""A place whose files are no objects of the stream: a folder, or what lies below a prefix of a bucket.

Knows nothing of what they hold.
"""

import asyncio
from pathlib import Path

from schemas.failures import Unavailable
from schemas.objects import ObjectReference
from streams import s3
from streams.folder import ObjectGone, ObjectUnreadable, files_below, path_of, refer
from streams.s3 import Location, is_bucket, listing


async def files_in(place: str) -> list[ObjectReference]:
    """What lies there now, in a stable order. Of a folder the etag is not a hash but tells size, time and inode.

    Raises:
        Unavailable: the folder is not there; the bucket does not answer, or may not be listed.
    """
    if is_bucket(place):
        return sorted([one async for one in listing(Location.parse(place))], key=lambda one: one.key)
    return await asyncio.to_thread(_below, Path(place))


def _below(folder: Path) -> list[ObjectReference]:
    if not folder.is_dir():
        raise Unavailable("the folder that TRISTREAM_ANNOTATIONS names is not there")
    found: list[ObjectReference] = []
    for path in files_below(folder):
        try:
            state = path.stat()
        except OSError:
            continue  # Gone since it was listed, or a link to nowhere.
        etag = f"{state.st_size}-{state.st_mtime_ns}-{state.st_ino}"
        found.append(refer(path, folder, etag, state.st_size))
    return found


def read_file(reference: ObjectReference, most: int = -1) -> bytes:
    """The bytes of a file of a place, as they are now. Blocks.

    Args:
        reference: to it.
        most: only the first so many; below 0: all.

    Raises:
        ObjectGone, ObjectUnreadable: see there.
        Unavailable: the bucket does not answer.
    """
    if is_bucket(reference.bucket):
        return s3.get(reference, most)
    try:
        with path_of(reference).open("rb") as file:
            return file.read(most)
    except FileNotFoundError:
        raise ObjectGone("A file given for the object was deleted before it was read. Replay the object.") from None
    except OSError as error:
        raise ObjectUnreadable(
            f"A file given for the object could not be read ({type(error).__name__}). Let the worker's user read it, "
            "then replay the object."
        ) from None
