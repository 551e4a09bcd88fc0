"""`tristream up` and `tristream worker`: the pipeline on this machine, whole or one stage of it."""

from pathlib import Path
from typing import get_args

import click

from infra.cli.options import ANNOTATIONS, INBOX, KAFKA, READING, say_passed_marks
from infra.console import current_settings, ending_well, plain_errors, say, trace
from schemas.dead_letters import Stage
from streams.buckets import folder_of

METRICS_PORT = 9464
"""Of `up --watch`: where others look for them."""


@click.command()
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
@click.option("--no-login", is_flag=True, help="Let every user and program of this machine into Kafka.")
@ANNOTATIONS
@READING
def up(
    inbox: str | None,
    state: Path,
    port: int,
    workers: int,
    watch: bool,
    no_login: bool,
    annotations: str | None,
    **reading: str | None,
) -> None:
    """Run the whole pipeline on this machine until Ctrl-C."""
    from infra.prerequisites import check_own_experts, check_text_reader
    from infra.prometheus.local import start_beside
    from infra.stack import LocalStack

    settings = current_settings(inbox=inbox, annotations=annotations, **reading)
    with plain_errors():
        check_text_reader()
        check_own_experts(settings.experts)
    say_passed_marks(settings)
    if watch and not settings.wires.metrics_port:
        settings = settings.with_wires(metrics_port=METRICS_PORT)
    if (folder := folder_of(settings.inbox)) is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with (
        ending_well(),
        plain_errors(),
        LocalStack(
            settings, state.absolute(), port=port, watch=True, workers=workers, login=not no_login, say=say
        ) as stack,
    ):
        for name, address in stack.metrics.items():
            say(f"{name}: http://{address}/metrics")
        if watch:
            start_beside(stack.processes, state / "prometheus", stack.metrics, say)
        say(f"watching {inbox or settings.inbox}; Kafka on {stack.kafka.bootstrap}; Ctrl-C stops all of it")
        stack.run()


@click.command()
@click.argument("stage", type=click.Choice(get_args(Stage)))
@INBOX
@KAFKA
@READING
def worker(
    stage: Stage,
    inbox: str | None,
    kafka: str | None,
    **reading: str | None,
) -> None:
    """Run one worker of one stage. Topics are created where they are missing."""
    from agents.pipeline import build_stage
    from infra.prerequisites import check_own_experts
    from streams.app import run_worker
    from streams.logs import configure_logging
    from streams.private import write_privately
    from streams.topics import create_topics_at_last

    settings = current_settings(kafka=kafka, inbox=inbox, **reading)
    configure_logging()
    write_privately()
    with plain_errors():
        if stage == "ground":
            check_own_experts(settings.experts)
        create_topics_at_last(settings.wires)
        app = build_stage(stage, settings)
        trace(settings, stage)
        run_worker(app, settings.wires)
