"""resume: have stages go on that dead letters have paused. Talks to them over Kafka alone."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from infra.announce import Sender
from schemas.control import Resume
from schemas.dead_letters import Stage
from streams.codec import Context, encode, headers
from streams.reader import latest
from streams.settings import Wires
from streams.topics import CONTROL, STAGES

RECENT = timedelta(seconds=30)
"""Older words are of workers that are gone."""


def paused(wires: Wires) -> list[Stage]:
    """The stage of each worker that dead letters have paused.

    Raises:
        Unavailable: Kafka does not answer.
    """
    now = datetime.now(UTC)
    words = [record.message for record in latest(wires, STAGES).values() if record.message is not None]
    return sorted(word.stage for word in words if word.cause == "dead letters" and now - word.updated_at < RECENT)


def resume_stages(wires: Wires) -> list[str]:
    """Tell every stage that has workers paused by dead letters to go on; a line for each.

    Raises:
        Unavailable: Kafka does not answer.
    """
    stages = Counter(paused(wires))
    if not stages:
        return []
    sender = Sender(wires)
    for stage in stages:
        word = Resume(stage=stage, told_at=datetime.now(UTC))
        sender.send(CONTROL.on(wires), stage, encode(word), headers(word, "resume", Context()))
    sender.flush()
    return [f"{stage}: {n} {'worker' if n == 1 else 'workers'} told to go on" for stage, n in stages.items()]
