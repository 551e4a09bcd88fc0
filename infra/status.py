"""status: lag and rate by stage, and what each worker says of itself."""

import time
from datetime import UTC, datetime, timedelta

from rich.table import Table

from schemas.stages import StageState
from streams.lag import LagReader
from streams.reader import latest
from streams.settings import Wires
from streams.topics import STAGES

SILENT = timedelta(seconds=15)
"""A worker that has not renewed its state for so long is taken for gone."""


def status_table(wires: Wires, interval: float = 2.0) -> Table:
    """A table of stages, from two looks at the broker `interval` seconds apart.

    Raises:
        Unavailable: Kafka does not answer.
    """
    reader = LagReader(wires)
    before, started = reader.read(), time.monotonic()
    time.sleep(interval)
    after, seconds = reader.read(), time.monotonic() - started
    states: dict[str, list[StageState]] = {}
    for record in latest(wires, STAGES).values():
        if record.message is not None and datetime.now(UTC) - record.message.updated_at < SILENT:
            states.setdefault(record.message.stage, []).append(record.message)
    table = Table(title=f"Tristream on {wires.bootstrap}", title_justify="left")
    for column, justify in (("stage", "left"), ("workers", "right"), ("waiting", "right"), ("done", "right")):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    table.add_column("per second", justify="right")
    table.add_column("state")
    for stage in ("watch", *after):
        workers = states.get(stage, [])
        words = sorted({f"{w.state}: {w.reason}" if w.reason else w.state for w in workers}) or ["no worker"]
        if stage in after:
            rate = (after[stage].done - before[stage].done) / seconds
            numbers = (str(after[stage].waiting), str(after[stage].done), f"{rate:.1f}")
        else:
            numbers = ("", "", "")
        # A pipeline that is fed otherwise has no watch stage.
        if stage != "watch" or workers:
            table.add_row(stage, str(len(workers)), *numbers, "; ".join(words))
    return table
