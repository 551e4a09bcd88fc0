"""What lies beside a file of a folder and describes it. Knows folders and names, and nothing of what watches them."""

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from streams.buckets import companions
from streams.buckets.companions import DEFAULTS, MOST_SIDECAR_BYTES, is_sidecar, named_in, sidecar_of

TEXTS = ("sidecar", "defaults")
"""Companions of which no more is read than shows that they are too large."""
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""What the system says of a path at which nothing can lie."""


@dataclass(frozen=True, slots=True)
class Companions:
    """Where an object's companions are, or would be."""

    sidecar: Path | None
    named: Mapping[str, Path]
    defaults: Path | None = None

    @property
    def named_by_sidecar(self) -> list[Path] | None:
        """The files that the sidecar names; None where there is none."""
        return list(self.named.values()) if self.sidecar is not None else None

    def there(self) -> Iterator[tuple[str, Path]]:
        """Those that exist, by what they are. Raises OSError."""
        for role, path in (("sidecar", self.sidecar), ("defaults", self.defaults), *self.named.items()):
            if path is not None and is_file(path):
                yield role, path


def state_of(path: Path) -> os.stat_result | None:
    """What the system says of a path, links followed; None where nothing lies there.

    Raises:
        OSError: something does, and cannot be looked at.
    """
    try:
        return path.stat()
    except ValueError:  # A path with a NUL in it.
        return None
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise


def is_file(path: Path) -> bool:
    """Whether a regular file lies there. Raises OSError as `state_of`."""
    found = state_of(path)
    return found is not None and stat.S_ISREG(found.st_mode)


class Names:
    """What lies in folders, each looked into once: of many files most have no companion, and a look at each is dear."""

    def __init__(self) -> None:
        self._of: dict[Path, frozenset[str] | None] = {}

    def may_have(self, folder: Path, name: str) -> bool:
        """False if nothing of that name lay in the folder when it was first looked into."""
        if folder not in self._of:
            try:
                self._of[folder] = frozenset(one.name for one in folder.iterdir())
            except OSError:
                self._of[folder] = None
        names = self._of[folder]
        return names is None or name in names


def companions_of(path: Path, names: Names | None = None) -> Companions | None:
    """The companions of a file. None where it has neither a sidecar nor its folder defaults.

    Args:
        path: of the file.
        names: what lies beside it, where many files are asked for at one time.

    Raises:
        OSError: one of these cannot be looked at.
    """

    def beside(name: str | None) -> Path | None:
        if name is None or (names is not None and not names.may_have(path.parent, name)):
            return None
        return found if is_file(found := path.with_name(name)) else None

    defaults = beside(DEFAULTS)
    if (sidecar := beside(sidecar_of(path.name))) is None:
        return Companions(None, {}, defaults) if defaults else None
    with sidecar.open("rb") as file:
        in_it = named_in(file.read(MOST_SIDECAR_BYTES + 1))
    found = ((role, _below(path.parent, name)) for role, name in in_it.items())
    named = {role: one for role, one in found if one is not None and one not in (path, sidecar)}
    return Companions(sidecar, named, defaults)


def companions_read(path: Path) -> dict[str, bytes]:
    """The bytes of a file's companions, by what they are; of a sidecar no more than show that there are too many.

    Raises:
        OSError: one cannot be read.
    """
    found = companions_of(path)
    return {role: begin(one, role) for role, one in found.there()} if found is not None else {}


def _below(folder: Path, name: str) -> Path | None:
    """A file that is named by a relative path. None where a link leads out of the folder, or to itself."""
    path = folder / name
    try:
        return path if path.resolve().is_relative_to(folder.resolve()) else None
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13.
        return None


def objects_among(paths: Iterable[Path]) -> list[Path]:
    """The paths without those that are companions of others among them."""

    def named(path: Path) -> list[Path] | None:
        try:
            found = companions_of(path)
        except OSError:
            return None
        return found.named_by_sidecar if found is not None else None

    return companions.objects_among({path: named(path) for path in paths if not is_sidecar(path.name)})


def begin(path: Path, role: str) -> bytes:
    """A companion's bytes; of a sidecar no more than show that there are too many."""
    with path.open("rb") as file:
        return file.read(MOST_SIDECAR_BYTES + 1 if role in TEXTS else -1)
