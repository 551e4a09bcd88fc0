"""The front door: `tristream` and its commands. Parses, calls, prints; the work is elsewhere."""

import dataclasses
import os
import re
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click
import orjson

from infra.settings import BadSetting, Settings, from_environment, weaviate_server
from schemas.dead_letters import Origin, Stage
from schemas.failures import TristreamError
from schemas.images import Modality
from schemas.knowledge import Passage
from streams.aws import ProfileUnusable, options
from streams.s3 import Location, is_bucket
from streams.topics import Topic

if TYPE_CHECKING:
    from infra.knowledge import Gathered
    from models.experts.checking import Promise
    from models.experts.training.loop import Epoch

KAFKA = click.option(
    "--kafka", metavar="HOST:PORT", help="A Kafka broker. [default: $TRISTREAM_KAFKA or 127.0.0.1:9092]"
)
INBOX = click.option(
    "--inbox", metavar="DIR|s3://BUCKET/PREFIX", default="inbox", show_default=True, help="Folder or bucket to watch."
)
METRICS_PORT, PROMETHEUS_PORT = 9464, 9090
"""Of `up --watch`: where others look for them."""
FRAMES = click.option("--frames", metavar="POLICY", help="Frames to take of each object: all, every:N or spread:N.")


def _settings(kafka: str | None = None, frames: str | None = None) -> Settings:
    try:
        settings = from_environment()
        if frames is not None:
            from models.imaging import FramePolicy

            FramePolicy.parse(frames)
            settings = dataclasses.replace(settings, frames=frames)
        bootstrap = kafka or os.environ.get("TRISTREAM_KAFKA")
        if bootstrap:
            settings = dataclasses.replace(settings, wires=dataclasses.replace(settings.wires, bootstrap=bootstrap))
    except (BadSetting, ValueError) as error:
        raise click.UsageError(str(error)) from None
    return settings


def _inbox(text: str) -> str:
    """A folder made absolute, or a bucket's URL."""
    if not is_bucket(text):
        return os.fspath(Path(text).absolute())
    try:
        Location.parse(text)
        options(text)
    except (ValueError, ProfileUnusable) as error:
        raise click.UsageError(str(error)) from None
    return text


