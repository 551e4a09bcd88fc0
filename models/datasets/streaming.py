"""Triplets as they come, into training: a `datasets.IterableDataset` whose state is offsets, not a count of examples.

Partitions are its shards, so that `split_dataset_by_node` and the workers of a DataLoader each read their own. Examples
are shuffled over a buffer, and modalities take turns in leaving it. What waits in the buffer is part of the state, by
its offsets: whoever goes on from a state gets every example that was not handed out, and none that was. Questions are
chosen as an example leaves, and what they are balanced by is in the state too.
"""

import json
import random
from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, cast

import numpy as np
from datasets import DatasetInfo, Features, IterableDataset
from datasets.iterable_dataset import _BaseExamplesIterable  # pyright: ignore[reportPrivateUsage] - no public way

from models.datasets.formats.rows import FEATURES, row_of
from models.datasets.instructions import Mixer
from models.datasets.lines import Glance, authors_of, generation_of
from models.datasets.origin import origin_of
from models.datasets.policy import Policy
from models.datasets.soundness import Flawed, sound_picture
from schemas.triplets import Triplet

MORE: dict[str, Any] = {
    "group": {"dtype": "string", "_type": "Value"},
    "authors": {"feature": {"dtype": "string", "_type": "Value"}, "_type": "List"},
    "generation": {"dtype": "int32", "_type": "Value"},
}
"""Columns beside those of the Parquet format: what must not be torn apart, who wrote the text, name@version, and the
text's generation, as `generation_of` has it."""
REMEMBERED = 100_000
"""triplet_ids that are known again, the last ones: what is sent twice is sent twice soon."""


class Arrived(NamedTuple):
    """A triplet and where it stands."""

    partition: int
    offset: int
    triplet: Triplet


Open = Callable[[Mapping[int, int]], Iterator[Arrived]]
"""Reads partitions, each from an offset on, in the order of each partition."""


