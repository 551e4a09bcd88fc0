"""Options that several commands take, each under its name in the settings (infra.console.OPTIONS)."""

from collections.abc import Callable, Sequence
from functools import reduce

import click

from agents.settings import MOST_NEIGHBOURS

Command = Callable[..., None]


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
