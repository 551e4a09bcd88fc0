"""Options that several commands take, each under its name in the settings (infra.console.OPTIONS)."""

import os
from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path

import click

from agents.settings import MOST_NEIGHBOURS, Settings
from infra.console import say
from streams.buckets import folder_of

Command = Callable[..., None]


class _Whole(click.Path):
    """A folder by its full path: what belongs to it lies beside it, and `.` has no name to lie beside."""

    def __init__(self, *, exists: bool = False) -> None:
        super().__init__(exists=exists, file_okay=False, path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return Path(os.path.normpath(Path(os.fsdecode(super().convert(value, param, ctx))).absolute()))


class _New(_Whole):
    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Path:
        folder = super().convert(value, param, ctx)
        if folder == Path.cwd():
            self.fail("is the folder that you are in, and cannot be replaced: name another", param, ctx)
        return folder


FOLDER = _Whole(exists=True)
"""A folder that is read."""
NEW_FOLDER = _New()
"""A folder that appears when it is whole."""


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """All of them, in this order in the help."""
    return lambda command: reduce(lambda made, option: option(made), reversed(options), command)


def _patterns(_: click.Context, __: click.Parameter, given: Sequence[str]) -> str | None:
    """Those of a repeated option, as the setting has them; None: it was not given."""
    return ",".join(given) or None


KAFKA = click.option(
    "--kafka", metavar="HOST:PORT", help="A Kafka broker. [default: $TRISTREAM_KAFKA or 127.0.0.1:9092]"
)
INBOX = click.option(
    "--inbox",
    metavar="DIR|URL",
    help="Folder or bucket (s3://, gs://, az://) to watch. [default: $TRISTREAM_INBOX or inbox]",
)
ANNOTATIONS = click.option(
    "--annotations",
    metavar="DIR|URL",
    help="Where DICOM segmentations, structure sets and reports of the images lie.",
)
MOST_FOLDERS = 3
"""Folders that are named one by one."""


def say_passed_marks(settings: Settings) -> None:
    """Tell of hidden folders among the annotations in which some lie, for those are not taken."""
    from infra.annotate import passed_marks

    if settings.annotations is None or (place := folder_of(settings.annotations)) is None:
        return
    if passed := sorted(path.relative_to(place).as_posix() for path in passed_marks(place)):
        named = ", ".join(passed[:MOST_FOLDERS]) + (", …" if len(passed) > MOST_FOLDERS else "")
        say(
            f"{len(passed)} hidden {'folder' if len(passed) == 1 else 'folders'} below --annotations with marks in "
            f"them, which are not taken: {named}; name one itself, or rename them"
        )


SELECTION = _together(
    click.option(
        "--include",
        metavar="GLOB",
        multiple=True,
        callback=_patterns,
        help="Take only files whose name, or with a / whose path, matches; * matches / too. Can be repeated.",
    ),
    click.option(
        "--exclude",
        metavar="GLOB",
        multiple=True,
        callback=_patterns,
        help="Leave out files that match, in the same way. Can be repeated.",
    ),
)
"""Which files are taken."""
READING = _together(
    click.option("--frames", metavar="POLICY", help="Frames to take of each object: all, every:N or spread:N."),
    click.option(
        "--neighbours",
        type=click.Choice([str(number) for number in range(MOST_NEIGHBOURS + 1)]),
        help="Slices before and after each in space that are sent with it. [default: $TRISTREAM_NEIGHBOURS or 0]",
    ),
    click.option(
        "--volumes",
        type=click.Choice(["none", "whole"]),
        help="whole: each slice is sent with its volume, for experts of three dimensions. "
        "[default: $TRISTREAM_VOLUMES or none]",
    ),
    SELECTION,
)
"""Which files are taken, and what is sent of each."""
_SAID: dict[str, tuple[str, str]] = {
    "modality": ("WORD", "Kind of image of all files of which no sidecar says another."),
    "organ": ("WORD", "Body part of all files, in the same way."),
    "source": ("NAME", "Collection and version that all files are of, in the same way; goes out as it stands."),
    "licence": ("TERMS", "SPDX identifier, or name and address of the terms, in the same way."),
}
SAID = tuple(_SAID)
ABOUT_ALL = _together(*(click.option(f"--{name}", metavar=mark, help=words) for name, (mark, words) in _SAID.items()))
"""What is said of all files: each of SAID."""
