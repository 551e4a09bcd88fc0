"""Which triplets show what is most like a picture: by vectors of one encoder, or by perceptual hashes.

Lines are read one by one, and only the likest are kept. Knows nothing of what makes vectors and hashes.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field, ValidationError

from models.datasets.lines import BadLine, Line
from schemas.base import Message
from schemas.regions import Embedding, expert_name


class _Pixels(Message):
    perceptual_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class _Metadata(Message):
    modality: str
    organ: str | None = None


class _Description(Message):
    description: str


class Shown(Message):
    """What is asked of a triplet: what it is, how it reads, and by what it can be compared."""

    triplet_id: str
    image_id: str
    object_id: str
    frame: int
    metadata: _Metadata
    image: _Pixels
    description: _Description
    embeddings: tuple[Embedding, ...] = ()

    @property
    def hash(self) -> int | None:
        """Of its view, 256 bits; None: not known."""
        told = self.image.perceptual_hash
        return int(told, 16) if told else None


@dataclass(frozen=True, slots=True)
class Looks:
    """How a picture looks, to be compared with others.

    Args:
        vectors: of length 1, by the name@version of their encoder.
        hash: of its view, 256 bits; None: not known.
        image_id: its own, which is not found again; empty: it is no triplet's.
    """

    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    hash: int | None = None
    image_id: str = ""

    @classmethod
    def of(cls, shown: Shown) -> "Looks":
        """Of a triplet's picture."""
        return cls({one.expert: one.values for one in shown.embeddings}, shown.hash, shown.image_id)

    def by(self, encoder: str) -> "Looks":
        """The same by one encoder alone, by name or name@version."""
        vectors = {name: one for name, one in self.vectors.items() if encoder in (name, expert_name(name))}
        return Looks(vectors, None, self.image_id)


@dataclass(frozen=True, slots=True)
class Hit:
    """A triplet that was found: how like it is, by what, and what stands in it.

    `likeness`: by an encoder the cosine, -1 to 1; by the hash the share of its bits that are the same.
    """

    likeness: float
    by: str
    shown: Shown


def shown_on(lines: Iterable[Line]) -> Iterator[Shown]:
    """What is asked of each. Raises BadLine."""
    for line in lines:
        try:
            yield Shown.model_validate_json(line.text)
        except ValidationError:
            raise BadLine(line.place, "it lacks what is compared") from None


def likest(asked: Looks, pictures: Iterable[Shown], most: int) -> list[Hit]:
    """The pictures that are most like one, the likest first; of one image the triplet that comes last.

    By vectors where it has any: those of other encoders, and of other versions, are not compared; else by hash.
    """
    vectors = {name: np.asarray(one, np.float32) for name, one in asked.vectors.items()}
    found: dict[str, Hit] = {}
    for shown in pictures:
        if shown.image_id == asked.image_id:
            continue
        hit = _held(asked, vectors, shown)
        if hit is None:
            continue
        found[shown.image_id] = hit
        if len(found) > 2 * most + 100:
            found = {one.shown.image_id: one for one in _best(found.values(), most)}
    return _best(found.values(), most)


def _best(found: Iterable[Hit], most: int) -> list[Hit]:
    return heapq.nsmallest(most, found, key=lambda one: (-one.likeness, one.shown.triplet_id))


def _held(asked: Looks, vectors: Mapping[str, np.ndarray], shown: Shown) -> Hit | None:
    if not vectors:
        if asked.hash is None or shown.hash is None:
            return None
        return Hit(1 - (asked.hash ^ shown.hash).bit_count() / 256, "perceptual hash", shown)
    for one in shown.embeddings:
        mine = vectors.get(one.expert)
        if mine is not None and len(mine) == len(one.values):
            return Hit(float(mine @ np.asarray(one.values, np.float32)), one.expert, shown)
    return None
