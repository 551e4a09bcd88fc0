"""`tristream train` and `tristream model export`: LLaVA-Tri from data sets, and out to a server."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infra.cli.options import NEW_FOLDER
from infra.cli.promote import model
from infra.console import current_settings, need_llava, plain_errors, say
from models.llava_tri import tiny

if TYPE_CHECKING:
    from models.llava_tri.training.checkpoints import Step
    from models.llava_tri.training.tail import Round

NEEDED = ("torch", "transformers", "trl", "peft")


@click.command()
@click.argument("config", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--preset", type=click.Choice(["tiny"]), help="Instead of CONFIG: a run that comes with Tristream.")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="A data set of `dataset build`; instead of those that the run names. May be given several times.",
)
@click.option(
    "--facts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Triplets that the data was made of, JSON Lines: for stages of concepts or rewards. Can be repeated.",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Checkpoints, results.")
@click.option("--base", help="Instead of the one that the run names: a name on the hub, or a folder.")
@click.option("--model-written", is_flag=True, help="Also learn from text that a model wrote.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option(
    "--kafka", metavar="HOST:PORT", help="Follow this broker's triplets in place of data sets, as [tail] says."
)
@click.option("--rounds", type=click.IntRange(1), help="With --kafka: at most, then end. [default: on and on]")
@click.option("--once", is_flag=True, help="With --kafka: end where the topic ends now.")
def train(
    config: Path | None,
    preset: str | None,
    data: tuple[str, ...],
    facts: tuple[str, ...],
    out: Path,
    base: str | None,
    model_written: bool,
    resume: bool,
    kafka: str | None,
    rounds: int | None,
    once: bool,
) -> None:
    """Train LLaVA-Tri in stages, as the TOML file CONFIG says; see docs/llava-tri.md.

    Ctrl-C is safe: --resume goes on from the last checkpoint, with the same weights as if it had not stopped. With
    --kafka adapters learn from the topic of triplets, round by round, and each round is tested on a held-out window.
    """
    if kafka is not None:
        if config is None or preset is not None or data:
            raise click.UsageError("--kafka takes CONFIG, and neither --preset nor --data")
        given = {"base": base, "model_written": model_written or None}
        _follow(config, out, kafka, given, resume=resume, rounds=rounds, once=once)
        return
    if rounds is not None or once:
        raise click.UsageError("--rounds and --once go with --kafka")
    if (config is None) == (preset is None):
        raise click.UsageError("give CONFIG or --preset, one of the two")
    config = config or Path(tiny.__file__).with_name("preset.toml")
    if preset is not None and not data:
        raise click.UsageError("--preset needs --data, a data set of `dataset build`")
    need_llava(*NEEDED)
    from models.llava_tri.training.run import train as run
    from models.llava_tri.training.settings import read_run

    def tell(step: "Step") -> None:
        earned = "" if step.reward is None else f", reward {step.reward:.3f}"
        say(f"{step.stage} {step.step}/{step.steps}: loss {step.loss:.3f}{earned}")

    with plain_errors():
        told = read_run(
            config, data=list(data) or None, facts=list(facts) or None, base=base, model_written=model_written or None
        )
        click.echo(run(told, out, resume=resume, tell=tell))


def _follow(
    config: Path, out: Path, kafka: str, given: Mapping[str, Any], *, resume: bool, rounds: int | None, once: bool
) -> None:
    need_llava(*NEEDED)
    from infra.training import stream
    from models.datasets.policy import Policy
    from models.llava_tri.training.settings import read_tail
    from models.llava_tri.training.tail import follow
    from streams.topics import TRIPLETS

    def tell(done: "Round") -> None:
        held = "nothing held out yet"
        if done.after is not None:
            held = f"window of {done.window['questions']} questions {done.before:.3f} -> {done.after:.3f}"
            held += f", base {done.base:.3f}"
        say(f"round {done.number}: {done.triplets} triplets, {done.questions} questions, loss {done.loss:.3f}; {held}")

    with plain_errors():
        run, tail = read_tail(config, **given)
        rows = stream(kafka, follow=not once, policy=Policy(turns=tail.turns), buffer=tail.shuffle, seed=run.seed)
        topic = TRIPLETS.on(current_settings(kafka=kafka).wires)
        click.echo(follow(run, tail, rows, out, topic=topic, resume=resume, rounds=rounds, tell=tell))


@model.command("export")
@click.argument("trained", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=NEW_FOLDER, help="A new folder.")
def model_export(trained: Path, out: Path) -> None:
    """Write the model in the folder TRAINED, which `train` ends with, as servers load it; adapters are merged.

    Weights in bfloat16, processor, card, lineage. The last line is its name and digest, as TRISTREAM_SGLANG_MODEL
    takes it.
    """
    need_llava(*NEEDED)
    from models.llava_tri.training.export import export

    with plain_errors():
        click.echo(export(trained, out))
