"""The topic of triplets as a data set to train on, while it grows."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infra.console import current_settings
from models.datasets.lines import Deleted, Whole
from models.datasets.policy import Policy
from models.datasets.streaming import Arrived, triplet_stream
from streams.reader import partitions_of, read
from streams.settings import Wires
from streams.topics import TRIPLETS

if TYPE_CHECKING:
    from datasets import IterableDataset


class TripletTopic:
    """Reads partitions of a cluster's triplets; can be pickled, as workers of a DataLoader need it.

    Args:
        wires: which cluster.
        follow: True: waits for more at the end, for ever.
    """

    def __init__(self, wires: Wires, *, follow: bool = False) -> None:
        self._wires, self._follow = wires, follow

    def __call__(self, first: Mapping[int, int]) -> Iterator[Arrived]:
        """Triplets of these partitions, each from its offset on."""
        for record in read(self._wires, [TRIPLETS], first=first, follow=self._follow):
            if record is not None and record.message is not None:
                yield Arrived(record.partition, record.offset, record.message)


class TripletsSoFar:
    """The triplets of a cluster as they stood when they were first read, and the offsets that were read.

    A second reading gives the same ones but those that compaction has taken away since, each of which has a later one.
    """

    def __init__(self, wires: Wires) -> None:
        self._wires = wires
        self._offsets: dict[int, tuple[int, int]] = {}
        self._whole = False

    def read(self) -> Iterator[Whole | Deleted]:
        """All of them, partition by partition in order, and which of them were deleted since. Raises Unavailable."""
        for record in read(self._wires, [TRIPLETS]):
            if record is None:
                continue
            first, last = self._offsets.get(record.partition, (record.offset, record.offset))
            if self._whole and not first <= record.offset <= last:
                continue
            self._offsets[record.partition] = min(first, record.offset), max(last, record.offset)
            yield Deleted(record.key) if record.message is None else Whole(record.message, record.at)
        self._whole = True

    def told(self) -> dict[str, Any]:
        """The topic, and of each partition the first and the last offset that was read."""
        return {
            "topic": TRIPLETS.on(self._wires),
            "offsets": {str(key): [*self._offsets[key]] for key in sorted(self._offsets)},
        }


def stream(
    kafka: str | None = None, *, follow: bool = False, policy: Policy | None = None, buffer: int = 1000, seed: int = 0
) -> "IterableDataset":
    """The triplets of a broker as a `datasets.IterableDataset`; see docs/datasets.md.

    Args:
        kafka: HOST:PORT; None: as the settings say.
        follow: False: ends where the topic ended when reading began. True: goes on as triplets come.
        policy: which triplets are taken.
        buffer: examples that are shuffled over.
        seed: of the order.

    Raises:
        Unavailable: the broker does not answer, or has no triplets topic.
    """
    wires = current_settings(kafka=kafka).wires
    topic = TripletTopic(wires, follow=follow)
    return triplet_stream(topic, partitions_of(wires, TRIPLETS), policy, buffer=buffer, seed=seed)
