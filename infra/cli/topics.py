"""Commands on a running pipeline: its topics printed and gathered, how it stands, and what goes through it again."""

import signal
import sys
from contextlib import nullcontext
from typing import Any

import click
import orjson

from agents.settings import Settings
from infra.cli.options import KAFKA
from infra.console import current_settings, ending_well, plain_errors, trace
from schemas.dead_letters import Origin
from streams.topics import Topic


@click.command()
@click.option("--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@KAFKA
def triplets(follow: bool, kafka: str | None) -> None:
    """Print triplets as JSON Lines, each once."""
    from streams.topics import TRIPLETS

    _print(current_settings(kafka=kafka), TRIPLETS, follow)


@click.command()
@click.option("--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@KAFKA
def volumes(follow: bool, kafka: str | None) -> None:
    """Print records of volumes as JSON Lines, each once: what `gather` made of the triplets of their slices."""
    from streams.topics import VOLUMES

    _print(current_settings(kafka=kafka), VOLUMES, follow)


@click.command()
@click.option(
    "--wait", default=600.0, show_default=True, type=click.FloatRange(0), help="Seconds for the next slice of a volume."
)
@click.option("--again", is_flag=True, help="From the topic's beginning: completes what slices came late for.")
@KAFKA
def gather(wait: float, again: bool, kafka: str | None) -> None:
    """Put the triplets of each volume's slices together, one record a volume, until asked to stop."""
    from infra.gather import gather_volumes
    from streams.logs import configure_logging

    settings = current_settings(kafka=kafka)
    configure_logging()
    # The first process of a container is not ended by it otherwise.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ending_well(), plain_errors():
        gather_volumes(settings.wires, wait=wait, again=again)


@click.command("dead-letters")
@click.option("--follow", is_flag=True, help="Go on with new ones until Ctrl-C.")
@KAFKA
def dead_letters(follow: bool, kafka: str | None) -> None:
    """Print open dead letters as JSON Lines."""
    from streams.topics import DEAD_LETTERS

    _print(current_settings(kafka=kafka), DEAD_LETTERS, follow)


@click.command()
@click.option("--json", "json_", is_flag=True, help="One line of JSON on standard output.")
@click.option("--watch", is_flag=True, help="Look again every few seconds, until Ctrl-C.")
@KAFKA
def status(json_: bool, watch: bool, kafka: str | None) -> None:
    """Say whether the pipeline keeps up, what is stuck, and what to do about it."""
    from infra.status_page import show

    with ending_well() if watch else nullcontext(), plain_errors():
        show(current_settings(kafka=kafka).wires, json_lines=json_, watch=watch)


@click.command()
@click.option("--object", "object_id", metavar="ID", help="Only the dead letters of this object.")
@click.option("--origin", metavar="TOPIC/PARTITION/OFFSET", help="One message that could not be read at all.")
@click.option("--stale", is_flag=True, help="Instead, the objects of triplets made by other versions than this one's.")
@KAFKA
def replay(object_id: str | None, origin: str | None, stale: bool, kafka: str | None) -> None:
    """Send dead letters, or stale triplets, through again."""
    from infra.announce import replay_dead_letters, replay_origin, replay_stale
    from infra.lineage import current_lineage

    settings = current_settings(kafka=kafka)
    if sum((object_id is not None, origin is not None, stale)) > 1:
        raise click.UsageError("--object, --origin and --stale exclude each other")
    trace(settings, "replay")
    with plain_errors():
        if stale:
            replayed = replay_stale(settings, current_lineage(settings))
        elif origin is not None:
            topic, _, place = origin.partition("/")
            try:
                partition, offset = (int(part) for part in place.split("/"))
            except ValueError:
                raise click.UsageError(f"--origin must be TOPIC/PARTITION/OFFSET, not {origin!r}") from None
            replayed = replay_origin(settings, Origin(topic=topic, partition=partition, offset=offset))
        else:
            replayed = replay_dead_letters(settings, object_id)
    click.echo(f"{replayed.sent} sent again" + (f", {replayed.lost} no longer on their topic" if replayed.lost else ""))
    sys.exit(1 if replayed.lost else 0)


@click.command()
@KAFKA
def resume(kafka: str | None) -> None:
    """Have stages that too many dead letters have paused go on, once the cause is mended."""
    from infra.resume import resume_stages

    with plain_errors():
        told = resume_stages(current_settings(kafka=kafka).wires)
    click.echo("\n".join(told) or "no stage is paused by dead letters")


def _print(settings: Settings, topic: Topic[Any], follow: bool) -> None:
    from infra.tail import each_once

    with plain_errors():
        for message in each_once(settings.wires, topic, follow):
            sys.stdout.buffer.write(orjson.dumps(message.model_dump(mode="json")) + b"\n")
            sys.stdout.buffer.flush()
