"""Files of a folder, behind links too: a set of pictures may lie on another disk, and none of it may be overlooked."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """All files, in order of their names; a link that leads nowhere is one, so that reading it fails aloud.

    A folder that is met again within itself is not entered.
    """
    yield from _below(folder, ())


def _below(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    state = folder.stat()
    here = (state.st_dev, state.st_ino)
    if here in above:
        return
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        if entry.is_dir():
            yield from _below(folder / entry.name, (*above, here))
        else:
            yield folder / entry.name
