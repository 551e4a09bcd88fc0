"""`tristream evaluate`: a model held against benchmarks, with controls and an audit of leakage."""

import asyncio
import itertools
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infra.cli.options import FOLDER
from infra.console import current_settings, plain_errors, say

if TYPE_CHECKING:
    from models.llava_tri.evaluation.answering import Answers, Source
    from models.llava_tri.evaluation.audit import Leakage
    from models.llava_tri.evaluation.evaluating import Say
    from models.llava_tri.evaluation.judging import Judge
    from models.llava_tri.evaluation.questions import Benchmark
    from models.llava_tri.evaluation.result import Result

BENCHMARKS = ("vqa-rad", "slake", "pathvqa", "iu-xray", "roco", "held-out", "grounding")
RULES = ("majority", "nearest", "yes-and-no", "centre-box")
RESULT, PAGE, ANSWERS, SAMPLES = "result.json", "index.html", "answers.sqlite", "samples"
INTERRUPTED = 130


@click.group(invoke_without_command=True)
@click.option("--benchmark", type=click.Choice(BENCHMARKS), help="What is asked.")
@click.option("--at", type=FOLDER, help="Its folder.")
@click.option(
    "--images",
    type=FOLDER,
    help="Folder of its pictures, if elsewhere.",
)
@click.option("--split", default="test", show_default=True, help="Of the benchmark.")
@click.option(
    "--model",
    metavar="URL|DIR|FILE|RULE",
    help="An OpenAI-compatible server; a model's folder; answers as JSON Lines; majority, nearest, yes-and-no or "
    "centre-box.",
)
@click.option("--name", metavar="NAME@REVISION", help="Of the model at a URL. [default: $TRISTREAM_SGLANG_MODEL]")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the page, the JSON, samples.")
@click.option(
    "--lineage",
    multiple=True,
    type=FOLDER,
    help="A data set that the model learned from, of `dataset build`, or a folder of pictures; any number of them.",
)
@click.option(
    "--trained",
    type=FOLDER,
    help="The model's folder with its lineage.json: every data set in it must be given by --lineage.",
)
@click.option(
    "--answers", type=click.Path(dir_okay=False, path_type=Path), help="SQLite file of answers. [default: in --out]"
)
@click.option(
    "--boxes",
    type=click.Choice(["parts", "thousandths", "px"]),
    default="thousandths",
    show_default=True,
    help="In which the model writes boxes.",
)
@click.option(
    "--plain", is_flag=True, help="Put questions as they stand, as data sets have them, with no line on how to answer."
)
@click.option("--max-tokens", default=256, show_default=True, type=click.IntRange(1), help="Of an answer.")
@click.option(
    "--at-once",
    default=8,
    show_default=True,
    type=click.IntRange(1),
    help="Questions that a model in a folder answers together; small models take many.",
)
@click.option(
    "--encoder",
    metavar="DIR|NAME@COMMIT",
    help="Of BERTScore: the folder of `make encoder`, or one of transformers (from .venv-llava).",
)
@click.option("--layer", type=click.IntRange(1), help="Of an encoder of transformers. [default: the last]")
@click.option("--judge", metavar="URL", help="Of a language model that rules over short answers, beside the scores.")
@click.option("--judge-name", metavar="NAME@REVISION", help="As that server serves it.")
@click.option("--judge-key", envvar="TRISTREAM_JUDGE_API_KEY", help="Of that server. [env: TRISTREAM_JUDGE_API_KEY]")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Only N pictures, drawn by hash; nothing is then shown."
)
@click.pass_context
def evaluate(ctx: click.Context, **given: Any) -> None:
    """Ask a model a benchmark's questions, and its controls, and write what came of it.

    What was answered is kept: the same command goes on where it broke off. Exit status 0: done, whatever was found;
    1: it broke off; 2: bad usage.
    """
    if ctx.invoked_subcommand is not None:
        return
    for name in ("benchmark", "at", "model", "out"):
        if given[name] is None:
            raise click.UsageError(f"--{name} is needed")
    if (given["judge"] is None) != (given["judge_name"] is None):
        raise click.UsageError("--judge and --judge-name NAME@REVISION go together")
    _need_libraries()
    with plain_errors():
        try:
            result = _run(given)
        except KeyboardInterrupt:
            say("interrupted: what was answered is kept, and the same command goes on from there")
            sys.exit(INTERRUPTED)
    out: Path = given["out"]
    _tell(result)
    say(f"{out / PAGE}")


