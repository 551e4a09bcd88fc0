"""A status as a page for the terminal, and as JSON for scripts. Judges nothing."""

import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import orjson
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.status import StageStatus, Status, look
from schemas.failures import Unavailable
from streams.settings import Wires

EVERY = 3.0
"""Seconds between two looks."""

HEADLINES = {
    "up to date": "Up to date: nothing waits.",
    "working": "Working.",
    "paused": "Paused.",
    "waiting": "Waiting for something that is away.",
    "stuck": "Stuck.",
}


def page(status: Status) -> RenderableType:
    """A headline, a table of stages, why a stage is as it is, dead letters, and what to do."""
    # Without lines between columns it fits terminals of 80.
    table = Table(
        title=f"Tristream on {status.kafka}", title_justify="left", box=None, padding=(0, 1, 0, 0), header_style="bold"
    )
    table.add_column("stage", no_wrap=True)
    for column in ("workers", "waiting", "oldest", "done", "per s", "work off"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("state")
    for stage in status.stages:
        table.add_row(
            stage.stage,
            str(stage.workers),
            _number(stage.waiting),
            "" if stage.oldest_s is None else duration(stage.oldest_s),
            _number(stage.done),
            "" if stage.per_second is None else f"{stage.per_second:.1f}",
            duration(stage.work_off_s) if stage.waiting and stage.work_off_s is not None else "",
            _states(stage),
        )
    lines = [headline(status)]
    lines += [f"{stage.stage}: {why}" for stage in status.stages for why in _reasons(stage, status.advice)]
    if status.dead_letters:
        kinds = sorted(status.dead_letters.items(), key=lambda item: -item[1])
        told = ", ".join(f"{number} × {error} in {stage}" for (stage, error), number in kinds[:5])
        more = f", and {count(len(kinds) - 5, 'other kind')}" if len(kinds) > 5 else ""
        lines.append(f"{count(sum(status.dead_letters.values()), 'dead letter')} open: {told}{more}")
    advice = [Text(f"→ {line}") for line in status.advice]
    return Group(Text(lines[0], style="bold"), table, *(Text(line) for line in lines[1:]), *advice)


def headline(status: Status) -> str:
    """How it is, in a sentence or two."""
    text = HEADLINES[status.verdict]
    waiting = sum(stage.waiting or 0 for stage in status.stages)
    if not waiting:
        return text
    seconds = status.work_off_s
    left = "; how long that takes is not known yet" if seconds is None else f", about {duration(seconds)} at this rate"
    return f"{text} {count(waiting, 'message')} {'waits' if waiting == 1 else 'wait'}{left}."


def as_json(status: Status) -> dict[str, Any]:
    """The same for scripts: times in seconds, null where something is not known."""
    return {
        "kafka": status.kafka,
        "verdict": status.verdict,
        "work_off_s": _rounded(status.work_off_s),
        "stages": {
            stage.stage: {
                "verdict": stage.verdict[0],
                "advice": stage.verdict[1],
                "workers": stage.workers,
                "silent": list(stage.silent),
                "waiting": stage.waiting,
                "oldest_s": _rounded(stage.oldest_s),
                "done": stage.done,
                "per_second": stage.per_second,
                "work_off_s": _rounded(stage.work_off_s),
                "passed_by": stage.passed_by,
                "states": [
                    {"state": one.state, "cause": one.cause, "reason": one.reason, "workers": one.workers}
                    for one in stage.conditions
                ],
            }
            for stage in status.stages
        },
        "dead_letters": [
            {"stage": stage, "error": error, "open": number} for (stage, error), number in status.dead_letters.items()
        ],
        "advice": status.advice,
    }


def duration(seconds: float) -> str:
    """A time for a person, in its two largest units."""
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            left = int(seconds % length // part)
            return f"{int(seconds // length)} {unit}" + (f" {left} {smaller}" if left else "")
    return f"{seconds:.0f} s"


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 object, 2 objects."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _states(stage: StageStatus) -> str:
    if not stage.conditions:
        return "silent" if stage.silent else "no worker"
    several = len(stage.conditions) > 1
    return ", ".join((f"{one.workers} " if several else "") + one.state for one in stage.conditions)


def _reasons(stage: StageStatus, advice: list[str]) -> Iterator[str]:
    """Why it is as it is, where no advice says so already."""
    for one in stage.conditions:
        if one.reason and not any(one.reason in line for line in advice):
            yield f"{one.state}, {one.reason}"
    if stage.passed_by:
        yield f"passes by {count(stage.passed_by, 'file')}"
    if stage.silent:
        yield f"silent: {', '.join(stage.silent)}"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def show(wires: Wires, *, json_lines: bool, watch: bool) -> None:
    """Print the status once, or again and again.

    Raises:
        Unavailable: Kafka does not answer; where it is watched, that is shown instead.
    """
    # What it says of a broker that is away is said by us, in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if json_lines:
        while True:
            try:
                found = as_json(look(wires))
            except Unavailable as error:
                if not watch:
                    raise
                found = {"kafka": wires.bootstrap, "verdict": "waiting", "advice": [str(error)]}
            sys.stdout.write(orjson.dumps(found).decode() + "\n")
            sys.stdout.flush()
            if not watch:
                return
            time.sleep(EVERY)
    console = Console()
    if not watch:
        console.print(page(look(wires)))
        return
    with Live(Text("asking Kafka…"), console=console, auto_refresh=False) as live:
        while True:
            try:
                shown = page(look(wires))
            except Unavailable as error:
                shown = Text(str(error))
            live.update(shown, refresh=True)
            time.sleep(EVERY)
