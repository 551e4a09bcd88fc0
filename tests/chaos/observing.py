"""Watches a pipeline under faults from outside: when nothing came of it, and whether `status` said so."""

import logging
import threading
import time
from dataclasses import dataclass, field

import orjson
from confluent_kafka import Consumer, TopicPartition

from agents.settings import Settings
from infra.status import look
from schemas.failures import Unavailable
from streams.topics import DEAD_LETTERS, TRIPLETS

FINE = ("up to date", "working")


@dataclass(slots=True)
class Silence:
    """The longest time in which nothing came although something waited, in all, and while `status` called it fine."""

    longest_s: float = 0.0
    untold_s: float = 0.0


@dataclass(slots=True)
class Observer:
    """Counts outcomes several times a second, and asks for the status as a person would, in a thread of its own.

    Args:
        direct: reaches the broker past the proxy.
        through: reaches it as the pipeline does.
    """

    direct: Settings
    through: Settings
    silence: Silence = field(default_factory=Silence)
    last_outcome: float = field(default_factory=time.monotonic)
    outcomes: int = 0
    annotated: set[str] = field(default_factory=set[str])
    """Objects that have a triplet."""
    verdicts: dict[str, int] = field(default_factory=dict[str, int])
    waiting: int = 1
    answers: int = 0
    """How often `waiting` was learned."""
    fine: bool = True
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> "Observer":
        for work in (self._count, self._ask):
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _count(self) -> None:
        wires = self.direct.wires
        consumer = Consumer(
            {
                "bootstrap.servers": wires.bootstrap,
                "group.id": "observer",
                "log_level": 0,
                "fetch.message.max.bytes": 65536,
            }
        )
        consumer.assign(
            [
                TopicPartition(topic.on(wires), n, 0)
                for topic in (TRIPLETS, DEAD_LETTERS)
                for n in range(wires.partitions)
            ]
        )
        untold_since = time.monotonic()
        try:
            while not self._stop.is_set():
                message = consumer.poll(0.2)
                now = time.monotonic()
                if message is not None and message.error() is None:
                    self.outcomes += 1
                    if message.topic() == TRIPLETS.on(wires) and (value := message.value()):
                        self.annotated.add(orjson.loads(value)["object_id"])
                    self.last_outcome = untold_since = now
                if not self.waiting:
                    self.last_outcome = untold_since = now
                if not self.fine:
                    untold_since = now
                self.silence.longest_s = max(self.silence.longest_s, now - self.last_outcome)
                self.silence.untold_s = max(self.silence.untold_s, now - untold_since)
        finally:
            consumer.close()

    def _ask(self) -> None:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
        while not self._stop.is_set():
            try:
                status = look(self.through.wires)
            except Unavailable:
                self.fine, verdict = False, "Kafka does not answer"
            else:
                verdict = status.verdict
                self.fine = verdict in FINE
                self.waiting = sum(stage.waiting or 0 for stage in status.stages)
                self.answers += 1
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
            self._stop.wait(1.0)
