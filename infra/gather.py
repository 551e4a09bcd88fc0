"""Volumes gathered beside a running pipeline: from the topic of triplets to that of volumes."""

from agents.gather import Volumes
from streams.gathering import gather
from streams.reader import latest
from streams.settings import Wires
from streams.topics import TRIPLETS, VOLUMES, create_topics_at_last


def gather_volumes(wires: Wires, *, wait: float, again: bool = False) -> None:
    """Gather for ever.

    Args:
        wires: which cluster.
        wait: seconds without another slice after which a volume is told as it is.
        again: whether to begin with the first triplet, whatever was gathered before.

    Raises:
        Unavailable: Kafka does not answer.
    """
    create_topics_at_last(wires)
    told = {key: record.message.seen for key, record in latest(wires, VOLUMES).items() if record.message is not None}
    gather(wires, TRIPLETS, VOLUMES, Volumes(told, wait), name="gather", again=again)
