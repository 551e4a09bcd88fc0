"""gather: the triplets of a volume's slices become one record of the volume, once all are there, or none come any more.

What was told is never told with fewer slices: a record of the same id only grows.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from agents import metrics
from models.datasets.volumes import Stack, record_id
from schemas.triplets import Triplet
from schemas.volumes import VolumeRecord

log = structlog.get_logger()

WAIT_S = 600.0
"""Without another slice, after which a volume is told as it is."""
MOST_OPEN = 256
"""Volumes that are waited for at a time; the one that has waited longest is told as it is beyond them."""
MOST_KEPT = 64
"""Volumes told incomplete that are remembered: a slice that comes late, as from a replay, makes them whole."""


@dataclass(slots=True)
class _Open:
    stack: Stack
    since: float
    first: dict[int, int] = field(default_factory=dict[int, int])


class Volumes:
    """Gathers the slices of volumes; see `streams.gathering.Gathering`.

    Args:
        told: slices of each record that was told before, by its id.
        wait: seconds.
    """

    def __init__(self, told: Mapping[str, int] | None = None, wait: float = WAIT_S) -> None:
        self._told, self._wait = dict(told or {}), wait
        self._open: OrderedDict[str, _Open] = OrderedDict()
        """By when a slice last came."""
        self._kept: OrderedDict[str, Stack] = OrderedDict()
        for complete in ("yes", "no"):  # At zero from the start: a rate does not see a counter's first step.
            metrics.VOLUMES.labels(complete)

    def take(self, message: Triplet, partition: int, offset: int, now: float) -> Iterator[VolumeRecord]:
        """Take a triplet; the record of the volume that it completes."""
        known, within = record_id(message), message.metadata.volume
        if known is None or within is None or self._told.get(known, 0) >= within.slices:
            return
        one = self._open.get(known)
        if one is None:
            one = self._open[known] = _Open(self._kept.pop(known, None) or Stack.of(message), now)
        if one.stack.add(message):
            one.since = now
            self._open.move_to_end(known)
            if 0 < self._told.get(known, 0) < len(one.stack.seen):
                metrics.SLICES_LATE.inc()
        one.first.setdefault(partition, offset)
        if one.stack.complete:
            yield from self._tell(known)
        while len(self._open) > MOST_OPEN:
            yield from self._tell(next(iter(self._open)))
        self._gauge()

    def overdue(self, now: float) -> Iterator[VolumeRecord]:
        """Records of volumes of which no slice has come for long."""
        while self._open:
            known, one = next(iter(self._open.items()))
            if now - one.since < self._wait:
                return
            yield from self._tell(known)
            self._gauge()

    def held(self) -> dict[int, int]:
        """The offset of the first message of each partition that an open volume needs."""
        found: dict[int, int] = {}
        for one in self._open.values():
            for partition, offset in one.first.items():
                found[partition] = min(offset, found.get(partition, offset))
        return found

    def _tell(self, known: str) -> Iterator[VolumeRecord]:
        stack = self._open.pop(known).stack
        seen, before = len(stack.seen), self._told.get(known, 0)
        if not stack.complete:
            self._kept[known] = stack
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            log.warning("volume incomplete", volume=stack.within.digest, seen=max(seen, before), of=stack.within.slices)
        if seen > before:
            self._told[known] = seen
            metrics.VOLUMES.labels("yes" if stack.complete else "no").inc()
            yield stack.record()

    def _gauge(self) -> None:
        metrics.VOLUMES_OPEN.set(len(self._open))
        metrics.SLICES_WAITING.set(sum(len(one.stack.seen) for one in self._open.values()))
