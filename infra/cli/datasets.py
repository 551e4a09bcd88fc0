"""`tristream dataset`: training sets from triplets, and audits of them."""

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infra.cli.options import FOLDER, NEW_FOLDER
from infra.console import current_settings, need_data, plain_errors, say

if TYPE_CHECKING:
    from models.datasets.formats import Writer
    from models.datasets.kept import Kept
    from models.datasets.lines import Deleted, Line, Whole
    from models.datasets.policy import Alike

KINDS = {"source": "source annotation", "candidate": "candidate"}


@click.group()
def dataset() -> None:
    """Training sets from triplets: splits by patient, filters, instruction data, formats, a card, an audit."""


def _evaluation(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for value in values:
        name, _, folder = value.rpartition("=")
        path = Path(folder)
        if not path.is_dir():
            raise click.BadParameter(f"{value!r}: name a folder of pictures, as NAME=DIR", ctx, param)
        found[name or path.name] = path
    return found


EVALUATION = click.option(
    "--evaluation",
    metavar="NAME=DIR",
    multiple=True,
    callback=_evaluation,
    help="Pictures that one will evaluate on (vqa-rad, slake, path-vqa, any): what is nearly one of them is left out.",
)


@dataset.command("build")
@click.argument("triplets", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kafka", metavar="HOST:PORT", help="Take the triplets of this broker's topic instead of files.")
@click.option("--out", required=True, type=NEW_FOLDER, help="A new folder.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    default=("parquet",),
    show_default=True,
    help="parquet, llava, swift, webdataset, coco, imagefolder, dicom, nifti; may be given several times.",
)
@click.option(
    "--originals",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A map as `annotate --map` writes it: DICOM marks then refer to these files and carry their patients.",
)
@click.option("--test", default=0.1, show_default=True, help="Share of the images for test.")
@click.option("--validation", default=0.1, show_default=True, help="Share of the images for validation.")
@click.option("--key", default="tristream", show_default=True, help="Of the hash that splits groups.")
@click.option(
    "--keep",
    type=FOLDER,
    help="A data set whose groups and images keep their split.",
)
@click.option("--regions", type=click.Choice(sorted(KINDS)), multiple=True, help="Only images with such a region.")
@click.option(
    "--licences", multiple=True, help="permissive, research, or a licence as it is named; unknown is neither."
)
@click.option("--unsupported", is_flag=True, help="Also triplets with statements that verification did not bear out.")
@click.option("--composed", is_flag=True, help="Leave out texts that a language model wrote, or a part of them.")
@click.option("--smallest", default=32, show_default=True, help="Rows and columns at least, px.")
@click.option("--distinct", is_flag=True, help="Leave out what is nearly an image that was taken before.")
@click.option("--most-a-series", default=0, show_default=True, help="Images, evenly over the series; 0: all.")
@click.option("--most-a-patient", default=0, show_default=True, help="The same of a patient, or what is known of it.")
@click.option("--temperature", default=1.0, show_default=True, help="Of modalities: 1 all, 0 as many of each.")
@click.option("--near", default=None, type=click.IntRange(0, 40), help="Bits at most between near duplicates.")
@click.option(
    "--alike",
    metavar="ENCODER=COSINE",
    help="Images whose vectors by this expert have such a cosine at least stay in one split too. [default: none]",
)
@click.option("--turns", default=4, show_default=True, type=click.IntRange(0), help="Of instruction an image, at most.")
@click.option(
    "--question", "questions", multiple=True, metavar="KIND", help="Only turns of this kind: docs/datasets.md."
)
@click.option(
    "--unproven", is_flag=True, help="Also questions about what experts found that are not known to be mostly right."
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@EVALUATION
def build_command(
    triplets: tuple[Path, ...],
    kafka: str | None,
    out: Path,
    originals: Path | None,
    formats: tuple[str, ...],
    evaluation: dict[str, Path],
    as_json: bool,
    keep: Path | None,
    **choices: Any,
) -> None:
    """Make a training set of TRIPLETS, files as `annotate` and `triplets` write them, or of --kafka, in --out."""
    _need_libraries(formats)
    if bool(triplets) == bool(kafka):
        raise click.UsageError("give files of triplets, or --kafka HOST:PORT")
    from infra.progress import Counting
    from models.datasets.build import build
    from models.datasets.cards import cautions
    from models.datasets.duplicates import NEAR
    from models.datasets.evaluation import pictures_of
    from models.datasets.formats import FORMATS
    from models.datasets.instructions.mixing import KINDS as QUESTIONS
    from models.datasets.policy import Policy
    from models.datasets.splits import Shares

    if unknown := [name for name in formats if name not in FORMATS]:
        raise click.UsageError(f"no format {unknown[0]!r}: take {', '.join(FORMATS)}")
    if unknown := [name for name in choices["questions"] if name not in QUESTIONS]:
        raise click.UsageError(f"no question {unknown[0]!r}: take {', '.join(QUESTIONS)}")
    try:
        policy = Policy(
            shares=Shares(choices["validation"], choices["test"]),
            key=choices["key"],
            unsupported=choices["unsupported"],
            composed=choices["composed"],
            kinds=frozenset(KINDS[name] for name in choices["regions"]),
            licences=choices["licences"],
            smallest_px=choices["smallest"],
            distinct=choices["distinct"],
            most_a_series=choices["most_a_series"],
            most_a_patient=choices["most_a_patient"],
            temperature=choices["temperature"],
            near=NEAR if choices["near"] is None else choices["near"],
            alike=_alike(choices["alike"]) if choices["alike"] else None,
            turns=choices["turns"],
            questions=frozenset(choices["questions"]) or None,
            unproven=choices["unproven"],
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with plain_errors(), Counting("triplets") as progress:
        given = _Topic(kafka) if kafka else _Files(triplets)
        report = build(
            given.read,
            out,
            tuple(dict.fromkeys(formats)),
            policy,
            evaluation={name: pictures_of(name, folder) for name, folder in evaluation.items()},
            kept=_kept(keep) if keep else None,
            source=given.told,
            makers=_makers(originals),
            progress=lambda n: progress.update(n, 0),
        )
    if as_json:
        click.echo((out / "dataset.json").read_text(), nl=False)
        return
    for split, n in report.images.items():
        say(f"{split:<12}{n:>8} images {report.groups[split]:>8} groups")
    for reason, n in report.left_out.items():
        say(f"left out {n:>8}: {reason}")
    for caution in cautions(report):
        say(f"note: {caution}")


@dataset.command("audit")
@click.argument("folder", type=FOLDER)
@EVALUATION
def audit_command(folder: Path, evaluation: dict[str, Path]) -> None:
    """Read a data set again and hold it against its promises. Exit status 1 where one is broken."""
    _need_libraries()
    from models.datasets.audit import audit
    from models.datasets.evaluation import pictures_of

    with plain_errors():
        found = audit(folder, {name: pictures_of(name, pictures) for name, pictures in evaluation.items()})
    for name, n in found.counts.items():
        say(f"{n:>8} {name}")
    for hit in found.listed:
        say(f"near: {hit}")
    for fault in found.faults:
        say(f"FAULT: {fault}")
    if found.faults:
        raise click.exceptions.Exit(1)
    say("no fault was found")


def _alike(told: str) -> "Alike":
    """Raises ValueError."""
    from models.datasets.policy import Alike

    encoder, _, least = told.rpartition("=")
    try:
        return Alike(encoder, float(least))
    except ValueError:
        raise ValueError(f"--alike is ENCODER=COSINE, as in my-encoder=0.95, and not {told!r}") from None


def _need_libraries(formats: tuple[str, ...] = ()) -> None:
    of_formats = {"dicom": "highdicom", "nifti": "nibabel"}
    needed = ["PIL", "pyarrow", *(library for name, library in of_formats.items() if name in formats)]
    need_data(*needed)


@dataset.command("volumes")
@click.argument("triplets", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="JSON Lines to write.")
def volumes_command(triplets: tuple[Path, ...], out: Path) -> None:
    """Put slices together: what was outlined in each volume, in ml, one line a volume.

    TRIPLETS are of images that were sent with their volume (`annotate --volumes whole`).
    """
    from models.datasets.volumes import volumes

    written = incomplete = 0
    with plain_errors():
        found = volumes(line.triplet() for line in _Files(triplets).read())
        part = out.with_name(f".{out.name}.part")
        with part.open("wb") as file:
            for record in found:
                file.write(record.model_dump_json().encode() + b"\n")
                written, incomplete = written + 1, incomplete + (not record.complete)
        part.replace(out)
    if not written:
        say("no triplet is of a slice that was sent with its volume: annotate with --volumes whole")
    click.echo(f"{written} volumes, {incomplete} of them incomplete")


class _Files:
    """Files of lines."""

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths

    def read(self) -> "Iterator[Line]":
        from infra.triplet_lines import lines_in

        return lines_in(self._paths)

    def told(self) -> dict[str, Any]:
        return {"files": len(self._paths)}


class _Topic:
    """The triplets of a broker, up to where they ended when they were first read."""

    def __init__(self, kafka: str) -> None:
        from infra.training import TripletsSoFar

        self._topic = TripletsSoFar(current_settings(kafka=kafka).wires)

    def read(self) -> "Iterator[Whole | Deleted]":
        return self._topic.read()

    def told(self) -> dict[str, Any]:
        return self._topic.told()


def _kept(folder: Path) -> "Kept":
    """What an earlier data set did with its groups and images."""
    from models.datasets.kept import Kept, NotKept

    try:
        return Kept.of(folder)
    except NotKept as error:
        raise click.UsageError(f"the folder of --keep {error}") from None


def _makers(originals: Path | None) -> "Mapping[str, Callable[[Path], Writer]]":
    from models.datasets.formats import FORMATS

    if originals is None:
        return FORMATS
    from models.datasets.formats.dicom import Dicom

    with originals.open(newline="", encoding="utf-8") as rows:
        table = csv.DictReader(rows)
        if not {"path", "object_id"} <= set(table.fieldnames or ()):
            raise click.UsageError("the map has no columns path and object_id: take what `annotate --map` wrote")
        files = {row["object_id"]: Path(row["path"]) for row in table if row["object_id"]}
    if not any(path.is_file() for path in files.values()):
        raise click.UsageError("none of the files that the map names is there: run it where `annotate` ran")
    return {**FORMATS, "dicom": partial(Dicom, originals=files)}
