"""What came of everything: reads all topics of a pipeline to the end, and holds them against what was put in."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from agents.settings import Settings
from schemas.dead_letters import DeadLetter
from schemas.triplets import Triplet
from streams.reader import read
from streams.topics import DEAD_LETTERS, ENRICHED, GROUNDED, IMAGES, OBJECTS, TRIPLETS

TIMES = {"seconds", "duration_s", "took_s"}
"""What differs between two runs of the same work."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Objects announced, with their keys; triplets and dead letters by object; what came twice with other content.

    `reached`: the last topic on which there is something of an object that has come to nothing.
    """

    announced: Mapping[str, str]
    triplets: Mapping[str, set[str]]
    letters: Mapping[str, str]
    doubled: int
    reached: Mapping[str, str]

    @property
    def unaccounted(self) -> list[str]:
        """Objects that were announced, and of which nothing came."""
        return [one for one in self.announced if one not in self.triplets and one not in self.letters]


def outcomes(settings: Settings) -> Outcomes:
    """All that came so far."""
    identity = settings.identity
    announced = {
        identity.object_id(record.message): f"{record.message.bucket}/{record.message.key}"
        for record in read(settings.wires, [OBJECTS])
        if record and record.message
    }
    triplets: dict[str, set[str]] = defaultdict(set)
    contents: dict[tuple[str, int], set[bytes]] = defaultdict(set)
    letters: dict[str, str] = {}
    for record in read(settings.wires, [TRIPLETS, DEAD_LETTERS]):
        message = record.message if record else None
        if isinstance(message, Triplet):
            triplets[message.object_id].add(message.triplet_id)
            content = orjson.dumps(_timeless(message.model_dump(mode="json")))
            contents[message.object_id, message.frame].add(hashlib.blake2b(content, digest_size=16).digest())
        elif isinstance(message, DeadLetter) and message.object_id:
            letters[message.object_id] = f"{message.stage}: {message.error}: {message.message}"
    found = Outcomes(announced, triplets, letters, sum(len(kinds) > 1 for kinds in contents.values()), {})
    return replace(found, reached=_reached(settings, set(found.unaccounted)))


def _reached(settings: Settings, objects: set[str]) -> dict[str, str]:
    reached = dict.fromkeys(objects, OBJECTS.name)
    for topic in (IMAGES, GROUNDED, ENRICHED) if objects else ():
        for record in read(settings.wires, [topic]):
            message: Any = record.message if record else None
            if message is not None and message.object_id in objects:
                reached[message.object_id] = topic.name
    return reached


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(one) for name, one in value.items() if name not in TIMES}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
