"""The card of a trained expert, for people: what it learnt from, how well it does, and what it does not know."""

import math
from dataclasses import dataclass

from models.experts.datasets import Dataset, Split
from models.experts.manifest import Manifest
from models.experts.training.loop import Epoch, Scores
from models.experts.training.package import TOLERANCE
from models.experts.training.prepare import Prepared
from models.experts.training.settings import Settings


@dataclass(frozen=True, slots=True)
class Report:
    """What a run ended with."""

    manifest: Manifest
    split: Split
    scores: tuple[Scores, ...]
    history: tuple[Epoch, ...]
    best_epoch: int
    difference: float
    versions: dict[str, str]
    parameters: int
    """Weights of the network."""


def card(dataset: Dataset, data: Prepared, settings: Settings, report: Report, size: int) -> str:
    """Markdown. It tells no name of a file or a patient."""
    told, parts = report.manifest, report.split
    rows = [
        f"| {one.label} | {figure(one.dice)} | {figure(one.iou)} | {one.images} | "
        f"{one.found_without} of {one.without} |"
        for one in report.scores
    ]
    counts = [
        f"| {name} | {len(indices)} | {len({data.groups[at] for at in indices})} |"
        for name, indices in (
            ("training", parts.training),
            ("validation", parts.validation),
            ("held out", parts.held_out),
        )
    ]
    marked = ", ".join(f"{label} in {len(areas)} parts" for label, areas in data.areas.items())
    best = report.history[report.best_epoch - 1]
    lines = [
        f"# {told.name} {told.version}: {told.title}",
        "",
        "A region is a candidate that a trained network singled out, never a diagnosis.",
        "",
        f"- **For**: {', '.join(told.modalities)}; {', '.join(told.organs) or 'any organ'}",
        f"- **Takes**: {_taken(told)}",
        (
            f"- **Size**: at least {told.input.shortest_side} px a side; above {told.input.longest_side} px on the "
            "longest side it works on a reduced copy"
        ),
        f"- **Normalisation**: in the graph: {data.normalisation.told}",
        f"- **How made**: {told.made}",
        f"- **Marked by**: {told.source}",
        f"- **Licence**: {told.licence}; {size:,} bytes, {report.parameters:,} weights",
        "",
        "## How well it does",
        "",
        "On the part held out, neither trained on nor used to choose the epoch: means over images that have the label.",
        "",
        "| label | Dice | IoU | images | found where there is none |",
        "| --- | --- | --- | --- | --- |",
        *rows,
        "",
        "## What it learnt from",
        "",
        f"{dataset.kind}: {len(data.sizes)} images; marked: {marked}. Patients or objects are never on two sides.",
        "",
        "| part | images | patients or objects |",
        "| --- | --- | --- |",
        *counts,
        "",
        "## Settings",
        "",
        *(f"- {name.replace('_', ' ')}: {value}" for name, value in settings.plain().items()),
        f"- epochs run: {len(report.history)}; kept: epoch {best.number}, validation Dice {best.validation:.3f}",
        f"- data: SHA-256 {data.digest[:16]} of the prepared arrays",
        f"- versions: {', '.join(f'{name} {version}' for name, version in report.versions.items())}",
        f"- exported graph against torch: differs by at most {report.difference:.1g} (allowed: {TOLERANCE:g})",
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in told.limits),
    ]
    return "\n".join(lines) + "\n"


def _taken(told: Manifest) -> str:
    channels = "three channels, RGB" if told.input.channels == 3 else "one channel (colour is taken as luma, Rec. 601)"
    return f"{channels}; {' or '.join(told.input.units) or 'any unit'}"


def figure(value: float) -> str:
    """Of a score; NaN where no image had what is scored."""
    return "none had it" if math.isnan(value) else f"{value:.3f}"
