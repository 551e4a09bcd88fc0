"""Volumes gathered beside a running pipeline: from the topic of triplets to that of volumes."""

import time
from contextlib import ExitStack

from agents.gather import Volumes
from streams.gathering import Standing, gather
from streams.probes import answering
from streams.reader import latest
from streams.settings import Wires
from streams.topics import TRIPLETS, VOLUMES, create_topics_at_last


def gather_volumes(wires: Wires, *, wait: float, again: bool = False) -> None:
    """Gather for ever, and answer on the port of metrics, where there is one.

    Args:
        wires: which cluster.
        wait: seconds without another slice after which a volume is told as it is.
        again: whether to begin with the first triplet, whatever was gathered before.

    Raises:
        Unavailable: Kafka does not answer.
        OSError: the port of metrics is taken.
    """
    standing = Standing()
    with ExitStack() as stack:
        if wires.metrics_port:
            stack.enter_context(
                answering(
                    wires.metrics_host,
                    wires.metrics_port,
                    lambda: standing.reason,
                    lambda: standing.stuck(time.monotonic()),
                )
            )
        create_topics_at_last(wires)
        records = latest(wires, VOLUMES)
        told = {key: record.message.seen for key, record in records.items() if record.message is not None}
        gather(wires, TRIPLETS, VOLUMES, Volumes(told, wait), name="gather", again=again, standing=standing)
