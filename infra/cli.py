"""The front door: `tristream` and its commands. Parses, calls, prints; the work is elsewhere."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Literal, get_args

import click

from agents.places import BadSetting
from infra.cli_annotate import ANNOTATIONS, EXCLUDE, FRAMES, INCLUDE, NEIGHBOURS, annotate, which
from infra.cli_datasets import dataset
from infra.cli_describe import describe_eval
from infra.cli_evaluate import evaluate
from infra.cli_experts import experts
from infra.cli_knowledge import knowledge
from infra.cli_promote import model
from infra.cli_source import source
from infra.cli_topics import KAFKA, dead_letters, gather, replay, resume, status, triplets, volumes
from infra.cli_train import train
from infra.console import current_settings, ending_well, patterns, plain_errors, say, trace
from schemas.dead_letters import Stage
from streams.buckets import folder_of
from streams.buckets.selection import told

INBOX = click.option(
    "--inbox",
    metavar="DIR|URL",
    help="Folder or bucket (s3://, gs://, az://) to watch. [default: $TRISTREAM_INBOX or inbox]",
)
MOST_ERRORS = 10
"""Lines that are told of."""
METRICS_PORT = 9464
"""Of `up --watch`: where others look for them."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tristream")
def main() -> None:
    """A stream of medical images in, image–ROI–description triplets out."""


main.add_command(annotate)
main.add_command(which)
main.add_command(describe_eval)
main.add_command(evaluate)
main.add_command(model)
main.add_command(dataset)
main.add_command(source)
main.add_command(experts)
main.add_command(knowledge)
main.add_command(train)
main.add_command(triplets)
main.add_command(volumes)
main.add_command(gather)
main.add_command(dead_letters)
main.add_command(status)
main.add_command(replay)
main.add_command(resume)


@main.command()
@INBOX
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    default=".tristream",
    show_default=True,
    help="Folder for the broker's data and logs.",
)
@click.option("--port", default=9092, show_default=True, help="Port of the Kafka broker.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes a stage.")
@click.option("--watch", is_flag=True, help="Serve metrics, and run this machine's Prometheus on them.")
@click.option("--no-login", is_flag=True, help="Let every user and program of this machine into Kafka.")
@ANNOTATIONS
@FRAMES
@NEIGHBOURS
@INCLUDE
@EXCLUDE
def up(
    inbox: str | None,
    state: Path,
    port: int,
    workers: int,
    watch: bool,
    no_login: bool,
    annotations: str | None,
    frames: str | None,
    neighbours: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
) -> None:
    """Run the whole pipeline on this machine until Ctrl-C."""
    from infra.prerequisites import check_text_reader
    from infra.prometheus.local import start_beside
    from infra.stack import LocalStack

    settings = current_settings(
        inbox=inbox, frames=frames, annotations=annotations, neighbours=neighbours,
        include=patterns(include), exclude=patterns(exclude),
    )  # fmt: skip
    with plain_errors():
        check_text_reader()
    if watch and not settings.wires.metrics_port:
        settings = settings.with_wires(metrics_port=METRICS_PORT)
    if (folder := folder_of(settings.inbox)) is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with (
        ending_well(),
        plain_errors(),
        LocalStack(
            settings, state.absolute(), port=port, watch=True, workers=workers, login=not no_login, say=say
        ) as stack,
    ):
        for name, address in stack.metrics.items():
            say(f"{name}: http://{address}/metrics")
        if watch:
            start_beside(stack.processes, state / "prometheus", stack.metrics, say)
        say(f"watching {inbox or settings.inbox}; Kafka on {stack.kafka.bootstrap}; Ctrl-C stops all of it")
        stack.run()


@main.command()
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
@INCLUDE
@EXCLUDE
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
    include: tuple[str, ...],
    exclude: tuple[str, ...],
) -> None:
    """Write de-identified copies of DICOM files and folders (PS3.15 Annex E, basic profile).

    Names, dates and UIDs are replaced under the key of this machine; files that cannot be cleaned are not copied.
    """
    from infra.deidentify import Report, files_to_copy, masking_of, pseudonyms_of
    from infra.deidentify import deidentify as run
    from infra.progress import Counting
    from models.imaging.deidentify import Policy

    try:
        settings = current_settings(annotations=annotations, include=patterns(include), exclude=patterns(exclude))
        pseudonyms, masking = pseudonyms_of(settings), masking_of(settings) if pixels == "clean" else None
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
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


@main.command()
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


@main.command()
@click.argument("triplets", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
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


@main.command()
@click.argument("stage", type=click.Choice(get_args(Stage)))
@INBOX
@KAFKA
@FRAMES
@NEIGHBOURS
@INCLUDE
@EXCLUDE
def worker(
    stage: Stage,
    inbox: str | None,
    kafka: str | None,
    frames: str | None,
    neighbours: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
) -> None:
    """Run one worker of one stage. Topics are created where they are missing."""
    from agents.pipeline import build_stage
    from streams.app import run_worker
    from streams.logs import configure_logging
    from streams.private import write_privately
    from streams.topics import create_topics_at_last

    settings = current_settings(
        kafka=kafka, inbox=inbox, frames=frames, neighbours=neighbours,
        include=patterns(include), exclude=patterns(exclude),
    )  # fmt: skip
    configure_logging()
    write_privately()
    with plain_errors():
        create_topics_at_last(settings.wires)
        app = build_stage(stage, settings)
        trace(settings, stage)
        run_worker(app, settings.wires)


if __name__ == "__main__":
    main()
