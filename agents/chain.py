"""The diagram in one process: each agent hands on to the next what a topic carries between processes.

objects ──▶ preprocess ──▶ ground ──▶ retrieve ──▶ describe ──▶ triplets
                └────────────┴───────────┴────────────┴──────▶ dead letters

Knows no broker, and nothing of where objects come from or results go.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from agents import handlers
from agents.settings import Settings
from schemas.dead_letters import DeadLetter
from schemas.images import MedicalImage
from schemas.knowledge import EnrichedImage
from schemas.objects import ObjectReference
from schemas.regions import GroundedImage
from schemas.triplets import Triplet
from streams.dead_letters import Handler, Subject
from streams.isolation import Isolated
from streams.passing import Waiting, through
from streams.payloads import Payloads


@dataclass(frozen=True, slots=True)
class Widths:
    """Images that a stage has in work at once; the others have one."""

    ground: int = 2
    describe: int = 1


@dataclass(frozen=True, slots=True)
class Agents:
    """What each stage does with one message."""

    preprocess: Handler[ObjectReference, MedicalImage]
    ground: Handler[MedicalImage, GroundedImage]
    retrieve: Handler[GroundedImage, EnrichedImage]
    describe: Handler[EnrichedImage, Triplet]


def chain(
    objects: AsyncIterator[ObjectReference],
    agents: Agents,
    *,
    subject: Callable[[ObjectReference], Subject],
    widths: Widths,
    waiting: Waiting = lambda _: None,
) -> AsyncIterator[Triplet | DeadLetter]:
    """What comes of objects, in their order: for each frame taken a triplet or a dead letter, or one of the whole."""
    images = through("preprocess", agents.preprocess, objects, subject=subject, waiting=waiting)
    grounded = through("ground", agents.ground, images, width=widths.ground, waiting=waiting)
    enriched = through("retrieve", agents.retrieve, grounded, waiting=waiting)
    return through("describe", agents.describe, enriched, width=widths.describe, waiting=waiting)


class Chain(AbstractContextManager["Chain"]):
    """The chain as the settings have it, its decoder in a process of its own, pixels never anywhere but in messages.

    Args:
        settings: of the stages.
        isolated: in which files are read, closed with the chain; with its modules, of `agents.ISOLATED`.
        ground: images that experts look at, at once.
    """

    def __init__(self, settings: Settings, isolated: Isolated, *, ground: int = 2) -> None:
        self._isolated = isolated
        self._identity = settings.identity
        payloads = Payloads.none()
        # One thread an image, whatever the machine: sums in another order end in other last digits.
        self._agents = Agents(
            handlers.preprocessing(settings, self._isolated, payloads),
            handlers.grounding(handlers.experts(settings, 1), payloads),
            handlers.retrieving(settings, settings.cache),
            handlers.describing(settings, payloads),
        )
        self._widths = Widths(ground, settings.serving.concurrency if settings.serving.url else 1)

    def run(
        self, objects: AsyncIterator[ObjectReference], waiting: Waiting = lambda _: None
    ) -> AsyncIterator[Triplet | DeadLetter]:
        """What comes of objects; see `chain`."""
        return chain(objects, self._agents, subject=self._subject, widths=self._widths, waiting=waiting)

    def _subject(self, reference: ObjectReference) -> Subject:
        return Subject(self._identity.object_id(reference), file_id=self._identity.file_id(reference))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._isolated.close()
