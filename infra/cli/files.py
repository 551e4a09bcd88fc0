"""`tristream deidentify`, `verify` and `gallery`: files in, files out, and no broker."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import click

from agents.places import BadSetting
from infra.cli.options import ANNOTATIONS, NEW_FOLDER, SELECTION, say_passed_marks
from infra.console import current_settings, plain_errors, say
from streams.buckets.selection import told

MOST_ERRORS = 10
"""Lines that are told of."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the copies.")
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="What was done: .json or .csv to write."
)
@click.option("--map", "map_", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write: path,outcome.")
@click.option("--shift-dates", "dates", flag_value="shift", help="Shift dates, by whole days, the same for a patient.")
@click.option("--keep-dates", "dates", flag_value="keep", help="Keep dates and times. [default: removed]")
@click.option("--keep-uids", is_flag=True, help="Keep UIDs.")
@click.option("--no-descriptions", is_flag=True, help="Remove descriptions instead of keeping known terms of them.")
@click.option(
    "--pixels",
    type=click.Choice(["clean", "keep"]),
    default="clean",
    show_default=True,
    help="Mask text burned into the pixels, or copy them unseen.",
)
@ANNOTATIONS
@SELECTION
def deidentify(
    paths: tuple[Path, ...],
    out: Path,
    report: Path | None,
    map_: Path | None,
    dates: Literal["shift", "keep"] | None,
    keep_uids: bool,
    no_descriptions: bool,
    pixels: Literal["clean", "keep"],
    annotations: str | None,
    **selection: str | None,
) -> None:
    """Write de-identified copies of DICOM files and folders (PS3.15 Annex E, basic profile).

    Names, dates and UIDs are replaced under the key of this machine; files that cannot be cleaned are not copied.
    """
    from infra.deidentify import Report, files_to_copy, masking_of, pseudonyms_of
    from infra.deidentify import deidentify as run
    from infra.progress import Counting
    from models.imaging.deidentify import Policy

    try:
        settings = current_settings(annotations=annotations, **selection)
        pseudonyms, masking = pseudonyms_of(settings), masking_of(settings) if pixels == "clean" else None
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
    if pixels == "clean":
        say_passed_marks(settings)
    policy = Policy(clean_descriptors=not no_descriptions, dates=dates or "remove", keep_uids=keep_uids)
    found = Report(report, map_, pixels)
    files = files_to_copy(paths, out, settings.selection, found.passed_by.update)
    with plain_errors():
        try:
            with Counting("files") as progress:
                for outcome in run(files, out, pseudonyms, policy, tell=progress.update, masking=masking):
                    found.add(outcome)
        finally:
            found.write()
    for name, text, count in found.errors:
        say(f"{count} × {name}: {text}")
    summary, beside = found.summary, told(found.passed_by)
    click.echo(
        f"{summary.files} files: {summary.copied} copied, {summary.refused} refused, "
        f"{summary.attributes} attributes changed{beside and f', {beside}'}"
    )
    sys.exit(1 if summary.refused else 0)


@click.command()
@click.option(
    "--triplets",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines to read.",
)
@click.option(
    "--statements",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines: triplet_id, or object_id and frame, and text.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write. [default: printed]")
def verify(triplets: Path, statements: Path, out: Path | None) -> None:
    """Check sentences, whoever wrote them, against triplets: supported, unsupported or contradicted, and why.

    Exit status 0: all lines were judged; 1: some could not be.
    """
    from infra.triplet_lines import BadTriplet
    from infra.verify import verify as run

    with plain_errors(), ExitStack() as stack:
        stream = stack.enter_context(out.open("wb")) if out else sys.stdout.buffer
        try:
            found = run(triplets, statements, stream)
        except BadTriplet as error:
            raise click.UsageError(str(error)) from None
    for error in found.errors:
        say(error)
    say(", ".join(f"{n} {outcome}" for outcome, n in sorted(found.verdicts.items())) or "nothing to check")
    sys.exit(1 if found.errors else 0)


@click.command()
@click.argument("triplets", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=NEW_FOLDER,
    help="Folder to write. [default: the name of the file, with -gallery, beside it]",
)
@click.option(
    "--dead-letters",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines that are listed below.",
)
def gallery(triplets: Path, out: Path | None, dead_letters: Path | None) -> None:
    """Write pages to look at TRIPLETS with: JSON Lines, compressed or not.

    Open index.html of the folder in a browser; it needs no network. Exit status 0: all lines are shown; 1: some could
    not be.
    """
    from infra.exports import COMPRESSED, lines_of
    from infra.gallery import write_gallery
    from infra.progress import Counting
    from infra.triplet_lines import triplets_of
    from schemas.dead_letters import DeadLetter

    with plain_errors():
        try:
            letters = [DeadLetter.model_validate_json(line) for line in lines_of(dead_letters)] if dead_letters else []
        except ValueError:
            raise click.UsageError("a line of the dead letters is none of this version") from None
        plain = triplets.with_suffix("") if triplets.suffix in COMPRESSED else triplets
        folder = out or plain.with_name(f"{plain.stem}-gallery")
        with Counting("triplets") as progress:
            written = write_gallery(triplets_of(triplets), letters, folder, tell=progress.update)
    for error in written.errors[:MOST_ERRORS]:
        say(error)
    if (more := len(written.errors) - MOST_ERRORS) > 0:
        say(f"and {more} lines more")
    again = f", {written.again} that stood there twice" if written.again else ""
    click.echo(f"{written.triplets} triplets{again}: open {written.page}")
    sys.exit(1 if written.errors else 0)