@contextmanager
def _plain_errors() -> Generator[None]:
    """Errors that a person can act on are one line, not a traceback."""
    try:
        yield
    except TristreamError as error:
        raise click.ClickException(str(error)) from None
    except BrokenPipeError:
        # The reader of our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _trace(settings: Settings, service: str) -> None:
    """Send this command's spans to where the settings say, if they do."""
    from streams.tracing import send_spans

    if settings.wires.otlp_endpoint:
        send_spans(settings.wires.otlp_endpoint, f"tristream-{service}", settings.wires.worker)


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tristream")
def main() -> None:
    """A stream of medical images in, image–ROI–description triplets out."""


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
@FRAMES
def up(inbox: str, state: Path, port: int, workers: int, watch: bool, frames: str | None) -> None:
    """Run the whole pipeline on this machine until Ctrl-C."""
    from infra.prometheus.local import LocalPrometheus
    from infra.stack import LocalStack

    settings, place = _settings(frames=frames), _inbox(inbox)
    if watch and not settings.wires.metrics_port:
        settings = dataclasses.replace(settings, wires=dataclasses.replace(settings.wires, metrics_port=METRICS_PORT))
    if not is_bucket(place):
        Path(place).mkdir(parents=True, exist_ok=True)
    with (
        _plain_errors(),
        LocalStack(settings, state.absolute(), port=port, inbox=place, workers=workers, say=_say) as stack,
    ):
        for name, address in stack.metrics.items():
            _say(f"{name}: http://{address}/metrics")
        if watch:
            prometheus = LocalPrometheus(state / "prometheus", stack.metrics, port=PROMETHEUS_PORT)
            prometheus.start(stack.processes)
            prometheus.wait_ready()
            _say(f"Prometheus: http://{prometheus.address}/alerts; dashboards: see docs/watching.md")
        _say(f"watching {inbox}; Kafka on {stack.kafka.bootstrap}; Ctrl-C stops all of it")
        stack.run()


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--triplets", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write.")
@click.option("--dead-letters", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write.")
@click.option(
    "--map", "map_", type=click.Path(dir_okay=False, path_type=Path), help="CSV to write: path,object_id,outcome."
)
@click.option("--json-summary", is_flag=True, help="End with one line of JSON on standard output.")
@click.option("--kafka", metavar="HOST:PORT", help="Use the pipeline that runs on this broker instead of starting one.")
@FRAMES
def annotate(
    paths: tuple[Path, ...],
    triplets: Path,
    dead_letters: Path | None,
    map_: Path | None,
    json_summary: bool,
    kafka: str | None,
    frames: str | None,
) -> None:
    """Annotate files and folders, and end when each file is accounted for.

    Without --kafka a local pipeline is started for the run and stopped after it.
    """
    from infra.annotate import Outputs, find_files
    from infra.annotate import annotate as run
    from infra.progress import AccountsProgress
    from infra.stack import LocalStack

    settings = _settings(kafka, frames)
    _trace(settings, "annotate")
    files = find_files(paths)
    outputs = Outputs(triplets, dead_letters, map_)
    with _plain_errors(), ExitStack() as stack:
        progress = stack.enter_context(AccountsProgress(len(files)))
        poll: Callable[[], None] = lambda: None  # noqa: E731
        if kafka is None:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="tristream-", ignore_cleanup_errors=True))
            )
            # These files were chosen by hand: every one of them gets its outcome, however many are bad.
            wires = dataclasses.replace(settings.wires, dead_letter_share=1.0)
            local = LocalStack(dataclasses.replace(settings, wires=wires), folder, say=progress.say)
            stack.enter_context(local)
            settings, poll = local.settings, local.poll
        summary, complete = run(files, outputs, settings, poll=poll, progress=progress.update)
    if json_summary:
        click.echo(orjson.dumps(dataclasses.asdict(summary)).decode())
    else:
        click.echo(
            f"{summary.objects} objects: {summary.triplets} triplets, {summary.dead_letters} dead letters, "
            f"{summary.skipped_frames} frames skipped, {summary.seconds:.1f} s"
        )
    sys.exit(0 if complete else 1)


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
def deidentify(
    paths: tuple[Path, ...],
    out: Path,
    report: Path | None,
    map_: Path | None,
    dates: Literal["shift", "keep"] | None,
    keep_uids: bool,
    no_descriptions: bool,
    pixels: Literal["clean", "keep"],
) -> None:
    """Write de-identified copies of DICOM files and folders (PS3.15 Annex E, basic profile).

    Names, dates and UIDs are replaced under the key of this machine; files that cannot be cleaned are not copied.
    """
    from infra.deidentify import Report, pseudonyms_of
    from infra.deidentify import deidentify as run
    from infra.progress import Counting
    from models.imaging.deidentify import Policy

    try:
        pseudonyms = pseudonyms_of(_settings())
    except BadSetting as error:
        raise click.UsageError(str(error)) from None
    policy = Policy(clean_descriptors=not no_descriptions, dates=dates or "remove", keep_uids=keep_uids)
    found = Report(report, map_, pixels)
    with _plain_errors():
        try:
            with Counting("files") as progress:
                for outcome in run(paths, out, pseudonyms, policy, tell=progress.update, pixels=pixels):
                    found.add(outcome)
        finally:
            found.write()
    for name, text, count in found.errors:
        _say(f"{count} × {name}: {text}")
    summary = found.summary
    click.echo(
        f"{summary.files} files: {summary.copied} copied, {summary.refused} refused, "
        f"{summary.attributes} attributes changed"
    )
    sys.exit(1 if summary.refused else 0)


@main.command()
@click.argument("stage", type=click.Choice(get_args(Stage)))
@INBOX
@KAFKA
@FRAMES
def worker(stage: Stage, inbox: str, kafka: str | None, frames: str | None) -> None:
    """Run one worker of one stage. Topics are created where they are missing."""
    from agents.pipeline import Work, build_stage
    from streams.app import configure_logging, run_worker
    from streams.topics import create_topics

    settings = _settings(kafka, frames)
    configure_logging()
    with _plain_errors():
        create_topics(settings.wires)
        work = Work(
            settings.identity,
            _inbox(inbox),
            settings.frames,
            settings.burned_in,
            settings.knowledge,
            settings.encoder,
            settings.weaviate,
            settings.limits,
            settings.serving,
            settings.experts,
            settings.expert_runtime,
        )
        app = build_stage(stage, settings.wires, work)
        _trace(settings, stage)
        run_worker(app, settings.wires)


