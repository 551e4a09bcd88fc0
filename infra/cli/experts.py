"""`tristream experts`: which there are, whether one keeps its promises, and training of one's own."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from infra.console import current_settings, plain_errors, say
from schemas.images import Modality

if TYPE_CHECKING:
    from models.experts.promises import Promise
    from models.experts.training.loop import Epoch


@click.group()
def experts() -> None:
    """The models that say where to look: packaged ones, and your own in TRISTREAM_EXPERTS."""


MANIFEST = click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@experts.command("list")
def experts_list() -> None:
    """One line an expert: name, kind, modalities, organs, labels, and whose it is."""
    from infra.experts import rows

    with plain_errors():
        for row in rows(current_settings().experts):
            click.echo(" | ".join(row))


@experts.command("show")
@click.argument("name")
def experts_show(name: str) -> None:
    """Print an expert's card, or its manifest."""
    from infra.experts import shown

    with plain_errors():
        click.echo(shown(name, current_settings().experts))


@experts.command("check")
@MANIFEST
def experts_check(manifest: Path) -> None:
    """Run an expert on a sample, and tell of each promise of its manifest whether it is kept."""
    from models.experts.checking import check

    settings = current_settings()
    sys.exit(1 if _told(check(manifest.absolute(), settings.expert_runtime)) else 0)


@experts.command("add")
@MANIFEST
def experts_add(manifest: Path) -> None:
    """Copy an expert that keeps its promises into TRISTREAM_EXPERTS. Workers find it when they start anew."""
    from infra.experts import add

    with plain_errors():
        _told(add(manifest.absolute(), current_settings().experts))


@experts.command("calibrate")
@MANIFEST
@click.argument("triplets", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--of", required=True, help="Which images these are, and by whom they were marked.")
@click.option(
    "--mark", "marks", multiple=True, metavar="LABEL=WORD", help="What the source calls a label; may be repeated."
)
@click.option("--unmarked", is_flag=True, help="Whatever is told of an image without such a mark is wrong.")
def experts_calibrate(
    manifest: Path, triplets: tuple[Path, ...], of: str, marks: tuple[str, ...], unmarked: bool
) -> None:
    """Tell how often an expert was right, and how likely a region of a score is, as its manifest may state it.

    TRIPLETS are those of images that their source marked, as `annotate` writes them; see docs/own-experts.md.
    """
    from infra.experts import calibration

    named: dict[str, frozenset[str]] = {}
    for one in marks:
        label, told, word = one.partition("=")
        if not told:
            raise click.UsageError(f"--mark {one!r}: write LABEL=WORD")
        named[label] = named.get(label, frozenset()) | {word.lower()}
    with plain_errors():
        for line in calibration(manifest.absolute(), list(triplets), of, named, unmarked=unmarked):
            click.echo(line)


@experts.command("import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--out", default=Path(), type=click.Path(file_okay=False, path_type=Path), help="[default: here]")
@click.option("--name", help="Of the expert: lower-case letters, digits and hyphens. [default: the export's]")
@click.option("--modality", type=click.Choice(get_args(Modality)), help="Of its images, where the export tells none.")
@click.option("--organ", "organs", multiple=True, help="That it is for; may be repeated. [default: any]")
@click.option("--licence", help="Of its weights, where the export tells none.")
@click.option("--axes", help="Of volumes: where the tensor's axes lead in the patient, as RAS, where nothing tells.")
def experts_import(
    path: Path,
    out: Path,
    name: str | None,
    modality: Modality | None,
    organs: tuple[str, ...],
    licence: str | None,
    axes: str | None,
) -> None:
    """Make a manifest for an export of MONAI, nnU-Net, Hugging Face or Ultralytics, and check it.

    PATH is its folder, or an ONNX file by Ultralytics; see docs/own-experts.md. Nothing is added yet.
    """
    from models.experts.checking import check
    from models.experts.importing import Told, import_expert

    with plain_errors():
        manifest = import_expert(path, out, Told(name, modality, organs, licence, axes))
    broken = _told(check(manifest.absolute(), current_settings().expert_runtime))
    then, command = ("mend what is BROKEN", "check") if broken else ("read it", "add")
    click.echo(f"written: {manifest}; {then}, then: tristream experts {command} {manifest}")
    sys.exit(1 if broken else 0)


def _told(promises: "Iterable[Promise]") -> int:
    """Print each promise; how many are broken."""
    broken = 0
    for one in promises:
        broken += not one.kept
        click.echo(str(one))
    return broken


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
    from models.experts.training.loop import best_device
    from models.experts.training.run import train_expert
    from models.experts.training.settings import Settings as Numbers
    from models.experts.training.settings import Subject

    try:
        told = Numbers(mirror=not no_mirror, **numbers)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    words = {name: value for name, value in (("licence", licence), ("source", source)) if value}
    subject = Subject(modality, organ, expert_version, **words)
    with plain_errors():
        dataset = open_dataset(data)
        say(f"{dataset.kind}: {dataset.files} files, labels {', '.join(dataset.labels)}")

        with Counting("epochs") as progress:

            def tell(epoch: "Epoch") -> None:
                progress.update(epoch.number, told.epochs)
                progress.say(f"epoch {epoch.number}: loss {epoch.loss:.3f}, validation Dice {epoch.validation:.3f}")

            report = train_expert(dataset, out, told, subject, device=best_device(device), resume=resume, tell=tell)
    for one in report.scores:
        click.echo(f"{one.label}: Dice {one.dice:.3f}, IoU {one.iou:.3f} on {one.images} images held out")
    click.echo(f"{report.manifest.expert}: see {out.with_suffix('.md')}")


@experts.command("quantise")
@MANIFEST
@click.option("--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", metavar="NAME.onnx", type=click.Path(dir_okay=False, path_type=Path), help="[default: …-int8]")
@click.option("--images", default=64, show_default=True, type=click.IntRange(1), help="For calibration, at most.")
@click.option("--seed", default=0, show_default=True, help="Of the split.")
def experts_quantise(manifest: Path, data: Path, out: Path | None, images: int, seed: int) -> None:
    """Make an int8 graph of an expert's, and tell how far both agree; see docs/own-experts.md.

    DIR is as for `train`: some of its images are calibrated on, others held out to compare by.
    """
    _needs_torch()
    from models.experts.datasets import open_dataset
    from models.experts.training.card import figure
    from models.experts.training.quantise import quantise

    out = out or manifest.with_name(f"{manifest.stem}-int8.onnx")
    with plain_errors():
        new, found = quantise(manifest, open_dataset(data), out, images=images, seed=seed)
    for one in found:
        click.echo(
            f"{one.label}: IoU with the float graph {figure(one.iou)} on {one.images} images held out, "
            f"Dice {figure(one.dice)} before and {figure(one.dice_int8)} now"
        )
    click.echo(f"{new.expert}: see {out.with_suffix('.md')}")


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
    with plain_errors(), Counting("phantoms") as progress:
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
