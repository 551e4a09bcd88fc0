"""Which objects of a store accompany others, as sidecars say that name them. Each sidecar is read once a state.

Asked only of what is new and has no sidecar of its own, so a bucket in which nothing changes costs nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import PurePosixPath

from streams.buckets.asking import Entry, can_tell
from streams.buckets.base import ObjectGone, ObjectUnreadable
from streams.buckets.companions import is_sidecar, named_in

READ = 16
"""Sidecars that are read at a time."""
MOST = 200_000
"""Sidecars whose names are kept."""
FOLDERS = 1000
"""Folders whose names are kept for a moment."""


class NamedObjects:
    """What the sidecars of a store name.

    Args:
        top: the prefix below which sidecars are looked for; empty: all of the store.
        list_folder: what lies in a folder, by its key, and not below it.
        read: the beginning of an object.
    """

    def __init__(self, top: str, list_folder: Callable[[str], Sequence[Entry]], read: Callable[[str], bytes]) -> None:
        self._top, self._list_folder, self._read_object = top, list_folder, read
        self._named_by = lru_cache(MOST)(self._read)
        self._in_folder = lru_cache(FOLDERS)(self._of_folder)

    def again(self) -> None:
        """Look at folders anew: a listing begins."""
        self._in_folder.cache_clear()

    def __contains__(self, key: str) -> bool:
        """Whether a sidecar in the object's folder, or in one above it, names it. Blocks.

        Raises:
            Unavailable: the bucket does not answer.
        """
        return can_tell(key) and any(key in self._in_folder(folder) for folder in self._above(key))

    def _above(self, key: str) -> Iterator[str]:
        folder = key
        while folder and folder != self._top:
            folder = folder.rpartition("/")[0]
            yield folder

    def _of_folder(self, folder: str) -> frozenset[str]:
        sidecars = [one for one in self._list_folder(folder) if is_sidecar(one.key)]
        with ThreadPoolExecutor(READ) as threads:
            return frozenset(name for names in threads.map(self._named_by, sidecars) for name in names)

    def _read(self, sidecar: Entry) -> tuple[str, ...]:
        return self.by(sidecar.key)

    def by(self, key: str) -> tuple[str, ...]:
        """What one sidecar names. Blocks.

        Raises:
            Unavailable: the bucket does not answer.
        """
        try:
            content = self._read_object(key)
        except (ObjectGone, ObjectUnreadable):
            return ()
        folder = PurePosixPath(key).parent
        return tuple(str(folder / name) for name in named_in(content).values())