@main.command()
@click.option("--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@KAFKA
def triplets(follow: bool, kafka: str | None) -> None:
    """Print triplets as JSON Lines, each once."""
    from streams.topics import TRIPLETS

    _print(_settings(kafka), TRIPLETS, follow)


@main.command("dead-letters")
@click.option("--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@KAFKA
def dead_letters(follow: bool, kafka: str | None) -> None:
    """Print open dead letters as JSON Lines."""
    from streams.topics import DEAD_LETTERS

    _print(_settings(kafka), DEAD_LETTERS, follow)


@main.group()
def experts() -> None:
    """The models that say where to look: packaged ones, and your own in TRISTREAM_EXPERTS."""


MANIFEST = click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@experts.command("list")
def experts_list() -> None:
    """One line an expert: name, kind, modalities, organs, labels, and whose it is."""
    from infra.experts import rows

    with _plain_errors():
        for row in rows(_settings().experts):
            click.echo(" | ".join(row))


@experts.command("show")
@click.argument("name")
def experts_show(name: str) -> None:
    """Print an expert's card, or its manifest."""
    from infra.experts import shown

    with _plain_errors():
        click.echo(shown(name, _settings().experts))


@experts.command("check")
@MANIFEST
def experts_check(manifest: Path) -> None:
    """Run an expert on a sample, and tell of each promise of its manifest whether it is kept."""
    from models.experts.checking import check

    settings = _settings()
    sys.exit(1 if _told(check(manifest.absolute(), settings.expert_runtime)) else 0)


@experts.command("add")
@MANIFEST
def experts_add(manifest: Path) -> None:
    """Copy an expert that keeps its promises into TRISTREAM_EXPERTS. Workers find it when they start anew."""
    from infra.experts import add

    with _plain_errors():
        _told(add(manifest.absolute(), _settings().experts))


def _told(promises: "Iterable[Promise]") -> int:
    """Print each promise; how many are broken."""
    broken = 0
    for one in promises:
        broken += not one.kept
        click.echo(f"{'kept  ' if one.kept else 'BROKEN'}  {one.what}: {one.seen}")
    return broken


@main.group()
def knowledge() -> None:
    """Build and search the passages that describe what is seen."""


WEAVIATE = click.option(
    "--weaviate", metavar="URL", help="The Weaviate to use. [default: $TRISTREAM_WEAVIATE_URL; else a file]"
)
INDEX = click.option(
    "--index",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to use. [default: $TRISTREAM_KNOWLEDGE or own.npz in the state folder]",
)
SOURCES = click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
REJECTED = click.option(
    "--rejected", type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write: records without passages."
)
KEEP = click.option(
    "--keep", default=1, show_default=True, type=click.IntRange(0), help="Earlier snapshots to keep in Weaviate."
)


@knowledge.command("build")
@SOURCES
@click.option("--name", default="own", show_default=True, help="Of the base; its snapshots are NAME@digest.")
@WEAVIATE
@INDEX
@KEEP
@REJECTED
def knowledge_build(
    sources: tuple[Path, ...], name: str, weaviate: str | None, index: Path | None, keep: int, rejected: Path | None
) -> None:
    """Make a base of files and folders, in place of the one before.

    Read are .jsonl, .md, .txt, PubMed .xml and .xml.gz, and Bookshelf .nxml.

    Workers go over to it by themselves where it is in Weaviate; where it is a file, start them anew.
    """
    from infra.knowledge import gather
    from infra.progress import Counting

    settings = _with_knowledge(weaviate, index)
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise click.UsageError("--name must be of letters, digits, '.', '_' and '-'")
    with _plain_errors():
        with Counting("files") as progress:
            gathered = gather(sources, progress.update)
        _index(settings, name, gathered, gathered.in_order, keep, rejected)


@knowledge.command("add")
@SOURCES
@WEAVIATE
@INDEX
@KEEP
@REJECTED
def knowledge_add(
    sources: tuple[Path, ...], weaviate: str | None, index: Path | None, keep: int, rejected: Path | None
) -> None:
    """Add passages to the base, in place of those of the same id. A new snapshot, as `build` makes one."""
    from infra.knowledge import current, gather
    from infra.progress import Counting

    settings = _with_knowledge(weaviate, index)
    with _plain_errors():
        name, before = current(settings)
        with Counting("files") as progress:
            gathered = gather(sources, progress.update)
        merged = {passage.passage_id: passage for passage in (*before, *gathered.in_order)}
        _index(settings, name, gathered, [merged[key] for key in sorted(merged)], keep, rejected)


@knowledge.command("search")
@click.argument("text")
@click.option("--modality", type=click.Choice(get_args(Modality)), help="Only passages that fit it.")
@click.option("--organ", help="Only passages that fit it, if there are any.")
@click.option("--disease", help="Only passages that fit it, if there are any.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1))
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
@WEAVIATE
@INDEX
def knowledge_search(
    text: str,
    modality: Modality | None,
    organ: str | None,
    disease: str | None,
    limit: int,
    as_json: bool,
    weaviate: str | None,
    index: Path | None,
) -> None:
    """Search the base as a worker would."""
    from infra.knowledge import searched
    from models.knowledge import Query

    with _plain_errors():
        base = searched(_with_knowledge(weaviate, index))
        for found in base.search(Query(text, modality, organ, disease, limit)):
            if as_json:
                click.echo(orjson.dumps(found.model_dump(mode="json")).decode())
            else:
                click.echo(
                    f"{found.score:.4f}  {found.passage_id}\n  {found.title}\n  {found.text}\n  {found.reference}"
                )
        _say(f"snapshot {base.snapshot}")


def _with_knowledge(weaviate: str | None, index: Path | None) -> Settings:
    settings = _settings()
    if weaviate and index:
        raise click.UsageError("--weaviate and --index exclude each other")
    try:
        if weaviate:
            found = settings.weaviate
            server = dataclasses.replace(found, url=weaviate) if found else weaviate_server(weaviate)
            return dataclasses.replace(settings, weaviate=server)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return dataclasses.replace(settings, weaviate=None, knowledge=index.absolute()) if index else settings


def _index(
    settings: Settings,
    name: str,
    gathered: "Gathered",
    passages: Sequence[Passage],
    keep: int,
    rejected: Path | None,
) -> None:
    from infra.knowledge import build, index_of
    from infra.progress import Counting

    for reason, count, places in gathered.reasons():
        _say(f"{count} × {reason}: {places}")
    if rejected is not None:
        gathered.write_rejected(rejected)
    with Counting("passages") as progress:
        snapshot = build(settings, name, passages, keep=keep, tell=progress.update)
    click.echo(
        f"{gathered.files} files: {len(gathered.passages)} passages, {len(gathered.rejected)} records without one; "
        f"{snapshot} holds {len(passages)} passages"
    )
    if settings.weaviate is None and settings.knowledge != index_of(settings):
        _say(f"to use it: export TRISTREAM_KNOWLEDGE={index_of(settings)}")


@main.group()
def experts() -> None:
    """The experts that find regions."""


@experts.command("train")
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, metavar="NAME.onnx", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--modality", type=click.Choice(get_args(Modality)), help="Of the images, where the data does not tell.")
@click.option("--organ", help="That the expert is for. [default: what the data tells; else any]")
@click.option("--side", default=256, show_default=True, help="px; longer images are reduced to it.")
@click.option("--patch", default=0, help="px a side of the pieces learnt from; 0: whole images.")
@click.option("--width", default=16, show_default=True, help="Channels at full size.")
@click.option("--depth", default=4, show_default=True, help="Times that the image is halved.")
@click.option("--epochs", default=100, show_default=True)
@click.option("--patience", default=20, show_default=True, help="Epochs without gain after which it ends.")
@click.option("--batch", default=8, show_default=True)
@click.option("--learning-rate", default=1e-3, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of the split, the weights and the augmentation.")
@click.option("--no-mirror", is_flag=True, help="Do not mirror images: left and right are not the same.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--expert-version", help="[default: 1.0.0+ and the beginning of the graph's hash]")
@click.option("--licence", help="Of the expert.")
@click.option("--source", help="Who marked the images, or the paper of the data set.")
@click.option("--resume", is_flag=True, help="Go on from the last epoch of a run that was stopped.")
def experts_train(
    data: Path,
    out: Path,
    modality: Modality | None,
    organ: str | None,
    device: str,
    expert_version: str | None,
    licence: str | None,
    source: str | None,
    resume: bool,
    no_mirror: bool,
    **numbers: Any,
) -> None:
    """Train a U-Net on images with masks; see docs/training.md.

    DIR holds images/ and masks/, or COCO instances, or triplets (.jsonl). Written are NAME.onnx, its manifest NAME.toml
    and its card NAME.md.
    """
    _needs_torch()
    from infra.progress import Counting
    from models.experts.datasets import open_dataset
    from models.experts.training import Settings as Numbers
    from models.experts.training import Subject, train_expert
    from models.experts.training.run import best_device

    try:
        told = Numbers(mirror=not no_mirror, **numbers)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    words = {name: value for name, value in (("licence", licence), ("source", source)) if value}
    subject = Subject(modality, organ, expert_version, **words)
    with _plain_errors():
        dataset = open_dataset(data)
        _say(f"{dataset.kind}: {dataset.files} files, labels {', '.join(dataset.labels)}")

        with Counting("epochs") as progress:

            def tell(epoch: "Epoch") -> None:
                progress.update(epoch.number, told.epochs)
                progress.say(
                    f"epoch {epoch.number}: loss {epoch.loss:.3f}, validation Dice {epoch.validation_dice:.3f}"
                )

            report = train_expert(dataset, out, told, subject, device=best_device(device), resume=resume, tell=tell)
    for one in report.scores:
        click.echo(f"{one.label}: Dice {one.dice:.3f}, IoU {one.iou:.3f} on {one.images} images held out")
    click.echo(f"{report.manifest.expert}: see {out.with_suffix('.md')}")


@experts.command("phantoms")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="An empty folder.")
@click.option("--modality", required=True, metavar="MODALITY", help="CT, MR, ultrasound, …: one there is a phantom of.")
@click.option("--count", default=200, show_default=True, type=click.IntRange(1))
@click.option(
    "--contrast", default=5.0, show_default=True, type=click.FloatRange(0), help="Contrast to noise; 0: none."
)
@click.option("--side", default=256, show_default=True, type=click.IntRange(128), help="px")
@click.option("--first-seed", default=0, show_default=True, type=click.IntRange(0))
def experts_phantoms(out: Path, modality: str, count: int, contrast: float, side: int, first_seed: int) -> None:
    """Write drawn images with their masks, to try training on."""
    from infra.progress import Counting
    from models.experts.datasets import write_phantoms
    from models.experts.phantoms import DRAWN

    by_name: dict[str, Modality] = {one: one for one in DRAWN}
    if (found := by_name.get(modality)) is None:
        raise click.UsageError(f"there is no phantom of {modality!r}: take one of {', '.join(DRAWN)}")
    with _plain_errors(), Counting("phantoms") as progress:
        label = write_phantoms(
            out, found, count=count, contrast=contrast, side=side, first_seed=first_seed, tell=progress.update
        )
    click.echo(f"{count} phantoms of {found}, marked: {label}")


def _needs_torch() -> None:
    from importlib.util import find_spec

    if missing := [name for name in ("torch", "torchvision", "onnx", "onnxscript") if find_spec(name) is None]:
        raise click.UsageError(
            f"training needs {', '.join(missing)}, which are not installed here: run 'make train-env' and use "
            ".venv-export/bin/tristream, or 'pip install tristream[cpu,train]'"
        )


@main.command()
@KAFKA
def status(kafka: str | None) -> None:
    """Show lag and rate by stage, and what each worker is doing."""
    from rich.console import Console

    from infra.status import status_table

    with _plain_errors():
        Console().print(status_table(_settings(kafka).wires))


@main.command()
@click.option("--object", "object_id", metavar="ID", help="Only the dead letters of this object.")
@click.option("--origin", metavar="TOPIC/PARTITION/OFFSET", help="One message that could not be read at all.")
@click.option("--stale", is_flag=True, help="Instead, the objects of triplets made by other versions than this one's.")
@KAFKA
def replay(object_id: str | None, origin: str | None, stale: bool, kafka: str | None) -> None:
    """Send dead letters, or stale triplets, through again."""
    from infra.announce import replay_dead_letters, replay_origin, replay_stale
    from infra.lineage import current_lineage

    settings = _settings(kafka)
    if sum((object_id is not None, origin is not None, stale)) > 1:
        raise click.UsageError("--object, --origin and --stale exclude each other")
    _trace(settings, "replay")
    with _plain_errors():
        if stale:
            replayed = replay_stale(settings, current_lineage(settings))
        elif origin is not None:
            topic, _, place = origin.partition("/")
            try:
                partition, offset = (int(part) for part in place.split("/"))
            except ValueError:
                raise click.UsageError(f"--origin must be TOPIC/PARTITION/OFFSET, not {origin!r}") from None
            replayed = replay_origin(settings, Origin(topic=topic, partition=partition, offset=offset))
        else:
            replayed = replay_dead_letters(settings, object_id)
    click.echo(f"{replayed.sent} sent again" + (f", {replayed.lost} no longer on their topic" if replayed.lost else ""))
    sys.exit(1 if replayed.lost else 0)


def _print(settings: Settings, topic: Topic[Any], follow: bool) -> None:
    from infra.tail import each_once

    with _plain_errors():
        for message in each_once(settings.wires, topic, follow):
            sys.stdout.buffer.write(orjson.dumps(message.model_dump(mode="json")) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
