"""A benchmark as everything after its loader sees it: questions, what answers are right, and where the pictures lie.

Knows nothing of how a benchmark is distributed.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias, get_args

from schemas.failures import InvalidInput

Kind: TypeAlias = Literal["closed", "open", "class", "text", "box"]
"""closed: one of a few options, as yes or no; open: a short free answer; class: one of the labels of the set;
text: a caption or report; box: where something lies."""
KINDS: tuple[Kind, ...] = get_args(Kind)
Corners: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in parts of the picture's width and height: 0 to 1."""


class WrongLayout(InvalidInput):
    """A benchmark does not lie as its loader knows it. The message names the file and what was expected in it."""


class NoPicture(InvalidInput):
    """A picture that a question needs is not there."""


@dataclass(frozen=True, slots=True)
class Mask:
    """Of a region: compressed run-length encoding as COCO has it, of a picture of so many px."""

    rows: int
    columns: int
    counts: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one study.

    Args:
        id: unique in its benchmark.
        images: keys of its pictures; of a report there can be two views.
        text: of the question, as the benchmark has it.
        answers: right ones; any of them counts. Of a box the phrase's box as text.
        kind: how it is scored.
        options: of a closed question or a class, normalised words that an answer may be.
        box: of kind box, the right one.
        mask: of what the box is of, where it is known.
        modality, organ, topic: what it is grouped by; empty where the benchmark does not tell. Topic is the
            benchmark's own type of question.
        patient: whose pictures they are, or what is known of it; empty where the benchmark does not tell.
    """

    id: str
    images: tuple[str, ...]
    text: str
    answers: tuple[str, ...]
    kind: Kind
    options: tuple[str, ...] = ()
    box: Corners | None = None
    mask: Mask | None = None
    modality: str = ""
    organ: str = ""
    topic: str = ""
    patient: str = ""

    @property
    def picture(self) -> str:
        """The key of its first picture; of a question without one its id."""
        return self.images[0] if self.images else self.id

    @property
    def unit(self) -> str:
        """What is drawn anew in a bootstrap: all questions about a patient, or where none is told about a picture.

        They stand or fall together: thirty slices of one chest are no thirty chests.
        """
        return self.patient or self.picture


Read: TypeAlias = Callable[[str], bytes | None]
"""The encoded picture of a key; None where it is not there."""


@dataclass(frozen=True)
class Benchmark:
    """Questions of one split, and those of the split that may be learned from.

    Args:
        name: of the benchmark.
        split: that is asked.
        questions: in the order of the file.
        read: pictures by their key.
        train: questions of the train split, with their right answers; empty where it is not there.
        source: names of the files read, with the layout that they have.
    """

    name: str
    split: str
    questions: Sequence[Question]
    read: Read = field(repr=False)
    train: Sequence[Question] = ()
    source: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not self.questions:
            raise WrongLayout(f"{self.name}: no question stands in split {self.split!r} of {self._files}")
        ids = [one.id for one in self.questions]
        if len(set(ids)) < len(ids):
            twice = next(one for one in ids if ids.count(one) > 1)
            raise WrongLayout(f"{self.name}: question {twice!r} stands twice in {self._files}")

    @property
    def _files(self) -> str:
        return ", ".join(self.source) or "what was given"

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """Keys of all pictures, each once, in the order in which they are first asked about."""
        return tuple(dict.fromkeys(key for one in self.questions for key in one.images))

    @cached_property
    def digest(self) -> str:
        """Of questions and right answers: two runs with the same one were asked the same."""
        lines = (repr((one.id, one.images, one.text, one.answers, one.kind, one.box)) for one in self.questions)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    def picture(self, key: str) -> bytes:
        """An encoded picture.

        Raises:
            NoPicture: it is not there.
        """
        found = self.read(key)
        if found is None:
            raise NoPicture(f"{self.name}: the picture {key!r} is not there: give the folder that holds it")
        return found