@dataclass
class _Position:
    """How far one reader is: the next offset of each partition, and what it holds back behind it."""

    next: dict[int, int]
    held: dict[int, list[int]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    handed_out: int = 0
    mixed: dict[str, Any] = field(default_factory=dict[str, Any])

    def dump(self) -> str:
        return json.dumps([self.next, self.held, self.seen, self.handed_out, self.mixed])

    @classmethod
    def load(cls, text: str) -> "_Position":
        after, held, seen, handed_out, *mixed = json.loads(text)  # Earlier states do not tell what was asked.
        return cls(
            {int(key): value for key, value in after.items()},
            {int(key): value for key, value in held.items()},
            seen,
            handed_out,
            *mixed,
        )

    @property
    def first(self) -> dict[int, int]:
        """Where to begin: at the first of what is held back."""
        return {key: min([value, *self.held.get(key, [])]) for key, value in self.next.items()}

    def wants(self, arrived: Arrived) -> bool:
        return arrived.offset >= self.next[arrived.partition] or arrived.offset in self.held.get(arrived.partition, ())


class _Live:
    """Stands in a state for a position that goes on, and is written down when the state is copied out."""

    def __init__(self, dump: Callable[[], str]) -> None:
        self._dump = dump

    def __deepcopy__(self, memo: dict[int, Any]) -> str:
        return self._dump()


class _Waiting(NamedTuple):
    """A triplet without its picture, which lies beside it as PNG."""

    partition: int
    offset: int
    triplet: Triplet
    png: bytes


class _Buffer:
    """Triplets by modality, each in the order of its place, so that the same content leaves it in the same order."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[_Waiting]] = {}

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._waiting.values())

    def add(self, arrived: Arrived, png: bytes) -> None:
        triplet = arrived.triplet
        bare = triplet.model_copy(update={"image": triplet.image.model_copy(update={"data": None})})
        waiting = self._waiting.setdefault(triplet.metadata.modality, [])
        insort(waiting, _Waiting(arrived.partition, arrived.offset, bare, png), key=lambda one: one[:2])

    def pop(self, chance: random.Random) -> _Waiting:
        """Of a modality by chance, one by chance: rare ones are not drowned."""
        modality = chance.choice(sorted(self._waiting))
        waiting = self._waiting[modality]
        one = waiting.pop(chance.randrange(len(waiting)))
        if not waiting:
            del self._waiting[modality]
        return one

    def held(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for waiting in self._waiting.values():
            for one in waiting:
                found.setdefault(one.partition, []).append(one.offset)
        return found


class _Examples(_BaseExamplesIterable):
    def __init__(self, open_topic: Open, partitions: Sequence[int], policy: Policy, buffer: int, seed: int) -> None:
        super().__init__()
        self._open, self._partitions = open_topic, tuple(partitions)
        self._policy, self._size, self._seed = policy, buffer, seed

    @property
    def num_shards(self) -> int:
        """Partitions."""
        return len(self._partitions)

    def shuffle_data_sources(self, generator: np.random.Generator) -> "_Examples":
        """Another seed; partitions are read together anyway."""
        return self._with(self._partitions, int(generator.integers(1 << 31)))

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> "_Examples":
        """The partitions of one of several readers."""
        places = self.split_shard_indices_by_worker(num_shards, index, contiguous=contiguous)
        return self._with([self._partitions[place] for place in places], self._seed + index + 1)

    def reshard_data_sources(self) -> "_Examples":
        """A partition is read by one."""
        return self

    def _with(self, partitions: Sequence[int], seed: int) -> "_Examples":
        return _Examples(self._open, partitions, self._policy, self._size, seed)

    def _init_state_dict(self) -> dict[str, Any]:
        self._state_dict = {"position": _Position(dict.fromkeys(self._partitions, 0)).dump(), "type": "triplets"}
        return self._state_dict

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Examples with their keys."""
        state = cast(dict[str, Any] | None, self._state_dict)
        start = _Position.load(state["position"]) if state else _Position(dict.fromkeys(self._partitions, 0))
        seen: OrderedDict[str, None] = OrderedDict.fromkeys(start.seen)
        now = _Position(dict(start.next), handed_out=start.handed_out)
        buffer, mixer = _Buffer(), Mixer(self._policy.turns, self._policy.questions, unproven=self._policy.unproven)
        if start.mixed:
            mixer.go_on(start.mixed)

        if state:
            state["position"] = _Live(
                lambda: replace(now, held=buffer.held(), seen=list(seen), mixed=mixer.state()).dump()
            )

        def leave() -> tuple[str, dict[str, Any]]:
            chance = random.Random(f"{self._seed}:{now.handed_out}")  # noqa: S311 - an order, not a secret
            one = buffer.pop(chance)
            now.handed_out += 1
            return f"{one.partition}/{one.offset}", _example(one.triplet, one.png, mixer)

        for arrived in self._open(start.first):
            again = arrived.offset < start.next[arrived.partition]
            if not start.wants(arrived):
                continue
            now.next[arrived.partition] = max(now.next[arrived.partition], arrived.offset + 1)
            triplet = arrived.triplet
            if not again and (triplet.triplet_id in seen or self._policy.refuses(Glance.of(triplet))):
                continue
            try:
                png = sound_picture(triplet)
            except Flawed:
                continue
            seen[triplet.triplet_id] = None
            if len(seen) > REMEMBERED:
                seen.popitem(last=False)
            buffer.add(arrived, png)
            if len(buffer) > self._size:
                yield leave()
        while len(buffer):
            yield leave()


def _example(triplet: Triplet, png: bytes, mixer: Mixer) -> dict[str, Any]:
    images = [{"bytes": png, "path": f"{triplet.triplet_id}.png"}]
    authors = sorted(authors_of(triplet))
    more = {
        "group": origin_of(Glance.of(triplet)).group,
        "authors": authors,
        "generation": generation_of(authors, triplet.lineage.generation),
    }
    return {"images": images, **row_of(triplet, mixer.conversation(triplet)), **more}


def triplet_stream(
    open_topic: Open, partitions: Sequence[int], policy: Policy | None = None, *, buffer: int = 1000, seed: int = 0
) -> IterableDataset:
    """Triplets of a topic as examples in TRL's conversational form.

    `state_dict()` and `load_state_dict()` are those of `datasets`; a DataLoader with workers needs torchdata's
    StatefulDataLoader to keep them. The columns are those of the Parquet format, `group`, `authors` and
    `generation`.

    Args:
        open_topic: reads partitions from offsets on; it ends where training should, or never.
        partitions: of the topic, all of them; ranks and workers share them out.
        policy: which triplets are taken, and how many turns each gives.
        buffer: examples that are shuffled over.
        seed: of the order.
    """
    examples = _Examples(open_topic, partitions, policy or Policy(), buffer, seed)
    # Told to the data set and not of the examples: so it is `datasets` that decodes pictures.
    features = Features.from_dict({"images": {"feature": {"_type": "Image"}, "_type": "List"}, **FEATURES, **MORE})
    return IterableDataset(examples, info=DatasetInfo(features=features))
