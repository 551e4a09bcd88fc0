"""Samples of a running stack, taken from outside: what stands on a topic, what each process has used.

Knows nothing of what is measured with them.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import psutil
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from infra.stack import LocalStack
from schemas.base import Message
from schemas.failures import TristreamError
from streams.reader import SETTLING
from streams.topics import DEAD_LETTERS, Topic, admin

EDGE = 0.05
"""Share of the outputs at each end of a run that does not count."""
PATIENCE_S = 120.0


class BenchmarkFailed(TristreamError):
    """Something did not come out of the pipeline that should have; the message names the logs."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Messages on a topic, and CPU seconds and resident bytes of each child with its children, at one moment."""

    at: float
    count: int
    cpu: Mapping[str, float]
    rss: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rate:
    """Images a second over a run's steady part, and CPU milliseconds an image by process."""

    images_per_s: float
    cpu_ms: Mapping[str, float]


class Gauge:
    """Takes samples of a running stack."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack, self._wires = stack, stack.settings.wires
        self._admin = admin(self._wires)

    def count(self, topic: Topic[Message]) -> int:
        """Messages that were ever written to a topic."""
        latest = cast("OffsetSpec", OffsetSpec.latest())
        asked = {TopicPartition(topic.on(self._wires), number): latest for number in range(self._wires.partitions)}
        while True:
            try:
                return sum(answer.result().offset for answer in self._admin.list_offsets(asked).values())
            except KafkaException as error:
                if error.args[0].code() not in SETTLING:
                    raise
                self._stack.processes.pause(0.1)

    def sample(self, topic: Topic[Message]) -> Sample:
        """One sample now."""
        names = {pid: name.removesuffix("-1") for name, pid in self._stack.processes.pids.items()}
        cpu, rss = defaultdict[str, float](float), defaultdict[str, int](int)
        at, count = time.monotonic(), self.count(topic)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                # Each child leads a session of its own, so its children are known by the session.
                name = names[os.getsid(process.pid)]
                times = process.cpu_times()
                cpu[name] += times.user + times.system + times.children_user + times.children_system
                rss[name] += process.memory_info().rss
        return Sample(at, count, cpu, rss)

    def until(
        self, done: Callable[[list[Sample]], bool], topic: Topic[Message], interval: float = 0.25
    ) -> list[Sample]:
        """Samples until `done` says so.

        Raises:
            BenchmarkFailed: a dead letter came, or nothing for PATIENCE_S.
        """
        samples = [self.sample(topic)]
        moved = samples[0]
        while not done(samples):
            self._stack.processes.pause(interval)
            samples.append(self.sample(topic))
            if samples[-1].count > moved.count:
                moved = samples[-1]
            if samples[-1].at - moved.at > PATIENCE_S:
                raise BenchmarkFailed(
                    f"nothing came to {topic.name} for {PATIENCE_S:.0f} s; see the logs in {self._stack.folder}"
                )
        if self.count(cast("Topic[Message]", DEAD_LETTERS)):
            raise BenchmarkFailed(f"good images became dead letters; see {self._stack.folder}/logs")
        return samples


def reached(count: int) -> Callable[[list[Sample]], bool]:
    """Done when so many messages have been written."""
    return lambda samples: samples[-1].count >= count


def steady(samples: Sequence[Sample], before: int, total: int) -> Rate:
    """The rate between the first and the last EDGE of the `total` outputs that follow the first `before`."""
    first = next(sample for sample in samples if sample.count >= before + EDGE * total)
    # A run too fast for its samples is measured to its end.
    inside = [s for s in samples if first.count < s.count <= before + (1 - EDGE) * total]
    last = inside[-1] if inside else samples[-1]
    images = last.count - first.count
    if images <= 0:
        raise BenchmarkFailed("the run was over between two samples: take more --objects")
    cpu = {name: (last.cpu[name] - first.cpu[name]) * 1000 / images for name in last.cpu if name in first.cpu}
    return Rate(images / (last.at - first.at), cpu)