def _run(given: Mapping[str, Any]) -> "Result":
    from models.llava_tri.evaluation.answering import Answers, Asked
    from models.llava_tri.evaluation.benchmarks import LOADERS
    from models.llava_tri.evaluation.evaluating import evaluate as run
    from models.llava_tri.evaluation.evaluating import sampled
    from models.llava_tri.evaluation.judging import Judge
    from models.llava_tri.evaluation.page import page
    from models.llava_tri.evaluation.samples import write_samples
    from models.llava_tri.evaluation.scores.bert import encoder_of

    whole = LOADERS[given["benchmark"]](given["at"], given["split"], given["images"])
    benchmark = sampled(whole, given["limit"])
    out: Path = given["out"]
    out.mkdir(parents=True, exist_ok=True)
    say(f"{benchmark.name} {benchmark.split}: {len(benchmark.questions)} questions, {len(benchmark.pictures)} pictures")
    encoder = encoder_of(given["encoder"], given["layer"]) if given["encoder"] is not None else None
    leakage = _audit(benchmark, given["lineage"], given["trained"])

    async def asked(kept: Answers) -> "Result":
        source, judge = _source(given, kept), _judge(given, kept)
        try:
            return await run(
                benchmark, source, leakage, of=len(whole.questions), judge=judge, encoder=encoder, say=_saying()
            )
        finally:
            for one in (source, judge):
                if isinstance(one, Asked | Judge):
                    await one.close()

    with Answers(given["answers"] or out / ANSWERS) as kept:
        result = asyncio.run(asked(kept))
    write_samples(out / SAMPLES, result, benchmark, given["boxes"], plain=given["plain"])
    (out / RESULT).write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (out / PAGE).write_text(page(result, benchmark), encoding="utf-8")
    return result


def _source(given: Mapping[str, Any], kept: "Answers") -> "Source":
    """Whose answers are scored, by what --model names."""
    from models.llava_tri.evaluation import controls
    from models.llava_tri.evaluation.answering import Asked, Blind, Given

    model: str = given["model"]
    rules = {
        "majority": controls.majority, "nearest": controls.nearest, "yes-and-no": controls.yes_and_no,
        "centre-box": controls.centre_box,
    }  # fmt: skip
    if model in rules:
        return Blind(f"{model}@1", rules[model])
    if model.startswith(("http://", "https://")):
        from dataclasses import replace

        from models.llava_tri.evaluation.endpoint import Endpoint

        serving = current_settings(sglang_url=model, sglang_model=given["name"]).serving
        return Asked(
            Endpoint(replace(serving, max_tokens=given["max_tokens"])), kept, given["boxes"], plain=given["plain"]
        )
    path = Path(model)
    if path.is_file():
        return Given(path, given["boxes"])
    if (path / "config.json").is_file():
        if find_spec("transformers") is None:
            raise click.ClickException(
                "transformers is not installed: run it from .venv-llava, or serve the model and give its URL"
            )
        from models.llava_tri.evaluation.in_process import InProcess

        answerer = InProcess(path, max_tokens=given["max_tokens"], at_once=given["at_once"])
        return Asked(answerer, kept, given["boxes"], plain=given["plain"])
    raise click.UsageError(
        f"--model {model!r}: no URL, no model's folder with config.json, no file, and none of {', '.join(RULES)}"
    )


def _judge(given: Mapping[str, Any], kept: "Answers") -> "Judge | None":
    if given["judge"] is None:
        return None
    from dataclasses import replace

    from models.llava_tri.evaluation.endpoint import Endpoint
    from models.llava_tri.evaluation.judging import MOST_TOKENS, SCHEMA, Judge

    serving = current_settings(sglang_url=given["judge"], sglang_model=given["judge_name"]).serving
    # The key of the model's server is no business of the judge's.
    serving = replace(serving, max_tokens=MOST_TOKENS, api_key=given["judge_key"])
    return Judge(Endpoint(serving, schema=SCHEMA), kept)


def _audit(benchmark: "Benchmark", datasets: tuple[Path, ...], trained: Path | None) -> "Leakage":
    from infra.progress import Counting
    from models.llava_tri.evaluation.audit import audit, of_dataset
    from models.llava_tri.evaluation.lineage import generation_of_text, missing

    names = _named(datasets)
    lacking = missing(trained, datasets) if trained is not None else ()
    learnt = generation_of_text(trained) if trained is not None else None
    if not datasets:
        say("no --lineage: whether the model has seen these pictures is not audited, and no figure may be called clean")
    with Counting("pictures") as progress:
        pictures = {name: of_dataset(path) for name, path in names.items()}
        return audit(benchmark, pictures, progress.update, missing=lacking, generation=learnt)


