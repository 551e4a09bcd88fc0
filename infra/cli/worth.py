"""`tristream dataset worth`: what a data set teaches small networks, as numbers beside controls."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from infra.cli.datasets import KINDS
from infra.cli.options import FOLDER
from infra.console import need_llava, plain_errors, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.experts.training.loop import Epoch
    from models.llava_tri.heads.budget import TellEpoch
    from models.llava_tri.heads.result import Row, Skipped

RESULT, PAGE, HEADS = "result.json", "index.html", "heads.jsonl"
TASKS, TARGETS = ("classify", "segment"), ("modality", "organ", "disease")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="For the page, the JSON.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="[default: both]")
@click.option("--of", "targets", multiple=True, type=click.Choice(TARGETS), help="What is classified. [default: each]")
@click.option("--label", "labels", multiple=True, help="Of regions that are segmented. [default: all]")
@click.option(
    "--regions",
    type=click.Choice(list(KINDS)),
    default="source",
    show_default=True,
    help="Whose masks are learnt as the truth: the source's marks, or the candidates of experts.",
)
@click.option("--side", default=64, show_default=True, type=click.IntRange(32), help="px; a multiple of 16.")
@click.option("--epochs", default=20, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=300, show_default=True, type=click.IntRange(1), help="Of a network: no epoch beyond.")
@click.option("--patience", default=6, show_default=True, help="Epochs without gain after which a head ends.")
@click.option("--batch", default=16, show_default=True, type=click.IntRange(2))
@click.option("--learning-rate", default=1e-3, show_default=True)
@click.option(
    "--most",
    default=4000,
    show_default=True,
    type=click.IntRange(1),
    help="Images to learn from and to test on, each at most.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def worth(
    folder: Path,
    out: Path,
    tasks: tuple[str, ...],
    targets: tuple[str, ...],
    labels: tuple[str, ...],
    regions: str,
    most: int,
    steps: int,
    **numbers: float,
) -> None:
    """Teach small networks the data set in FOLDER and test them on its test split; see docs/llava-tri.md.

    One head a kind of label and a group of regions, each beside controls that do not look at the picture, or learnt
    nothing: a head that does not beat them is told as not shown. Regions are learnt by MONAI's network too, as a
    baseline. The same command goes on after the last head that was taught.
    """
    need_llava("torch", "torchvision", "pyarrow", "monai")
    from models.experts.training.loop import best_device
    from models.experts.training.settings import Settings
    from models.llava_tri.heads.measuring import Plan, measure
    from models.llava_tri.heads.page import page

    chosen = {name: values for name, values in (("tasks", tasks), ("targets", targets)) if values}
    try:
        settings = Settings(**numbers)  # pyright: ignore[reportArgumentType] - click has checked them
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    with plain_errors():
        plan = Plan(**chosen, labels=labels, kind=KINDS[regions], most=most, steps=steps)  # pyright: ignore[reportArgumentType]
        out.mkdir(parents=True, exist_ok=True)
        found = measure(
            folder, plan, settings, device=best_device(), kept=out / HEADS, tell=_tell, tell_epoch=_tell_epoch
        )
    (out / RESULT).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (out / PAGE).write_text(page(found), encoding="utf-8")
    say(f"{out / PAGE}")


def _tell_epoch(head: str) -> "TellEpoch":
    def network(name: str, epochs: int) -> "Callable[[Epoch], None]":
        return lambda one: say(f"{head}: {name}, epoch {one.number} of {epochs} at most")

    return network


def _tell(one: "Row | Skipped") -> None:
    from models.llava_tri.heads.result import Skipped

    if isinstance(one, Skipped):
        say(f"{one.task} {one.of}: not taught, {one.why}")
        return
    figures = [
        f"{run.name} {100 * told.value:.1f} [{100 * told.low:.1f}, {100 * told.high:.1f}]"
        for run in one.runs
        for told in list(run.figures.values())[:1]
    ]
    measure, told = next(iter(one.runs[0].figures.items()))
    verdict = "shown" if one.shown else "not shown"
    say(f"{one.task} {one.of}: {verdict}; {measure} in %, n={told.n}/{told.groups}: {'; '.join(figures)}")
