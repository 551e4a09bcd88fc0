"""The command that scores describers. Parses, calls, prints; the work is elsewhere."""

import asyncio
import sys
from pathlib import Path
from typing import Literal

import click

from infra.console import current_settings, plain_errors, say


@click.command("describe-eval")
@click.option(
    "--triplets",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines: triplets, with their pixels where a model is to see them, or messages of the topic `enriched`.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="JSON Lines to write: a score an image.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="JSON to write: what is printed.")
@click.option(
    "--describer",
    type=click.Choice(["composer", "model"]),
    help="[default: model where a URL is given, else composer]",
)
@click.option("--url", help="An SGLang server, or another with its OpenAI API. [default: $TRISTREAM_SGLANG_URL]")
@click.option("--model", help="NAME@REVISION that it serves. [default: $TRISTREAM_SGLANG_MODEL]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only N images, drawn by hash.")
@click.option(
    "--held-out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="SET",
    help="Only images of the test split of this data set, of `dataset build`: no model that learnt from it saw them.",
)
@click.option("--resume", is_flag=True, help="Go on with what an earlier run wrote; what failed is tried again.")
@click.option("--json", "json_", is_flag=True, help="Print the report as one line of JSON, not as a table.")
def describe_eval(
    triplets: Path,
    out: Path,
    report: Path | None,
    describer: Literal["composer", "model"] | None,
    url: str | None,
    model: str | None,
    limit: int | None,
    held_out: Path | None,
    resume: bool,
    json_: bool,
) -> None:
    """Have a describer describe images, and report how many of its sentences hold and what they tell.

    Exit status 0: done; 1: no image could be described, or it broke off; 2: bad usage, or no images.
    """
    from rich.console import Console

    from infra.describe_eval import Evaluated, drawn, evaluate, held_out_of, images_of, report_table
    from infra.exports import STDOUT, export_to
    from infra.progress import Counting
    from models.describers.scoring import Score, summarise

    settings = current_settings(sglang_url=url, sglang_model=model)
    serving = settings.serving if settings.serving.url is not None and describer != "composer" else None
    if describer == "model" and serving is None:
        raise click.UsageError("--describer model needs --url and --model")
    if out == STDOUT:
        raise click.UsageError("--out is a file: standard output has the report")

    async def run() -> list[Score]:
        evaluated = Evaluated.of(serving)
        try:
            kept = drawn(triplets, held_out_of(held_out) if held_out is not None else None, limit)
            images = ((key, image) for key, image in images_of(triplets) if kept is None or key in kept)
            return await evaluate(images, evaluated, export, resume=resume, tell=progress.update)
        finally:
            await evaluated.close()

    with plain_errors():
        export = export_to(out, begin="resume" if resume else "new")
        try:
            with Counting("images") as progress:
                scores = asyncio.run(run())
            if not scores:
                raise click.UsageError("there are no images in it")
            export.finish()
        except KeyboardInterrupt:
            say("interrupted: what was scored stands in a .part file; --resume goes on from there")
            sys.exit(130)
        finally:
            export.close()
        found = summarise(scores)
        body = found.model_dump_json()
        if report is not None:
            report.write_text(found.model_dump_json(indent=2) + "\n")
        if json_:
            click.echo(body)
        else:
            Console().print(report_table(found))
    sys.exit(0 if found.images else 1)
