"""`tristream model promote`: a model takes the place of the one that describes now, or is refused."""

from pathlib import Path

import click

from infra.console import plain_errors, say

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def model() -> None:
    """Trained models, and which of them describes."""


@model.command()
@click.argument("name", metavar="NAME@DIGEST")
@click.option("--scores", required=True, type=FILE, help="Its scores on the fixed set: describe-eval --out.")
@click.option("--present", "old", type=FILE, help="The present model's scores on the same set.")
@click.option(
    "--evaluation",
    "evaluations",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="What `tristream evaluate` wrote of it; any number of them, one at least.",
)
@click.option(
    "--registry",
    default=".tristream/models",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where it is written down which model describes.",
)
def promote(name: str, scores: Path, old: Path | None, evaluations: tuple[Path, ...], registry: Path) -> None:
    """Make NAME@DIGEST the model that describes, unless something speaks against it. Exit status 1 where it is refused.

    It must have as great a share of supported sentences on a fixed set as the present model, leave no more images
    without a description, and be shown by every evaluation that is given, on the whole split and with an audit.
    """
    from infra.cli.evaluate import read_result
    from models.llava_tri.promotion import SETTING, judge, present, read_scores, write

    results = [read_result(path) for path in evaluations]
    with plain_errors():
        found = judge(name, read_scores(scores), read_scores(old) if old else None, results, present(registry))
        write(registry, found)
    share = found.supported
    say(
        f"promoted: {100 * share.share:.1f} % of {share.n} sentences supported "
        f"(95 % {100 * share.low:.1f} to {100 * share.high:.1f})"
    )
    say(f"{registry / SETTING} is for the describe workers' environment; then: tristream replay --stale")
    click.echo(found.settings, nl=False)
