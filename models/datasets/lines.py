"""Triplets as lines of JSON: a glance at each for filters and splits, and the whole triplet where it is written.

A glance checks what it takes in and passes over the rest; what is written has been read whole, and once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

from pydantic import ValidationError

from schemas.base import Message, Provenance
from schemas.failures import InvalidInput
from schemas.images import Pixels
from schemas.regions import Embedding, expert_name
from schemas.triplets import Description, Statement, Triplet


class Given(Protocol):
    """A triplet that a data set may be made of."""

    @property
    def at(self) -> int | None:
        """When it came, where something tells; None: after what was read before it. Later ones are newer."""
        ...

    def glance(self) -> "Glance":
        """What is asked of it before it is taken. Raises BadLine where it is no triplet."""
        ...

    def triplet(self) -> Triplet:
        """The whole triplet. Raises BadLine where it is none."""
        ...

    def embedding(self, encoder: str) -> Embedding | None:
        """What an encoder, by name or name@version, made of it. Raises BadLine where it is no triplet."""
        ...


class Whole(NamedTuple):
    """A triplet that has been read whole, as from a topic, and when it came there, in ms."""

    message: Triplet
    at: int | None = None

    def glance(self) -> "Glance":
        """As Given has it."""
        return Glance.of(self.message)

    def triplet(self) -> Triplet:
        """As Given has it."""
        return self.message

    def embedding(self, encoder: str) -> Embedding | None:
        """As Given has it."""
        return _of(encoder, self.message.embeddings)


class Deleted(NamedTuple):
    """Says that a triplet which came before is to be no more: a null value on its topic."""

    triplet_id: str


class Line(NamedTuple):
    """One triplet as JSON, and where it stands, for messages: 'file 1, line 3'."""

    place: str
    text: bytes

    @property
    def at(self) -> int | None:
        """As Given has it: lines tell no time."""
        return None

    def glance(self) -> "Glance":
        """As Given has it, without checking what is not asked for."""
        return Glance.at(self)

    def triplet(self) -> Triplet:
        """The whole triplet. Raises BadLine where it is none."""
        try:
            return Triplet.model_validate_json(self.text)
        except ValidationError as error:
            raise BadLine(self.place, _why(error)) from None

    def embedding(self, encoder: str) -> Embedding | None:
        """As Given has it; the line is read for it once more."""
        try:
            return _of(encoder, _Embedded.model_validate_json(self.text).embeddings)
        except ValidationError as error:
            raise BadLine(self.place, _why(error)) from None


Read = Callable[[], Iterator[Given | Deleted]]
"""Reads all triplets from the start, and what was deleted of them; it is called twice."""


class BadLine(InvalidInput):
    """A line that is no triplet. Its text names the place and quotes nothing of it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place}: is no triplet of this version: {why}")


def _why(error: ValidationError) -> str:
    """Where the first fault lies, in names of ours alone."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    part = next((str(one) for one in first["loc"][:1] if one in Triplet.model_fields), None)
    if part is None:
        return "it is cut off, or no JSON" if first["type"] == "json_invalid" else "it is something else"
    return (
        f"it has no {part}" if first["type"] == "missing" and len(first["loc"]) == 1 else f"its {part} is not as it was"
    )


def _of(encoder: str, embeddings: Iterable[Embedding]) -> Embedding | None:
    return next((one for one in embeddings if encoder in (one.expert, expert_name(one.expert))), None)


class _Embedded(Message):
    embeddings: tuple[Embedding, ...] = ()


class _Outcome(Message):
    outcome: str


class _Sentence(Message):
    author: str | None = None
    verdict: _Outcome | None = None


class _Description(Message):
    caption: _Sentence | None = None
    modality: _Sentence | None = None
    organ: _Sentence | None = None
    regions: tuple[_Sentence, ...] = ()
    texture: tuple[_Sentence, ...] = ()
    relations: tuple[_Sentence, ...] = ()
    absences: tuple[_Sentence, ...] = ()
    context: tuple[_Sentence, ...] = ()


class _Metadata(Message):
    modality: str = "unknown"
    organ: str | None = None
    disease: str | None = None


class _Lineage(Message):
    describer: str


class _Region(Message):
    kind: str = "candidate"


class _Line(Message):
    """Of a triplet what a glance takes in; the rest of the line is passed over."""

    triplet_id: str
    image_id: str
    object_id: str
    frame: int
    provenance: Provenance | None = None
    metadata: _Metadata
    image: Pixels
    regions: tuple[_Region, ...]
    description: _Description
    lineage: _Lineage


@dataclass(frozen=True, slots=True)
class Glance:
    """What is asked of a triplet before it is taken."""

    triplet_id: str
    image_id: str
    object_id: str
    frame: int
    provenance: Provenance | None
    modality: str
    organ: str
    disease: str
    image: Pixels
    kinds: frozenset[str]
    unsupported: bool
    authors: frozenset[str]

    @classmethod
    def at(cls, line: Line) -> Self:
        """At a line. Raises BadLine where what is asked for is not there."""
        try:
            return cls.of(_Line.model_validate_json(line.text))
        except ValidationError as error:
            raise BadLine(line.place, _why(error)) from None

    @classmethod
    def of(cls, triplet: "Triplet | _Line") -> Self:
        """At a triplet that has been read."""
        return cls(
            triplet.triplet_id,
            triplet.image_id,
            triplet.object_id,
            triplet.frame,
            triplet.provenance,
            triplet.metadata.modality,
            triplet.metadata.organ or "",
            triplet.metadata.disease or "",
            triplet.image,
            frozenset(region.kind for region in triplet.regions),
            any(not supported(one) for one in statements(triplet.description)),
            authors_of(triplet),
        )


_ALONE = ("caption", "modality", "organ")
_SEVERAL = ("regions", "texture", "relations", "absences", "context")


def statements(description: Description | _Description) -> Iterator[Statement | _Sentence]:
    """The sentences that `description` is made of."""
    yield from (one for name in _ALONE if (one := getattr(description, name)) is not None)
    for name in _SEVERAL:
        yield from getattr(description, name)


def authors_of(triplet: "Triplet | _Line") -> frozenset[str]:
    """Who wrote a triplet's text: the describer, and whoever wrote sentences of it; name@version."""
    named = (one.author for one in statements(triplet.description) if one.author)
    return frozenset((triplet.lineage.describer, *named))


def generation_of(authors: Iterable[str], told: int) -> int:
    """Of a text: 0 where no language model wrote any of it; where one did, what its lineage tells, 1 at least."""
    return max(told, int(not is_composed(authors)))


def is_composed(authors: Iterable[str]) -> bool:
    """Whether a text was written from measurements alone, and not by a language model."""
    return all(one.partition("@")[0] == "composer" for one in authors)


def supported(statement: Statement | _Sentence) -> bool:
    """Whether it was written from measurements, or borne out by them."""
    return statement.verdict is None or statement.verdict.outcome == "supported"
