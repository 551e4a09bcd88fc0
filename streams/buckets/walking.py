"""What lies below a folder: each file once, links followed, and none of what is passed by for its name."""

import contextlib
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from streams.buckets.beside import state_of
from streams.buckets.companions import hidden_in, is_wanted
from streams.buckets.selection import Reason, reason_by_name


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


def hidden_folders(folder: Path) -> Iterator[Path]:
    """The folders below one that are passed by for their names, in no order; what lies in them is not looked at."""
    for parent, _ in _walk(folder, lambda _: None, lambda _: None):
        with contextlib.suppress(OSError), os.scandir(parent) as found:
            yield from (parent / entry.name for entry in found if hidden_in(entry.name) and entry.is_dir())


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
