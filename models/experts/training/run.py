"""One run from data to an expert: read, split, train, measure on what was held out, export, check, write."""

import re
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from models.experts.datasets import BadDataset, Dataset, Split, split
from models.experts.training.card import Report, card
from models.experts.training.loop import Epoch, evaluate, train
from models.experts.training.package import checked, manifest, write
from models.experts.training.prepare import Prepared, prepare
from models.experts.training.settings import Settings, Subject
from models.experts.training.unet import Expert, Normalise
from schemas.failures import TristreamError


class UnfitName(TristreamError):
    """The name of the output becomes the expert's, which regions and lineage carry."""

    def __init__(self) -> None:
        super().__init__("the output must be named NAME.onnx, NAME of lower-case letters, digits and '-'")


def work_folder(out: Path) -> Path:
    """Where the checkpoint of a run lies."""
    return out.with_suffix(".training")


def train_expert(
    dataset: Dataset,
    out: Path,
    settings: Settings,
    subject: Subject,
    *,
    device: str = "cpu",
    resume: bool = False,
    read: Callable[[int], None] = lambda _: None,
    tell: Callable[[Epoch], None] = lambda _: None,
) -> Report:
    """Writes `out` (NAME.onnx), NAME.toml and NAME.md, which `Registry.load` takes as they are.

    Args:
        dataset: see models.experts.datasets.
        out: NAME becomes the expert's name.
        settings: of the network and the run.
        subject: what is known of the images, before what the data says.
        device: 'cpu' or 'cuda'; on the latter with mixed precision.
        resume: go on from the checkpoint in NAME.training/, if there is one.
        read: told how many images have been read.
        tell: told of each epoch.

    Raises:
        BadDataset, UnfitName, OtherRun, UnlikeTorch: nothing is written.
    """
    if out.suffix != ".onnx" or not re.fullmatch(r"[a-z0-9-]+", out.stem):
        raise UnfitName
    folder = work_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as arrays:
        data = prepare(dataset, Path(arrays), settings.side, subject, read)
        parts = split(data.groups, settings.seed, settings.validation, settings.held_out, data.splits)
        _marked(data, parts)
        run = train(data, parts, settings, folder, device=device, resume=resume, tell=tell)
        network = run.network.to("cpu").eval()
        expert = Expert(network, Normalise(data.normalisation), settings.depth).eval()
        graph, apart = checked(expert, data, out.stem)
        made = (
            f"A U-Net of width {settings.width} and depth {settings.depth}, trained by `tristream experts train` on "
            f"{len(parts.training)} images; nothing was downloaded."
        )
        report = Report(
            manifest=manifest(data, graph, out.stem, subject, settings, made),
            split=parts,
            scores=tuple(evaluate(network, data, parts.held_out, settings.batch)),
            history=tuple(run.history),
            best_epoch=run.best_epoch,
            difference=apart,
            versions={name: version(name) for name in ("tristream", "torch", "torchvision", "onnx", "numpy")},
            parameters=sum(one.numel() for one in network.parameters()),
        )
        write(out, graph, report.manifest, card(dataset, data, settings, report, len(graph)))
    return report


def _marked(data: Prepared, parts: Split) -> None:
    for name in ("training", "validation"):
        if not any(np.any(data.masks[at]) for at in getattr(parts, name)):
            raise BadDataset(f"nothing is marked in the part for {name}: mark more images, or take another seed")