def _named(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Folders by as much of the ends of their paths as tells them apart: it stands for them in the result.

    Raises:
        UsageError: one is given twice.
    """
    paths = [path.resolve() for path in folders]
    if len(set(paths)) < len(paths):
        raise click.UsageError("--lineage: a folder is given twice")
    parts = next(n for n in itertools.count(1) if len({path.parts[-n:] for path in paths}) == len(paths))
    return {Path(*path.parts[-parts:]).as_posix(): path for path in paths}


def _saying() -> "Say":
    from infra.progress import Counting

    def told(what: str) -> Any:
        say(f"asking: {what}")
        return Counting("answers").update

    return told


def _tell(result: "Result") -> None:
    from rich.console import Console
    from rich.table import Table

    from models.llava_tri.evaluation.page import figure
    from models.llava_tri.evaluation.scoring import PRIMARY

    scores = result.clean or result.all
    table = Table(title=f"{result.model} on {result.benchmark} {result.split}", title_justify="left")
    table.add_column("", no_wrap=True)
    for kind, part in scores.parts.items():
        table.add_column(f"{kind}: {PRIMARY[kind]}, n={part.n}/{part.images}", justify="right")
    for run in scores.runs:
        cells: list[str] = []
        for kind in scores.parts:
            one = run.figures[kind][PRIMARY[kind]]
            cells.append(f"{figure(one, '')} [{100 * one.low:.1f}, {100 * one.high:.1f}]")
        table.add_row(run.name, *cells)
    table.add_row("", *("shown" if part.shown else "not shown" for part in scores.parts.values()))
    Console(stderr=True).print(table)
    say(result.audit.verdict)
    for kind, judged in result.judge.kinds.items() if result.judge else ():
        own, both = judged.runs[0], judged.agreement
        ruled = f"{100 * own.figure.value:.1f} % right of {own.figure.n} judged" if own.figure else "none judged"
        agreed = f", as {judged.exact} has it in {100 * both.share.value:.1f} %" if both else ""
        say(f"judge, {kind}: {ruled}{agreed}; {sum(own.unjudged.values())} unjudged")


@evaluate.command("compare")
@click.argument("first", type=click.Path(exists=True, path_type=Path))
@click.argument("second", type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def compare_command(first: Path, second: Path, as_json: bool) -> None:
    """Hold two results of the same questions against one another: the folders, or their result.json."""
    import json
    from dataclasses import asdict

    from models.llava_tri.evaluation.comparing import compare

    with plain_errors():
        one, other = read_result(first), read_result(second)
        found = compare(one, other)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in found]))
        return
    click.echo(f"{one.model} less {other.model}, {one.benchmark} {one.split}")
    for row in found:
        gap, test = row.gap, row.test
        click.echo(
            f"{row.kind:<7}{row.measure:<9}{100 * row.first:6.1f} - {100 * row.second:5.1f} = {100 * gap.value:+5.1f} "
            f"points, 95 % {100 * gap.low:+.1f} to {100 * gap.high:+.1f}, sign-flip p one-sided {gap.p:.4f}, "
            f"n={gap.n} of {gap.images} {one.over}"
        )
        if test is not None:
            click.echo(
                f"       {row.right}: only the first right {test.only_first}, only the second {test.only_second}, "
                f"McNemar's exact p two-sided {test.p:.4f} (takes questions for independent)"
            )


def read_result(path: Path) -> "Result":
    """The result in a folder of `evaluate`, or in a file.

    Raises:
        click.ClickException: there is none.
    """
    from pydantic import ValidationError

    from models.llava_tri.evaluation.result import Result

    file = path / RESULT if path.is_dir() else path
    try:
        return Result.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        raise click.ClickException(f"{file}: no result of `tristream evaluate` of this version") from None


def _need_libraries() -> None:
    if find_spec("pyarrow") is None:
        raise click.ClickException("pyarrow is not installed: install tristream with the extra 'data'")
    if find_spec("sacrebleu") is None or find_spec("nltk") is None:
        say("BLEU and METEOR are left out: install tristream with the extra 'evaluation'")
