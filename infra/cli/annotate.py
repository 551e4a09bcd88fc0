"""`tristream annotate` and `tristream which`: files in, triplets out, and back from a triplet to its file."""

import dataclasses
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import click
import orjson

from infra.cli.options import ABOUT_ALL, ANNOTATIONS, KAFKA, READING, SAID, say_passed_marks
from infra.console import current_settings, plain_errors, say, trace
from infra.exports import STDOUT
from schemas.base import PatientPolicy
from streams.buckets import folder_of
from streams.buckets.selection import Reason, by_reason, told

PATIENTS = click.option(
    "--patients",
    type=click.Choice(get_args(PatientPolicy)),
    help="What stands for a patient where neither header nor sidecar tells one. "
    "[default: $TRISTREAM_PATIENTS or folder]",
)
MOST_REASONS = 20
"""Kinds of dead letters that are told."""


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--triplets",
    type=click.Path(path_type=Path),
    help="JSON Lines to write; .gz and .zst are compressed, - is standard output.",
)
@click.option("--dead-letters", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write.")
@click.option(
    "--map",
    "map_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV to write, by frame: path,object_id,outcome,frame,image_id,triplet_id,error.",
)
@click.option("--json-summary", is_flag=True, help="End with one line of JSON on standard output.")
@click.option("--jobs", type=click.IntRange(1), help="Processes that annotate. [default: by cores and memory]")
@click.option("--resume", is_flag=True, help="Go on with what an earlier run wrote; dead letters are tried again.")
@click.option("--no-image", is_flag=True, help="Write triplets without their pixels.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Annotate N files and end.")
@click.option("--dry-run", is_flag=True, help="Say how many files there are, of which kinds, and do nothing.")
@click.option("--kafka", metavar="HOST:PORT", help="Send the files through the pipeline that runs on this broker.")
@ANNOTATIONS
@READING
@PATIENTS
@ABOUT_ALL
def annotate(
    paths: tuple[Path, ...],
    triplets: Path | None,
    dead_letters: Path | None,
    map_: Path | None,
    json_summary: bool,
    jobs: int | None,
    resume: bool,
    no_image: bool,
    limit: int | None,
    dry_run: bool,
    kafka: str | None,
    annotations: str | None,
    **options: str | None,
) -> None:
    """Annotate files and folders, and end when each file is accounted for.

    Needs no broker: the stages run in processes of the command's own. What a run that breaks off has written stays in
    .part files, from which --resume goes on.
    """
    started = time.monotonic()
    from infra.annotate import Outputs, find_files, idle_defaults, images_among, in_processes
    from infra.annotate import annotate as run
    from infra.processes import Processes
    from infra.progress import AccountsProgress

    if triplets is None and not dry_run:
        raise click.UsageError("--triplets names the file to write, or - for standard output")
    if resume and triplets == STDOUT:
        raise click.UsageError("--resume goes on with a file: give --triplets its name")
    if kafka is not None and annotations is not None:
        raise click.UsageError(
            "--annotations is for a run without --kafka: let the workers of a pipeline have TRISTREAM_ANNOTATIONS"
        )
    if kafka is not None and (given := [name for name in (*SAID, "patients") if options[name]]):
        raise click.UsageError(
            f"--{given[0]} is for a run without --kafka: let the workers of a pipeline have "
            f"TRISTREAM_{given[0].upper()}, or the folder a _defaults.json"
        )
    if kafka is not None and jobs is not None:
        raise click.UsageError("--jobs is for a run without --kafka, whose workers are its own")
    settings = current_settings(kafka=kafka, annotations=annotations, **options)
    passed = Counter[Reason]()
    files, given = find_files(paths, settings.selection, passed.update), settings.annotations if kafka is None else None
    if given is not None and (marks := folder_of(given)) is not None:
        images = images_among(files, marks)
        passed["companion"] += len(files) - len(images)
        files = images
    if kafka is None:
        say_passed_marks(settings)
    if idle := idle_defaults(paths, files):
        say(
            f"{idle} _defaults.json above images say nothing of them: each holds for the images of its own folder alone"
        )
    beside = told(passed)
    if not files:
        raise click.UsageError(f"no files found{beside and f'; {beside}'}")
    if dry_run:
        _tell_kinds(files[:limit], passed, json_summary)
        return
    assert triplets is not None
    outputs = Outputs(triplets, dead_letters, map_, image=not no_image, resume=resume)
    with plain_errors(), Processes() as signals, AccountsProgress(len(files[:limit])) as progress:
        if kafka is not None:
            from infra.collect import through_pipeline

            trace(settings, "annotate")
            way = through_pipeline(settings, poll=signals.poll, image=outputs.image)
        else:
            from infra.prerequisites import check_own_experts, check_text_reader

            check_text_reader()
            check_own_experts(settings.experts)
            # All are there before the first is read, so that the slices of a series can be looked for.
            settings = settings.model_copy(update={"series": settings.series or "folder"})
            way = in_processes(
                settings, jobs, len(files[:limit]), image=outputs.image, poll=signals.poll, say=progress.say
            )
        try:
            accounts = run(files, outputs, settings, way, limit=limit, progress=progress.update)
        except KeyboardInterrupt:
            progress.say("interrupted: what was done stands in .part files; --resume goes on from there")
            sys.exit(130)
        except BrokenPipeError:  # The reader of our output has seen enough.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
    for name, text, count in accounts.errors[:MOST_REASONS]:
        say(f"{count} × {name}: {text}")
    if (more := len(accounts.errors) - MOST_REASONS) > 0:
        say(f"and {more} kinds of dead letters more")
    for expert, lacks, count in accounts.unasked[:MOST_REASONS]:
        say(f"{count} × {expert} was not asked. {lacks}")
    summary = accounts.summary(time.monotonic() - started)
    words = (
        f"{_number(summary.objects, 'object')}: {_number(summary.triplets, 'triplet')}, "
        f"{_number(summary.dead_letters, 'dead letter')}, {_number(summary.skipped_frames, 'frame')} skipped"
        + (
            f", {_number(summary.marked, 'triplet')} with regions that the source marks"
            if given or summary.marked
            else ""
        )
        + f"{beside and f', {beside}'}, {summary.seconds:.1f} s"
    )
    body = dataclasses.asdict(summary) | {"passed_by": by_reason(passed)}
    # Standard output is the triplets', where they go there.
    click.echo(orjson.dumps(body).decode() if json_summary else words, err=triplets == STDOUT)
    sys.exit(0 if summary.triplets or not summary.dead_letters else 1)


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _tell_kinds(files: list[Path], passed: Mapping[Reason, int], as_json: bool) -> None:
    from models.imaging.formats import HEAD, format_of

    def kind(file: Path) -> str:
        try:
            with file.open("rb") as opened:
                return format_of(opened.read(HEAD))
        except OSError:
            return "not readable"

    kinds = Counter(map(kind, files))
    if as_json:
        click.echo(
            orjson.dumps(
                {"objects": len(files), "kinds": dict(kinds.most_common()), "passed_by": by_reason(passed)}
            ).decode()
        )
        return
    for name, count in kinds.most_common():
        click.echo(f"{count} × {name}")
    beside = told(passed)
    click.echo(f"{_number(len(files), 'file')}{beside and f', {beside}'}; nothing was sent")


@click.command()
@click.argument("object_id", metavar="OBJECT_ID")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@KAFKA
def which(object_id: str, paths: tuple[Path, ...], kafka: str | None) -> None:
    """Find the file that an OBJECT_ID names, among PATHS, or without them among the objects of a pipeline.

    Only under the key of this machine do files have these names. Each file of PATHS is read: a name stands for a
    content.
    """
    from infra.which import among_files, on_topic

    settings = current_settings(kafka=kafka)
    with plain_errors():
        found = among_files(object_id, paths, settings) if paths else on_topic(object_id, settings)
    for place in found:
        click.echo(place)
    if not found:
        say("no object of this name: the file may have changed or moved since, or have been named under another key")
    sys.exit(0 if found else 1)
